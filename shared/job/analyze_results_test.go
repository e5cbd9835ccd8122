package job_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// manyParts is a bill of large parts and of some that are too small to stand by themselves.
func manyParts() *dailyBill {
	l := &dailyBill{}
	l.add("USD", "AWS", "EC2", "i-1", steady(4000))
	l.add("USD", "AWS", "RDS", "db", from(200, 900))
	for i := range 4 {
		l.add("USD", "AWS", fmt.Sprint("tiny-", i), "x", func(int) float64 { return 1.05 })
		for k := range l.rows[len(l.rows)-1].Values {
			l.rows[len(l.rows)-1].Values[k] *= 0.03
		}
	}
	l.add("USD", "Microsoft", "VM", "vm-1", steady(700))
	l.add("EUR", "Microsoft", "VM", "vm-2", steady(70))
	for row, account := range map[int]string{1: "2", 3: "2", 4: "3", 5: "4"} {
		l.rows[row].Scope[cost.Account] = account
	}
	l.rows[5].Scope[cost.Region] = "us"
	return l
}

// means are the reconciled means of a level by day and currency, and the sum of its next 90 days.
func means(forecasts []job.Forecast, level job.Level) (byDay map[string]float64, rests int) {
	byDay = map[string]float64{}
	for _, f := range forecasts {
		if f.Level != level {
			continue
		}
		if f.Rest {
			rests++
		}
		for _, p := range f.Moved(f.Moves).Points {
			byDay[string(f.Currency)+p.Day.Format(time.DateOnly)] += p.Mean
		}
	}
	return byDay, rests
}

func TestForecastsOfEachLevelSumToTheWhole(t *testing.T) {
	t.Parallel()
	l := manyParts()
	l.analyze(t, analysed, job.AnalyzeInput{Types: []job.AnalysisType{job.Forecasts}})
	whole, _ := means(l.forecasts, job.WholeLevel)
	if len(whole) < 2*123 {
		t.Fatalf("%d days of the whole in two currencies", len(whole))
	}
	for _, level := range job.Levels[1:] {
		parts, rests := means(l.forecasts, level)
		if len(parts) != len(whole) {
			t.Errorf("%s: %d days, want %d", level, len(parts), len(whole))
		}
		for day, want := range whole {
			if got := parts[day]; math.Abs(got-want) > 1e-9*want {
				t.Fatalf("%s on %s: the parts sum to %.6f, the whole is %.6f", level, day, got, want)
			}
		}
		if want := map[job.Level]int{job.AccountLevel: 1, job.ServiceLevel: 1, job.LeafLevel: 1}[level]; rests != want {
			t.Errorf("%s: %d rests, want %d: the tiny services together, and the tiny accounts", level, rests, want)
		}
	}
}

// Accounts and regions cut the bill another way than services do, and tell the same of it: each is the sum of its leaves.
func TestAccountsAndRegionsAreTheSumOfTheirLeaves(t *testing.T) {
	t.Parallel()
	l := &dailyBill{}
	for i, account := range []string{"1", "2", "2", "1"} {
		l.add("USD", "AWS", []string{"EC2", "S3"}[i%2], strconv.Itoa(i), from(60*i, 100*float64(i+1)))
		l.rows[i].Scope[cost.Account], l.rows[i].Scope[cost.Region] = account, []string{"eu", "us"}[i/2]
	}
	l.analyze(t, analysed, job.AnalyzeInput{Types: []job.AnalysisType{job.Forecasts, job.Trends}})
	for _, d := range []cost.Dimension{cost.Account, cost.Region} {
		level := job.LevelOf(cost.Scope{cost.Provider: "AWS", d: ""})
		sums := map[string]float64{} // of leaves
		for _, f := range l.forecasts {
			if f.Level == job.LeafLevel {
				for _, p := range f.Moved(f.Moves).Points {
					sums[f.Scope[d]+p.Day.Format(time.DateOnly)] += p.Mean
				}
			}
		}
		found := 0
		for _, f := range l.forecasts {
			if f.Level != level {
				continue
			}
			found++
			for _, p := range f.Moved(f.Moves).Points {
				if want := sums[f.Scope[d]+p.Day.Format(time.DateOnly)]; math.Abs(p.Mean-want) > 1e-9*want || p.High80 <= p.Mean {
					t.Fatalf("%s on %s: %.4f up to %.4f, its leaves sum to %.4f", f.Scope, p.Day, p.Mean, p.High80, want)
				}
			}
		}
		if found != 2 || len(sums) != 2*123 {
			t.Errorf("%d forecasts of a %s, and leaves on %d days", found, level, len(sums))
		}
	}
	for _, x := range l.trends {
		if x.Level == job.AccountLevel && (len(x.Scope) != 2 || len(x.Drivers) != 2 || x.Drivers[0].Scope[cost.Service] == "") {
			t.Errorf("the trend of %s is driven by %+v, want its services", x.Scope, x.Drivers)
		}
	}
}

