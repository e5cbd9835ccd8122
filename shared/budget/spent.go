package budget

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// spent is what the bill shows of a period, in exact amounts.
type spent struct {
	budget   Budget
	period   cost.Period
	evidence Evidence
	days     []Day // of the period, up to the moment of judgement
}

// newSpent keeps the days of the period. Fees and taxes may be dated ahead; they are not spent before their day comes.
func newSpent(b Budget, p cost.Period, e Evidence) spent {
	s := spent{budget: b, period: p, evidence: e}
	for _, d := range e.Days {
		if p.Contains(d.Day) && !d.Day.After(e.At) {
			s.days = append(s.days, d)
		}
	}
	return s
}

// sum is the exact sum of the days that the function lets through.
func (s spent) sum(of func(time.Time) bool) decimal.Decimal {
	total := decimal.Zero
	for _, d := range s.days {
		if of(d.Day) {
			total = total.Add(d.Amount)
		}
	}
	return total
}

// settled is what the days cost that will not change any more.
func (s spent) settled() decimal.Decimal { return s.sum(s.evidence.Settled.After) }

// passes is the first day on which the sum so far is above an amount, or has come to it; nil where it never does.
func (s spent) passes(amount decimal.Decimal, orEqual bool) *time.Time {
	total := decimal.Zero
	for _, d := range s.days {
		total = total.Add(d.Amount)
		if total.GreaterThan(amount) || orEqual && total.Equal(amount) {
			day := d.Day
			return &day
		}
	}
	return nil
}

// tell writes the actual figures.
func (s spent) tell(to *Standing) {
	const day = "2 January 2006"
	if len(s.days) == 0 && !s.evidence.Reported.After(s.period.Start) {
		to.Reasons = append(to.Reasons, "No bill shows a day of the period yet.")
		return
	}
	money := func(d decimal.Decimal) *cost.Money {
		return &cost.Money{Amount: d, Currency: s.budget.Amount.Currency, Basis: s.budget.Amount.Basis}
	}
	all := s.sum(func(time.Time) bool { return true })
	to.Actual = money(all)
	used := all.Div(s.budget.Amount.Amount).Mul(decimal.NewFromInt(100)).Round(2).InexactFloat64()
	to.Used = &used
	if from := s.evidence.Begins; from.After(s.period.Start) {
		to.Reasons = append(to.Reasons, "The bills begin on "+from.Format(day)+": what was spent in the period before that day is not known, and not counted.")
	}
	if to.Settled {
		return
	}
	to.Provisional = money(all.Sub(s.settled()))
	switch from := s.evidence.Settled; {
	case !from.After(s.period.Start):
		to.Reasons = append(to.Reasons, "No day of the period is settled yet: providers may still change what the bill shows.")
	case s.evidence.Reported.After(from):
		to.Reasons = append(to.Reasons, "Providers are still writing the days from "+from.Format(day)+" on: each counts as no less than what the bill shows of it.")
	}
}
