package anomaly

import (
	"math"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

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
const Version = "anomaly/5"

// Options steer Detect. The zero value is the default.
type Options struct {
	Sensitivity Sensitivity
	// Since leaves out incidents that had ended by then; the zero time keeps all.
	Since time.Time
	// MinDaily is the least change of a day's cost, in the currency of the series; 0 is 5.
	MinDaily float64
	// Expected are scopes whose moves turned out to be meant. They and what lies inside them must move farther to be told, by
	// half as far again for each time they are named, three times at most.
	Expected []cost.Scope
	// Calendar names holidays. What a holiday of a name did before is no anomaly when it does it again; nil knows none.
	Calendar cost.Calendar
}

// patience is how much farther a scope must move after its moves turned out to be meant.
func (o Options) patience(s cost.Scope) float64 {
	const (
		farther = 1.5
		most    = 3
	)
	times := 0
	for _, e := range o.Expected {
		if e.Matches(s) && (len(e) > 0 || len(s) == 0) {
			times++
		}
	}
	return math.Pow(farther, float64(min(times, most)))
}

// limits are what a sensitivity means.
type limits struct {
	day      float64               // one day against the usual spread of days
	days     [len(windows)]float64 // the mean of some days against the usual spread of such means
	fall     float64               // how much farther a fall must go than a rise: closures and holidays only ever lower
	tail     float64               // probability of a day this far out, from the series' own tail
	relative float64               // least change relative to the expected cost
	absolute float64               // least change of a day's cost
}

func (o Options) limits() limits {
	l := limits{day: 5, days: [...]float64{4, 4.5}, fall: 1.3, tail: 0.01, relative: 0.25, absolute: o.MinDaily}
	switch o.Sensitivity {
	case Coarse:
		l.day, l.days, l.tail, l.relative = 7, [...]float64{6, 6.5}, 0.004, 0.4
	case Fine:
		l.day, l.days, l.fall, l.tail, l.relative = 4.5, [...]float64{3.6, 4}, 1.15, 0.02, 0.2
	case Balanced:
	}
	if l.absolute <= 0 {
		l.absolute = 5
	}
	return l
}

// among shares one budget of false alarms out among n scopes that are watched at once: the probability that one of them may
// err with shrinks with their number, and the distance that this takes grows with its logarithm, as it does in an
// exponential tail.
func (l limits) among(n int) limits {
	l.tail /= float64(max(n, 1))
	return l.times(1 + 0.18*math.Log(float64(max(n, 1))))
}

// times makes the distances longer.
func (l limits) times(farther float64) limits {
	l.day *= farther
	for k := range l.days {
		l.days[k] *= farther
	}
	return l
}

// patient asks for larger changes as well.
func (l limits) patient(farther float64) limits {
	l.relative *= farther
	l.absolute *= farther
	return l.times(farther)
}
