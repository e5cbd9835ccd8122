package anomaly

import (
	"math"
	"slices"
)

// tail is the upper tail of the standardised residuals of one series: a generalised Pareto distribution over a high
// threshold (peaks over threshold; Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017).
type tail struct {
	threshold   float64
	share       float64 // of the days that lie above the threshold
	scale, form float64
}

// tailLevel is the part of the days that count as the body of the distribution.
const tailLevel = 0.9

// minTail is how many days a tail can be fitted to; before, the normal tail stands in.
const minTail = 60

// fitTail estimates scale and form by the moments of the excesses (Hosking and Wallis 1987). The form is kept between
// exponential and a tail whose variance still exists.
func fitTail(scores []float64) tail {
	if len(scores) < minTail {
		return tail{}
	}
	ordered := slices.Clone(scores)
	cut := int(tailLevel * float64(len(ordered)))
	u := nth(ordered, cut-1) // only what lies above has to be in order
	excess := ordered[cut:]
	slices.Sort(excess)
	mean, square := 0.0, 0.0
	for _, x := range excess {
		mean += (x - u) / float64(len(excess))
	}
	for _, x := range excess {
		square += (x - u - mean) * (x - u - mean) / float64(len(excess))
	}
	t := tail{threshold: u, share: float64(len(excess)) / float64(len(scores)), scale: max(mean, 0.3)}
	if square > 0 && mean > 0 {
		ratio := mean * mean / square
		t.form = max(0, min(0.4, (1-ratio)/2))
		t.scale = max(mean*(1-t.form), 0.3)
	}
	return t
}

// beyond is the probability that an ordinary day lies as far out as score.
func (t tail) beyond(score float64) float64 {
	if t.share == 0 {
		return math.Erfc(0.8 * score / math.Sqrt2) // too few days: a normal tail with a quarter more spread
	}
	if score <= t.threshold {
		return 1
	}
	x := (score - t.threshold) / t.scale
	if t.form < 1e-6 {
		return t.share * math.Exp(-x)
	}
	return t.share * math.Pow(1+t.form*x, -1/t.form)
}
