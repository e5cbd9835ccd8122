package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// InventoryConnections lists the connections that an inventory was read of, by ID.
func (db *DB) InventoryConnections(ctx context.Context, t tenant.ID) ([]ingest.Connection, error) {
	const sql = `
		select c.tenant_id::text, c.id, c.cloud, c.name, c.settings, c.secret
		from connections c join inventory_readings r on r.connection_id = c.id
		where c.removed_at is null
		order by c.id collate "C"`
	return collect(ctx, db, t, pgx.RowToStructByPos[ingest.Connection], sql)
}

// Inventory lists what exists in a connection, by ID.
func (db *DB) Inventory(ctx context.Context, t tenant.ID, connection string) ([]recommend.Observed, error) {
	known, err := collect(ctx, db, t, scanResource,
		`select `+resourceColumns+` from resources where connection_id = $1 and gone_at is null order by id collate "C"`, connection)
	out := make([]recommend.Observed, len(known))
	for i, k := range known {
		out[i] = k.Observed
	}
	return out, err
}

// ResourceTags reads the tags of resources that exist. A resource that the inventory does not hold has no entry.
func (db *DB) ResourceTags(ctx context.Context, t tenant.ID, refs []resource.Ref) (map[resource.Ref]map[string]string, error) {
	ids := make([]string, len(refs))
	for i, r := range refs {
		ids[i] = r.ID
	}
	known, err := collect(ctx, db, t, scanResource, `select `+resourceColumns+` from resources where id = any($1) and gone_at is null`, ids)
	out := map[resource.Ref]map[string]string{}
	for _, k := range known {
		out[k.Ref] = k.Tags
	}
	return out, err
}

// UsageDays lists the use of a connection's resources by day, in no order. Resources that are gone are among them.
func (db *DB) UsageDays(ctx context.Context, t tenant.ID, connection string, period cost.Period) ([]job.UsageDay, error) {
	const sql = `select resource_id, metric, day, sketch from usage_days where connection_id = $1 and day >= $2 and day < $3`
	scan := func(row pgx.CollectableRow) (job.UsageDay, error) {
		var u job.UsageDay
		var sketch pgtype.DriverBytes
		if err := row.Scan(&u.Resource, &u.Metric, &u.Day, &sketch); err != nil {
			return u, err
		}
		return u, u.Sketch.UnmarshalBinary(sketch)
	}
	return collect(ctx, db, t, scan, sql, connection, period.Start, period.End.Add(24*time.Hour-1))
}

// Prices lists the last price list of a connection, empty when none was read.
func (db *DB) Prices(ctx context.Context, t tenant.ID, connection string) ([]resource.Price, error) {
	lists, err := collect(ctx, db, t, pgx.RowTo[[]resource.Price], `select prices from inventory_readings where connection_id = $1`, connection)
	if err != nil || len(lists) == 0 {
		return nil, err
	}
	return lists[0], nil
}

// ResourceCosts lists the usage charges of resources by id, each in the order of days. A charge of several days is spread
// evenly over them. A resource or a day that the bill does not hold has no entry.
func (db *DB) ResourceCosts(ctx context.Context, t tenant.ID, connection string, ids []string, period cost.Period) (map[string][]job.DayCost, error) {
	out := map[string][]job.DayCost{}
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		resources, err := coded(ctx, tx, places["ResourceId"], ids)
		if err != nil || len(resources) == 0 {
			return err
		}
		usage, err := coded(ctx, tx, places["ChargeCategory"], []string{"Usage"})
		if err != nil {
			return err
		}
		committed, err := coded(ctx, tx, places["PricingCategory"], []string{"Committed"})
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, resourceCosts, slices.Collect(maps.Keys(resources)), slices.Collect(maps.Keys(usage)), connection, period.Start, period.End, slices.AppendSeq([]int32{}, maps.Keys(committed)))
		if err != nil {
			return err
		}
		var id int32
		var d job.DayCost
		_, err = pgx.ForEachRow(rows, []any{&id, &d.Day, &d.Unit, &d.Quantity, &d.Effective, &d.Committed, &d.Currency}, func() error {
			out[resources[id]] = append(out[resources[id]], d)
			return nil
		})
		return err
	})
	for id := range out { // a resource may be coded twice, under different names
		slices.SortFunc(out[id], func(a, b job.DayCost) int { return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Unit, b.Unit)) })
	}
	return out, err
}

