package sandbox

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// collector reads one cloud of the estate.
type collector struct {
	e     *Estate
	cloud resource.Cloud
}

// begin takes the view that a call works on.
func (c collector) begin(ctx context.Context) (*view, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "The call was given up before the cloud answered; try again.")
	}
	if err := c.e.throttled(c.cloud); err != nil {
		return nil, err
	}
	return c.e.view(), nil
}

// Check implements ingest.Collector. The estate grants every right.
func (c collector) Check(ctx context.Context) ([]string, error) {
	_, err := c.begin(ctx)
	return nil, err
}

// Costs implements ingest.Collector. A month before the first bill, or one that has not begun, has no rows.
func (c collector) Costs(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		v, err := c.begin(ctx)
		if err != nil {
			yield(focus.Row{}, err)
			return
		}
		n := 0
		v.bill(c.cloud, month, func(row focus.Row) bool {
			if n++; n%1000 == 0 && ctx.Err() != nil {
				yield(focus.Row{}, fault.Wrap(ctx.Err(), fault.Unavailable, "The call was given up before the bill ended; try again."))
				return false
			}
			row.Tags = maps.Clone(row.Tags) // the estate keeps its own
			return yield(row, nil)
		})
	}
}

// Resources implements ingest.Collector.
func (c collector) Resources(ctx context.Context) (ingest.Inventory, error) {
	v, err := c.begin(ctx)
	if err != nil {
		return ingest.Inventory{}, err
	}
	inventory := ingest.Inventory{Resources: v.resources(func(it *item) bool { return it.ref.Cloud == c.cloud })}
	for i := range inventory.Resources {
		inventory.Resources[i].SeenAt = v.now
	}
	for _, region := range v.regionsOf(c.cloud) {
		for _, service := range servicesRead[c.cloud] {
			inventory.Parts = append(inventory.Parts, ingest.Part{Region: region, Service: service, Status: ingest.OK})
		}
	}
	return inventory, nil
}

// servicesRead are what an inventory is read from, by their providers' names.
var servicesRead = map[resource.Cloud][]string{
	resource.AWS: {"ec2", "rds"}, resource.GCP: {"compute", "sqladmin"}, resource.Azure: {"compute", "sql"}, resource.Vultr: {"blocks", "instances"},
}

// resources lists what exists and is wanted, ordered by identifier. SeenAt is left zero.
func (v *view) resources(wanted func(*item) bool) []resource.Resource {
	var out []resource.Resource
	for _, it := range v.items {
		if !wanted(it) {
			continue
		}
		if f, alive := v.formAt(it, v.now); alive {
			out = append(out, resource.Resource{Ref: it.ref, Name: it.name, Attributes: f.attributes(it.ref.Type, it.ref.Cloud),
				Tags: maps.Clone(it.tags), CreatedAt: it.born})
		}
	}
	slices.SortFunc(out, func(a, b resource.Resource) int { return compareText(a.ID, b.ID) })
	return out
}

// Usage implements ingest.Collector. Samples lie on multiples of Every, and none is newer than now.
func (c collector) Usage(ctx context.Context, q ingest.UsageQuery) (ingest.Measured, error) {
	v, err := c.begin(ctx)
	if err != nil {
		return ingest.Measured{}, err
	}
	if q.Every < time.Minute {
		return ingest.Measured{}, fault.Input("every", q.Every.String(), "the clouds keep no metrics finer than a minute")
	}
	gauge := newGauge(v)
	var out ingest.Measured
	for _, ref := range q.Refs {
		it := v.find(ref)
		if it == nil || ref.Cloud != c.cloud {
			continue // no data, as for a resource that is gone
		}
		for _, metric := range q.Metrics {
			if samples := gauge.samples(it, metric, q.Period, q.Every); len(samples) > 0 {
				out.Usage = append(out.Usage, resource.Usage{Ref: it.ref, Metric: metric, Every: q.Every, Samples: samples})
			}
		}
	}
	return out, nil
}

// Prices implements ingest.Collector. A region where the company has nothing has no prices here.
func (c collector) Prices(ctx context.Context, regions []string) ([]resource.Price, error) {
	v, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	var out []resource.Price
	for _, region := range v.regionsOf(c.cloud) {
		if slices.Contains(regions, region) {
			out = append(out, pricesIn(c.cloud, region)...)
		}
	}
	return out, nil
}
