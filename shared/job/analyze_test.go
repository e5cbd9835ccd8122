package job_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// dailyBill is a bill in memory: usage by leaf and resource.
type dailyBill struct {
	rows  []cost.Series // scopes with leaf dimensions and resource
	known []job.Anomaly
	key   job.AnalysisKey

	forecasts []job.Forecast
	trends    []job.Trend
}

func (l *dailyBill) Series(_ context.Context, _ tenant.ID, q cost.SeriesQuery) ([]cost.Series, error) {
	if q.Period.Start.Before(billsBegin) {
		q.Period.Start = billsBegin // a series begins with the first day that was ever reported
	}
	var out []cost.Series
	for _, r := range l.rows {
		in := true
		for d, values := range q.Filter {
			in = in && slices.Contains(values, r.Scope[d])
		}
		if !in {
			continue
		}
		scope := cost.Scope{}
		for _, d := range q.By {
			scope[d] = r.Scope[d]
		}
		k := slices.IndexFunc(out, func(s cost.Series) bool { return s.Scope.String() == scope.String() && s.Currency == r.Currency })
		if k < 0 {
			n := q.Period.Len()
			out = append(out, cost.Series{Scope: scope, Basis: q.Basis, Currency: r.Currency, Start: q.Period.Start, Values: make([]float64, n),
				Final: min(n, cost.Period{Start: q.Period.Start, End: q.FinalBefore}.Len())})
			k = len(out) - 1
		}
		for i := range out[k].Values {
			if j := r.Index(out[k].Day(i)); j >= 0 && j < len(r.Values) {
				out[k].Values[i] += r.Values[j]
			}
		}
	}
	return out, nil
}

func (l *dailyBill) SaveAnalysis(_ context.Context, _ tenant.ID, key job.AnalysisKey, merge func([]job.Anomaly) []job.Anomaly, forecasts []job.Forecast, trends []job.Trend) error {
	l.key = key
	if merge != nil {
		for _, a := range merge(slices.Clone(l.known)) {
			l.known = slices.DeleteFunc(l.known, func(o job.Anomaly) bool { return o.ID == a.ID })
			l.known = append(l.known, a)
		}
	}
	if forecasts != nil {
		l.forecasts = forecasts
	}
	if trends != nil {
		l.trends = trends
	}
	return nil
}

func (l *dailyBill) MadeForecasts(_ context.Context, _ tenant.ID, key job.AnalysisKey, contents []string) (map[string]job.Forecast, error) {
	found := map[string]job.Forecast{}
	for _, f := range l.forecasts {
		if l.key == key && slices.Contains(contents, f.Content) {
			f.Moves = nil
			found[f.Content] = f
		}
	}
	return found, nil
}

