package postgres_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
)

// The sandbox's bills through the real database: every planted anomaly is found, with the resource that caused it, forecasts
// and trends are there, and another run changes nothing.
func TestAnalysisOfTheSandbox(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	const months = 9
	learntBy := cost.MonthStart(c.estate.Clock().Now()).AddDate(0, 3-months, 0)
	for _, connection := range c.estate.Connections() {
		c.loadBills(connection, months)
	}
	analyze := job.Analyze{Series: c.db, Store: c.db, Tags: []string{"deploy", "application"}, Now: c.estate.Clock().Now}
	began := time.Now()
	first, err := analyze.Run(t.Context(), job.AnalyzeInput{Tenant: acme})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("analysed in %s: %+v", time.Since(began).Round(time.Millisecond), *first.Anomalies)
	all, err := c.db.Anomalies(t.Context(), acme, job.AnomalyFilter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.estate.Truth().Planted {
		if p.From.After(learntBy) && !slices.ContainsFunc(all, func(a job.Anomaly) bool {
			return a.Kind == anomaly.Kind(p.Kind) && p.Scope.Matches(a.Scope) && a.Start.Sub(p.From).Abs() <= 4*24*time.Hour
		}) {
			t.Errorf("%s (%s of %s) is not in the record", p.ID, p.Kind, p.Scope)
		}
	}
	second, err := analyze.Run(t.Context(), job.AnalyzeInput{Tenant: acme})
	if err != nil || second.Anomalies.New != 0 || second.Anomalies.Withdrawn != 0 || second.Anomalies.Found != first.Anomalies.Found {
		t.Errorf("the second run: %+v, %v", second.Anomalies, err)
	}
	again, err := c.db.Anomalies(t.Context(), acme, job.AnomalyFilter{Limit: 100})
	if err != nil || len(again) != len(all) {
		t.Errorf("%d anomalies after the second run, %d after the first, %v", len(again), len(all), err)
	}
	checkResults(t, c)
}

func checkResults(t *testing.T, c company) {
	t.Helper()
	for level, least := range map[job.Level]int{job.WholeLevel: 1, job.ProviderLevel: 4, job.AccountLevel: 4, job.RegionLevel: 5, job.ServiceLevel: 10} {
		forecasts, err := c.db.Forecasts(t.Context(), acme, job.ResultFilter{Level: level})
		if err != nil || len(forecasts) < least {
			t.Errorf("%s: %d forecasts, %v", level, len(forecasts), err)
		}
		trends, err := c.db.Trends(t.Context(), acme, job.ResultFilter{Level: level})
		if err != nil || len(trends) != len(forecasts) {
			t.Errorf("%s: %d trends of %d, %v", level, len(trends), len(forecasts), err)
		}
	}
	next := map[job.Level]float64{}
	for _, level := range job.Levels {
		forecasts, err := c.db.Forecasts(t.Context(), acme, job.ResultFilter{Level: level})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range forecasts {
			for _, p := range f.Points {
				next[level] += p.Mean
			}
		}
	}
	for level, sum := range next {
		if want := next[job.WholeLevel]; math.Abs(sum-want) > 1e-6*want || want <= 0 {
			t.Errorf("%s: what is read sums to %f, the whole to %f", level, sum, want)
		}
	}
	whole, err := c.db.Forecasts(t.Context(), acme, job.ResultFilter{Level: job.WholeLevel})
	if err != nil || len(whole) != 1 || whole[0].Next90 == nil || whole[0].MASE == nil || !whole[0].Next90.Mean.Amount.IsPositive() {
		t.Fatalf("the whole bill: %+v, %v", whole, err)
	}
	regions, err := c.db.Forecasts(t.Context(), acme, job.ResultFilter{Level: job.RegionLevel, Provider: "AWS"})
	if err != nil || len(regions) < 2 {
		t.Fatalf("%d forecasts of regions of AWS, %v", len(regions), err)
	}
	for _, r := range regions {
		if r.Scope[cost.Region] == "" { // none, at every provider
			continue
		}
		found, err := c.db.Forecasts(t.Context(), acme, job.ResultFilter{Level: job.RegionLevel, Region: r.Scope[cost.Region]})
		if err != nil || len(found) != 1 || found[0].Scope.String() != r.Scope.String() {
			t.Errorf("%d forecasts of the region %s, %v", len(found), r.Scope, err)
		}
	}
	accounts, err := c.db.Trends(t.Context(), acme, job.ResultFilter{Level: job.AccountLevel, Account: "nobody"})
	if err != nil || len(accounts) != 0 {
		t.Errorf("trends of an account that is not there: %d, %v", len(accounts), err)
	}
	azure, err := c.db.Trends(t.Context(), acme, job.ResultFilter{Level: job.ServiceLevel, Provider: "Microsoft", Service: "Bandwidth"})
	if err != nil || len(azure) != 1 || azure[0].Scope[cost.Service] != "Bandwidth" {
		t.Errorf("trends of one service: %+v, %v", azure, err)
	}
}

func TestAnomaliesInOrderByPageAndFilter(t *testing.T) {
	t.Parallel()
	db := open(t)
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	entry := func(id string, day int, s anomaly.Severity, status job.AnomalyStatus, provider string) job.Anomaly {
		return job.Anomaly{Status: status, Incident: anomaly.Incident{ID: id, Severity: s, Scope: cost.Scope{cost.Provider: provider, cost.Account: "account of " + id, cost.Region: "eu"},
			Start: at.AddDate(0, 0, day), Detected: at.AddDate(0, 0, day), Causes: []anomaly.Cause{}}}
	}
	key := job.AnalysisKey{Scope: "total", Basis: cost.Effective}
	saved := []job.Anomaly{
		entry("a", 1, anomaly.Low, job.AnomalyEnded, "AWS"), entry("b", 3, anomaly.High, job.AnomalyOpen, "AWS"),
		entry("c", 3, anomaly.Medium, job.AnomalyWithdrawn, "Microsoft"), entry("d", 9, anomaly.Critical, job.AnomalyOpen, "Microsoft"),
	}
	err := db.SaveAnalysis(t.Context(), acme, key, func(known []job.Anomaly) []job.Anomaly {
		if len(known) != 0 {
			t.Errorf("%d known at first", len(known))
		}
		return saved
	}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		filter job.AnomalyFilter
		want   []string
	}{
		"all":       {job.AnomalyFilter{}, []string{"d", "c", "b", "a"}},
		"status":    {job.AnomalyFilter{Status: []job.AnomalyStatus{job.AnomalyOpen}}, []string{"d", "b"}},
		"severity":  {job.AnomalyFilter{Severity: anomaly.High}, []string{"d", "b"}},
		"provider":  {job.AnomalyFilter{Provider: "AWS"}, []string{"b", "a"}},
		"account":   {job.AnomalyFilter{Account: "account of c", Region: "eu"}, []string{"c"}},
		"region":    {job.AnomalyFilter{Region: "us"}, nil},
		"since":     {job.AnomalyFilter{Since: at.AddDate(0, 0, 3)}, []string{"d", "c", "b"}},
		"next page": {job.AnomalyFilter{AfterDetected: at.AddDate(0, 0, 3), AfterID: "c"}, []string{"b", "a"}},
		"other":     {job.AnomalyFilter{Basis: cost.Billed}, nil},
	}
	for name, tt := range tests {
		tt.filter.Limit = 10
		found, err := db.Anomalies(t.Context(), acme, tt.filter)
		var ids []string
		for _, a := range found {
			ids = append(ids, a.ID)
		}
		if err != nil || !slices.Equal(ids, tt.want) {
			t.Errorf("%s: %v, want %v (%v)", name, ids, tt.want, err)
		}
	}
	if found, err := db.Anomalies(t.Context(), other, job.AnomalyFilter{Limit: 10}); err != nil || len(found) != 0 {
		t.Errorf("another tenant sees %d, %v", len(found), err)
	}
	if _, err := db.Anomaly(t.Context(), other, "a"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("another tenant reads one: %v", err)
	}
}
