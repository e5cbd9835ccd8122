package forecast

import (
	"math"
	"math/rand/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Paths are a forecast with courses that its first days could take, all equally likely: together they are the distribution of
// whatever is asked of several days at once, such as their sum, or the day on which it passes a bound.
type Paths struct {
	Forecast

	Days [][]float64 // by path and day ahead, from the day of Points[0] on; none where nothing is forecast
}

// DailyPaths forecasts as DailyWith does and draws n courses of so many days ahead, at most as many as are forecast. The same
// series always gives the same courses.
//
// The errors of a course are a random combination of the whole error paths of past forecasts, each with a normal weight of its own
// (the Gaussian multiplier bootstrap; Chernozhukov, Chetverikov and Kato, Annals of Statistics 2013), so that neighbouring days err
// together as they did in the past. Their spread is known from a few paths only, which overlap and resemble each other: the courses
// have the tails of Student's distribution with half as many degrees of freedom, and the margin of the intervals. Where too few past
// paths are long enough, all days of a course err by the same share of their half-widths, which is never too narrow. Each course has a
// mirror image about the mean.
func DailyPaths(s cost.Series, horizon, days, n int, o Options) Paths {
	f, u := outlook(s, horizon, o)
	p := Paths{Forecast: f}
	days = min(days, len(f.Points))
	if days <= 0 {
		return p
	}
	draw := u.draw(days)
	for len(p.Days) < n {
		errors := draw()
		for _, sign := range []float64{1, -1} {
			path := make([]float64, days)
			for h := range path {
				path[h] = max(u.least, f.Points[h].Mean+sign*errors[h])
			}
			p.Days = append(p.Days, path)
		}
	}
	p.Days = p.Days[:max(0, n)]
	return p
}

// enoughPaths is how many past error paths tell the spread of a sum.
const enoughPaths = 4

// leastFreedom keeps the variance of the courses finite.
const leastFreedom = 3

// normal80 is how many deviations from the mean a normal interval of 80 % reaches.
const normal80 = 1.2816

// draw gives a source of error paths of so many days.
func (u uncertainty) draw(days int) func() []float64 {
	random := rand.New(rand.NewPCG(1, 2)) // fixed: the same series has to give the same answer
	var whole [][]float64
	for _, path := range u.errors {
		if len(path) >= days {
			whole = append(whole, path[:days])
		}
	}
	if len(whole) < enoughPaths {
		return func() []float64 {
			z := random.NormFloat64() / normal80
			out := make([]float64, days)
			for h := range out {
				out[h] = z * u.band.half80[h]
			}
			return out
		}
	}
	n := float64(len(whole))
	freedom := max(leastFreedom, int(math.Round(n/2)))
	return func() []float64 {
		out := make([]float64, days)
		for _, path := range whole {
			z := random.NormFloat64()
			for h, e := range path {
				if finite(e) {
					out[h] += z * e
				}
			}
		}
		square := 0.0
		for range freedom {
			y := random.NormFloat64()
			square += y * y
		}
		spread := margin(len(whole)) / math.Sqrt(n*square/float64(freedom))
		for h := range out { // a normal sum of that many paths, over the root of a mean square
			out[h] *= spread
		}
		return out
	}
}
