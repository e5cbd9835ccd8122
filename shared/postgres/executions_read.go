package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/rollout"
)

// readExecutions reads executions whole. The condition is a text of this package, never of a caller.
func readExecutions(ctx context.Context, tx pgx.Tx, condition string, args ...any) ([]rollout.Execution, error) {
	found, err := scanExecutions(ctx, tx, condition, args...)
	if err != nil {
		return nil, err
	}
	if err := readPhases(ctx, tx, found); err != nil {
		return nil, err
	}
	return found, readJournal(ctx, tx, found)
}

func scanExecutions(ctx context.Context, tx pgx.Tx, condition string, args ...any) ([]rollout.Execution, error) {
	sql := `select id::text, recommendation, connection, plan, plan_hash, strategy, dry_run, estimated, coalesce(uncalibrated, estimated), requested_by, approved_by,
		status, reason, fence, created_at, started_at, ended_at from executions ` + condition
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e rollout.Execution, err error) {
		var started, ended *time.Time
		err = row.Scan(&e.ID, &e.Recommendation, &e.Connection, &e.Plan, &e.PlanHash, &e.Strategy, &e.DryRun, &e.Estimated,
			&e.Uncalibrated, &e.RequestedBy, &e.ApprovedBy, &e.Status, &e.Reason, &e.Fence, &e.CreatedAt, &started, &ended)
		e.CreatedAt, e.StartedAt, e.EndedAt = e.CreatedAt.UTC(), orZero(started), orZero(ended)
		e.Phases, e.Journal = []rollout.Phase{}, []rollout.Entry{}
		return e, err
	})
}

// byID finds an execution among those that are being read.
func byID(all []rollout.Execution) (ids []string, index map[string]int) {
	index = make(map[string]int, len(all))
	for i, e := range all {
		ids, index[e.ID] = append(ids, e.ID), i
	}
	return ids, index
}

func readPhases(ctx context.Context, tx pgx.Tx, into []rollout.Execution) error {
	const sql = `select execution_id::text, number, percent, targets, started_at, applied_at, judged_at, verdict, reasons
		from execution_phases where execution_id = any($1::uuid[]) order by execution_id, number`
	ids, index := byID(into)
	rows, err := tx.Query(ctx, sql, ids)
	if err != nil {
		return err
	}
	for rows.Next() {
		var id string
		var p rollout.Phase
		var started, applied, judged *time.Time
		if err := rows.Scan(&id, &p.Number, &p.Percent, &p.Targets, &started, &applied, &judged, &p.Verdict, &p.Reasons); err != nil {
			return err
		}
		p.StartedAt, p.AppliedAt, p.JudgedAt = orZero(started), orZero(applied), orZero(judged)
		e := &into[index[id]]
		e.Phases = append(e.Phases, p)
	}
	return rows.Err()
}

func readJournal(ctx context.Context, tx pgx.Tx, into []rollout.Execution) error {
	const sql = `select execution_id::text, seq, at, phase, step, ref, before, after, result, note
		from execution_journal where execution_id = any($1::uuid[]) order by execution_id, seq`
	ids, index := byID(into)
	rows, err := tx.Query(ctx, sql, ids)
	if err != nil {
		return err
	}
	for rows.Next() {
		var id string
		var n rollout.Entry
		if err := rows.Scan(&id, &n.Seq, &n.At, &n.Phase, &n.Step, &n.Ref, &n.Before, &n.After, &n.Result, &n.Note); err != nil {
			return err
		}
		n.At = n.At.UTC()
		e := &into[index[id]]
		e.Journal = append(e.Journal, n)
	}
	return rows.Err()
}
