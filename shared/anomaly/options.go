package anomaly

import "time"

// Sensitivity says how unusual a day must be.
type Sensitivity string

// The sensitivities.
const (
	Coarse   Sensitivity = "low"    // few alerts, only the clear ones
	Balanced Sensitivity = "medium" // the default
	Fine     Sensitivity = "high"   // more alerts, some of them ordinary days
)

// ParseSensitivity reads a sensitivity; the empty text is Balanced.
func ParseSensitivity(s string) (Sensitivity, bool) {
	switch Sensitivity(s) {
	case "", Balanced:
		return Balanced, true
	case Coarse, Fine:
		return Sensitivity(s), true
	}
	return "", false
}

// Version names the detector: it changes whenever the same data could give other incidents.
const Version = "anomaly/1"

// Options steer Detect. The zero value is the default.
type Options struct {
	Sensitivity Sensitivity
	// Since leaves out incidents that had ended by then; the zero time keeps all.
	Since time.Time
	// MinDaily is the least change of a day's cost, in the currency of the series; 0 is 5.
	MinDaily float64
}

// limits are what a sensitivity means.
type limits struct {
	day      float64 // one day against the usual spread, in robust standard deviations
	days     float64 // the mean of three days and of a week
	tail     float64 // probability of a day this far out, from the series' own tail
	relative float64 // least change relative to the expected cost
	absolute float64 // least change of a day's cost
}

func (o Options) limits() limits {
	l := limits{day: 5, days: 8, tail: 3e-5, relative: 0.28, absolute: o.MinDaily}
	switch o.Sensitivity {
	case Coarse:
		l.day, l.days, l.tail, l.relative = 7, 12, 1e-5, 0.4
	case Fine:
		l.day, l.days, l.tail, l.relative = 4, 6.5, 2e-4, 0.18
	case Balanced:
	}
	if l.absolute <= 0 {
		l.absolute = 5
	}
	return l
}
