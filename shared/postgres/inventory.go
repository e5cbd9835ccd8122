package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// SaveInventory stores a reading of a connection. Resources that it no longer holds are gone, but only in accounts and regions all of
// whose parts were read: a part that failed says nothing. An older reading than the stored one changes nothing. It fails
// with fault.NotFound when the tenant has no such connection.
func (db *DB) SaveInventory(ctx context.Context, t tenant.ID, connection string, s ingest.Snapshot) error {
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		fresh, err := saveReading(ctx, tx, t, connection, s)
		if err != nil || !fresh {
			return err
		}
		if err := saveParts(ctx, tx, t, connection, s); err != nil {
			return err
		}
		if err := saveCommitments(ctx, tx, t, connection, s); err != nil {
			return err
		}
		if err := saveAdvice(ctx, tx, t, connection, s); err != nil {
			return err
		}
		known, err := knownResources(ctx, tx, connection)
		if err != nil {
			return err
		}
		if err := saveResources(ctx, tx, t, connection, s, known); err != nil {
			return err
		}
		if err := markGone(ctx, tx, connection, s, known); err != nil {
			return err
		}
		return saveUsage(ctx, tx, t, connection, s)
	})
}

// saveReading notes the reading and tells whether it is no older than the stored one. Its row locks the connection's
// inventory until the transaction ends. A reading without prices leaves the price list as it is.
func saveReading(ctx context.Context, tx pgx.Tx, t tenant.ID, connection string, s ingest.Snapshot) (fresh bool, err error) {
	const sql = `
		insert into inventory_readings as old (tenant_id, connection_id, read_at, prices) values ($1, $2, $3, $4)
		on conflict (tenant_id, connection_id) do update set read_at = excluded.read_at,
			prices = case when excluded.prices = '[]' then old.prices else excluded.prices end
		where old.read_at <= excluded.read_at`
	prices := s.Prices
	if prices == nil {
		prices = []resource.Price{}
	}
	tag, err := tx.Exec(ctx, sql, t, connection, s.At, prices)
	if fault.CodeOf(translate(err)) == fault.NotFound {
		return false, fault.Wrap(err, fault.NotFound, "There is no connection %q. Register it first.", connection)
	}
	return tag.RowsAffected() == 1, err
}

// knownResource is what the record says about a resource before a reading.
type knownResource struct {
	recommend.Observed
	gone bool
}

const resourceColumns = `id, cloud, account, region, type, name, attributes, tags, created_at, seen_at, as_is_since, unchanged_since, gone_at is not null`

func scanResource(row pgx.CollectableRow) (knownResource, error) {
	var k knownResource
	var created, asIs *time.Time
	err := row.Scan(&k.ID, &k.Cloud, &k.Account, &k.Region, &k.Type, &k.Name, &k.Attributes, &k.Tags, &created, &k.SeenAt, &asIs, &k.SeenUnchanged, &k.gone)
	if created != nil {
		k.CreatedAt = created.UTC()
	}
	if asIs != nil {
		k.Since = asIs.UTC()
	}
	k.SeenAt, k.SeenUnchanged = k.SeenAt.UTC(), k.SeenUnchanged.UTC()
	return k, err
}

func knownResources(ctx context.Context, tx pgx.Tx, connection string) (map[string]knownResource, error) {
	rows, err := tx.Query(ctx, `select `+resourceColumns+` from resources where connection_id = $1`, connection)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, scanResource)
	known := make(map[string]knownResource, len(list))
	for _, k := range list {
		known[k.ID] = k
	}
	return known, err
}

