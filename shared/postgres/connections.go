package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// SaveTenant makes the tenant, or renames it.
func (db *DB) SaveTenant(ctx context.Context, t tenant.ID, name string) error {
	const sql = `
		insert into tenants (id, name, created_at) values ($1, $2, $3)
		on conflict (id) do update set name = excluded.name`
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, t, name, db.now())
		return err
	})
}

// SaveConnection makes the connection c.ID of tenant c.Tenant, or changes all else about it. It fails with
// fault.NotFound when there is no such tenant.
func (db *DB) SaveConnection(ctx context.Context, c ingest.Connection) error {
	const sql = `
		insert into connections (tenant_id, id, cloud, name, settings, secret) values ($1, $2, $3, $4, coalesce($5, '{}'::jsonb), $6)
		on conflict (tenant_id, id) do update set cloud = excluded.cloud, name = excluded.name, settings = excluded.settings,
			secret = excluded.secret, removed_at = null`
	return db.tx(ctx, c.Tenant, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, c.Tenant, c.ID, c.Cloud, c.Name, c.Settings, c.Secret)
		return err
	})
}

// CreateConnection makes a connection, or brings back a removed one of the same cloud. fault.Conflict says that there is one with
// this ID, or was one of another cloud, whose bills are still there.
func (db *DB) CreateConnection(ctx context.Context, c ingest.Connection) error {
	const sql = `
		insert into connections as old (tenant_id, id, cloud, name, settings, secret) values ($1, $2, $3, $4, coalesce($5, '{}'::jsonb), $6)
		on conflict (tenant_id, id) do update set name = excluded.name, settings = excluded.settings, secret = excluded.secret, removed_at = null
		where old.removed_at is not null and old.cloud = excluded.cloud`
	return db.tx(ctx, c.Tenant, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, c.Tenant, c.ID, c.Cloud, c.Name, c.Settings, c.Secret)
		if err == nil && tag.RowsAffected() == 0 {
			return fault.New(fault.Conflict, "There is, or was, a connection %q. Change it with PUT, or choose another id.", c.ID)
		}
		return err
	})
}

// UpdateConnection changes name, settings and the name of the secret of a connection; its cloud stays what it is. It fails with
// fault.NotFound when there is none.
func (db *DB) UpdateConnection(ctx context.Context, c ingest.Connection) error {
	const sql = `update connections set name = $2, settings = coalesce($3, '{}'::jsonb), secret = $4 where id = $1 and removed_at is null`
	return db.tx(ctx, c.Tenant, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, c.ID, c.Name, c.Settings, c.Secret)
		if err == nil && tag.RowsAffected() == 0 {
			return noConnection(c.ID)
		}
		return err
	})
}

