package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Verdicts lists the last verdict on each anomaly, oldest first.
func (db *DB) Verdicts(ctx context.Context, t tenant.ID) ([]job.Verdict, error) {
	var found []job.Verdict
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select document from anomaly_verdicts order by given_at, anomaly`)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowTo[job.Verdict])
		return err
	})
	return found, err
}

// SaveVerdict stores a verdict in place of the one before, and the anomaly as it stands by it in all analyses that found it. It
// waits for an analysis that is being saved.
func (db *DB) SaveVerdict(ctx context.Context, t tenant.ID, v job.Verdict) error {
	const save = `
		insert into anomaly_verdicts (tenant_id, anomaly, given_at, document) values ($1, $2, $3, $4)
		on conflict (tenant_id, anomaly) do update set given_at = excluded.given_at, document = excluded.document`
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('analysis/' || $1, 0))`, string(t)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, save, t, v.Anomaly, v.At, v); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select analysis, basis, document from anomalies where id = $1`, v.Anomaly)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
			Analysis string
			Basis    cost.Basis
			Anomaly  job.Anomaly
		}])
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for _, x := range found {
			a := x.Anomaly.Assessed(v)
			batch.Queue(`update anomalies set status = $1, document = $2 where id = $3 and analysis = $4 and basis = $5`,
				a.Status, a, v.Anomaly, x.Analysis, x.Basis)
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}
