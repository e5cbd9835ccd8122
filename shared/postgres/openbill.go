package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// billKey tells which bill a row belongs to.
type billKey struct {
	provider, account string // empty when the upload named its connection
	start, end        int64  // of the billing period
}

// openBill is one (connection, billing period) that the file holds.
type openBill struct {
	id         int64
	connection string
	period     cost.Period
	month      int32 // first day of the month in which the period begins
	part       *part
	head       []byte // what each of its rows begins with, encoded
	rows       int64
	replaced   int64
	first      int32 // usage days
	last       int32
}

func (b *openBill) count(day int32) {
	if b.rows == 0 {
		b.first, b.last = day, day
	}
	b.rows++
	b.first, b.last = min(b.first, day), max(b.last, day)
}

func (b *openBill) close(ctx context.Context, tx pgx.Tx) error {
	const sql = `update bills set rows = $2, first_usage = $3, last_usage = $4 where id = $1`
	_, err := tx.Exec(ctx, sql, b.id, b.rows, dayOf(b.first), dayOf(b.last))
	return err
}

// billOf finds the bill of a row; at its first row it removes what it replaces.
func (l *loader) billOf(ctx context.Context, row *focus.Row) (*openBill, error) {
	key := billKey{start: row.BillingPeriod.Start.UnixMicro(), end: row.BillingPeriod.End.UnixMicro()}
	if l.connection == "" {
		key.provider, key.account = row.ServiceProviderName, row.BillingAccountID
	}
	if l.last != nil && key == l.lastKey {
		return l.last, nil
	}
	bill, ok := l.bills[key]
	if !ok {
		var err error
		if bill, err = l.openBill(ctx, row); err != nil {
			return nil, err
		}
		l.bills[key] = bill
	}
	l.last, l.lastKey = bill, key
	return bill, nil
}

func (l *loader) openBill(ctx context.Context, row *focus.Row) (*openBill, error) {
	const sql = `
		insert into bills (tenant_id, connection_id, period_start, period_end, load_id)
		values ($1, $2, $3, $4, $5) returning id, billing_month_partition($6::date)`
	b := &openBill{connection: l.connection, period: row.BillingPeriod, month: dayNumber(cost.MonthStart(row.BillingPeriod.Start))}
	if err := l.copy.end(); err != nil {
		return nil, err
	}
	if err := l.connect(ctx, b, row); err != nil {
		return nil, err
	}
	if err := l.replace(ctx, b); err != nil {
		return nil, err
	}
	var partition string
	err := l.tx.QueryRow(ctx, sql, l.tenant, b.connection, b.period.Start, b.period.End, l.id, dayOf(b.month)).Scan(&b.id, &partition)
	if err != nil {
		return nil, err
	}
	if l.parts[partition] == nil {
		l.parts[partition] = &part{table: partition}
	}
	b.part = l.parts[partition]
	b.head = appendInt8(appendInt4(appendBytes(appendFields(nil, rowColumns), l.tenantID[:]), b.month), b.id)
	return b, nil
}

// connect makes sure that the bill's connection exists, and derives it from the row when the upload named none. It gets no
// cloud: whoever uploads a bill has not asked to have that cloud read.
func (l *loader) connect(ctx context.Context, b *openBill, row *focus.Row) error {
	const sql = `insert into connections (tenant_id, id, cloud, name) values ($1, $2, '', $3) on conflict do nothing`
	name := b.connection
	if l.connection == "" {
		provider := strings.ReplaceAll(row.ServiceProviderName, ":", "%3A") // the first two colons separate
		b.connection = "focus:" + provider + ":" + row.BillingAccountID
		name = row.ServiceProviderName + " " + row.BillingAccountID
		if row.BillingAccountName != "" {
			name = row.ServiceProviderName + " " + row.BillingAccountName
		}
	}
	_, err := l.tx.Exec(ctx, sql, l.tenant, b.connection, name)
	return err
}

// replace removes what earlier loads had stored for the connection and the start of the period. The end does not
// matter: a provider that corrects it means the same bill.
func (l *loader) replace(ctx context.Context, b *openBill) error {
	const find = `select id, rows from bills where connection_id = $1 and period_start = $2 and load_id <> $3`
	rows, err := l.tx.Query(ctx, find, b.connection, b.period.Start, l.id)
	if err != nil {
		return err
	}
	var old []int64
	var id, n int64
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
		old = append(old, id)
		b.replaced += n
		return nil
	})
	if err != nil || len(old) == 0 {
		return err
	}
	return removeBills(ctx, l.tx, dayOf(b.month), old)
}

// removeBills removes bills whose periods begin in a month, with all that is of them.
func removeBills(ctx context.Context, tx pgx.Tx, month time.Time, bills []int64) error {
	const (
		charges = `delete from cost_rows where billing_month = $1 and bill_id = any($2)`
		daily   = `delete from cost_daily where bill_id = any($1)`
		bill    = `delete from bills where id = any($1)`
	)
	if _, err := tx.Exec(ctx, charges, month, bills); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, daily, bills); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, bill, bills)
	return err
}
