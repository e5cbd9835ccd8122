package anomaly

import (
	"math"
	"slices"
)

// windows are the lengths, in days, of the means that are judged besides the single day.
var windows = [...]int{3, 7}

// wide is the standard deviation of the normal distribution that has the same 95 % of its values within as large a distance. A
// series whose ordinary days already stray far gets the wider spread that its middle half would hide.
func wide(v []float64) float64 {
	abs := make([]float64, len(v))
	for i, x := range v {
		abs[i] = math.Abs(x)
	}
	if len(abs) == 0 {
		return 0
	}
	slices.Sort(abs)
	return abs[int(0.95*float64(len(abs)-1))] / 1.96
}
