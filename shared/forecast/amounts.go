package forecast

import (
	"math"
	"slices"
)

// leads is how many amounts ahead the errors are known of.
const leads = 4

// amounts are those of a fee to come.
type amounts struct {
	next, drift float64        // the first one, and the change from each to the following
	off         [leads]float64 // deviations, by how far ahead
}

// ahead is the k-th amount after the next one, and its deviation. What shrinks does not turn into its opposite.
func (a amounts) ahead(k int) (amount, off float64) {
	amount = a.next + float64(k)*a.drift
	if amount*a.next < 0 {
		amount = 0
	}
	if k < leads {
		return amount, a.off[k]
	}
	return amount, a.off[leads-1] * math.Sqrt(float64(k+1)/leads)
}

// foretell says what amounts follow. Those that only scatter are best foretold by the median of the last three, those that grow or
// took a step by the last one and the usual change on top: whichever was nearer the last times speaks.
func foretell(past []float64) amounts {
	level := func(past []float64) amounts { return amounts{next: lastly(past)} }
	walk := func(past []float64) amounts {
		drift := change(past)
		return amounts{next: past[len(past)-1] + drift, drift: drift}
	}
	var best amounts
	least := math.Inf(1)
	for _, rule := range []func([]float64) amounts{level, walk} {
		off, all := missed(past, rule)
		if all < least {
			best, least = rule(past), all
			best.off = off
		}
	}
	return best
}

// missed is how far a rule was off in the past, by how far ahead, and the sum of all squares. Few errors know little.
func missed(past []float64, rule func([]float64) amounts) (off [leads]float64, all float64) {
	const learnt = 12
	n, before := len(past), 0.0
	for k := range off {
		squares, count := 0.0, 0.0
		for j := max(1, n-learnt); j+k < n; j++ {
			next, _ := rule(past[:j]).ahead(k)
			squares += (past[j+k] - next) * (past[j+k] - next)
			count++
		}
		all += squares
		if count > 0 {
			off[k] = math.Sqrt(squares/count) * (1 + 1/count)
		}
		before = max(before, off[k])
		off[k] = before
	}
	return off, all
}

// lastly is the median of the last three.
func lastly(past []float64) float64 { return median(slices.Clone(past[max(0, len(past)-3):])) }

// change is the median of the last six changes; of less than three none is believed.
func change(past []float64) float64 {
	var changes []float64
	for j := max(1, len(past)-6); j < len(past); j++ {
		changes = append(changes, past[j]-past[j-1])
	}
	if len(changes) < 3 {
		return 0
	}
	return median(changes)
}
