package stepfunctions

import (
	"math"
	"math/rand/v2"
	"time"
)

// What a retrier does when it does not say.
const (
	defaultAttempts = 3
	defaultInterval = 1 // seconds
	defaultBackoff  = 2.0
)

func (r retrier) attempts() int64 {
	if r.MaxAttempts == nil {
		return defaultAttempts
	}
	return *r.MaxAttempts
}

// interval is the time before the retry that follows used others: IntervalSeconds x BackoffRate^used, at most
// MaxDelaySeconds; full jitter takes any part of it.
func (r retrier) interval(used int64) time.Duration {
	seconds, rate := float64(defaultInterval), defaultBackoff
	if r.IntervalSeconds != nil {
		seconds = float64(*r.IntervalSeconds)
	}
	if r.BackoffRate != nil {
		rate = *r.BackoffRate
	}
	seconds = min(seconds*math.Pow(rate, float64(used)), mostSeconds)
	if r.MaxDelaySeconds > 0 {
		seconds = min(seconds, float64(r.MaxDelaySeconds))
	}
	if r.JitterStrategy == "FULL" {
		seconds *= rand.Float64()
	}
	return time.Duration(seconds * float64(time.Second))
}
