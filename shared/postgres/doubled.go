package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// noteAccounts keeps which billing accounts the bills are of.
func noteAccounts(ctx context.Context, tx pgx.Tx, t tenant.ID, bills []int64) error {
	const sql = `
		insert into bill_accounts (tenant_id, bill_id, account)
		select distinct $1::uuid, d.bill_id, a.value ->> 0 from cost_daily d join dictionary a on a.id = d.billing_account_id
		where d.bill_id = any($2) and a.value ->> 0 <> ''`
	_, err := tx.Exec(ctx, sql, t, bills)
	return err
}

// doubledSQL compares bills with those of other connections that are of the same billing account and time. The same amount, to a
// hundredth, on the same day is the same money: once a sub account, for two ways to read a bill name services differently, and once
// a service, region and charge besides, for one of them may hold a part only. Two connections that share an account out, by
// accounts, regions, tags or days, have days in common at the most, and not amounts.
const doubledSQL = `
	with pairs as (
	  select m.id as mine, o.id as other, o.connection_id, ma.account
	  from bills m join bill_accounts ma on ma.bill_id = m.id join bill_accounts oa on oa.account = ma.account join bills o on o.id = oa.bill_id
	  where m.id = any($1) and o.connection_id <> m.connection_id and o.period_start < m.period_end and o.period_end > m.period_start
	), sides as (
	  select true as own, connection_id, account, mine as bill_id from pairs union select false, connection_id, account, other from pairs
	), sums as (
	  select s.own, s.connection_id, s.account, d.currency, d.usage_date, sub.value ->> 0 as sub, fine,
	    case when fine then concat_ws(' ', d.service_id, d.region_id, d.charge_id) else '' end as what, sum(d.billed_cost) as billed
	  from sides s
	  join cost_daily d on d.bill_id = s.bill_id
	  join dictionary a on a.id = d.billing_account_id and a.value ->> 0 = s.account
	  join dictionary sub on sub.id = d.sub_account_id
	  cross join (values (true), (false)) as grains (fine)
	  group by 1, 2, 3, 4, 5, 6, 7, 8
	), compared as (
	  select connection_id, account, currency, usage_date, fine, abs(m.billed) as mine, abs(o.billed) as other,
	    m.billed <> 0 and abs(m.billed - o.billed) <= .01 * greatest(abs(m.billed), abs(o.billed)) as same
	  from (select * from sums where own) m
	  full join (select * from sums where not own) o using (connection_id, account, currency, usage_date, sub, fine, what)
	)
	select connection_id, account, currency, min(usage_date) filter (where same), max(usage_date) filter (where same),
	  coalesce(sum(mine) filter (where same), 0) as billed
	from compared group by connection_id, account, currency, fine
	having count(*) filter (where same) >= 3
	  and sum(mine) filter (where same) * 2 >= least(coalesce(sum(mine), 0), coalesce(sum(other), 0))
	order by connection_id, account, currency, billed desc`

// doubled lists what of the bills came through another connection as well.
func doubled(ctx context.Context, tx pgx.Tx, bills []int64) ([]ingest.Doubled, error) {
	rows, err := tx.Query(ctx, doubledSQL, bills)
	if err != nil {
		return nil, err
	}
	all := []ingest.Doubled{}
	var (
		d           ingest.Doubled
		currency    string
		first, last time.Time
		billed      decimal.Decimal
	)
	_, err = pgx.ForEachRow(rows, []any{&d.Connection, &d.BillingAccount, &currency, &first, &last, &billed}, func() error {
		d.Currency, d.First, d.Last, d.Billed = cost.Currency(currency), first.UTC(), last.UTC(), billed
		if n := len(all); n == 0 || all[n-1].Connection != d.Connection || all[n-1].BillingAccount != d.BillingAccount || all[n-1].Currency != d.Currency {
			all = append(all, d)
		}
		return nil
	})
	return all, err
}

// lastBills is how many of a connection's bills its status compares with others.
const lastBills = 3

// doubledOf lists what of a connection's last bills came through another connection as well.
func (db *DB) doubledOf(ctx context.Context, t tenant.ID, connection string) (all []ingest.Doubled, err error) {
	err = db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select id from bills where connection_id = $1 order by period_start desc limit $2`, connection, lastBills)
		if err != nil {
			return err
		}
		bills, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		all, err = doubled(ctx, tx, bills)
		return err
	})
	return all, err
}
