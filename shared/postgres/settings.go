package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Settings gives the settings of a tenant; the zero value where none were saved.
func (db *DB) Settings(ctx context.Context, t tenant.ID) (job.Settings, error) {
	found, err := collect(ctx, db, t, pgx.RowTo[job.Settings], `select document from tenant_settings`)
	if err != nil || len(found) == 0 {
		return job.Settings{}, err
	}
	return found[0], nil
}

// SaveSettings replaces the settings of a tenant.
func (db *DB) SaveSettings(ctx context.Context, t tenant.ID, s job.Settings) error {
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into tenant_settings (tenant_id, document) values ($1, $2)
			on conflict (tenant_id) do update set document = excluded.document`, t, s)
		return err
	})
}
