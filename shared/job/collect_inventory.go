package job

import (
	"context"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// InventoryInput names a connection whose resources are to be read, and where to stage them.
type InventoryInput struct {
	Tenant     tenant.ID      `json:"tenant"`
	Connection string         `json:"connection"`
	Cloud      resource.Cloud `json:"cloud"`
	Key        string         `json:"key"`

	Settings map[string]string `json:"settings"`
	Secret   string            `json:"secret"` // the name of the credentials
	Ledger   string            `json:"ledger"` // key of what the connection has spent in this run; empty: this reading is alone
}

func (in InventoryInput) source() ingest.Connection {
	return ingest.Connection{Tenant: in.Tenant, ID: in.Connection, Cloud: in.Cloud, Settings: in.Settings, Secret: in.Secret}
}

// InventoryOutput says what was staged, and which parts could not be read. Without a key nothing was.
type InventoryOutput struct {
	Key       string        `json:"key"`
	Resources int           `json:"resources"`
	Unread    []ingest.Part `json:"unread"` // the first few; the staged document has all
	Cost
}

// measured are the metrics that recommendations look at, and usageStep how finely.
var measured = []resource.Metric{resource.CPU, resource.Memory, resource.DiskOps, resource.DiskBytes}

const (
	usageStep   = time.Hour
	unreadShown = 20
)

// Inventory stages an ingest.Snapshot: what exists, how it was used in the last recommend.Window days, what it would cost, and,
// where the cloud has them, the commitments held and the provider's own advice. Regions that could not be read are in it with
// their reason. What exists is staged even where the limit of the connection leaves the rest unread; without what exists
// nothing is.
func (c Collect) Inventory(ctx context.Context, in InventoryInput) (_ InventoryOutput, err error) {
	collector, meter, err := c.open(ctx, in.source(), in.Key, in.Ledger)
	if err != nil {
		return InventoryOutput{}, err
	}
	defer func() { err = c.settle(ctx, in.Ledger, meter, err) }()
	s := ingest.Snapshot{At: c.Now().UTC()}
	if s.Inventory, err = collector.Resources(ctx); err != nil {
		spent, failure := costOf(meter, err)
		return InventoryOutput{Unread: []ingest.Part{}, Cost: spent}, failure
	}
	var limit error
	for _, read := range []func(context.Context, ingest.Collector, *ingest.Snapshot) error{usage, prices, commitments, advice} {
		if err := read(ctx, collector, &s); fault.CodeOf(err) == fault.LimitReached && err != nil {
			limit = err
		}
	}
	spent, err := costOf(meter, limit)
	if err != nil {
		return InventoryOutput{}, err
	}
	unread := s.Unread()
	out := InventoryOutput{Key: in.Key, Resources: len(s.Resources), Unread: unread[:min(len(unread), unreadShown)], Cost: spent}
	return out, stageJSON(ctx, c.Staging, in.Key, s)
}

// usage adds how resources were used. That it could not be read costs nothing else of the reading, as of prices, commitments and
// advice: a part says so, and the record keeps what it has.
func usage(ctx context.Context, from ingest.Collector, s *ingest.Snapshot) error {
	refs, _ := usable(s.Resources)
	if len(refs) == 0 {
		return nil
	}
	end := s.At.Truncate(usageStep)
	period := cost.Period{Start: end.AddDate(0, 0, -recommend.Window), End: end}
	read, err := from.Usage(ctx, ingest.UsageQuery{Refs: refs, Metrics: measured, Period: period, Every: usageStep})
	s.Usage = read.Usage // what came before a limit is as good as the rest
	beside(s, "metrics", read.Parts, err)
	return err
}

func prices(ctx context.Context, from ingest.Collector, s *ingest.Snapshot) (err error) {
	if _, regions := usable(s.Resources); len(regions) > 0 {
		s.Prices, err = from.Prices(ctx, regions)
		beside(s, "prices", nil, err)
	}
	return err
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

// committedDays is how many whole UTC days the use of commitments is read for.
const committedDays = 30

// commitments adds those that are held and how they were used, where the cloud tells.
func commitments(ctx context.Context, from ingest.Collector, s *ingest.Snapshot) error {
	reader, ok := from.(ingest.CommitmentReader)
	if !ok {
		return nil
	}
	read, err := reader.Commitments(ctx, cost.Days(cost.Day(s.At).AddDate(0, 0, -committedDays), committedDays))
	if err == nil {
		s.Commitments = &read
	}
	beside(s, "commitments", read.Parts, err)
	return err
}

// advice adds what the provider recommends, where it does.
func advice(ctx context.Context, from ingest.Collector, s *ingest.Snapshot) error {
	adviser, ok := from.(ingest.Adviser)
	if !ok {
		return nil
	}
	read, err := adviser.Advice(ctx)
	if err == nil {
		s.Advice = &read
	}
	beside(s, "advice", read.Parts, err)
	return err
}

// beside notes how reading something beside the inventory went: its own parts, and what ended it.
func beside(s *ingest.Snapshot, service string, parts []ingest.Part, err error) {
	s.Beside = append(s.Beside, parts...)
	if err != nil {
		s.Beside = append(s.Beside, unread(service, err))
	}
}

// unread is the part of what could not be read anywhere.
func unread(service string, err error) ingest.Part {
	p := ingest.Part{Service: service, Status: ingest.Failed, Reason: fault.Public(err).Message}
	switch fault.CodeOf(err) {
	case fault.Forbidden, fault.Unauthenticated:
		p.Status = ingest.Denied
	case fault.LimitReached:
		p.Status = ingest.Limited
	}
	return p
}
