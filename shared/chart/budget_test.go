package chart_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/chart"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/job"
)

// The line of the amount is in the picture, however far above the costs it lies.
func TestABudgetIsDrawnWithItsAmount(t *testing.T) {
	t.Parallel()
	for _, amount := range []int64{10, 1500, 1_000_000} {
		c := example()
		c.Anomalies, c.Trend = nil, nil
		c.Budget = &job.BudgetLine{Name: "R&D", Amount: cost.Money{Amount: decimal.NewFromInt(amount), Currency: "USD", Basis: cost.Effective}}
		svg, err := chart.Draw(c)
		if err != nil {
			t.Fatal(err)
		}
		text := string(svg)
		for _, want := range []string{"Budget R&amp;D: the cost up to each day", "budget of " + c.Budget.Amount.String(), "80 % of courses", "Effective cost in USD  ·"} {
			if !strings.Contains(text, want) {
				t.Errorf("a budget of %d: %q is missing", amount, want)
			}
		}
		if n := strings.Count(text, "stroke:#B02A4C"); n != 2 { // in the picture and in the legend
			t.Errorf("a budget of %d: its colour is drawn %d times", amount, n)
		}
	}
}
