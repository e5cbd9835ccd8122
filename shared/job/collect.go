package job

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Collect is the cloud side of collection: it reads one connection and stages what it found. It holds no database.
type Collect struct {
	// Collectors finds the collector of a connection, of which tenant, ID and cloud are set.
	Collectors func(ingest.Connection) (ingest.Collector, error)
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
}

// BillOutput says what was staged. Without rows nothing was, for a file without rows replaces nothing.
type BillOutput struct {
	Key  string `json:"key"`
	Rows int64  `json:"rows"`
}

// Bill stages one month as FOCUS rows in Parquet. A stream that fails leaves no object, so half a bill is never loaded.
func (c Collect) Bill(ctx context.Context, in BillInput) (BillOutput, error) {
	if !in.Month.Equal(cost.MonthStart(in.Month)) {
		return BillOutput{}, fault.Input("month", in.Month.Format(time.RFC3339), "is not the beginning of a calendar month in UTC")
	}
	collector, err := c.open(in.Tenant, in.Connection, in.Cloud, in.Key)
	if err != nil {
		return BillOutput{}, err
	}
	w, err := c.Staging.Writer(ctx, in.Key)
	if err != nil {
		return BillOutput{}, err
	}
	rows, err := writeBill(ctx, w, collector, in.Month)
	if err != nil || rows == 0 {
		return BillOutput{}, errors.Join(err, w.Abort())
	}
	return BillOutput{Key: in.Key, Rows: rows}, w.Close()
}

func writeBill(ctx context.Context, w ingest.WriteAborter, from ingest.Collector, month time.Time) (int64, error) {
	out := focus.NewParquetWriter(w)
	rows := int64(0)
	for row, err := range from.Costs(ctx, month) {
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

// InventoryInput names a connection whose resources are to be read, and where to stage them.
type InventoryInput struct {
	Tenant     tenant.ID      `json:"tenant"`
	Connection string         `json:"connection"`
	Cloud      resource.Cloud `json:"cloud"`
	Key        string         `json:"key"`
}

// InventoryOutput says what was staged, and which parts could not be read.
type InventoryOutput struct {
	Key       string        `json:"key"`
	Resources int           `json:"resources"`
	Unread    []ingest.Part `json:"unread"` // the first few; the staged document has all
}

// measured are the metrics that recommendations look at, and usageStep how finely.
var measured = []resource.Metric{resource.CPU, resource.Memory, resource.DiskOps, resource.DiskBytes}

const (
	usageStep   = time.Hour
	unreadShown = 20
)

// Inventory stages an ingest.Snapshot: what exists, how it was used in the last recommend.Window days, and what it would
// cost. Regions that could not be read are in it with their reason.
func (c Collect) Inventory(ctx context.Context, in InventoryInput) (InventoryOutput, error) {
	collector, err := c.open(in.Tenant, in.Connection, in.Cloud, in.Key)
	if err != nil {
		return InventoryOutput{}, err
	}
	s := ingest.Snapshot{At: c.Now().UTC()}
	if s.Inventory, err = collector.Resources(ctx); err != nil {
		return InventoryOutput{}, err
	}
	refs, regions := usable(s.Resources)
	if len(refs) > 0 {
		end := s.At.Truncate(usageStep)
		period := cost.Period{Start: end.AddDate(0, 0, -recommend.Window), End: end}
		if s.Usage, err = collector.Usage(ctx, ingest.UsageQuery{Refs: refs, Metrics: measured, Period: period, Every: usageStep}); err != nil {
			return InventoryOutput{}, err
		}
	}
	if len(regions) > 0 {
		if s.Prices, err = collector.Prices(ctx, regions); err != nil {
			return InventoryOutput{}, err
		}
	}
	out := InventoryOutput{Key: in.Key, Resources: len(s.Resources), Unread: []ingest.Part{}}
	for _, p := range s.Parts {
		if p.Status != ingest.OK && len(out.Unread) < unreadShown {
			out.Unread = append(out.Unread, p)
		}
	}
	return out, c.stage(ctx, in.Key, s)
}

// usable lists the resources that have metrics, and all regions.
func usable(all []resource.Resource) (refs []resource.Ref, regions []string) {
	for _, r := range all {
		if r.Type == resource.Instance || r.Type == resource.Volume || r.Type == resource.Database {
			refs = append(refs, r.Ref)
		}
		regions = append(regions, r.Region)
	}
	slices.Sort(regions)
	return refs, slices.Compact(regions)
}

// UsageOutput says where the usage was staged.
type UsageOutput struct {
	Key string `json:"key"`
}

// Usage stages a JSON array of resource.Usage.
func (c Collect) Usage(ctx context.Context, in UsageRequest) (UsageOutput, error) {
	if in.EverySeconds <= 0 || !in.From.Before(in.To) {
		return UsageOutput{}, fault.Input("every_seconds", "", "has to be positive, and from before to")
	}
	collector, err := c.open(in.Tenant, in.Connection, in.Cloud, in.Key)
	if err != nil {
		return UsageOutput{}, err
	}
	usage, err := collector.Usage(ctx, ingest.UsageQuery{
		Refs: in.Refs, Metrics: in.Metrics, Period: cost.Period{Start: in.From, End: in.To}, Every: time.Duration(in.EverySeconds) * time.Second,
	})
	if err != nil {
		return UsageOutput{}, err
	}
	if usage == nil {
		usage = []resource.Usage{}
	}
	return UsageOutput{Key: in.Key}, c.stage(ctx, in.Key, usage)
}

func (c Collect) open(t tenant.ID, connection string, cloud resource.Cloud, key string) (ingest.Collector, error) {
	if err := ingest.Owned(t, key); err != nil {
		return nil, err
	}
	return c.Collectors(ingest.Connection{Tenant: t, ID: connection, Cloud: cloud})
}

func (c Collect) stage(ctx context.Context, key string, document any) error {
	w, err := c.Staging.Writer(ctx, key)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(w).Encode(document); err != nil {
		return errors.Join(staged(err), w.Abort())
	}
	return w.Close()
}
