package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	leastSparse = 4 * week
	stretch     = 8 * week
	begun       = 4 // days with costs in the last week: a load has begun
	leastOthers = 3 // charges without a rhythm that say how often such ones come
)

// costly counts the days that cost something.
func costly(values []float64) (count int) {
	for _, v := range values {
		if v != 0 {
			count++
		}
	}
	return count
}

// charged is how many of the last days cost something on so few days that no model of levels fits them: stretches of eight
// weeks with costs on one day of eight at most, or twice as many before the last one.
func charged(values []float64) int {
	if costly(values[max(0, len(values)-week):]) >= begun {
		return 0
	}
	days, most := 0, rare
	for end := len(values); end > 0; end -= stretch {
		part := values[max(0, end-stretch):end]
		if float64(costly(part)) > most*float64(len(part)) {
			break
		}
		days, most = days+len(part), 2*rare
	}
	if days < leastSparse {
		return 0
	}
	return days
}

// silent says whether costs ended: nothing for four weeks, and for twice the longest of the last gaps between two costs.
func silent(values []float64) bool {
	next, quiet, gaps, longest := -1, len(values), 0, 0
	for i := len(values) - 1; i >= 0 && gaps < mostFees; i-- {
		if values[i] == 0 {
			continue
		}
		if next < 0 {
			quiet = len(values) - 1 - i
		} else {
			longest = max(longest, next-i)
			gaps++
		}
		next = i
	}
	return quiet >= ceasedAfter && quiet > 2*longest
}

// few forecasts days of which few cost something: fees on their days, charges without a rhythm as often as in the last year.
// off is the deviation of each day.
func few(values []float64, start time.Time, horizon int) (mean, off []float64, fees []fee) {
	const year = 365
	c := chargesOf(values, start, 0)
	fees = c.fees(chanceAlone)
	if costly(c.amount) > 0 {
		c = chargesOf(values, start, 0)
		fees = c.fees(chanceBeside)
	}
	mean, off = c.dues(fees, horizon)
	others := c.amount[max(0, len(c.amount)-year):]
	if costly(others) < leastOthers || silent(others) {
		return mean, off, fees
	}
	// As many as came after the first of them, in the days since.
	since := others[slices.IndexFunc(others, func(v float64) bool { return v != 0 })+1:]
	sum, square, n := 0.0, 0.0, float64(max(1, len(since)))
	for _, v := range since {
		sum += v / n
		square += v * v / n
	}
	deviation := math.Sqrt(max(0, square-sum*sum))
	for i := range mean {
		mean[i] += sum
		off[i] = math.Hypot(off[i], deviation)
	}
	return mean, off, fees
}

// sparse answers for the last days of a series in which few cost something.
func (f *Forecast) sparse(values []float64, start time.Time, horizon int) ([]float64, band, [][]float64) {
	mean, off, fees := few(values, start, horizon)
	n := len(values)
	var errors [][]float64
	reach := min(n-leastSparse, horizon+10*week)
	for k := origins - 1; k >= 0; k-- {
		at := n - week - k*max(1, (reach-week)/(origins-1))
		if at < leastSparse {
			continue
		}
		path, _, _ := few(values[:at], start, min(horizon, n-at))
		for i := range path {
			path[i] = values[at+i] - path[i]
		}
		errors = append(errors, path)
	}
	b := band{make([]float64, horizon), make([]float64, horizon)}
	for i, o := range off {
		b.half80[i], b.half95[i] = normal80*o, 1.96*o
	}
	live := 0
	for _, fee := range fees {
		if !fee.ended {
			live++
		}
	}
	f.MASE = relative(meanAbs(errors), seasonalScale(values, week))
	f.Model = "charges"
	f.Reason = fmt.Sprintf("Few days cost anything. Fees that come again (%d) are expected on their days, other charges as often as in the last year.", live)
	return mean, b, errors
}
