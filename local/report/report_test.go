package report_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/local/report"
	"github.com/cost-agent/cost-agent/shared/cost"
)

func dollars(text string) cost.Money {
	return cost.Money{Amount: decimal.RequireFromString(text), Currency: "USD", Basis: cost.Effective}
}

func TestReportShowsWhatAPersonLooksFor(t *testing.T) {
	t.Parallel()
	before, potential, realised := dollars("2000"), dollars("1234.5"), dollars("900")
	day := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	r := report.Report{
		Title: "Cost Agent", Rows: 1234567, Periods: 18, Month: day,
		Providers:    []report.Provider{{Name: "AWS", Cost: dollars("2500"), Before: &before, Daily: []float64{1, 2}}, {Name: "Vultr", Cost: dollars("10")}},
		AnomalyCount: 1, Anomalies: []report.Anomaly{{Severity: "high", Kind: "spike", Start: day, End: day.AddDate(0, 0, 3), Impact: dollars("410.4"), Where: "NAT gateway"}},
		Forecast: &report.Forecast{Days: 30, Mean: dollars("60000"), Lo80: decimal.NewFromInt(59000), Hi80: decimal.NewFromInt(61000), Daily: []float64{1, 2, 3}, History: 2},
		Budgets: []report.Budget{{Name: "Shop", Amount: dollars("9000"), End: day.AddDate(0, 0, 28), Used: new(61.2), Expected: &realised, Overrun: new(0.97), Breaks: &day},
			{Name: "New", Amount: dollars("1"), Why: "No bill yet."}},
		RecommendCount: 1, Potential: &potential, Recommendations: []report.Recommendation{{Title: "Resize", Monthly: dollars("900"), Score: 88.25, Status: "open"}},
		Executions: []report.Execution{
			{Title: "Resize a", Status: "completed", Phases: "10 % healthy", Estimated: dollars("1000"), Realised: &realised, State: "preliminary"},
			{Title: "Resize b", Status: "rolled-back", Reason: "error rate 17 %", Estimated: dollars("5")},
		},
	}
	var out strings.Builder
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1,234,567 rows of 18 months", "2,500.00 USD", "+25.0 %", "2,510.00 USD", "3 Nov to 5 Nov", "+410.40 USD",
		"next 30 days 60,000.00 USD", "80 % between 59,000.00 and 61,000.00", "▁▅│█", "61 % spent; 900.00 USD by 30 Nov; overrun 97 %, passed on 3 Nov", "not known: No bill yet.", "together 1,234.50 USD a month", "COMPLETED: Resize a", "estimated 1,000.00 USD: 90 % of it", "why: error rate 17 %"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in\n%s", want, out.String())
		}
	}
}

func TestNoLineIsWiderThanATerminal(t *testing.T) {
	t.Parallel()
	long := "Google Cloud · meridian-analytics · BigQuery · us-central1 · //bigquery.googleapis.com/projects/meridian-analytics"
	saved := dollars("1681.92")
	r := report.Report{
		Title: "Cost Agent", Providers: []report.Provider{{Name: "AWS", Cost: dollars("2500"), Daily: []float64{1, math.NaN()}}},
		AnomalyCount: 1, Anomalies: []report.Anomaly{{Severity: "critical", Kind: "new-spend", Impact: dollars("14502.31"), Where: long}},
		Recommendations: []report.Recommendation{{Title: "Resize 8 instances of suggestions in us-central1 from n2-standard-8 to n2-standard-4", Monthly: dollars("11134.71"), Status: "approved"}},
		Executions: []report.Execution{
			{Title: "Resize", Status: "refused", Reason: strings.Repeat(long+" ", 3)},
			{Title: "Resize", Status: "completed", Realised: &saved, Lo: saved.Amount, Hi: saved.Amount, State: "final", Estimated: saved},
			{Title: "Resize", Status: "completed", Realised: &saved, Lo: decimal.NewFromInt(1500), Hi: decimal.NewFromInt(1800), State: "preliminary", Estimated: saved},
		},
	}
	var out strings.Builder
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		if n := len([]rune(line)); n > 100 || strings.HasSuffix(line, " ") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if text := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(text, long) || !strings.Contains(text, "a month (final), estimated") {
		t.Errorf("something is missing:\n%s", out.String())
	}
}

func TestSpark(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]float64{
		"▁▅█": {0, 5, 9},
		"▄▄":  {3, 3},
		"▁ █": {-1, math.NaN(), 1},
		"":    nil,
	} {
		if got := report.Spark(values); got != want {
			t.Errorf("Spark(%v) = %q, want %q", values, got, want)
		}
	}
}
