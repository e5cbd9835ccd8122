package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

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
		select c.tenant_id::text, c.id, c.cloud, c.name
		from connections c join inventory_readings r on r.connection_id = c.id
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

// UsageDays lists the use, by day, of what exists in a connection.
func (db *DB) UsageDays(ctx context.Context, t tenant.ID, connection string, period cost.Period) ([]job.UsageDay, error) {
	const sql = `
		select u.resource_id, u.metric, u.day, u.sketch
		from usage_days u join resources r on r.connection_id = u.connection_id and r.id = u.resource_id and r.gone_at is null
		where u.connection_id = $1 and u.day >= $2 and u.day < $3
		order by u.resource_id collate "C", u.metric, u.day`
	return collect(ctx, db, t, pgx.RowToStructByPos[job.UsageDay], sql, connection, period.Start, period.End.Add(24*time.Hour-1))
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
	const sql = `
		with wanted as (
			select id, value ->> 0 as resource from dictionary where kind = $1 and value ->> 0 = any($2)
		)
		select w.resource, d.day, coalesce(s.value ->> 3, '') as unit, sum(r.pricing_quantity / n.days), sum(r.effective_cost / n.days), r.currency
		from cost_rows r
		join bills b on b.id = r.bill_id
		join wanted w on w.id = r.resource_id
		join dictionary s on s.id = r.sku_id
		join dictionary c on c.id = r.charge_id
		cross join lateral (
			select (r.charge_start at time zone 'UTC')::date as first,
				(greatest(r.charge_end - interval '1 microsecond', r.charge_start) at time zone 'UTC')::date as last
		) as span
		cross join lateral (select span.last - span.first + 1 as days) as n
		cross join lateral generate_series(0, n.days - 1) as i
		cross join lateral (select span.first + i as day) as d
		where b.connection_id = $3 and c.value ->> 0 = 'Usage'
			and r.charge_start < $5 and r.charge_end > $4 and d.day >= ($4 at time zone 'UTC')::date and d.day < ($5 at time zone 'UTC')::date
			and r.billing_month between ($4 at time zone 'UTC')::date - 62 and ($5 at time zone 'UTC')::date + 31
		group by w.resource, d.day, unit, r.currency
		order by w.resource, d.day, unit, r.currency`
	type line struct {
		Resource string
		job.DayCost
	}
	scan := func(row pgx.CollectableRow) (line, error) {
		var l line
		err := row.Scan(&l.Resource, &l.Day, &l.Unit, &l.Quantity, &l.Effective, &l.Currency)
		return l, err
	}
	lines, err := collect(ctx, db, t, scan, sql, kindResource, ids, connection, period.Start, period.End)
	out := map[string][]job.DayCost{}
	for _, l := range lines {
		out[l.Resource] = append(out[l.Resource], l.DayCost)
	}
	return out, err
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