// resourceCosts adds up by resource, day and SKU before it looks up the SKUs' units.
const resourceCosts = `
	with sums as (
		select r.resource_id, d.day, r.sku_id, r.currency, sum(r.pricing_quantity / n.days) as quantity, sum(r.effective_cost / n.days) as effective,
			coalesce(sum(r.effective_cost / n.days) filter (where r.charge_id = any($6::int[])), 0) as committed
		from cost_rows r
		join bills b on b.id = r.bill_id
		cross join lateral (
			select (r.charge_start at time zone 'UTC')::date as first,
				(greatest(r.charge_end - interval '1 microsecond', r.charge_start) at time zone 'UTC')::date as last
		) as span
		cross join lateral (select span.last - span.first + 1 as days) as n
		cross join lateral generate_series(0, n.days - 1) as i
		cross join lateral (select span.first + i as day) as d
		where r.resource_id = any($1::int[]) and r.charge_id = any($2::int[]) and b.connection_id = $3
			and r.charge_start < $5 and (r.charge_end > $4 or r.charge_start >= $4)
			and d.day >= ($4 at time zone 'UTC')::date and d.day < ($5 at time zone 'UTC')::date
			and r.billing_month between ($4 at time zone 'UTC')::date - 62 and ($5 at time zone 'UTC')::date + 31
		group by r.resource_id, d.day, r.sku_id, r.currency
	)
	select sums.resource_id, sums.day, coalesce(sku.value ->> 3, '') as unit, sum(sums.quantity), sum(sums.effective), sum(sums.committed), sums.currency
	from sums join dictionary sku on sku.id = sums.sku_id
	group by sums.resource_id, sums.day, unit, sums.currency
	order by sums.resource_id, sums.day, unit, sums.currency`

// coded finds the numbers of the dictionary values that have one of the given texts in a place.
func coded(ctx context.Context, tx pgx.Tx, p place, texts []string) (map[int32]string, error) {
	rows, err := tx.Query(ctx, `select id, value ->> $2::int from dictionary where kind = $1 and value ->> $2::int = any($3)`, p.kind, p.index, texts)
	if err != nil {
		return nil, err
	}
	found := map[int32]string{}
	var id int32
	var value string
	_, err = pgx.ForEachRow(rows, []any{&id, &value}, func() error {
		found[id] = value
		return nil
	})
	return found, err
}

// FinalUntil is the day before which the loaded bill of a connection is final: what the provider had settled when the latest
// of it was loaded. It fails with fault.NotFound when no bill is loaded.
func (db *DB) FinalUntil(ctx context.Context, t tenant.ID, connection string) (time.Time, error) {
	const sql = `
		select l.loaded_at, b.last_usage from bills b join loads l on l.id = b.load_id
		where b.connection_id = $1 and b.last_usage is not null
		order by b.last_usage desc, l.loaded_at desc limit 1`
	type latest struct{ Loaded, Last time.Time }
	found, err := collect(ctx, db, t, pgx.RowToStructByPos[latest], sql, connection)
	switch {
	case err != nil:
		return time.Time{}, err
	case len(found) == 0:
		return time.Time{}, fault.New(fault.NotFound, "No bill of the connection %q is loaded. Collect or upload one first.", connection)
	}
	final, written := ingest.FinalBefore(found[0].Loaded), cost.Day(found[0].Last).AddDate(0, 0, 1)
	if written.Before(final) {
		return written, nil
	}
	return final, nil
}

// collect runs one query in a transaction of the tenant.
func collect[T any](ctx context.Context, db *DB, t tenant.ID, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	var found []T
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scan)
		return err
	})
	return found, err
}