// The same days in another currency are another cost.
func TestTwinsOfTwoCurrenciesKeepTheirs(t *testing.T) {
	t.Parallel()
	l := &dailyBill{}
	for _, c := range []cost.Currency{"EUR", "USD"} {
		l.add(c, "AWS", "EC2", "i", steady(5))
		l.rows[len(l.rows)-1].Values = l.rows[0].Values
	}
	l.analyze(t, analysed, job.AnalyzeInput{Types: []job.AnalysisType{job.Forecasts}})
	for _, f := range l.forecasts {
		if f.Next30.Mean.Currency != f.Currency {
			t.Errorf("%s in %s: %s", f.Scope, f.Currency, f.Next30.Mean)
		}
	}
}

// A provider that is settled days ahead of the others is part of the whole on the same days.
func TestForecastsSumUpAcrossPaces(t *testing.T) {
	t.Parallel()
	l := &lagging{dailyBill: analysedBill(), behind: 5}
	l.add("USD", "Vultr", "VC2", "v-1", steady(20))
	store := &dailyBill{}
	_, err := job.Analyze{Series: l, Store: store, Now: func() time.Time { return analysed }}.Run(t.Context(), job.AnalyzeInput{Types: []job.AnalysisType{job.Forecasts}})
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := means(store.forecasts, job.WholeLevel)
	parts, _ := means(store.forecasts, job.ProviderLevel)
	for day, want := range parts {
		if day >= "USD2026-11-18" && math.Abs(whole[day]-want) > 1e-9*want { // before, AWS is settled
			t.Fatalf("%s: the parts sum to %.4f, the whole is %.4f", day, want, whole[day])
		}
	}
	if len(whole) != len(parts) || whole["USD2026-11-13"] == 0 {
		t.Errorf("%d days of the whole, %d of its parts", len(whole), len(parts))
	}
}

// remaking counts the forecasts that an analysis could take over.
type remaking struct {
	*dailyBill

	asked, kept int
}

func (r *remaking) MadeForecasts(ctx context.Context, t tenant.ID, key job.AnalysisKey, contents []string) (map[string]job.Forecast, error) {
	found, err := r.dailyBill.MadeForecasts(ctx, t, key, contents)
	r.asked, r.kept = len(contents), len(found)
	return found, err
}

func TestOnlyWhatChangedIsForecastAgain(t *testing.T) {
	t.Parallel()
	l := &remaking{dailyBill: analysedBill()}
	l.rows = l.rows[:3]
	run := func(now time.Time) {
		t.Helper()
		if _, err := (job.Analyze{Series: l, Store: l, Now: func() time.Time { return now }}).Run(t.Context(), job.AnalyzeInput{}); err != nil {
			t.Fatal(err)
		}
	}
	run(analysed)
	if l.kept != 0 || l.asked != 3 { // the whole is its only provider, services are their only leaves
		t.Errorf("%d of %d kept at first", l.kept, l.asked)
	}
	run(analysed.Add(time.Hour))
	if l.kept != 3 {
		t.Errorf("%d of %d kept when nothing changed", l.kept, l.asked)
	}
	l.rows[2].Values[200] += 40 // restated
	run(analysed.Add(2 * time.Hour))
	if l.kept != 1 {
		t.Errorf("%d of %d kept when one service was restated, want the other", l.kept, l.asked)
	}
	run(analysed.AddDate(0, 0, 1))
	if l.kept != 0 {
		t.Errorf("%d of %d kept on the next day", l.kept, l.asked)
	}
}

