package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

// How many of the longest series of a set are watched, and how often each: until so many repeats show no less, at most so often.
const (
	watched = 4
	repeats = 12
	most    = 60
)

// peak is the most memory that one forecast keeps alive at any moment, in MB, over the longest series of a set: what the
// collector finds in use, less what was in use before. What is thrown away while the collector looks counts as in use, so each
// forecast is made several times and the least of its peaks believed.
func peak(set []series, o forecast.Options) float64 {
	longest := slices.Clone(set)
	slices.SortStableFunc(longest, func(a, b series) int { return len(b.train) - len(a.train) })
	defer debug.SetGCPercent(debug.SetGCPercent(1)) // look whenever the heap has grown by a hundredth
	highestOfAll := 0.0
	for _, s := range longest[:min(watched, len(longest))] {
		least := math.Inf(1)
		for alike, n := 0, 0; alike < repeats && n < most; n++ {
			seen := highest(func() { one(s, o) })
			if seen <= 0 { // the collector did not look in time
				continue
			}
			alike++
			if seen < least {
				least, alike = seen, 0
			}
		}
		if !math.IsInf(least, 1) {
			highestOfAll = max(highestOfAll, least)
		}
	}
	return highestOfAll / 1e6
}

// highest is the most that is in use while f runs, beyond what was before, in bytes.
func highest(f func()) float64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	live := func() float64 { metrics.Read(sample); return float64(sample[0].Value.Uint64()) }
	runtime.GC()
	before, most := live(), 0.0
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	tick := time.NewTicker(50 * time.Microsecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return most
		case <-tick.C:
			most = max(most, live()-before)
		}
	}
}