var (
	analysed   = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	billsBegin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// add appends the daily costs of a resource up to the analysed day.
func (l *dailyBill) add(currency cost.Currency, provider, service, resource string, day func(i int) float64) {
	v := make([]float64, cost.Period{Start: billsBegin, End: cost.Day(analysed)}.Len())
	for i := range v {
		v[i] = day(i) + math.Sin(float64(i)*float64(len(l.rows)+3))
	}
	l.rows = append(l.rows, cost.Series{Currency: currency, Start: billsBegin, Values: v, Final: len(v), Scope: cost.Scope{
		cost.Provider: provider, cost.Account: "1", cost.Service: service, cost.Region: "eu", cost.Resource: resource,
	}})
}

func steady(usd float64) func(int) float64 { return func(int) float64 { return usd } }

func from(first int, usd float64) func(int) float64 {
	return func(i int) float64 {
		if i < first {
			return 0
		}
		return usd
	}
}

func analysedBill() *dailyBill {
	l := &dailyBill{}
	l.add("USD", "AWS", "EC2", "i-1", steady(100))
	l.add("USD", "AWS", "EC2", "i-2", from(300, 90))
	l.add("USD", "AWS", "S3", "b-1", steady(50))
	l.add("EUR", "Microsoft", "VM", "vm-1", steady(70))
	return l
}

func (l *dailyBill) analyze(t *testing.T, now time.Time, in job.AnalyzeInput) job.AnalyzeOutput {
	t.Helper()
	in.Tenant = buyer
	out, err := job.Analyze{Series: l, Store: l, Now: func() time.Time { return now }}.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnalyzeNamesTheResourceThatIsNew(t *testing.T) {
	t.Parallel()
	l := analysedBill()
	out := l.analyze(t, analysed, job.AnalyzeInput{})
	if len(l.known) != 1 || out.Anomalies.New != 1 || out.Anomalies.Open != 1 {
		t.Fatalf("%d anomalies, summary %+v", len(l.known), out.Anomalies)
	}
	a := l.known[0]
	if a.Kind != anomaly.NewSpend || a.Scope[cost.Resource] != "i-2" || a.Scope[cost.Service] != "EC2" || a.Status != job.AnomalyOpen {
		t.Errorf("%s of %s is %s", a.Kind, a.Scope, a.Status)
	}
	if want := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC); !out.FinalBefore.Equal(want) || !a.Until.Equal(want) {
		t.Errorf("judged until %s and %s, want %s", out.FinalBefore, a.Until, want)
	}
}

func TestAnalyzeNeverMixesCurrencies(t *testing.T) {
	t.Parallel()
	l := analysedBill()
	out := l.analyze(t, analysed, job.AnalyzeInput{})
	if len(out.Currencies) != 2 || len(out.Forecasts) != 2 || len(out.Trends) != 2 {
		t.Fatalf("%v, %d forecasts and %d trends of the whole, want two of each", out.Currencies, len(out.Forecasts), len(out.Trends))
	}
	for _, f := range l.forecasts {
		if f.Currency == "EUR" && (f.Points[0].Mean < 60 || f.Points[0].Mean > 80) {
			t.Errorf("%s in euros: %.1f a day, want about 70", f.Scope, f.Points[0].Mean)
		}
	}
	// The whole, its provider, its account, its region, its services and their leaves: two in one currency, one in the other.
	if len(l.forecasts) != 14 || len(l.trends) != 14 {
		t.Errorf("%d forecasts, %d trends, want 14", len(l.forecasts), len(l.trends))
	}
	for _, tr := range l.trends {
		if tr.Currency == "USD" && len(tr.Scope) == 0 && (len(tr.Drivers) == 0 || tr.Drivers[0].Scope[cost.Service] != "EC2") {
			t.Errorf("drivers %+v, want EC2", tr.Drivers)
		}
	}
}

func TestAnalyzeAgainUpdatesInsteadOfDoubling(t *testing.T) {
	t.Parallel()
	l := analysedBill()
	l.analyze(t, analysed, job.AnalyzeInput{})
	before := l.known[0]
	for i := range l.rows {
		l.rows[i].Values = append(l.rows[i].Values, l.rows[i].Values[len(l.rows[i].Values)-1])
	}
	out := l.analyze(t, analysed.AddDate(0, 0, 1), job.AnalyzeInput{})
	if len(l.known) != 1 || out.Anomalies.New != 0 {
		t.Fatalf("%d anomalies the day after, %d new", len(l.known), out.Anomalies.New)
	}
	after := l.known[0]
	if !after.FoundAt.Equal(before.FoundAt) || after.SeenAt.Equal(before.SeenAt) || !after.Impact.Amount.GreaterThan(before.Impact.Amount) {
		t.Errorf("found %s, seen %s, impact %s after %s", after.FoundAt, after.SeenAt, after.Impact, before.Impact)
	}
}

func TestAnalyzeWithdrawsWhatTheBillNoLongerShows(t *testing.T) {
	t.Parallel()
	l := analysedBill()
	l.analyze(t, analysed, job.AnalyzeInput{})
	l.rows[1].Values = make([]float64, len(l.rows[1].Values)) // restated: it was never there
	out := l.analyze(t, analysed, job.AnalyzeInput{})
	if out.Anomalies.Withdrawn != 1 || l.known[0].Status != job.AnomalyWithdrawn {
		t.Errorf("summary %+v, status %s", out.Anomalies, l.known[0].Status)
	}
}

// A run that looks less closely must not leave open for ever what a closer look found, nor take it back unseen.
func TestAnalyzeFollowsWhatACloserLookFound(t *testing.T) {
	t.Parallel()
	l := &dailyBill{}
	l.add("USD", "AWS", "EC2", "i-1", steady(100))
	l.add("USD", "AWS", "S3", "b-1", func(i int) float64 { return 50 + map[bool]float64{true: 12}[i >= 310] })
	for _, s := range []anomaly.Sensitivity{anomaly.Coarse, anomaly.Fine} {
		l.analyze(t, analysed, job.AnalyzeInput{Sensitivity: s, Types: []job.AnalysisType{job.Anomalies}})
	}
	if len(l.known) != 1 || l.known[0].Sensitivity != anomaly.Fine || l.known[0].Status != job.AnomalyOpen {
		t.Fatalf("a closer look finds %+v, want one that is open", l.known)
	}
	seen := l.known[0].SeenAt
	later := analysed.AddDate(0, 0, 1)
	out := l.analyze(t, later, job.AnalyzeInput{Sensitivity: anomaly.Coarse, Types: []job.AnalysisType{job.Anomalies}})
	if a := l.known[0]; !a.SeenAt.After(seen) || a.Sensitivity != anomaly.Fine || out.Anomalies.Found != 0 || out.Anomalies.Open != 1 {
		t.Errorf("after a coarse look it is %s at %s, last seen %s: %+v", a.Status, a.Sensitivity, a.SeenAt, out.Anomalies)
	}
	for i := 310; i < len(l.rows[1].Values); i++ {
		l.rows[1].Values[i] -= 12 // restated
	}
	out = l.analyze(t, later, job.AnalyzeInput{Sensitivity: anomaly.Coarse, Types: []job.AnalysisType{job.Anomalies}})
	if l.known[0].Status != job.AnomalyWithdrawn || out.Anomalies.Withdrawn != 1 {
		t.Errorf("what the bill no longer shows is %s: %+v", l.known[0].Status, out.Anomalies)
	}
}

func TestAnalyzeAPartOfTheBill(t *testing.T) {
	t.Parallel()
	l := analysedBill()
	out := l.analyze(t, analysed, job.AnalyzeInput{Filter: cost.Scope{cost.Provider: "AWS"}, Types: []job.AnalysisType{job.Forecasts}})
	if out.Analysis != "ServiceProviderName=AWS" || l.key.Scope != out.Analysis || out.Anomalies != nil || l.trends != nil || len(l.known) != 0 {
		t.Errorf("%+v", out)
	}
	for _, f := range l.forecasts {
		if f.Scope[cost.Provider] != "AWS" {
			t.Errorf("a forecast of %s", f.Scope)
		}
	}
	if len(l.forecasts) != 8 {
		t.Errorf("%d forecasts, want the provider as the whole and as itself, its account, its region, its two services and their leaves", len(l.forecasts))
	}
}

// A forecast from two days must not take the place of the one that everybody looks at.
func TestAnalyzeKeepsAPeriodOfOnesOwnApart(t *testing.T) {
	t.Parallel()
	l := analysedBill()
	october := cost.Period{Start: time.Date(2026, 10, 1, 5, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	for want, in := range map[string]job.AnalyzeInput{
		"total": {}, "total 2026-10-01..2026-11-01": {Period: &october},
		"ServiceName=S3 2026-10-01..2026-11-01": {Period: &october, Filter: cost.Scope{cost.Service: "S3"}},
	} {
		if out := l.analyze(t, analysed, in); out.Analysis != want || l.key.Scope != want {
			t.Errorf("kept as %q, told as %q, want %q", l.key.Scope, out.Analysis, want)
		}
	}
	for _, a := range l.known {
		if a.Analysis == "" {
			t.Errorf("anomaly %s does not say which analysis found it", a.ID)
		}
	}
}

func TestAnalyzeRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	year := cost.Period{Start: billsBegin, End: billsBegin}
	for name, in := range map[string]job.AnalyzeInput{
		"basis": {Basis: "net"}, "sensitivity": {Sensitivity: "extreme"}, "type": {Types: []job.AnalysisType{"magic"}}, "period": {Period: &year},
	} {
		_, err := job.Analyze{Series: analysedBill(), Store: &dailyBill{}, Now: func() time.Time { return analysed }}.Run(t.Context(), in)
		if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	_, err := job.Analyze{Series: &dailyBill{}, Store: &dailyBill{}, Now: func() time.Time { return analysed }}.Run(t.Context(), job.AnalyzeInput{})
	if fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("an empty bill: %v, want Unprocessable", err)
	}
}

// A provider that stopped sending bills long ago does not hold up the others; one that is a few days late does.
func TestAnalyzeForecastsFromWhereAllHaveReported(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ behind, want int }{"late": {3, 3}, "ended": {100, 0}} {
		l := &lagging{dailyBill: analysedBill(), behind: tt.behind}
		l.rows = l.rows[:3]
		l.add("USD", "Vultr", "VC2", "v-1", steady(20))
		store := &dailyBill{}
		_, err := job.Analyze{Series: l, Store: store, Now: func() time.Time { return analysed }}.Run(t.Context(), job.AnalyzeInput{Types: []job.AnalysisType{job.Forecasts}})
		if err != nil {
			t.Fatal(err)
		}
		want := time.Date(2026, 11, 18-tt.want, 0, 0, 0, 0, time.UTC)
		if got := store.forecasts[0].Points[0].Day; !got.Equal(want) {
			t.Errorf("%s: the whole is forecast from %s, want %s", name, got.Format(time.DateOnly), want.Format(time.DateOnly))
		}
	}
}

// lagging is a dailyBill in which Vultr is behind.
type lagging struct {
	*dailyBill

	behind int
}

func (l *lagging) Series(ctx context.Context, t tenant.ID, q cost.SeriesQuery) ([]cost.Series, error) {
	out, err := l.dailyBill.Series(ctx, t, q)
	for i := range out {
		if out[i].Scope[cost.Provider] == "Vultr" {
			out[i].Final -= l.behind
			for k := out[i].Final; k < len(out[i].Values); k++ {
				out[i].Values[k] = math.NaN()
			}
		}
	}
	return out, err
}
