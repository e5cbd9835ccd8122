package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Coverage lists what is loaded, by connection and billing period.
func (db *DB) Coverage(ctx context.Context, t tenant.ID) ([]ingest.Coverage, error) {
	const bills = `
		select b.id, b.connection_id, b.period_start, b.period_end, b.rows, b.first_usage, b.last_usage, l.sha256, l.loaded_at
		from bills b join loads l on l.id = b.load_id
		order by b.connection_id collate "C", b.period_start, b.period_end`
	const totals = `
		with sums as (
		  select bill_id, provider_id, currency, sum(rows) as n, sum(billed_cost) as billed, sum(effective_cost) as effective,
		    sum(list_cost) as list, sum(contracted_cost) as contracted
		  from cost_daily group by 1, 2, 3
		)
		select bill_id, d.value ->> 0, currency, sum(n)::bigint, sum(billed), sum(effective), sum(list), sum(contracted)
		from sums join dictionary d on d.id = provider_id
		group by 1, 2, 3 order by 1, 2, 3`
	all := []ingest.Coverage{}
	index := map[int64]int{}
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, bills)
		if err != nil {
			return err
		}
		var (
			id          int64
			c           ingest.Coverage
			start, end  time.Time
			first, last time.Time
		)
		into := []any{&id, &c.Connection, &start, &end, &c.Rows, &first, &last, &c.SHA256, &c.LoadedAt}
		_, err = pgx.ForEachRow(rows, into, func() error {
			c.Period = cost.Period{Start: start.UTC(), End: end.UTC()}
			c.FirstUsage, c.LastUsage, c.LoadedAt = cost.Day(first), cost.Day(last), c.LoadedAt.UTC()
			index[id] = len(all)
			all = append(all, c)
			return nil
		})
		if err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, totals); err != nil {
			return err
		}
		var sum ingest.Total
		into = []any{&id, &sum.Provider, &sum.Currency, &sum.Rows, &sum.Billed, &sum.Effective, &sum.List, &sum.Contracted}
		_, err = pgx.ForEachRow(rows, into, func() error {
			of := &all[index[id]]
			of.Totals = append(of.Totals, sum)
			return nil
		})
		return err
	})
	return all, err
}
