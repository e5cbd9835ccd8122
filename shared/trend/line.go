package trend

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// line is a least-squares line; margin is half of the 95 % interval of its slope, errors the sum of squared residuals.
type line struct{ slope, margin, errors float64 }

// fit draws the line through y over x.
func fit(x []int, y []float64) line {
	dx := centred(x)
	my := meanOf(y)
	var sxy, sxx float64
	for i, d := range dx {
		sxy += d * (y[i] - my)
		sxx += d * d
	}
	l := line{slope: sxy / sxx}
	scores := make([]float64, len(y))
	for i, d := range dx {
		r := y[i] - my - l.slope*d
		l.errors += r * r
		scores[i] = d * r
	}
	l.margin = margin(scores, sxx, 2)
	return l
}

func centred(x []int) []float64 {
	mean := 0.0
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v) - mean
	}
	return out
}

// margin is half of the 95 % interval of a coefficient, from the products of its regressor and the residuals. The variance takes
// in their autocovariances (Newey and West 1987, Bartlett weights), because a day resembles the days before it and an interval that
// ignored that would be far too narrow. The critical value is the one of Kiefer and Vogelsang (2005), which allows for the
// variance being estimated from few independent stretches.
func margin(scores []float64, square float64, parameters int) float64 {
	n := float64(len(scores))
	lags := min(max(week, int(1.3*math.Sqrt(n))), len(scores)/4)
	variance := 0.0
	for k := 0; k <= lags; k++ {
		sum := 0.0
		for i := k; i < len(scores); i++ {
			sum += scores[i] * scores[i-k]
		}
		if k > 0 {
			sum *= 2 * (1 - float64(k)/float64(lags+1))
		}
		variance += sum
	}
	free := n - float64(parameters)
	variance = max(variance, 0) / (square * square) * n / free
	b := float64(lags) / n
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: free}.Quantile(0.975)
	return (t + 2.9694*b + 0.4160*b*b - 0.5324*b*b*b) * math.Sqrt(variance)
}

// curve is how a line bends.
type curve struct {
	early, late float64 // change a day in the first and the second half
	faster      bool    // it grows, and clearly faster in the second half
}

// bend adds to the line the square of x, less what the line explains of it.
func bend(x []int, y []float64, l line) curve {
	dx := centred(x)
	var s2, s3 float64
	for _, d := range dx {
		s2 += d * d
		s3 += d * d * d
	}
	squared := make([]float64, len(dx)) // the part of the square that no line has
	var sqq, sqy float64
	my := meanOf(y)
	for i, d := range dx {
		squared[i] = d*d - s2/float64(len(dx)) - d*s3/s2
		sqq += squared[i] * squared[i]
		sqy += squared[i] * (y[i] - my)
	}
	if sqq == 0 {
		return curve{}
	}
	c := sqy / sqq
	out := curve{}
	scores := make([]float64, len(y))
	for i, d := range dx {
		r := y[i] - my - l.slope*d - c*squared[i]
		scores[i] = squared[i] * r
	}
	at := func(d float64) float64 { return l.slope - c*s3/s2 + 2*c*d }
	quarter := (dx[len(dx)-1] - dx[0]) / 4
	out.early, out.late = at(-quarter), at(quarter)
	out.faster = c > margin(scores, sqq, 3) && out.late > 0 && out.late >= 2*out.early && l.slope > 0
	return out
}

// smooth is the sum of squared residuals of a trend that bends at the three quarters of the days and never jumps: what a steady
// growth of any form comes near to, and a step does not.
func smooth(x []int, y []float64) float64 {
	const width = 5
	rows := mat.NewDense(len(x), width, nil)
	span := float64(x[len(x)-1] - x[0])
	for i, v := range x {
		at := float64(v-x[0]) / span
		rows.SetRow(i, []float64{1, at, max(0, at-0.25), max(0, at-0.5), max(0, at-0.75)})
	}
	target := mat.NewVecDense(len(y), y)
	var weights, fitted mat.VecDense
	if weights.SolveVec(rows, target) != nil {
		return math.Inf(1)
	}
	fitted.MulVec(rows, &weights)
	fitted.SubVec(target, &fitted)
	return mat.Dot(&fitted, &fitted)
}
