package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Outcomes lists all outcomes, those that were measured first most recently first.
func (db *DB) Outcomes(ctx context.Context, t tenant.ID) ([]learn.Outcome, error) {
	return collect(ctx, db, t, pgx.RowTo[learn.Outcome], `select document from outcomes order by first_at desc, execution_id`)
}

// Outcome gives the outcome of an execution; fault.NotFound when it was not measured.
func (db *DB) Outcome(ctx context.Context, t tenant.ID, execution string) (learn.Outcome, error) {
	found, err := collect(ctx, db, t, pgx.RowTo[learn.Outcome], `select document from outcomes where execution_id = $1`, execution)
	switch {
	case err != nil:
		return learn.Outcome{}, err
	case len(found) == 0:
		return learn.Outcome{}, fault.New(fault.NotFound, "No outcome of the execution %s has been measured. It is measured once the execution has ended.", execution)
	}
	return found[0], nil
}

// SaveOutcome stores the outcome of an execution in place of the one before. One that was measured earlier does not replace
// a later one.
func (db *DB) SaveOutcome(ctx context.Context, t tenant.ID, o learn.Outcome) error {
	const sql = `
		insert into outcomes as old (tenant_id, execution_id, state, first_at, document) values ($1, $2, $3, $4, $5)
		on conflict (tenant_id, execution_id) do update set state = excluded.state, document = excluded.document
		where (old.document ->> 'measured_at')::timestamptz <= (excluded.document ->> 'measured_at')::timestamptz`
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, t, o.Execution, o.State, o.Measured, o)
		return err
	})
}

// Calibrations lists the present version of each calibration.
func (db *DB) Calibrations(ctx context.Context, t tenant.ID) ([]learn.Calibration, error) {
	const sql = `select distinct on (action, cloud) document from calibrations order by action, cloud, version desc`
	return collect(ctx, db, t, pgx.RowTo[learn.Calibration], sql)
}

// CalibrationVersions lists every version of every calibration, the latest of each first.
func (db *DB) CalibrationVersions(ctx context.Context, t tenant.ID) ([]learn.Calibration, error) {
	return collect(ctx, db, t, pgx.RowTo[learn.Calibration], `select document from calibrations order by action, cloud, version desc`)
}

// SaveCalibration adds a version. A version that is there already is left as it is.
func (db *DB) SaveCalibration(ctx context.Context, t tenant.ID, c learn.Calibration) error {
	const sql = `
		insert into calibrations (tenant_id, action, cloud, version, document) values ($1, $2, $3, $4, $5)
		on conflict (tenant_id, action, cloud, version) do nothing`
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, t, c.Action, c.Cloud, c.Version, c)
		return err
	})
}
