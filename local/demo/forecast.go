package demo

import (
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

// Forecast holds the forecast of a period to what it really came to cost.
func (c *Checks) Forecast(f forecast.Sum, actual decimal.Decimal) {
	c.Close(f.Mean.Amount, actual, 0.05, "forecast of the next 30 days, once they were billed")
	c.Hold(!actual.LessThan(f.Low95.Amount) && !actual.GreaterThan(f.High95.Amount), "they came to lie in the 95 % interval",
		"%s is not between %s and %s", actual.StringFixed(2), f.Low95, f.High95)
}
