package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// rollup sums the rows of a load by day, in memory, while they pass.
type rollup struct {
	tenant tenant.ID
	groups map[groupKey]*group
	totals map[totalKey]*ingest.Total
}

type groupKey struct {
	bill     int64
	day      int32
	ids      [rollupKinds]int32
	currency [3]byte // no string, so that the key is hashed in one go
}

type group struct {
	costs
	provider string
	rows     int64
}

type totalKey struct {
	provider string
	currency cost.Currency
}

// maxGroups bounds the memory of the rollup; more are written in several parts that the database adds up.
const maxGroups = 50_000

func newRollup(t tenant.ID) *rollup {
	return &rollup{tenant: t, groups: map[groupKey]*group{}, totals: map[totalKey]*ingest.Total{}}
}

func (r *rollup) add(bill int64, day int32, row *focus.Row, c *codes) {
	key := groupKey{bill: bill, day: day}
	copy(key.currency[:], row.BillingCurrency)
	for k := range key.ids {
		key.ids[k] = c[k].id
	}
	g, ok := r.groups[key]
	if !ok {
		g = &group{provider: row.ServiceProviderName}
		r.groups[key] = g
	}
	g.rows++
	g.billed.add(row.BilledCost)
	g.effective.add(row.EffectiveCost)
	g.list.add(row.ListCost)
	g.contracted.add(row.ContractedCost)
}

// flush writes the groups. Those of a day may come in several flushes, so they are added to what is there.
func (r *rollup) flush(ctx context.Context, tx pgx.Tx) error {
	const sql = `
		insert into cost_daily as d (tenant_id, bill_id, usage_date, provider_id, billing_account_id, sub_account_id, service_id,
			region_id, charge_id, currency, billed_cost, effective_cost, list_cost, contracted_cost, rows)
		select $1, bill_id, date '2000-01-01' + day, provider_id, billing_account_id, sub_account_id, service_id,
			region_id, charge_id, currency, billed::numeric, effective::numeric, list::numeric, contracted::numeric, n
		from unnest($2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::text[],
			$11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[])
			as g (bill_id, day, provider_id, billing_account_id, sub_account_id, service_id, region_id, charge_id, currency,
				billed, effective, list, contracted, n)
		on conflict (bill_id, usage_date, service_id, sub_account_id, region_id, charge_id, billing_account_id, provider_id, currency)
		do update set billed_cost = d.billed_cost + excluded.billed_cost, effective_cost = d.effective_cost + excluded.effective_cost,
			list_cost = d.list_cost + excluded.list_cost, contracted_cost = d.contracted_cost + excluded.contracted_cost,
			rows = d.rows + excluded.rows`
	batch := &groupColumns{}
	for key, g := range r.groups {
		r.total(key, g)
		batch.add(key, g)
		if len(batch.bills) == groupsAStatement {
			if _, err := tx.Exec(ctx, sql, batch.arguments(r.tenant)...); err != nil {
				return err
			}
			batch = &groupColumns{}
		}
	}
	clear(r.groups)
	if len(batch.bills) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, sql, batch.arguments(r.tenant)...)
	return err
}

func (r *rollup) total(key groupKey, g *group) {
	k := totalKey{g.provider, cost.Currency(key.currency[:])}
	t, ok := r.totals[k]
	if !ok {
		t = &ingest.Total{Provider: k.provider, Currency: k.currency}
		r.totals[k] = t
	}
	t.Rows += g.rows
	t.Billed = t.Billed.Add(g.billed.value())
	t.Effective = t.Effective.Add(g.effective.value())
	t.List = t.List.Add(g.list.value())
	t.Contracted = t.Contracted.Add(g.contracted.value())
}

// groupsAStatement is how many groups one statement writes.
const groupsAStatement = 5000

// groupColumns are groups turned into columns, as the statement takes them.
type groupColumns struct {
	bills                               []int64
	days                                []int32
	ids                                 [rollupKinds][]int32
	currencies                          []string
	billed, effective, list, contracted []string
	rows                                []int64
}

func (c *groupColumns) add(key groupKey, g *group) {
	c.bills, c.days = append(c.bills, key.bill), append(c.days, key.day)
	for k, id := range key.ids {
		c.ids[k] = append(c.ids[k], id)
	}
	c.currencies = append(c.currencies, string(key.currency[:]))
	c.billed, c.effective = append(c.billed, g.billed.value().String()), append(c.effective, g.effective.value().String())
	c.list, c.contracted = append(c.list, g.list.value().String()), append(c.contracted, g.contracted.value().String())
	c.rows = append(c.rows, g.rows)
}

func (c *groupColumns) arguments(t tenant.ID) []any {
	args := []any{t, c.bills, c.days}
	for _, ids := range c.ids {
		args = append(args, ids)
	}
	return append(args, c.currencies, c.billed, c.effective, c.list, c.contracted, c.rows)
}
