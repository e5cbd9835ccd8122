package budget

import (
	"fmt"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// AlertStatus is where an alert stands.
type AlertStatus string

// The statuses.
const (
	Raised    AlertStatus = "raised"
	Withdrawn AlertStatus = "withdrawn" // the threshold is no longer reached, or no longer there
)

// Alert says that a threshold was reached in a period. There is one of each, however often it is reached again.
type Alert struct {
	Budget      string      `json:"budget"`
	Period      cost.Period `json:"period"`
	Threshold   Threshold   `json:"threshold"`
	Status      AlertStatus `json:"status"`
	RaisedAt    time.Time   `json:"raised_at"` // first
	WithdrawnAt *time.Time  `json:"withdrawn_at"`
	Value       cost.Money  `json:"value"` // that reached it
	Limit       cost.Money  `json:"limit"` // at that time
	Message     string      `json:"message"`
}

// Merge brings the alerts of a period up to date with how the budget stands, and counts the new ones. known are those of the
// same budget and period. What is not known raises nothing and takes nothing back.
func Merge(b Budget, s Standing, known []Alert) (alerts []Alert, raised int) {
	alerts = slices.Clone(known)
	find := func(key string) int {
		return slices.IndexFunc(alerts, func(a Alert) bool { return a.Threshold.Key() == key })
	}
	named := map[string]bool{}
	for _, r := range s.Reached {
		named[r.Key()] = true
		k := find(r.Key())
		switch {
		case r.Reached == nil:
		case *r.Reached && k < 0:
			alerts = append(alerts, Alert{Budget: b.ID, Period: s.Period, Threshold: r.Threshold, Status: Raised, RaisedAt: s.At,
				Value: *r.Value, Limit: r.Limit, Message: message(b, s, r)})
			raised++
		case *r.Reached:
			alerts[k].Status, alerts[k].WithdrawnAt = Raised, nil
		case k >= 0:
			alerts[k].withdraw(s.At)
		}
	}
	for i, a := range alerts {
		if !named[a.Threshold.Key()] {
			alerts[i].withdraw(s.At)
		}
	}
	return alerts, raised
}

func (a *Alert) withdraw(at time.Time) {
	if a.Status == Raised {
		a.Status, a.WithdrawnAt = Withdrawn, &at
	}
}

// message tells the alert in a sentence.
func message(b Budget, s Standing, r Reached) string {
	name := fmt.Sprintf("%s (%s %s)", b.Name, s.Amount, s.Period)
	switch {
	case r.On == Actual:
		return fmt.Sprintf("%s has reached %g %% on %s: %s.", name, r.Percent, r.Day.Format("2 January 2006"), r.Value)
	case r.Likely != nil:
		return fmt.Sprintf("%s will end at %g %% or more with a probability of %.0f %%; expected are %s.", name, r.Percent, 100**r.Likely, r.Value)
	}
	return fmt.Sprintf("%s is expected to end at %s, which is %g %% or more.", name, r.Value, r.Percent)
}
