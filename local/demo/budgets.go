package demo

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/budget"
)

// Budget holds how a budget stood within a period, and how it ended, to what the period really cost.
func (c *Checks) Budget(name string, during, end budget.Standing, actual decimal.Decimal) {
	e, over := during.Expected, during.Overrun
	c.Hold(e != nil && over != nil && !actual.LessThan(e.Low95.Amount) && !actual.GreaterThan(e.High95.Amount), "budget "+name+" ended within the 95 % interval",
		"%s, expected were %+v", actual.StringFixed(2), e)
	passed := actual.GreaterThan(during.Amount.Amount)
	c.Hold(over != nil && (passed && *over > 0.05 || !passed && *over < 0.95), "budget "+name+" was passed or kept as was likely",
		"it was passed: %t, with the probability %v", passed, over)
	c.Hold(end.Settled && end.Actual != nil && end.Actual.Amount.Equal(actual), "budget "+name+" is settled to the last decimal", "%s, but truly %s", end.Actual, actual)
	c.Hold(end.Overrun != nil && *end.Overrun == map[bool]float64{true: 1, false: 0}[passed], "budget "+name+" knows how it ended", "it says %s", fmt.Sprint(end.Overrun))
}
