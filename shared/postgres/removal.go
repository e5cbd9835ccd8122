package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// RemoveBills fulfils ingest.Record.
func (db *DB) RemoveBills(ctx context.Context, t tenant.ID, connection string) (ingest.Removed, error) {
	const find = `select id, rows, period_start from bills where connection_id = $1 order by period_start`
	var out ingest.Removed
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		if err := lockLoads(ctx, tx, t); err != nil {
			return err
		}
		if err := notRead(ctx, tx, connection); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, find, connection)
		if err != nil {
			return err
		}
		months := map[time.Time][]int64{}
		var id, n int64
		var start time.Time
		_, err = pgx.ForEachRow(rows, []any{&id, &n, &start}, func() error {
			month := cost.MonthStart(start.UTC())
			months[month] = append(months[month], id)
			out.Bills, out.Rows = out.Bills+1, out.Rows+n
			return nil
		})
		if err == nil && out.Bills == 0 {
			err = fault.New(fault.NotFound, "No bills came through a connection %q; GET /api/v1/costs/periods lists what is loaded.", connection)
		}
		for month, bills := range months {
			if err == nil {
				err = removeBills(ctx, tx, month, bills)
			}
		}
		return err
	})
	return out, err
}

// notRead refuses connections that are read from their cloud.
func notRead(ctx context.Context, tx pgx.Tx, connection string) error {
	const sql = `select exists (select from connections where id = $1 and cloud <> '' and removed_at is null)`
	var read bool
	if err := tx.QueryRow(ctx, sql, connection).Scan(&read); err != nil || !read {
		return err
	}
	return fault.New(fault.Conflict, "The connection %q is still read, which would bring its bills back. Remove it with DELETE /api/v1/connections/%s first.", connection, connection)
}
