package job_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// counter is a Differencer whose month has one more row each time that it is told how many it had.
type counter struct {
	cloud
	failure error
	told    []string
}

func (c *counter) CostsSince(_ context.Context, month time.Time, known []byte) (rows []focus.Row, read []byte, err error) {
	c.told = append(c.told, string(known))
	if c.failure != nil {
		return nil, nil, c.failure
	}
	before, _ := strconv.Atoi(string(known))
	for range before + 1 {
		rows = append(rows, focus.Row{
			BillingPeriod: cost.Month(month), ChargePeriod: cost.Days(month, 1), BillingCurrency: "USD", BilledCost: decimal.New(1, 0),
			ServiceProviderName: "Vultr", BillingAccountID: "1", ServiceName: "S", ServiceCategory: "Compute", ChargeCategory: "Usage",
		})
	}
	return rows, []byte(strconv.Itoa(before + 1)), nil
}

// dark is a staging area of which nothing can be read.
type dark struct{ *shelf }

func (dark) Reader(context.Context, string) (ingest.Object, error) {
	return nil, fault.New(fault.Unavailable, "Not now.")
}

func TestADifferencerIsToldWhatItReadOfTheSameMonth(t *testing.T) {
	t.Parallel()
	s, c := newShelf(), &counter{}
	bill := func(to ingest.Staging, of tenant.ID, connection string, month time.Time) (job.BillOutput, error) {
		collect := job.Collect{Staging: to, Now: clock, Collectors: func(context.Context, ingest.Connection, *ingest.Meter) (ingest.Collector, error) { return c, nil }}
		return collect.Bill(t.Context(), job.BillInput{Tenant: of, Connection: connection, Cloud: resource.Vultr, Month: month, Key: ingest.Key(of, connection, "run", "bill.parquet")})
	}
	expect := func(what string, want int64, of tenant.ID, connection string, month time.Time) {
		t.Helper()
		if out, err := bill(s, of, connection, month); err != nil || out.Rows != want {
			t.Errorf("%s: %d rows, %v; want %d", what, out.Rows, err, want)
		}
	}
	other := tenant.ID("b7c1d2e3-0000-4000-8000-00000000beef")
	expect("the first reading", 1, buyer, "main", september)
	expect("the second", 2, buyer, "main", september)
	expect("another month", 1, buyer, "main", september.AddDate(0, -1, 0))
	expect("another connection", 1, buyer, "side", september)
	expect("another tenant", 1, other, "main", september)
	c.failure = fault.New(fault.Throttled, "Slow down.")
	if _, err := bill(s, buyer, "main", september); fault.CodeOf(err) != fault.Throttled {
		t.Errorf("a reading that fails: %v", err)
	}
	c.failure = nil
	expect("after a reading that failed", 3, buyer, "main", september)
	asked := len(c.told)
	if _, err := bill(dark{s}, buyer, "main", september); fault.CodeOf(err) != fault.Unavailable || len(c.told) != asked {
		t.Errorf("what cannot be read now was taken for nothing: %v", err)
	}
	expect("after that", 4, buyer, "main", september)
}
