// Package learn compares what executed changes were meant to save with what the bill says they saved, and draws from the
// difference how far the next estimate can be trusted.
package learn

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Change is one execution that has ended.
type Change struct {
	Execution      string
	Recommendation string
	Connection     string
	Cloud          resource.Cloud
	Action         plan.Action
	Targets        int
	Completed      bool       // false: it was rolled back, so nothing should have been saved
	Estimated      cost.Money // a month, before any calibration
	EndedAt        time.Time
	Disturbed      time.Time // when another execution changed the targets, which ends what can be told; zero: none did
}

// Day is one whole day after the change, final on the bill: what the targets would have cost without the change, with the
// bounds of its 95 % interval, and what they and all that replaced them were billed.
type Day struct {
	Day                 time.Time
	Expected, Low, High float64
	Billed              decimal.Decimal
}

// State says how much an outcome is worth.
type State string

// The states.
const (
	TooEarly    State = "too-early"   // fewer than LeastDays final days: no figure yet, or never, when another execution followed too soon
	Preliminary State = "preliminary" // a figure that may still move
	Final       State = "final"       // FinalDays final days
)

// Days after the change that are final on the bill: how many a figure needs, and how many make it final.
const (
	LeastDays = 3
	FinalDays = 14
)

// Outcome is what an execution really saved.
type Outcome struct {
	Execution      string         `json:"execution"`
	Recommendation string         `json:"recommendation"`
	Connection     string         `json:"connection"`
	Cloud          resource.Cloud `json:"cloud"`
	Action         plan.Action    `json:"action"`
	Completed      bool           `json:"completed"` // false: it was rolled back
	EndedAt        time.Time      `json:"ended_at"`  // of the execution
	State          State          `json:"state"`
	Days           int            `json:"days"` // final days that the figures rest on
	Period         cost.Period    `json:"period"`
	// Over the period, effective cost: Realised = Counterfactual - Billed. Nil while it is too early.
	Counterfactual *cost.Money `json:"counterfactual,omitempty"`
	Billed         *cost.Money `json:"billed,omitempty"`
	Realised       *Range      `json:"realised,omitempty"`
	// A month of 730 hours at the pace of the period, beside what was promised for it.
	Monthly   *Range      `json:"realised_monthly,omitempty"`
	Estimated cost.Money  `json:"estimated_monthly"`
	Ratio     *RatioRange `json:"ratio,omitempty"` // realised / estimated; nil too when nothing should have been saved
	Text      string      `json:"text"`
	Measured  time.Time   `json:"measured_at"`
}

// Range is an amount with the bounds of its 95 % interval.
type Range struct {
	Amount cost.Money `json:"amount"`
	Low    cost.Money `json:"low"`
	High   cost.Money `json:"high"`
}

// RatioRange is a ratio with the bounds of its 95 % interval.
type RatioRange struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// hoursPerMonth is the length of the month that estimates stand for.
const hoursPerMonth = 730

// Measure compares the days after a change with what they would have cost without it. The bounds of the days are added up as
// if all days erred the same way, because one forecast made them all: the interval is rather too wide than too narrow.
func Measure(c Change, days []Day, now time.Time) Outcome {
	o := Outcome{
		Execution: c.Execution, Recommendation: c.Recommendation, Connection: c.Connection, Cloud: c.Cloud, Action: c.Action,
		Completed: c.Completed, EndedAt: c.EndedAt, State: stateOf(len(days)), Days: len(days), Estimated: c.Estimated, Measured: now,
	}
	if len(days) > 0 {
		o.Period = cost.Period{Start: days[0].Day, End: days[len(days)-1].Day.AddDate(0, 0, 1)}
	}
	if o.State == TooEarly {
		o.Text = fmt.Sprintf("It is too early to tell: %d of the days after the change are final on the bill, and %d are needed.", len(days), LeastDays)
		if !c.Disturbed.IsZero() {
			o.Text = fmt.Sprintf("It cannot be told: another execution changed the targets on %s, after %s, and %d are needed.", c.Disturbed.Format(time.DateOnly), counted(len(days), "whole day"), LeastDays)
		}
		return o
	}
	var expected, low, high float64
	billed := decimal.Zero
	for _, d := range days {
		expected, low, high = expected+d.Expected, low+d.Low, high+d.High
		billed = billed.Add(d.Billed)
	}
	amount := func(d decimal.Decimal) cost.Money {
		return cost.Money{Amount: d.Round(2), Currency: c.Estimated.Currency, Basis: cost.Effective}
	}
	saved := func(without float64) decimal.Decimal { return decimal.NewFromFloat(without).Sub(billed) }
	pace := decimal.NewFromInt(hoursPerMonth).DivRound(decimal.NewFromInt(int64(24*len(days))), 12)
	monthly := func(without float64) cost.Money { return amount(saved(without).Mul(pace)) }

	without, with := amount(decimal.NewFromFloat(expected)), amount(billed)
	o.Counterfactual, o.Billed = &without, &with
	o.Realised = &Range{amount(saved(expected)), amount(saved(low)), amount(saved(high))}
	o.Monthly = &Range{monthly(expected), monthly(low), monthly(high)}
	if estimate := c.Estimated.Float(); c.Completed && estimate > 0 {
		o.Ratio = &RatioRange{o.Monthly.Amount.Float() / estimate, o.Monthly.Low.Float() / estimate, o.Monthly.High.Float() / estimate}
	}
	o.Text = sentence(c, o)
	return o
}

func stateOf(days int) State {
	switch {
	case days < LeastDays:
		return TooEarly
	case days >= FinalDays:
		return Final
	}
	return Preliminary
}

// sentence says the outcome in words and numbers.
func sentence(c Change, o Outcome) string {
	basis := fmt.Sprintf("measured on %d final days of the bill against what they would have cost without the change", o.Days)
	if !c.Completed {
		return fmt.Sprintf("The change was rolled back; the targets then cost %s a month less than expected (95 %% interval %s to %s), %s.",
			o.Monthly.Amount, o.Monthly.Low, o.Monthly.High, basis)
	}
	text := fmt.Sprintf("%s of %s saves %s a month (95 %% interval %s to %s), %s.",
		actionName(c.Action), counted(c.Targets, "target"), o.Monthly.Amount, o.Monthly.Low, o.Monthly.High, basis)
	if o.Ratio != nil {
		text += fmt.Sprintf(" That is %.0f %% of the estimated %s.", 100*o.Ratio.Value, c.Estimated)
	}
	return text
}

func counted(n int, noun string) string {
	if n == 1 {
		return "one " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// actionName is how a sentence begins with an action.
func actionName(a plan.Action) string {
	switch a {
	case plan.ResizeInstance:
		return "Resizing"
	case plan.ChangeVolumeType:
		return "Changing the volume type"
	case plan.ArchiveVolume:
		return "Archiving"
	}
	return string(a)
}
