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

// first is the interval before the first retry, seconds.
func (r retrier) first() int64 {
	if r.IntervalSeconds == nil {
		return defaultInterval
	}
	return *r.IntervalSeconds
}

// interval is the time before the retry that follows used others: IntervalSeconds x BackoffRate^used, at most
// MaxDelaySeconds; full jitter takes any part of it.
func (r retrier) interval(used int64) time.Duration {
	seconds, rate := float64(r.first()), defaultBackoff
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
