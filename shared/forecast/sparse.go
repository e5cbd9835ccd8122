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
	leastOthers = 3 // charges without a rhythm that say how often such ones come
)

// charged is how many of the last days cost something on so few days that no model of levels fits them: stretches of eight
// weeks with costs on one day of eight at most.
func charged(values []float64) int {
	days := 0
	for end := len(values); end > 0; end -= stretch {
		part := values[max(0, end-stretch):end]
		count := 0
		for _, v := range part {
			if v != 0 {
				count++
			}
		}
		if float64(count) > rare*float64(len(part)) {
			break
		}
		days += len(part)
	}
	if days < leastSparse {
		return 0
	}
	return days
}

// silent says whether costs ended: nothing for four weeks, and for twice the gap that was usual between two costs.
func silent(values []float64) bool {
	var gaps []int
	next, quiet := -1, len(values)
	for i := len(values) - 1; i >= 0 && len(gaps) < mostFees; i-- {
		if values[i] == 0 {
			continue
		}
		if next < 0 {
			quiet = len(values) - 1 - i
		} else {
			gaps = append(gaps, next-i)
		}
		next = i
	}
	slices.Sort(gaps)
	usual := 0
	if len(gaps) > 0 {
		usual = gaps[len(gaps)*3/4]
	}
	return quiet >= ceasedAfter && quiet > 2*usual
}

// few forecasts days of which few cost something: fees on their days, charges without a rhythm as often as in the last year.
// off is the deviation of each day.
func few(values []float64, start time.Time, horizon int) (mean, off []float64, fees []fee) {
	const year = 365
	c := chargesOf(values, start, 0)
	fees = c.fees(chanceAlone)
	mean, off = c.dues(fees, horizon)
	others := c.amount[max(0, len(c.amount)-year):]
	sum, square, count, n := 0.0, 0.0, 0, float64(len(others))
	for _, v := range others {
		sum += v / n
		square += v * v / n
		if v != 0 {
			count++
		}
	}
	if count < leastOthers || silent(others) {
		return mean, off, fees
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