// RemoveConnection ends a connection: it is read no more, nothing counts as existing in it, its settings and readings are
// forgotten. The bills that came through it stay. It fails with fault.NotFound when there is none.
func (db *DB) RemoveConnection(ctx context.Context, t tenant.ID, id string) error {
	const remove = `update connections set removed_at = $2, settings = '{}', secret = '' where id = $1 and removed_at is null`
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		now := db.now()
		tag, err := tx.Exec(ctx, remove, id, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return noConnection(id)
		}
		if _, err := tx.Exec(ctx, `update resources set gone_at = $2 where connection_id = $1 and gone_at is null`, id, now); err != nil {
			return err
		}
		for _, table := range []string{"connection_readings", "connection_parts", "commitments", "commitment_use", "provider_advice"} {
			if _, err := tx.Exec(ctx, `delete from `+table+` where connection_id = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
}

const connectionColumns = `tenant_id::text, id, cloud, name, settings, secret`

// Connections lists the connections of a tenant by ID, the derived ones included.
func (db *DB) Connections(ctx context.Context, t tenant.ID) ([]ingest.Connection, error) {
	return collect(ctx, db, t, pgx.RowToStructByPos[ingest.Connection],
		`select `+connectionColumns+` from connections where removed_at is null order by id collate "C"`)
}

// Connection reads one connection. It fails with fault.NotFound when there is none with this ID.
func (db *DB) Connection(ctx context.Context, t tenant.ID, id string) (ingest.Connection, error) {
	found, err := collect(ctx, db, t, pgx.RowToStructByPos[ingest.Connection],
		`select `+connectionColumns+` from connections where id = $1 and removed_at is null`, id)
	if err != nil {
		return ingest.Connection{}, err
	}
	if len(found) == 0 {
		return ingest.Connection{}, noConnection(id)
	}
	return found[0], nil
}

func noConnection(id string) error {
	return fault.New(fault.NotFound, "There is no connection %q; GET /api/v1/connections lists what there is.", id)
}

// SaveReadings notes how attempts to read went; an older attempt than the noted one changes nothing. Those of connections that
// are no more are left out.
func (db *DB) SaveReadings(ctx context.Context, t tenant.ID, readings []ingest.Reading) error {
	const sql = `
		insert into connection_readings as old (tenant_id, connection_id, what, month, status, reason, spent, at)
		select $1, $2, $3, $4, $5, $6, $7, $8 where exists (select from connections where id = $2 and removed_at is null)
		on conflict (tenant_id, connection_id, what, month) do update
			set status = excluded.status, reason = excluded.reason, spent = excluded.spent, at = excluded.at
		where old.at <= excluded.at`
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		for _, r := range readings {
			spent := r.Spent
			if spent == nil {
				spent = []ingest.Spending{}
			}
			batch.Queue(sql, t, r.Connection, r.What, monthOf(r), r.Status, r.Reason, spent, r.At)
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

// monthOf is what stands for the month of a reading, which only bills have.
func monthOf(r ingest.Reading) time.Time {
	if r.Month.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return r.Month
}

// Readings lists how the last attempts to read went, by connection, the latest month first.
func (db *DB) Readings(ctx context.Context, t tenant.ID) ([]ingest.Reading, error) {
	return collect(ctx, db, t, scanReading, readingsSQL+` order by connection_id, what, month desc`)
}

const readingsSQL = `select connection_id, what, month, status, reason, spent, at from connection_readings`

func scanReading(row pgx.CollectableRow) (ingest.Reading, error) {
	var r ingest.Reading
	err := row.Scan(&r.Connection, &r.What, &r.Month, &r.Status, &r.Reason, &r.Spent, &r.At)
	r.Month, r.At = r.Month.UTC(), r.At.UTC()
	if r.What != ingest.BillReading {
		r.Month = time.Time{}
	}
	return r, err
}

// ConnectionStatus tells how the last readings of a connection went, each part of its last inventory and of what was read beside
// it, and what of its last bills counts twice. It fails with fault.NotFound when there is no such connection.
func (db *DB) ConnectionStatus(ctx context.Context, t tenant.ID, id string) (ingest.ConnectionStatus, error) {
	var out ingest.ConnectionStatus
	if _, err := db.Connection(ctx, t, id); err != nil {
		return out, err
	}
	var err error
	if out.Readings, err = collect(ctx, db, t, scanReading, readingsSQL+` where connection_id = $1 order by what, month desc`, id); err != nil {
		return out, err
	}
	if out.Parts, err = parts(ctx, db, t, id, false); err != nil {
		return out, err
	}
	if out.Beside, err = parts(ctx, db, t, id, true); err != nil {
		return out, err
	}
	out.Doubled, err = db.doubledOf(ctx, t, id)
	return out, err
}

// saveParts notes how reading each part went, of the inventory and beside it, in place of the reading before.
func saveParts(ctx context.Context, tx pgx.Tx, t tenant.ID, connection string, s ingest.Snapshot) error {
	const sql = `
		insert into connection_parts (tenant_id, connection_id, beside, account, region, service, status, reason) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (tenant_id, connection_id, beside, account, region, service) do update set status = excluded.status, reason = excluded.reason
		where connection_parts.status = 'ok'`
	batch := &pgx.Batch{}
	batch.Queue(`delete from connection_parts where connection_id = $1`, connection)
	for beside, parts := range map[bool][]ingest.Part{false: s.Parts, true: s.Beside} {
		for _, p := range parts {
			batch.Queue(sql, t, connection, beside, p.Account, p.Region, p.Service, p.Status, p.Reason)
		}
	}
	return tx.SendBatch(ctx, batch).Close()
}

func parts(ctx context.Context, db *DB, t tenant.ID, connection string, beside bool) ([]ingest.Part, error) {
	return collect(ctx, db, t, pgx.RowToStructByPos[ingest.Part], `
		select account, region, service, status, reason from connection_parts where connection_id = $1 and beside = $2
		order by account, region, service`, connection, beside)
}
