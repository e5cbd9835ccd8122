package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// shownStandings is how many of the latest periods come with a budget: a year of months, and the running one.
const shownStandings = 13

// budgetColumns are a budget, its revision and its latest standings as a JSON array.
const budgetColumns = `document, revision, coalesce((
	select jsonb_agg(s.document order by s.period_start desc, s.period_end desc) from (
		select document, period_start, period_end from budget_standings
		where budget_id = budgets.id order by period_start desc, period_end desc limit $1
	) s), '[]')`

func scanBudget(row pgx.CollectableRow) (job.JudgedBudget, error) {
	var b job.JudgedBudget
	err := row.Scan(&b.Budget, &b.Revision, &b.Standings)
	return b, err
}

// Budgets lists the budgets of a tenant by name, each with the standings of its latest periods.
func (db *DB) Budgets(ctx context.Context, t tenant.ID, f job.BudgetFilter) ([]job.JudgedBudget, error) {
	return collect(ctx, db, t, scanBudget, `select `+budgetColumns+` from budgets
		where $2 = '' or (name, id) > ($3, $2)
		order by name, id limit $4`, shownStandings, f.AfterID, f.AfterName, limitOrAll(f.Limit))
}

// limitOrAll is a limit for a statement: null, which is none, for zero.
func limitOrAll(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// Budget reads one budget. It fails with fault.NotFound when there is none with the id.
func (db *DB) Budget(ctx context.Context, t tenant.ID, id string) (job.JudgedBudget, error) {
	found, err := collect(ctx, db, t, scanBudget, `select `+budgetColumns+` from budgets where id = $2`, shownStandings, id)
	if err != nil {
		return job.JudgedBudget{}, err
	}
	if len(found) == 0 {
		return job.JudgedBudget{}, noBudget(id)
	}
	return found[0], nil
}

func noBudget(id string) error {
	return fault.New(fault.NotFound, "There is no budget %q; GET /api/v1/budgets lists what there is.", id)
}

// BudgetAlerts lists the alerts of a budget, the latest raised first.
func (db *DB) BudgetAlerts(ctx context.Context, t tenant.ID, f job.AlertFilter) ([]budget.Alert, error) {
	statuses := make([]string, len(f.Status))
	for i, s := range f.Status {
		statuses[i] = string(s)
	}
	var from, to *time.Time
	if f.Period != nil {
		from, to = &f.Period.Start, &f.Period.End
	}
	return collect(ctx, db, t, pgx.RowTo[budget.Alert], `select document from budget_alerts
		where budget_id = $1 and ($2::date is null or period_start = $2 and period_end = $3)
		  and (cardinality($4::text[]) = 0 or status = any($4))
		  and ($5::timestamptz is null or (raised_at, id) < ($5, $6))
		order by raised_at desc, id desc limit $7`, f.Budget, from, to, statuses, orNull(f.AfterRaised), f.AfterID, limitOrAll(f.Limit))
}

// CreateBudget stores a new budget with its standings and alerts. It fails with fault.Conflict when the name is taken, or when there
// are as many budgets as may be.
func (db *DB) CreateBudget(ctx context.Context, t tenant.ID, b job.JudgedBudget, alerts []budget.Alert, most int) error {
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		// One at a time, or two would each take the last place.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('budgets/' || $1, 0))`, string(t)); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `select count(*) from budgets`).Scan(&n); err != nil {
			return err
		}
		if n >= most {
			return fault.New(fault.Conflict, "There are %d budgets, which is the most there may be. Delete one that is not needed any more.", n)
		}
		tag, err := tx.Exec(ctx, `insert into budgets (tenant_id, id, name, revision, document) values ($1, $2, $3, 1, $4) on conflict (tenant_id, name) do nothing`,
			t, b.ID, b.Name, b.Budget)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return nameTaken(b.Name)
		}
		return writeJudgement(ctx, tx, t, b, alerts)
	})
}

func nameTaken(name string) error {
	return fault.New(fault.Conflict, "There is another budget %q. Choose another name.", name)
}

// ReplaceBudget stores a budget, those of its standings that are given, and alerts, in place of what was read at b.Revision. It fails
// with fault.Drifted when the budget was written since, with fault.NotFound when it was deleted, and with fault.Conflict when another
// has its name.
func (db *DB) ReplaceBudget(ctx context.Context, t tenant.ID, b job.JudgedBudget, alerts []budget.Alert) error {
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update budgets set name = $3, revision = revision + 1, document = $4 where id = $1 and revision = $2`, b.ID, b.Revision, b.Name, b.Budget)
		if err != nil {
			if fault.CodeOf(translate(err)) == fault.Conflict {
				return nameTaken(b.Name)
			}
			return err
		}
		if tag.RowsAffected() == 0 {
			var there bool
			if err := tx.QueryRow(ctx, `select exists (select from budgets where id = $1)`, b.ID).Scan(&there); err != nil {
				return err
			}
			if !there {
				return noBudget(b.ID)
			}
			return fault.New(fault.Drifted, "The budget was written by somebody else at the same time. Read it again.")
		}
		return writeJudgement(ctx, tx, t, b, alerts)
	})
}

// writeJudgement stores standings and alerts. The latest period takes the place of what overlaps it: the running one of a budget that
// had periods of another length.
func writeJudgement(ctx context.Context, tx pgx.Tx, t tenant.ID, b job.JudgedBudget, alerts []budget.Alert) error {
	batch := &pgx.Batch{}
	for i, s := range b.Standings {
		if i == 0 {
			batch.Queue(`delete from budget_standings where budget_id = $1 and period_start < $2 and period_end > $3`, b.ID, s.Period.End, s.Period.Start)
		}
		batch.Queue(`insert into budget_standings (tenant_id, budget_id, period_start, period_end, document) values ($1, $2, $3, $4, $5)
			on conflict (tenant_id, budget_id, period_start, period_end) do update set document = excluded.document`,
			t, b.ID, s.Period.Start, s.Period.End, s)
	}
	for _, a := range alerts {
		batch.Queue(`insert into budget_alerts (tenant_id, budget_id, id, period_start, period_end, status, raised_at, document) values ($1, $2, $3, $4, $5, $6, $7, $8)
			on conflict (tenant_id, budget_id, id) do update set status = excluded.status, document = excluded.document`,
			t, b.ID, a.ID, a.Period.Start, a.Period.End, a.Status, a.RaisedAt, a)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// DeleteBudget removes a budget with its standings and alerts. It fails with fault.NotFound when there is none.
func (db *DB) DeleteBudget(ctx context.Context, t tenant.ID, id string) error {
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `delete from budgets where id = $1`, id)
		if err == nil && tag.RowsAffected() == 0 {
			return noBudget(id)
		}
		return err
	})
}
