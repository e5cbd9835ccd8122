package job

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Collect is the cloud side of collection: it reads one connection and stages what it found. It holds no database.
type Collect struct {
	// Collectors makes the collector of a connection, of which all but the name is set. What its calls cost is counted by the meter.
	Collectors func(context.Context, ingest.Connection, *ingest.Meter) (ingest.Collector, error)
	Staging    ingest.Staging
	Now        Clock
}

// BillInput names one month of one connection's bill, and where to stage it.
type BillInput struct {
	Tenant     tenant.ID      `json:"tenant"`
	Connection string         `json:"connection"`
	Cloud      resource.Cloud `json:"cloud"`
	Month      time.Time      `json:"month"` // the UTC midnight that begins it
	Key        string         `json:"key"`

	Settings map[string]string `json:"settings"`
	Secret   string            `json:"secret"` // the name of the credentials
	Ledger   string            `json:"ledger"` // key of what the connection has spent in this run; empty: this reading is alone
}

func (in BillInput) source() ingest.Connection {
	return ingest.Connection{Tenant: in.Tenant, ID: in.Connection, Cloud: in.Cloud, Settings: in.Settings, Secret: in.Secret}
}

// BillOutput says what was staged. Without rows nothing was, for a file without rows replaces nothing.
type BillOutput struct {
	Key  string `json:"key"`
	Rows int64  `json:"rows"`
	Cost
}

// Cost is what a reading itself cost.
type Cost struct {
	Spent   []ingest.Spending `json:"spent"`
	Stopped string            `json:"stopped"` // why it ended at the connection's own limit; empty when it did not
}

// costOf tells what was spent. Reaching the limit that the customer set is no failure: it gives no error, but a reason.
func costOf(m *ingest.Meter, err error) (Cost, error) {
	c := Cost{Spent: m.Spent()}
	if c.Spent == nil {
		c.Spent = []ingest.Spending{}
	}
	if fault.CodeOf(err) == fault.LimitReached {
		c.Stopped, err = fault.Public(err).Message, nil
	}
	return c, err
}

// Bill stages one month as FOCUS rows in Parquet. A stream that fails, or reaches the connection's limit, leaves no object, so
// half a bill is never loaded.
func (c Collect) Bill(ctx context.Context, in BillInput) (_ BillOutput, err error) {
	if !in.Month.Equal(cost.MonthStart(in.Month)) {
		return BillOutput{}, fault.Input("month", in.Month.Format(time.RFC3339), "is not the beginning of a calendar month in UTC")
	}
	collector, meter, err := c.open(ctx, in.source(), in.Key, in.Ledger)
	if err != nil {
		return BillOutput{}, err
	}
	defer func() { err = c.settle(ctx, in.Ledger, meter, err) }()
	w, err := c.Staging.Writer(ctx, in.Key)
	if err != nil {
		return BillOutput{}, err
	}
	bill := c.bill(ctx, collector, in)
	rows, err := writeBill(w, bill.rows, in.Month)
	spent, failure := costOf(meter, err)
	if err != nil || rows == 0 {
		return BillOutput{Cost: spent}, errors.Join(failure, w.Abort())
	}
	if err := w.Close(); err != nil {
		return BillOutput{}, err
	}
	return BillOutput{Key: in.Key, Rows: rows, Cost: spent}, bill.keep()
}

func writeBill(w ingest.WriteAborter, bill iter.Seq2[focus.Row, error], month time.Time) (int64, error) {
	out := focus.NewParquetWriter(w)
	rows := int64(0)
	for row, err := range bill {
		if err != nil {
			return 0, err
		}
		// Loading replaces the periods that a file holds: a stray row would wipe out another month.
		if !row.BillingPeriod.Start.Equal(month) {
			return 0, fault.New(fault.Unprocessable, "The cloud gave a row of the billing period %s for %s; the bill was not staged.", row.BillingPeriod, month.Format("2006-01"))
		}
		if err := out.Write(&row); err != nil {
			return 0, staged(err)
		}
		rows++
	}
	return rows, staged(out.Close())
}

