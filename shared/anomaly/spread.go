package anomaly

import "math"

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
	return nth(abs, int(0.95*float64(len(abs)-1))) / 1.96
}

// nth is the value that would stand at position k if v were sorted; it reorders v (Hoare's selection, with the middle of three as
// pivot). Spreads are taken anew every week for every series, where sorting would be most of the work.
func nth(v []float64, k int) float64 {
	low, high := 0, len(v)-1
	for low < high {
		a, b, c := v[low], v[(low+high)/2], v[high]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := low, high
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return v[k]
		}
	}
	return v[k]
}