func saveResources(ctx context.Context, tx pgx.Tx, t tenant.ID, connection string, s ingest.Snapshot, known map[string]knownResource) error {
	const sql = `
		insert into resources (tenant_id, connection_id, id, cloud, account, region, type, name, attributes, tags, created_at,
			seen_at, as_is_since, unchanged_since)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		on conflict (tenant_id, connection_id, id) do update set cloud = excluded.cloud, account = excluded.account,
			region = excluded.region, type = excluded.type, name = excluded.name, attributes = excluded.attributes,
			tags = excluded.tags, created_at = excluded.created_at, seen_at = excluded.seen_at,
			as_is_since = excluded.as_is_since, unchanged_since = excluded.unchanged_since, gone_at = null`
	batch := &pgx.Batch{}
	for _, r := range s.Resources {
		since, unchanged := lasting(r, s.At, known)
		batch.Queue(sql, t, connection, r.ID, r.Cloud, r.Account, r.Region, r.Type, r.Name, orEmpty(r.Attributes), orEmpty(r.Tags),
			orNull(r.CreatedAt), s.At, orNull(since), unchanged)
	}
	return tx.SendBatch(ctx, batch).Close()
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// lasting is since when the resource is what it is, and since when the inventory has seen it so.
func lasting(r resource.Resource, at time.Time, known map[string]knownResource) (since, unchanged time.Time) {
	old, ok := known[r.ID]
	switch {
	case !ok:
		return r.CreatedAt, at
	case old.gone || !alike(r, old.Resource):
		return at, at
	}
	return old.Since, old.SeenUnchanged
}

// decisive are the attributes that decide what a resource costs and performs. An instance that is stopped every night stays
// the same instance, so its state is not among them; a volume that is attached again is not.
var decisive = map[resource.Type][]string{
	resource.Instance: {resource.AttrSize},
	resource.Volume: {resource.AttrVolumeType, resource.AttrGiB, resource.AttrIOPS, resource.AttrThroughput, resource.AttrState,
		resource.AttrAttachedTo},
	resource.Database: {resource.AttrSize, resource.AttrGiB},
}

func alike(a, b resource.Resource) bool {
	for _, name := range decisive[a.Type] {
		if a.Attributes[name] != b.Attributes[name] {
			return false
		}
	}
	return a.Type == b.Type
}

// area is where a part was read. One without an account stands for the region in every account.
type area struct{ account, region string }

// wholly tells which areas were read completely: there is a part, and none failed.
func wholly(parts []ingest.Part) map[area]bool {
	complete := map[area]bool{}
	for _, p := range parts {
		at := area{p.Account, p.Region}
		before, seen := complete[at]
		complete[at] = (before || !seen) && p.Status == ingest.OK
	}
	return complete
}

// markGone ends what the reading no longer holds, in accounts and regions that were read completely.
func markGone(ctx context.Context, tx pgx.Tx, connection string, s ingest.Snapshot, known map[string]knownResource) error {
	complete := wholly(s.Parts)
	read := func(r resource.Resource) bool {
		everywhere, some := complete[area{"", r.Region}]
		own, has := complete[area{r.Account, r.Region}]
		return (some || has) && (everywhere || !some) && (own || !has)
	}
	present := make(map[string]bool, len(s.Resources))
	for _, r := range s.Resources {
		present[r.ID] = true
	}
	var gone []string
	for id, k := range known {
		if !k.gone && !present[id] && read(k.Resource) {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	slices.Sort(gone)
	_, err := tx.Exec(ctx, `update resources set gone_at = $3 where connection_id = $1 and id = any($2)`, connection, gone, s.At)
	return err
}

// keepUsage is for how many days use is kept.
const keepUsage = 400

// saveUsage sums samples up by day and keeps of each day the reading that saw more of it.
func saveUsage(ctx context.Context, tx pgx.Tx, t tenant.ID, connection string, s ingest.Snapshot) error {
	const insert = `
		insert into usage_days as old (tenant_id, connection_id, resource_id, metric, day, seconds, sketch)
		select $1, $2, resource_id, metric, day, seconds, sketch
		from unnest($3::text[], $4::text[], $5::date[], $6::bigint[], $7::bytea[]) as u (resource_id, metric, day, seconds, sketch)
		on conflict (tenant_id, connection_id, day, resource_id, metric) do update
			set seconds = excluded.seconds, sketch = excluded.sketch where excluded.seconds >= old.seconds`
	var c usageColumns
	for _, u := range s.Usage {
		if err := c.add(u); err != nil {
			return err
		}
		if len(c.resources) >= 5000 {
			if _, err := tx.Exec(ctx, insert, t, connection, c.resources, c.metrics, c.days, c.seconds, c.sketches); err != nil {
				return err
			}
			c = usageColumns{}
		}
	}
	if _, err := tx.Exec(ctx, insert, t, connection, c.resources, c.metrics, c.days, c.seconds, c.sketches); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `delete from usage_days where connection_id = $1 and day < $2`, connection, cost.Day(s.At).AddDate(0, 0, -keepUsage))
	return err
}

// usageColumns are rows of usage_days, column by column.
type usageColumns struct {
	resources, metrics []string
	days               []time.Time
	seconds            []int64
	sketches           [][]byte
}

// add sums one metric of one resource up by day.
func (c *usageColumns) add(u resource.Usage) error {
	byDay := map[time.Time]*recommend.Sketch{}
	for _, s := range u.Samples {
		day := cost.Day(s.At)
		if byDay[day] == nil {
			byDay[day] = &recommend.Sketch{}
		}
		byDay[day].Add(s.Value, int64(u.Every/time.Second))
	}
	for day, sketch := range byDay {
		text, err := sketch.AppendBinary(nil)
		if err != nil {
			return err
		}
		c.resources, c.metrics, c.days = append(c.resources, u.Ref.ID), append(c.metrics, string(u.Metric)), append(c.days, day)
		c.seconds, c.sketches = append(c.seconds, sketch.Seconds), append(c.sketches, text)
	}
	return nil
}
