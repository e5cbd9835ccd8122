package aws

import (
	"net/http"
	"testing"
)

// TestCoveredUsageIsBilledAtNothing: Cost Explorer has it at its on-demand cost, and takes it off again in a record type of its own.
func TestCoveredUsageIsBilledAtNothing(t *testing.T) {
	t.Parallel()
	const compute = "Amazon Elastic Compute Cloud - Compute"
	day := func(keys []string, unblended, amortized string) func(http.ResponseWriter, object) {
		return give(page("", span("2026-11-01", "2026-11-02", false, charge(keys, unblended, amortized))))
	}
	contents := give(page("", span("2026-11-01", "2026-11-11", true, charge([]string{"SavingsPlanCoveredUsage", main}, "50", "0"),
		charge([]string{"SavingsPlanNegation", main}, "-50", "0"), charge([]string{"SavingsPlanRecurringFee", main}, "36", "0"))))
	cases := map[string]struct {
		negated  string
		settings map[string]string
		rows     int
		billed   string
	}{
		"whole":            {"-50", nil, 3, "36"},
		"not yet":          {"-40", nil, 4, "46"},
		"tags are no part": {"-40", map[string]string{"tags": "team"}, 3, "36"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fake{answers: []func(http.ResponseWriter, object){contents, day([]string{compute, "eu-west-1"}, "50", "30"), day([]string{compute, "eu-west-1"}, c.negated, "0"), day([]string{"Savings Plans for AWS Compute usage", "global"}, "36", "6")}}
			rows, err := rowsOf(t.Context(), collector(t, f.start(t), nil, c.settings), november)
			if err != nil || len(rows) != c.rows {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			if billed, effective := totals(rows); billed.String() != c.billed || effective.String() != "36" {
				t.Errorf("billed %s, effective %s", billed, effective)
			}
			if r := rows[0]; !r.BilledCost.IsZero() || r.EffectiveCost.String() != "30" || r.ListCost.String() != "50" || r.PricingCategory != "Committed" {
				t.Errorf("%+v", r)
			}
			if r := rows[1]; !r.BilledCost.IsZero() || !r.ListCost.IsZero() || r.ChargeCategory != "Adjustment" {
				t.Errorf("%+v", r)
			}
			if c.rows == 4 && (rows[3].BilledCost.String() != "10" || rows[3].SubAccountID != main) {
				t.Errorf("%+v", rows[3])
			}
		})
	}
}
