package main

import (
	"math"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

// result is the mean over the series of a set.
type result struct {
	Set          string  `json:"set"`
	N            int     `json:"n"`
	MASE         float64 `json:"mase"`  // by the seasonal lag mase_m on the training part
	SMAPE        float64 `json:"smape"` // per cent, 0 to 200
	Cov80        float64 `json:"cov80"` // share of the test values within the interval
	Cov95        float64 `json:"cov95"`
	SecPerSeries float64 `json:"sec_per_series"` // CPU seconds of the whole process, all threads
	PeakMB       float64 `json:"peak_mb"`        // most memory that one forecast keeps alive, in MB
	weights      map[string]float64
}

// score forecasts every n-th series of the set on all cores. The order of summation is fixed, so that a run repeats exactly.
func score(set []series, every int, o forecast.Options) result {
	var chosen []series
	for i := 0; i < len(set); i += every {
		chosen = append(chosen, set[i])
	}
	each := make([]result, len(chosen))
	began := processor()
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				each[i] = one(chosen[i], o)
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	wg.Wait()
	n := float64(len(chosen))
	out := result{N: len(chosen), SecPerSeries: (processor() - began).Seconds() / n, PeakMB: peak(chosen, o), weights: map[string]float64{}}
	for _, r := range each {
		out.MASE += r.MASE / n
		out.SMAPE += r.SMAPE / n
		out.Cov80 += r.Cov80 / n
		out.Cov95 += r.Cov95 / n
		for name, w := range r.weights {
			out.weights[name] += w / n
		}
	}
	return out
}

func one(s series, options forecast.Options) result {
	options.Seasons, options.Start = forecast.Seasons(s.season), s.start
	o := forecast.Values(s.train, len(s.test), options)
	r := result{weights: map[string]float64{}}
	for _, w := range o.Weights {
		r.weights[w.Model] = w.Weight
	}
	scale, n := naiveError(s.train, s.scoreSeason), float64(len(s.test))
	for i, actual := range s.test {
		p := o.Steps[i]
		r.MASE += math.Abs(actual-p.Mean) / scale / n
		if sum := math.Abs(actual) + math.Abs(p.Mean); sum > 0 {
			r.SMAPE += 200 * math.Abs(actual-p.Mean) / sum / n
		}
		if p.Low80 <= actual && actual <= p.High80 {
			r.Cov80 += 1 / n
		}
		if p.Low95 <= actual && actual <= p.High95 {
			r.Cov95 += 1 / n
		}
	}
	return r
}

func naiveError(train []float64, season int) float64 {
	sum := 0.0
	for i := season; i < len(train); i++ {
		sum += math.Abs(train[i] - train[i-season])
	}
	return sum / float64(len(train)-season)
}

func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
