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
	Withdrawn AlertStatus = "withdrawn" // the threshold is no longer reached, or the budget has been changed since
)

// Alert says that a threshold was reached in a period. There is one of each threshold, period and version of the budget, however
// often it is reached again.
type Alert struct {
	ID          string      `json:"id"` // unique within the budget: "2026-11-01/v3/forecast/100"
	Budget      string      `json:"budget"`
	Version     int         `json:"version"` // of the budget
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
// same budget and period, whatever their version. What is not known raises nothing and takes nothing back.
func Merge(b Budget, s Standing, known []Alert) (alerts []Alert, raised int) {
	alerts = slices.Clone(known)
	stands := map[string]bool{}
	for _, r := range s.Reached {
		id := alertID(b, s.Period, r.Threshold)
		stands[id] = true
		k := slices.IndexFunc(alerts, func(a Alert) bool { return a.ID == id })
		switch {
		case r.Reached == nil:
		case *r.Reached && k < 0:
			alerts = append(alerts, Alert{ID: id, Budget: b.ID, Version: b.Version, Period: s.Period, Threshold: r.Threshold, Status: Raised, RaisedAt: s.At,
				Value: *r.Value, Limit: r.Limit, Message: message(b, s, r)})
			raised++
		case *r.Reached:
			alerts[k].Status, alerts[k].WithdrawnAt = Raised, nil
		case k >= 0:
			alerts[k].withdraw(s.At)
		}
	}
	for i, a := range alerts {
		if !stands[a.ID] {
			alerts[i].withdraw(s.At)
		}
	}
	return alerts, raised
}

// alertID tells the alerts of a budget apart.
func alertID(b Budget, p cost.Period, t Threshold) string {
	return fmt.Sprintf("%s/v%d/%s", p.Start.Format(time.DateOnly), b.Version, t.Key())
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
