package main

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

// result is the mean over the series of a set. What cannot be told, such as the error relative to a series that never changed,
// is left out of the mean; nil where no series tells it.
type result struct {
	Set          string   `json:"set"`
	N            int      `json:"n"`
	MASE         *float64 `json:"mase"`  // by the seasonal lag mase_m on the training part
	SMAPE        *float64 `json:"smape"` // per cent, 0 to 200
	Cov80        *float64 `json:"cov80"` // share of the test values within the interval
	Cov95        *float64 `json:"cov95"`
	SecPerSeries *float64 `json:"sec_per_series"` // CPU seconds of the whole process, all threads
	PeakMB       *float64 `json:"peak_mb"`        // most memory that one forecast keeps alive, in MB
	weights      map[string]float64
}

// scored is what one series shows; NaN where it cannot be told.
type scored struct {
	source                    string
	mase, smape, cov80, cov95 float64
	weights                   map[string]float64
}

// scoreAll forecasts every series on all cores and gives the CPU seconds of it.
func scoreAll(set []series, o forecast.Options) ([]scored, float64) {
	each := make([]scored, len(set))
	began := processor()
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				each[i] = one(set[i], o)
			}
		})
	}
	for i := range set {
		next <- i
	}
	close(next)
	wg.Wait()
	return each, (processor() - began).Seconds()
}

// score measures a set.
func score(set []series, o forecast.Options) result {
	out := result{N: len(set), weights: map[string]float64{}}
	if len(set) == 0 {
		return out
	}
	each, seconds := scoreAll(set, o)
	seconds /= float64(len(set))
	megabytes := peak(set, o)
	out.SecPerSeries, out.PeakMB = &seconds, &megabytes
	out.MASE = mean(each, func(s scored) float64 { return s.mase })
	out.SMAPE = mean(each, func(s scored) float64 { return s.smape })
	out.Cov80 = mean(each, func(s scored) float64 { return s.cov80 })
	out.Cov95 = mean(each, func(s scored) float64 { return s.cov95 })
	for _, s := range each {
		for name, w := range s.weights {
			out.weights[name] += w / float64(len(set))
		}
	}
	return out
}

// mean is that of the series that tell; they are summed in the order of their values, so that the order of the file does not
// matter.
func mean(each []scored, of func(scored) float64) *float64 {
	var known []float64
	for _, s := range each {
		if v := of(s); !math.IsNaN(v) && !math.IsInf(v, 0) {
			known = append(known, v)
		}
	}
	if len(known) == 0 {
		return nil
	}
	slices.Sort(known)
	sum := 0.0
	for _, v := range known {
		sum += v
	}
	sum /= float64(len(known))
	return &sum
}

// one forecasts a series and compares with the test values that are known.
func one(s series, options forecast.Options) scored {
	options.Seasons, options.Start = forecast.Seasons(s.season), s.start
	o := forecast.Values(s.train, len(s.test), options)
	r := scored{source: s.source, weights: map[string]float64{}}
	for _, w := range o.Weights {
		r.weights[w.Model] = w.Weight
	}
	n := 0.0
	for i, p := range o.Steps {
		actual := s.test[i]
		if math.IsNaN(actual) {
			continue
		}
		n++
		r.mase += math.Abs(actual - p.Mean)
		if sum := math.Abs(actual) + math.Abs(p.Mean); sum > 0 {
			r.smape += 200 * math.Abs(actual-p.Mean) / sum
		}
		if p.Low80 <= actual && actual <= p.High80 {
			r.cov80++
		}
		if p.Low95 <= actual && actual <= p.High95 {
			r.cov95++
		}
	}
	r.mase /= n * naiveError(s.train, s.scoreSeason)
	r.smape, r.cov80, r.cov95 = r.smape/n, r.cov80/n, r.cov95/n
	return r
}

// naiveError is the mean error of repeating the value one season before, over the values that are known; NaN without any.
func naiveError(train []float64, season int) float64 {
	sum, n := 0.0, 0.0
	for i := max(season, 0); i < len(train); i++ {
		if d := math.Abs(train[i] - train[i-max(season, 0)]); !math.IsNaN(d) {
			sum += d
			n++
		}
	}
	return sum / n
}

func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
