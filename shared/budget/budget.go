// Package budget judges what has been spent against what was meant to be spent, and tells how likely it is that more will be, and
// from which day on.
package budget

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// Cadence is how often a budget begins anew. Its periods are those of the calendar, in UTC.
type Cadence string

// The cadences.
const (
	Monthly   Cadence = "monthly"
	Quarterly Cadence = "quarterly" // the quarters that begin in January, April, July and October
)

// Cadences lists them.
var Cadences = []Cadence{Monthly, Quarterly}

// Months is how many months a period has.
func (c Cadence) Months() int {
	if c == Quarterly {
		return 3
	}
	return 1
}

// Period is the period that holds t.
func (c Cadence) Period(t time.Time) cost.Period {
	start := cost.MonthStart(t)
	start = start.AddDate(0, -((int(start.Month()) - 1) % c.Months()), 0)
	return cost.Period{Start: start, End: start.AddDate(0, c.Months(), 0)}
}

// Budget is what may be spent in each period on a part of the bill.
type Budget struct {
	ID         string                      `json:"id"`
	Name       string                      `json:"name"`
	Amount     cost.Money                  `json:"amount"` // positive; of its basis and currency the costs are counted
	Cadence    Cadence                     `json:"period"`
	Filter     map[cost.Dimension][]string `json:"filter"`         // any of the values; dimensions are and-ed; empty: the whole bill
	Start      time.Time                   `json:"start,omitzero"` // of the first period; zero: it has always been
	End        time.Time                   `json:"end,omitzero"`   // of the last period, the day itself does not count; zero: for good
	Thresholds []Threshold                 `json:"thresholds"`
	Version    int                         `json:"version"` // counts the changes
	CreatedAt  time.Time                   `json:"created_at"`
	UpdatedAt  time.Time                   `json:"updated_at"`
}

// Measure is what a threshold looks at.
type Measure string

// The measures.
const (
	Actual   Measure = "actual"   // what the bill shows so far
	Forecast Measure = "forecast" // what the period is expected to end with
)

// Threshold is a part of a budget's amount that somebody wants to be told of.
type Threshold struct {
	On      Measure `json:"on"`
	Percent float64 `json:"percent"`
	// Probability makes a threshold on the forecast one on its distribution: it is reached when the period ends at or above the
	// percentage with at least this probability. Nil: when the expected end value is at or above it.
	Probability *float64 `json:"probability,omitempty"`
}

// Key tells thresholds apart: "actual/80", "forecast/100/0.9".
func (t Threshold) Key() string {
	key := string(t.On) + "/" + strconv.FormatFloat(t.Percent, 'f', -1, 64)
	if t.Probability != nil {
		key += "/" + strconv.FormatFloat(*t.Probability, 'f', -1, 64)
	}
	return key
}

// limit is the amount at which the threshold is reached.
func (t Threshold) limit(amount cost.Money) cost.Money {
	return amount.Mul(decimal.NewFromFloat(t.Percent)).Mul(decimal.New(1, -2))
}

// DefaultThresholds are those of budgets that name none.
func DefaultThresholds() []Threshold {
	return []Threshold{{On: Actual, Percent: 80}, {On: Actual, Percent: 100}, {On: Forecast, Percent: 100}}
}

// The most that a budget may have.
const (
	mostThresholds = 10
	mostPercent    = 1000
	mostDimensions = 10
	mostValues     = 100
	mostName       = 200
)

// Check refuses a budget that makes no sense, with fault.Invalid and the name of the field.
func (b Budget) Check() error {
	switch {
	case strings.TrimSpace(b.Name) == "" || len(b.Name) > mostName:
		return fault.Input("name", b.Name, "has to be a text of 1 to %d characters", mostName)
	case !b.Amount.Amount.IsPositive():
		return fault.Input("amount", b.Amount.Amount.String(), "has to be above zero")
	case !b.Amount.Currency.Valid():
		return fault.Input("currency", string(b.Amount.Currency), "is no currency code such as USD")
	case !slices.Contains(cost.Bases, b.Amount.Basis):
		return fault.Input("basis", string(b.Amount.Basis), "is none of billed, effective, list, contracted")
	case !slices.Contains(Cadences, b.Cadence):
		return fault.Input("period", string(b.Cadence), "is none of monthly, quarterly")
	}
	if err := b.checkSpan(); err != nil {
		return err
	}
	if err := b.checkFilter(); err != nil {
		return err
	}
	return b.checkThresholds()
}

