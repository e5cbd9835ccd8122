package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// CreateExecution stores a new execution, pending, with its phases, and gives it with its ID. It fails with
// fault.Conflict when the recommendation has an open execution.
func (db *DB) CreateExecution(ctx context.Context, t tenant.ID, e rollout.Execution) (rollout.Execution, error) {
	const sql = `
		insert into executions (tenant_id, recommendation, connection, plan, plan_hash, strategy, dry_run, estimated,
			uncalibrated, requested_by, approved_by, status, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		returning id::text`
	e.Status = rollout.Pending
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		row := tx.QueryRow(ctx, sql, t, e.Recommendation, e.Connection, e.Plan, e.PlanHash, e.Strategy, e.DryRun, e.Estimated,
			e.Uncalibrated, e.RequestedBy, e.ApprovedBy, e.Status, e.CreatedAt)
		if err := row.Scan(&e.ID); err != nil {
			return err
		}
		for _, p := range e.Phases {
			if err := savePhase(ctx, tx, t, e.ID, p); err != nil {
				return err
			}
		}
		return nil
	})
	if fault.CodeOf(err) == fault.Conflict {
		return e, fault.Wrap(err, fault.Conflict, "The recommendation %s has an open execution already. Wait until it has ended, or resume it when it is stuck.", e.Recommendation)
	}
	return e, err
}

// Execution gives one execution with its phases and its journal; fault.NotFound when the tenant has none of that ID.
func (db *DB) Execution(ctx context.Context, t tenant.ID, id string) (rollout.Execution, error) {
	missing := fault.New(fault.NotFound, "There is no execution %s. GET /api/v1/executions lists them.", id)
	if !uuidShape.MatchString(id) {
		return rollout.Execution{}, missing
	}
	var found []rollout.Execution
	err := db.tx(ctx, t, func(tx pgx.Tx) (err error) {
		found, err = readExecutions(ctx, tx, `where id = $1`, id)
		return err
	})
	switch {
	case err != nil:
		return rollout.Execution{}, err
	case len(found) == 0:
		return rollout.Execution{}, missing
	}
	return found[0], nil
}

// OpenExecution gives the open execution of a recommendation; fault.NotFound when there is none.
func (db *DB) OpenExecution(ctx context.Context, t tenant.ID, recommendation string) (rollout.Execution, error) {
	var found []rollout.Execution
	err := db.tx(ctx, t, func(tx pgx.Tx) (err error) {
		found, err = readExecutions(ctx, tx, `where recommendation = $1 and status in ('pending', 'running', 'stuck')`, recommendation)
		return err
	})
	switch {
	case err != nil:
		return rollout.Execution{}, err
	case len(found) == 0:
		return rollout.Execution{}, fault.New(fault.NotFound, "The recommendation %s has no open execution.", recommendation)
	}
	return found[0], nil
}

// Executing lists the open executions of a connection, without phases and journals. Dry runs are not among them: they change
// nothing.
func (db *DB) Executing(ctx context.Context, t tenant.ID, connection string) ([]rollout.Execution, error) {
	var found []rollout.Execution
	err := db.tx(ctx, t, func(tx pgx.Tx) (err error) {
		found, err = scanExecutions(ctx, tx, `where connection = $1 and status in ('pending', 'running', 'stuck') and not dry_run order by created_at, id`, connection)
		return err
	})
	return found, err
}

// Executions lists executions, the latest first, with phases and without journals. Of the ones created at the same moment
// the greater ID comes first. It begins after the given one; the zero time begins with the latest.
func (db *DB) Executions(ctx context.Context, t tenant.ID, afterTime time.Time, afterID string, limit int) ([]rollout.Execution, error) {
	if afterTime.IsZero() {
		afterTime, afterID = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff"
	}
	if !uuidShape.MatchString(afterID) {
		return nil, fault.Input("cursor", afterID, "is not one that this list gave")
	}
	var found []rollout.Execution
	err := db.tx(ctx, t, func(tx pgx.Tx) (err error) {
		found, err = scanExecutions(ctx, tx, `where (created_at, id) < ($1, $2::uuid) order by created_at desc, id desc limit $3`, afterTime, afterID, limit)
		if err != nil {
			return err
		}
		return readPhases(ctx, tx, found)
	})
	return found, err
}

