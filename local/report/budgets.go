package report

import (
	"fmt"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Budget is how one stands.
type Budget struct {
	Name     string
	Amount   cost.Money
	End      time.Time   // the day after the running period
	Used     *float64    // percent of the amount; nil: not known, as below
	Expected *cost.Money // at the end of the period
	Overrun  *float64    // probability
	Breaks   *time.Time  // expected day on which the amount is passed; nil: none, or not known
	Why      string      // what is not known, and why
}

func (r Report) budgets(p *printer) {
	if len(r.Budgets) == 0 {
		return
	}
	p.section("Budgets", "%d; the part that is spent, and what the period is expected to end with", len(r.Budgets))
	for _, b := range r.Budgets {
		if b.Used == nil || b.Expected == nil || b.Overrun == nil {
			p.wrapped("      ", fmt.Sprintf("    %-16s %14s  ", b.Name, show(b.Amount)), "not known: "+b.Why)
			continue
		}
		breaks := ""
		if b.Breaks != nil {
			breaks = ", passed on " + b.Breaks.Format("2 Jan")
		}
		p.wrapped("      ", fmt.Sprintf("    %-16s %14s  ", b.Name, show(b.Amount)), fmt.Sprintf("%.0f %% spent; %s by %s; overrun %.0f %%%s",
			*b.Used, show(*b.Expected), b.End.AddDate(0, 0, -1).Format("2 Jan"), 100**b.Overrun, breaks))
	}
}