func (b Budget) checkSpan() error {
	for name, day := range map[string]time.Time{"start": b.Start, "end": b.End} {
		if !day.IsZero() && !day.Equal(b.Cadence.Period(day).Start) {
			return fault.Input(name, day.Format(time.DateOnly), "is not the first day of a %s", map[Cadence]string{Monthly: "month", Quarterly: "quarter"}[b.Cadence])
		}
	}
	if !b.Start.IsZero() && !b.End.IsZero() && !b.Start.Before(b.End) {
		return fault.Input("end", b.End.Format(time.DateOnly), "has to be after the start, for the end itself does not count")
	}
	return nil
}

func (b Budget) checkFilter() error {
	if len(b.Filter) > mostDimensions {
		return fault.Input("filter", "", "has more than %d dimensions", mostDimensions)
	}
	for d, values := range b.Filter {
		if len(values) == 0 || len(values) > mostValues {
			return fault.Input("filter."+string(d), "", "has to name 1 to %d values", mostValues)
		}
	}
	return nil
}

func (b Budget) checkThresholds() error {
	if len(b.Thresholds) > mostThresholds {
		return fault.Input("thresholds", "", "are more than %d", mostThresholds)
	}
	seen := map[string]bool{}
	for i, t := range b.Thresholds {
		at := func(field string) string { return fmt.Sprintf("thresholds[%d].%s", i, field) }
		switch {
		case t.On != Actual && t.On != Forecast:
			return fault.Input(at("on"), string(t.On), "is none of actual, forecast")
		case !(t.Percent > 0 && t.Percent <= mostPercent):
			return fault.Input(at("percent"), fmt.Sprint(t.Percent), "is not above 0 and at most %d", mostPercent)
		case t.Probability != nil && t.On != Forecast:
			return fault.Input(at("probability"), fmt.Sprint(*t.Probability), "goes with thresholds on the forecast: what the bill shows is certain")
		case t.Probability != nil && !(*t.Probability > 0 && *t.Probability < 1):
			return fault.Input(at("probability"), fmt.Sprint(*t.Probability), "is not between 0 and 1")
		case seen[t.Key()]:
			return fault.Input(at("percent"), fmt.Sprint(t.Percent), "is named twice on the %s", t.On)
		}
		seen[t.Key()] = true
	}
	return nil
}

// Same reports whether two budgets ask for the same, whatever their versions and times.
func (b Budget) Same(other Budget) bool {
	return b.ID == other.ID && b.Name == other.Name && b.Cadence == other.Cadence && b.Start.Equal(other.Start) && b.End.Equal(other.End) &&
		b.Amount.Amount.Equal(other.Amount.Amount) && b.Amount.Currency == other.Amount.Currency && b.Amount.Basis == other.Amount.Basis &&
		maps.EqualFunc(b.Filter, other.Filter, slices.Equal) &&
		slices.EqualFunc(b.Thresholds, other.Thresholds, func(x, y Threshold) bool { return x.Key() == y.Key() })
}

// Status is whether a budget is in force.
type Status string

// The statuses.
const (
	Upcoming Status = "upcoming" // its first period has not begun
	Running  Status = "running"
	Ended    Status = "ended" // its last period is over
)

// Status tells it for a moment.
func (b Budget) Status(now time.Time) Status {
	switch {
	case !b.Start.IsZero() && now.Before(b.Start):
		return Upcoming
	case !b.End.IsZero() && !now.Before(b.End):
		return Ended
	}
	return Running
}

// Periods are those that are to be judged at a moment: the running one, and the one before, whose last days are still being
// written when the next begins, and whose bill may be restated. A period that was over before the budget was made is none of
// its business.
func (b Budget) Periods(now time.Time) []cost.Period {
	running := b.Cadence.Period(now)
	var out []cost.Period
	for _, p := range []cost.Period{b.Cadence.Period(running.Start.AddDate(0, 0, -1)), running} {
		switch {
		case !b.Start.IsZero() && p.Start.Before(b.Start), !b.End.IsZero() && p.End.After(b.End):
		case !p.End.After(b.CreatedAt):
		default:
			out = append(out, p)
		}
	}
	return out
}
