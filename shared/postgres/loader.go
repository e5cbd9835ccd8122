package postgres

import (
	"cmp"
	"context"
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// loader is one run of Load, inside its transaction.
type loader struct {
	tx         pgx.Tx
	tenant     tenant.ID
	tenantID   [16]byte
	connection string // of all rows; empty when derived from each
	id         int64  // of the load
	now        time.Time

	bills      map[billKey]*openBill
	last       *openBill // of the row before, nearly always that of the next
	lastKey    billKey
	dictionary *dictionary
	rollup     *rollup
	lost       *lost
	report     ingest.Report

	codes []codes
	owner []*openBill
	parts map[string]*part
	copy  *copyStream
	extra map[unsafe.Pointer]extraText
}

// extraText remembers the JSON of a map that rows share, and keeps the map alive so that its address stays its own.
type extraText struct {
	pairs map[string]string
	json  []byte
}

// part is a partition of cost_rows with the rows of the batch that go there, encoded.
type part struct {
	table string
	rows  []byte
}

// maxExtras bounds how many are remembered.
const maxExtras = 20_000

func (db *DB) newLoader(ctx context.Context, tx pgx.Tx, t tenant.ID, connection, sha string) (*loader, error) {
	const sql = `insert into loads (tenant_id, connection_id, sha256, loaded_at) values ($1, $2, $3, $4) returning id`
	l := &loader{
		tx: tx, tenant: t, connection: connection, now: db.now(),
		bills: map[billKey]*openBill{}, rollup: newRollup(t), lost: newLost(),
		codes: make([]codes, batchRows), owner: make([]*openBill, batchRows),
		parts: map[string]*part{}, copy: newCopyStream(tx), extra: map[unsafe.Pointer]extraText{},
		report: ingest.Report{SHA256: sha, Rejections: []ingest.Rejection{}, Periods: []ingest.Loaded{}},
	}
	if _, err := hex.Decode(l.tenantID[:], []byte(strings.ReplaceAll(string(t), "-", ""))); err != nil {
		return nil, err
	}
	if err := tx.QueryRow(ctx, sql, t, connection, sha, l.now).Scan(&l.id); err != nil {
		return nil, err
	}
	var err error
	l.dictionary, err = newDictionary(ctx, tx, t)
	return l, err
}

// load reads the file to its end and writes what it holds.
func (l *loader) load(ctx context.Context, r *focus.Reader) (ingest.Report, error) {
	parsing, stop := context.WithCancel(ctx)
	feed := parse(parsing, r)
	defer func() {
		stop()
		feed.wait()
		_ = l.copy.end() // after an error, which says more; else it has ended
	}()
	for b := range feed.full {
		if err := l.write(ctx, b); err != nil {
			return ingest.Report{}, err
		}
		feed.free <- b
	}
	if feed.err != nil {
		return ingest.Report{}, feed.err
	}
	return l.finish(ctx)
}

// write stores one batch: its rows are on their way when it returns.
func (l *loader) write(ctx context.Context, b *batch) error {
	for i := range b.rejections {
		l.reject(&b.rejections[i])
	}
	rows := b.rows[:b.n]
	for i := range rows {
		bill, err := l.billOf(ctx, &rows[i])
		if err != nil {
			return err
		}
		l.owner[i] = bill
		l.dictionary.code(&rows[i], &l.codes[i])
	}
	if len(l.dictionary.fresh) > 0 {
		if err := l.copy.end(); err != nil {
			return err
		}
		if err := l.dictionary.resolve(ctx, l.tx); err != nil {
			return err
		}
	}
	for i := range rows {
		l.encode(l.owner[i], &rows[i], &l.codes[i])
	}
	if len(l.rollup.groups) > maxGroups {
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
	for _, p := range l.parts {
		if err := l.copy.send(ctx, p.table, p.rows); err != nil {
			return err
		}
		p.rows = nil
	}
	return nil
}

func (l *loader) flush(ctx context.Context) error {
	if err := l.copy.end(); err != nil {
		return err
	}
	return l.rollup.flush(ctx, l.tx)
}

// rowColumns is how many columns cost_rows has.
const rowColumns = 25

// encode appends a row to what goes into its partition, in the order of the table's columns, and counts it.
func (l *loader) encode(bill *openBill, row *focus.Row, c *codes) {
	day := dayNumber(row.ChargePeriod.Start)
	bill.count(day)
	l.rollup.add(bill.id, day, row, c)

	b := bill.part.rows
	if b == nil {
		b = l.copy.buffer()
	}
	b = append(b, bill.head...)
	b = appendTimestamp(b, row.ChargePeriod.Start)
	b = appendTimestamp(b, row.ChargePeriod.End)
	for _, e := range c {
		b = appendInt4(b, e.id)
	}
	b = appendText(b, string(row.BillingCurrency))
	b = appendNumeric(b, row.BilledCost)
	b = appendNumeric(b, row.EffectiveCost)
	b = appendNumeric(b, row.ListCost)
	b = appendNumeric(b, row.ContractedCost)
	b = appendNullNumeric(b, row.PricingQuantity)
	b = appendNullNumeric(b, row.ConsumedQuantity)
	b = appendNullNumeric(b, row.ListUnitPrice)
	b = appendNullNumeric(b, row.ContractedUnitPrice)
	b = appendJSONB(b, l.extraOf(row.Extra))
	bill.part.rows = b
}

func (l *loader) extraOf(pairs map[string]string) []byte {
	if len(pairs) == 0 {
		return nil
	}
	address := reflect.ValueOf(pairs).UnsafePointer()
	if known, ok := l.extra[address]; ok {
		return known.json
	}
	if len(l.extra) >= maxExtras {
		clear(l.extra)
	}
	text := toJSON(pairs)
	l.extra[address] = extraText{pairs, text}
	return text
}

// finish writes what is known only at the end, and gives the report.
func (l *loader) finish(ctx context.Context) (ingest.Report, error) {
	if err := l.flush(ctx); err != nil {
		return ingest.Report{}, err
	}
	ids := make([]int64, 0, len(l.bills))
	for _, bill := range l.bills {
		if err := bill.close(ctx, l.tx); err != nil {
			return ingest.Report{}, err
		}
		ids = append(ids, bill.id)
		l.report.Accepted += bill.rows
		l.report.Periods = append(l.report.Periods, ingest.Loaded{
			Connection: bill.connection, Period: bill.period, Rows: bill.rows, Replaced: bill.replaced,
		})
	}
	if err := noteAccounts(ctx, l.tx, l.tenant, ids); err != nil {
		return ingest.Report{}, err
	}
	var err error
	if l.report.Doubled, err = doubled(ctx, l.tx, ids); err != nil {
		return ingest.Report{}, err
	}
	l.report.Totals = []ingest.Total{}
	for _, t := range l.rollup.totals {
		l.report.Totals = append(l.report.Totals, *t)
	}
	l.report.Lost = l.lost.list()
	slices.SortFunc(l.report.Periods, func(a, b ingest.Loaded) int {
		return cmp.Or(strings.Compare(a.Connection, b.Connection), a.Period.Start.Compare(b.Period.Start), a.Period.End.Compare(b.Period.End))
	})
	slices.SortFunc(l.report.Totals, func(a, b ingest.Total) int {
		return cmp.Or(strings.Compare(a.Provider, b.Provider), cmp.Compare(a.Currency, b.Currency))
	})
	const sql = `update loads set bills = $2, report = $3 where id = $1`
	_, err = l.tx.Exec(ctx, sql, l.id, len(l.bills), toJSON(l.report))
	return l.report, err
}

func (l *loader) reject(r *focus.Rejection) {
	l.report.Rejected++
	l.lost.add(r)
	if len(l.report.Rejections) < ingest.MaxRejections {
		l.report.Rejections = append(l.report.Rejections, ingest.Rejection{Row: r.Row, Column: r.Column, Reason: r.Reason, Value: r.Value})
	}
}

// lost sums what rejected rows would have cost.
type lost struct {
	byCurrency map[cost.Currency]*ingest.Lost
}

func newLost() *lost { return &lost{map[cost.Currency]*ingest.Lost{}} }

func (l *lost) add(r *focus.Rejection) {
	sum, ok := l.byCurrency[r.Currency]
	if !ok {
		sum = &ingest.Lost{Currency: r.Currency}
		l.byCurrency[r.Currency] = sum
	}
	sum.Rows++
	if r.Billed.Valid {
		sum.Billed = sum.Billed.Add(r.Billed.Decimal)
	} else {
		sum.Unknown++
	}
}

func (l *lost) list() []ingest.Lost {
	all := []ingest.Lost{}
	for _, sum := range l.byCurrency {
		all = append(all, *sum)
	}
	slices.SortFunc(all, func(a, b ingest.Lost) int { return cmp.Compare(a.Currency, b.Currency) })
	return all
}