// staged keeps the code of an error that went through a writer.
func staged(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "The staged object could not be written; try again in a moment.")
}

// UsageOutput says where the usage was staged.
type UsageOutput struct {
	Key string `json:"key"`
}

// Usage stages an ingest.Measured.
func (c Collect) Usage(ctx context.Context, in UsageRequest) (UsageOutput, error) {
	if in.EverySeconds <= 0 || !in.From.Before(in.To) {
		return UsageOutput{}, fault.Input("every_seconds", "", "has to be positive, and from before to")
	}
	collector, _, err := c.open(ctx, in.source(), in.Key, "")
	if err != nil {
		return UsageOutput{}, err
	}
	measured, err := collector.Usage(ctx, ingest.UsageQuery{
		Refs: in.Refs, Metrics: in.Metrics, Period: cost.Period{Start: in.From, End: in.To}, Every: time.Duration(in.EverySeconds) * time.Second,
	})
	if err != nil {
		return UsageOutput{}, err
	}
	return UsageOutput{Key: in.Key}, stageJSON(ctx, c.Staging, in.Key, measured)
}

// RightsInput names the connection whose rights are to be looked at.
type RightsInput struct {
	Tenant     tenant.ID         `json:"tenant"`
	Connection string            `json:"connection"`
	Cloud      resource.Cloud    `json:"cloud"`
	Settings   map[string]string `json:"settings"`
	Secret     string            `json:"secret"` // the name of the credentials
}

// RightsOutput lists the rights that are missing, by their provider's names; an empty list means that all is well.
type RightsOutput struct {
	Missing []string `json:"missing"`
	Cost
}

// Check looks at the rights of a connection without reading anything.
func (c Collect) Check(ctx context.Context, in RightsInput) (RightsOutput, error) {
	of := ingest.Connection{Tenant: in.Tenant, ID: in.Connection, Cloud: in.Cloud, Settings: in.Settings, Secret: in.Secret}
	collector, meter, err := c.collector(ctx, of)
	if err != nil {
		return RightsOutput{}, err
	}
	missing, err := collector.Check(ctx)
	if missing == nil {
		missing = []string{}
	}
	spent, err := costOf(meter, err)
	return RightsOutput{Missing: missing, Cost: spent}, err
}

func (c Collect) open(ctx context.Context, of ingest.Connection, key, ledger string) (ingest.Collector, *ingest.Meter, error) {
	if err := ingest.Owned(of.Tenant, key); err != nil {
		return nil, nil, err
	}
	collector, meter, err := c.collector(ctx, of)
	if err != nil || ledger == "" {
		return collector, meter, err
	}
	if err := ingest.Owned(of.Tenant, ledger); err != nil {
		return nil, nil, err
	}
	var before Ledger
	if err := readJSON(ctx, c.Staging, ledger, &before); err != nil {
		return nil, nil, err
	}
	meter.Carry(before.Spent)
	return collector, meter, nil
}

// Ledger is what the readings of a connection have spent in a run so far. They are made one after the other.
type Ledger struct {
	Spent decimal.Decimal `json:"spent"` // USD
}

// settle writes down what has been spent, also by an attempt that failed: it is made again, and has to be paid again.
func (c Collect) settle(ctx context.Context, ledger string, m *ingest.Meter, failure error) error {
	if ledger == "" {
		return failure
	}
	return errors.Join(failure, stageJSON(context.WithoutCancel(ctx), c.Staging, ledger, Ledger{Spent: m.Total()}))
}

// collector makes the collector of a connection, with the meter of this reading.
func (c Collect) collector(ctx context.Context, of ingest.Connection) (ingest.Collector, *ingest.Meter, error) {
	if of.Secret != "" && of.Secret != ingest.SecretName(of.Tenant, of.ID) {
		return nil, nil, fault.New(fault.Forbidden, "The credentials named are not those of the connection %s.", of.ID)
	}
	meter, err := ingest.MeterOf(of.Settings)
	if err != nil {
		return nil, nil, err
	}
	collector, err := c.Collectors(ctx, of, meter)
	return collector, meter, err
}