// CompletedExecutions lists every execution that changed something and has ended by itself, completed or rolled back, oldest
// first, with phases and journal. Dry runs are not among them.
func (db *DB) CompletedExecutions(ctx context.Context, t tenant.ID) ([]rollout.Execution, error) {
	var found []rollout.Execution
	err := db.tx(ctx, t, func(tx pgx.Tx) (err error) {
		found, err = readExecutions(ctx, tx, `where status in ('completed', 'rolled-back') and not dry_run order by created_at, id`)
		return err
	})
	return found, err
}

// TransitionExecution writes status, reason, fence and times of e if the stored status is one of from, and tells whether it
// did. The fence never falls.
func (db *DB) TransitionExecution(ctx context.Context, t tenant.ID, e rollout.Execution, from ...rollout.Status) (bool, error) {
	const sql = `
		update executions set status = $2, reason = $3, fence = greatest(fence, $4), started_at = $5, ended_at = $6
		where id = $1 and status = any($7)`
	done := false
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		states := make([]string, len(from))
		for i, s := range from {
			states[i] = string(s)
		}
		tag, err := tx.Exec(ctx, sql, e.ID, e.Status, e.Reason, e.Fence, orNull(e.StartedAt), orNull(e.EndedAt), states)
		done = tag.RowsAffected() == 1
		return err
	})
	return done, err
}

// SavePhase writes a phase over the one of the same number. Times once written stay, and so does a final verdict, whatever
// a late repetition of a task says.
func (db *DB) SavePhase(ctx context.Context, t tenant.ID, execution string, p rollout.Phase) error {
	return db.tx(ctx, t, func(tx pgx.Tx) error { return savePhase(ctx, tx, t, execution, p) })
}

func savePhase(ctx context.Context, tx pgx.Tx, t tenant.ID, execution string, p rollout.Phase) error {
	const sql = `
		insert into execution_phases (tenant_id, execution_id, number, percent, targets, started_at, applied_at, judged_at, verdict, reasons)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (tenant_id, execution_id, number) do update set
			started_at = coalesce(execution_phases.started_at, excluded.started_at),
			applied_at = coalesce(execution_phases.applied_at, excluded.applied_at),
			judged_at = excluded.judged_at, verdict = excluded.verdict, reasons = excluded.reasons
		where execution_phases.verdict not in ('healthy', 'unhealthy')`
	reasons := p.Reasons
	if reasons == nil {
		reasons = []string{}
	}
	_, err := tx.Exec(ctx, sql, t, execution, p.Number, p.Percent, p.Targets, orNull(p.StartedAt), orNull(p.AppliedAt), orNull(p.JudgedAt), p.Verdict, reasons)
	return err
}

// AppendJournal adds entries in their order. One that stands there already (same phase, step and target) is left as it is,
// but a failure tells of the last time.
func (db *DB) AppendJournal(ctx context.Context, t tenant.ID, execution string, entries ...rollout.Entry) error {
	const sql = `
		insert into execution_journal (tenant_id, execution_id, at, phase, step, ref, before, after, result, note)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (tenant_id, execution_id, phase, step, ref) do update set at = excluded.at, note = excluded.note
		where execution_journal.step = 'failed'`
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		for _, e := range entries {
			batch.Queue(sql, t, execution, e.At, e.Phase, e.Step, e.Ref, e.Before, e.After, e.Result, e.Note)
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

// NextFence draws a fencing token greater than all before it.
func (db *DB) NextFence(ctx context.Context) (int64, error) {
	var fence int64
	err := db.pool.QueryRow(ctx, `select nextval('execution_fence')`).Scan(&fence)
	return fence, translate(err)
}

// ExecutionFreeze reads the tenant's switch; off when nobody has ever set it.
func (db *DB) ExecutionFreeze(ctx context.Context, t tenant.ID) (rollout.Freeze, error) {
	var f rollout.Freeze
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `select frozen, reason, set_by, set_at from execution_freezes`).Scan(&f.Frozen, &f.Reason, &f.By, &f.At)
	})
	if fault.CodeOf(err) == fault.NotFound {
		return rollout.Freeze{}, nil
	}
	f.At = f.At.UTC()
	return f, err
}

// SetExecutionFreeze sets the tenant's switch.
func (db *DB) SetExecutionFreeze(ctx context.Context, t tenant.ID, f rollout.Freeze, by string, at time.Time) error {
	const sql = `
		insert into execution_freezes (tenant_id, frozen, reason, set_by, set_at) values ($1, $2, $3, $4, $5)
		on conflict (tenant_id) do update set frozen = excluded.frozen, reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at`
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, t, f.Frozen, f.Reason, by, at)
		return err
	})
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
