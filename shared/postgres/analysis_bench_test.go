package postgres_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
)

const (
	billedSeries = 150 // leaves of the tenant that is measured
	billedDays   = 548 // of history
)

var (
	billedUntil = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC) // the day after the last one that is billed
	billedFrom  = billedUntil.AddDate(0, 0, -billedDays)
	billedNow   = billedUntil.AddDate(0, 0, 3).Add(6 * time.Hour)
)

// billedTenant is a tenant with a bill of so many leaves: weekdays, growth, noise, fees on the first of the month, and in one
// leaf of ten a change that lasts.
type billedTenant struct {
	testing.TB

	db     *postgres.DB
	now    time.Time
	leaves [][]float64 // of one day more than is billed at first
}

func newBilledTenant(t testing.TB, leaves int) *billedTenant {
	t.Helper()
	b := &billedTenant{TB: t, now: billedNow}
	var err error
	b.db, err = postgres.Open(t.Context(), postgres.Options{URL: pgtest.URL(t), Now: func() time.Time { return b.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.db.Close)
	if err := b.db.SaveTenant(t.Context(), acme, "Acme"); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, uint64(leaves)))
	for range leaves {
		b.leaves = append(b.leaves, dailyCosts(rng, billedDays+1))
	}
	for provider := range billedProviders {
		for _, month := range (cost.Period{Start: billedFrom, End: billedUntil}).Months() {
			b.bill(provider, month, billedUntil)
		}
	}
	return b
}

func dailyCosts(rng *rand.Rand, days int) []float64 {
	level := math.Exp(1 + 1.5*rng.NormFloat64())
	weekend, growth, noise := 1-0.6*rng.Float64(), 0.0008*(rng.Float64()-0.3), 0.02+0.08*rng.Float64()
	fee, change, factor := 0.0, days+1, 1.0
	if rng.IntN(5) == 0 {
		fee = 3 * level
	}
	if rng.IntN(10) == 0 {
		change, factor = 100+rng.IntN(days-120), 0.4+2*rng.Float64()
	}
	out := make([]float64, days)
	for i := range out {
		day := billedFrom.AddDate(0, 0, i)
		v := level * (1 + growth*float64(i)) * (1 + noise*rng.NormFloat64())
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			v *= weekend
		}
		if i >= change {
			v *= factor
		}
		if day.Day() == 1 {
			v += fee
		}
		out[i] = max(0, v)
	}
	return out
}

var billedProviders = []string{"AWS", "Microsoft", "Google Cloud"}

// scopeOf is what the n-th leaf is called.
func scopeOf(n int) (provider int, row focus.Row) {
	provider = n % len(billedProviders)
	n /= len(billedProviders)
	return provider, focus.Row{
		BillingCurrency: "USD", ServiceProviderName: billedProviders[provider], HostProviderName: billedProviders[provider],
		InvoiceIssuerName: billedProviders[provider], BillingAccountID: "main", ServiceCategory: "Compute",
		ChargeCategory: "Usage", ChargeFrequency: "Usage-Based",
		ServiceName: fmt.Sprint("service ", n%10), SubAccountID: strconv.Itoa(1000 + n/10%40), RegionID: fmt.Sprint("region-", n/400),
		ResourceID: fmt.Sprint("resource-", n),
	}
}

// bill loads a month of a provider up to a day.
func (b *billedTenant) bill(provider int, month cost.Period, until time.Time) {
	b.Helper()
	var out bytes.Buffer
	w := focus.NewCSVWriter(&out)
	for n, values := range b.leaves {
		p, row := scopeOf(n)
		if p != provider {
			continue
		}
		for i, v := range values {
			day := billedFrom.AddDate(0, 0, i)
			if !month.Contains(day) || !day.Before(until) {
				continue
			}
			amount := decimal.NewFromFloat(v).Round(4)
			row.BillingPeriod, row.ChargePeriod = month, cost.Days(day, 1)
			row.BilledCost, row.EffectiveCost, row.ListCost, row.ContractedCost = amount, amount, amount, amount
			if err := w.Write(&row); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	load(b, b.db, acme, ingest.Bill{Connection: billedProviders[provider], File: content(out.Bytes())})
}

// analyze runs everything and says how long it took, and how long the processors worked for it in this process.
func (b *billedTenant) analyze() (wall, busy time.Duration) {
	b.Helper()
	run := job.Analyze{Series: b.db, Store: b.db, Verdicts: b.db, Executions: b.db, Now: func() time.Time { return b.now }}
	runtime.GC()
	began, used := time.Now(), processorTime(b)
	out, err := run.Run(b.Context(), job.AnalyzeInput{Tenant: acme})
	if err != nil {
		b.Fatal(err)
	}
	if out.Series != len(b.leaves) || out.Forecasts[0].MASE == nil {
		b.Fatalf("analysed %d series of %d: %+v", out.Series, len(b.leaves), out.Forecasts)
	}
	return time.Since(began), processorTime(b) - used
}

func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// restate changes a day of one leaf and loads its month again.
func (b *billedTenant) restate() {
	b.leaves[0][400] *= 1.5
	b.bill(0, cost.Month(billedFrom.AddDate(0, 0, 400)), billedUntil)
}

// nextDay loads a day more of everything.
func (b *billedTenant) nextDay() {
	b.now = b.now.AddDate(0, 0, 1)
	for provider := range billedProviders {
		b.bill(provider, cost.Month(billedUntil), billedUntil.AddDate(0, 0, 1))
	}
}

// BenchmarkAnalyze analyses a tenant of 150 series of 548 days, everything, from the bill in the database to stored results; the
// same when nothing has changed, when one series has been restated, and when a day has come to each; and a tenant of ten times
// the series in the same run.
func BenchmarkAnalyze(b *testing.B) {
	for b.Loop() {
		small := newBilledTenant(b, billedSeries)
		full, busy := small.analyze()
		same, _ := small.analyze()
		small.restate()
		restated, _ := small.analyze()
		small.nextDay()
		daily, _ := small.analyze()
		large, largeBusy := newBilledTenant(b, 10*billedSeries).analyze()
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(full.Seconds(), "s/full")
		b.ReportMetric(busy.Seconds(), "cpu-s/full")
		b.ReportMetric(same.Seconds(), "s/unchanged")
		b.ReportMetric(restated.Seconds(), "s/one-restated")
		b.ReportMetric(daily.Seconds(), "s/next-day")
		b.ReportMetric(large.Seconds(), "s/ten-times")
		b.ReportMetric(large.Seconds()/full.Seconds(), "ratio")
		b.ReportMetric(largeBusy.Seconds()/busy.Seconds(), "cpu-ratio")
	}
}
