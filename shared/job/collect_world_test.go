package job_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"sync"
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

const buyer tenant.ID = "6f1f9f5e-0000-4000-8000-000000000001"

var (
	september = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	today     = time.Date(2026, 9, 10, 7, 30, 0, 0, time.UTC)
)

func clock() time.Time { return today }

// shelf is a staging area in memory.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
	aborted int
}

func newShelf() *shelf { return &shelf{objects: map[string][]byte{}} }

func (s *shelf) Writer(_ context.Context, key string) (ingest.WriteAborter, error) {
	return &sheet{shelf: s, key: key}, nil
}

func (s *shelf) Reader(_ context.Context, key string) (ingest.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.objects[key]
	if !ok {
		return nil, fault.New(fault.NotFound, "There is nothing here.")
	}
	return ingest.Bytes(b), nil
}

type sheet struct {
	bytes.Buffer
	shelf *shelf
	key   string
}

func (w *sheet) Close() error {
	w.shelf.mu.Lock()
	defer w.shelf.mu.Unlock()
	w.shelf.objects[w.key] = w.Bytes()
	return nil
}

func (w *sheet) Abort() error { w.shelf.aborted++; return nil }

// cloud is a collector with so many rows, that fails after failAt of them.
type cloud struct {
	rows   int
	failAt int
	period cost.Period
	asked  ingest.UsageQuery
	inv    ingest.Inventory
	err    error
	of     ingest.Connection
	meter  *ingest.Meter
	price  decimal.Decimal // of a call
	lacks  []string
}

// pay is what a paid call does first.
func (c *cloud) pay() error { return c.meter.Spend("requests", 1, c.price) }

func (c *cloud) Check(context.Context) ([]string, error) { return c.lacks, c.err }

func (c *cloud) Costs(_ context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		for i := range c.rows {
			if err := c.pay(); err != nil {
				yield(focus.Row{}, err)
				return
			}
			if c.failAt > 0 && i == c.failAt {
				yield(focus.Row{}, fault.New(fault.Throttled, "Slow down."))
				return
			}
			period := cost.Month(month)
			if c.period != (cost.Period{}) {
				period = c.period
			}
			row := focus.Row{
				BillingPeriod: period, ChargePeriod: cost.Days(month, 1), BillingCurrency: "USD", BilledCost: decimal.New(int64(i), -2),
				ServiceProviderName: "AWS", BillingAccountID: "1", ServiceName: "S", ServiceCategory: "Compute", ChargeCategory: "Usage",
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (c *cloud) Resources(context.Context) (ingest.Inventory, error) {
	return c.inv, errors.Join(c.err, c.pay())
}

func (c *cloud) Usage(_ context.Context, q ingest.UsageQuery) (ingest.Measured, error) {
	c.asked = q
	if err := c.pay(); err != nil {
		return ingest.Measured{}, err
	}
	return ingest.Measured{Usage: []resource.Usage{{Ref: q.Refs[0], Metric: resource.CPU, Every: q.Every}}}, c.err
}

func (*cloud) Prices(_ context.Context, regions []string) ([]resource.Price, error) {
	var out []resource.Price
	for _, r := range regions {
		out = append(out, resource.Price{Region: r})
	}
	return out, nil
}

func collect(c *cloud, s *shelf) job.Collect {
	return job.Collect{Staging: s, Now: clock, Collectors: func(_ context.Context, of ingest.Connection, m *ingest.Meter) (ingest.Collector, error) {
		c.of, c.meter = of, m
		return c, nil
	}}
}