// Whatever is restated and appended, an analysis that takes over what it may stores what one from scratch would.
func TestAnalysisAfterChangesEqualsOneFromScratch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := analysedBill()
		for i := range l.rows {
			l.rows[i].Values = l.rows[i].Values[:70]
		}
		now := billsBegin.AddDate(0, 0, 70).Add(9 * time.Hour)
		run := func(l *dailyBill) {
			if _, err := (job.Analyze{Series: l, Store: l, Now: func() time.Time { return now }}).Run(t.Context(), job.AnalyzeInput{}); err != nil {
				r.Fatal(err)
			}
		}
		run(l)
		for range rapid.IntRange(1, 3).Draw(r, "rounds") {
			for range rapid.IntRange(0, 2).Draw(r, "restatements") {
				row := &l.rows[rapid.IntRange(0, len(l.rows)-1).Draw(r, "row")]
				at := rapid.IntRange(0, len(row.Values)-1).Draw(r, "day")
				row.Values = slices.Clone(row.Values)
				row.Values[at] *= rapid.Float64Range(0, 3).Draw(r, "factor")
			}
			for range rapid.IntRange(0, 2).Draw(r, "new days") {
				for i := range l.rows {
					l.rows[i].Values = append(slices.Clone(l.rows[i].Values), l.rows[i].Values[len(l.rows[i].Values)-7])
				}
				now = now.AddDate(0, 0, 1)
			}
			run(l)
		}
		scratch := &dailyBill{rows: l.rows}
		run(scratch)
		if got, want := undated(l.forecasts), undated(scratch.forecasts); !reflect.DeepEqual(got, want) {
			r.Fatalf("forecasts differ: %+v, want %+v", got, want)
		}
		for i := range l.trends {
			l.trends[i].At, scratch.trends[i].At = time.Time{}, time.Time{}
		}
		if !reflect.DeepEqual(l.trends, scratch.trends) {
			r.Fatal("trends differ")
		}
		standing := slices.DeleteFunc(slices.Clone(l.known), func(a job.Anomaly) bool { return a.Status == job.AnomalyWithdrawn })
		for _, want := range scratch.known {
			i := slices.IndexFunc(standing, func(a job.Anomaly) bool { return a.ID == want.ID })
			if i < 0 || !reflect.DeepEqual(standing[i].Incident, want.Incident) || standing[i].Status != want.Status {
				r.Fatalf("%+v is not what is known: %+v", want, standing)
			}
		}
	})
}

func undated(forecasts []job.Forecast) []job.Forecast {
	out := slices.Clone(forecasts)
	for i := range out {
		out[i].At = time.Time{}
	}
	return out
}

func TestForecastsHoldScopesThatSumUpForPeople(t *testing.T) {
	t.Parallel()
	l := manyParts()
	l.analyze(t, analysed, job.AnalyzeInput{Types: []job.AnalysisType{job.Trends}})
	var services []string
	for _, x := range l.trends {
		if x.Level == job.ServiceLevel && x.Currency == "USD" {
			services = append(services, fmt.Sprint(x.Scope[cost.Service], " ", x.Rest))
		}
	}
	if want := []string{"EC2 false", "RDS false", "VM false", " true"}; !slices.Equal(services, want) {
		t.Errorf("services %q, want %q: the most expensive first, the rest last", services, want)
	}
}

// Without a scope, the widest is meant that the other parameters name.
func TestTheWidestScopeThatIsNamed(t *testing.T) {
	t.Parallel()
	for want, f := range map[job.Level]job.ResultFilter{
		job.WholeLevel: {}, job.ProviderLevel: {Provider: "AWS"}, job.AccountLevel: {Provider: "AWS", Account: "1"}, job.RegionLevel: {Region: "eu"},
		job.ServiceLevel: {Provider: "AWS", Service: "S3"}, job.LeafLevel: {Account: "1", Service: "S3"},
	} {
		if got := f.Widest(); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
}
