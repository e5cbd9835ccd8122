package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

var _ ingest.Record = (*DB)(nil)

// Load fulfils ingest.Record. Loads of one tenant wait for each other, those of different tenants do not. It fails with
// fault.NotFound when there is no such tenant.
func (db *DB) Load(ctx context.Context, t tenant.ID, bill ingest.Bill) (ingest.Report, error) {
	sha, err := digest(bill.File)
	if err != nil {
		return ingest.Report{}, err
	}
	reader, err := focus.Open(bill.File, bill.File.Size(), bill.Format)
	if err != nil {
		return ingest.Report{}, err
	}
	var report ingest.Report
	err = db.tx(ctx, t, func(tx pgx.Tx) error {
		if err := lockLoads(ctx, tx, t); err != nil {
			return err
		}
		before, err := loadedBefore(ctx, tx, bill.Connection, sha)
		if before != nil || err != nil {
			report = deref(before)
			return err
		}
		l, err := db.newLoader(ctx, tx, t, bill.Connection, sha)
		if err != nil {
			return err
		}
		report, err = l.load(ctx, reader)
		return err
	})
	if err = errors.Join(err, reader.Close()); err != nil || report.Unchanged || report.Accepted < largeLoad {
		return report, err
	}
	return report, db.analyze(ctx, report.Periods)
}

// largeLoad is how many rows change what the planner should know; the statistics of less come by autovacuum.
const largeLoad = 1000

// analyze refreshes the planner's statistics where what was loaded made them untrue.
func (db *DB) analyze(ctx context.Context, loaded []ingest.Loaded) error {
	rows := map[time.Time]int64{}
	for _, p := range loaded {
		rows[cost.MonthStart(p.Period.Start)] += p.Rows
	}
	months, counts := make([]time.Time, 0, len(rows)), make([]int64, 0, len(rows))
	for month, n := range rows {
		months, counts = append(months, month), append(counts, n)
	}
	_, err := db.pool.Exec(ctx, `select analyze_bills($1, $2)`, months, counts)
	return translate(err)
}

func deref(r *ingest.Report) ingest.Report {
	if r == nil {
		return ingest.Report{}
	}
	return *r
}

// digest is the SHA-256 of the whole file. Reading it once more costs little beside parsing it, and a file that is
// loaded already is not parsed at all.
func digest(file ingest.Object) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(file, 0, file.Size())); err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "The file could not be read. Try again in a moment.")
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// lockLoads makes this the only running load of the tenant. Its dictionary can then number texts by itself, and two
// loads that replace the same periods cannot meet.
func lockLoads(ctx context.Context, tx pgx.Tx, t tenant.ID) error {
	const sql = `select pg_advisory_xact_lock(hashtextextended('load ' || $1, 0))`
	_, err := tx.Exec(ctx, sql, string(t))
	return err
}

// loadedBefore gives the report of an earlier load of the same content, if everything it loaded is still there; a period
// that another file has replaced meanwhile makes the content news again.
func loadedBefore(ctx context.Context, tx pgx.Tx, connection, sha string) (*ingest.Report, error) {
	const sql = `
		select report from loads l
		where sha256 = $1 and connection_id = $2 and bills > 0
		  and bills = (select count(*) from bills b where b.load_id = l.id)
		order by id desc limit 1`
	var text []byte
	err := tx.QueryRow(ctx, sql, sha, connection).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // no such load is an ordinary answer
	}
	if err != nil {
		return nil, err
	}
	var report ingest.Report
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, err
	}
	report.Unchanged = true
	for i := range report.Periods {
		report.Periods[i].Replaced = 0
	}
	return &report, nil
}
