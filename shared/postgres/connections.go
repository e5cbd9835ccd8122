package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

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
		on conflict (tenant_id, id) do update
		set cloud = excluded.cloud, name = excluded.name, settings = excluded.settings, secret = excluded.secret`
	return db.tx(ctx, c.Tenant, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, c.Tenant, c.ID, c.Cloud, c.Name, c.Settings, c.Secret)
		return err
	})
}

// Connections lists the connections of a tenant by ID, the derived ones included.
func (db *DB) Connections(ctx context.Context, t tenant.ID) ([]ingest.Connection, error) {
	const sql = `select tenant_id::text, id, cloud, name, settings, secret from connections order by id collate "C"`
	var found []ingest.Connection
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ingest.Connection])
		return err
	})
	return found, err
}
