package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// errStopped ends the transaction when the caller has seen enough.
var errStopped = errors.New("the caller stopped reading")

// Charges streams the rows as they were loaded, to the last digit, of the usage days that the period touches, in the
// order of their charge periods. It ends at the first error. A connection of the pool is taken until the loop ends, so
// the loop must not ask the same database for more.
func (db *DB) Charges(ctx context.Context, t tenant.ID, p cost.Period, where map[cost.Dimension][]string) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		sel, err := newSelection(p, nil, where)
		if err != nil {
			yield(focus.Row{}, err)
			return
		}
		sel.rollup = false
		err = db.tx(ctx, t, func(tx pgx.Tx) error {
			if err := sel.bind(ctx, tx); err != nil {
				return err
			}
			sql := sel.charges()
			rows, err := tx.Query(ctx, sql, sel.args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				row, err := scanCharge(rows)
				if err != nil {
					return err
				}
				if !yield(row, nil) {
					return errStopped
				}
			}
			return rows.Err()
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(focus.Row{}, err)
		}
	}
}

func (s *selection) charges() string {
	var values, joins strings.Builder
	for k, column := range idColumns {
		fmt.Fprintf(&values, ", d%d.value", k)
		fmt.Fprintf(&joins, "\n  join dictionary d%[1]d on d%[1]d.id = c.%[2]s and d%[1]d.kind = %[1]d", k, column)
	}
	return fmt.Sprintf(`
with c as (select * from cost_rows where %s)
select b.period_start, b.period_end, c.charge_start, c.charge_end, c.currency, c.billed_cost, c.effective_cost, c.list_cost,
  c.contracted_cost, c.pricing_quantity, c.consumed_quantity, c.list_unit_price, c.contracted_unit_price, c.extra%s
from c join bills b on b.id = c.bill_id%s
order by c.charge_start, c.charge_end`, strings.Join(s.where, " and "), values.String(), joins.String())
}

func scanCharge(rows pgx.Rows) (focus.Row, error) {
	var (
		r      focus.Row
		extra  []byte
		values [kinds][]byte
	)
	into := []any{
		&r.BillingPeriod.Start, &r.BillingPeriod.End, &r.ChargePeriod.Start, &r.ChargePeriod.End, &r.BillingCurrency,
		&r.BilledCost, &r.EffectiveCost, &r.ListCost, &r.ContractedCost,
		&r.PricingQuantity, &r.ConsumedQuantity, &r.ListUnitPrice, &r.ContractedUnitPrice, &extra,
	}
	for k := range values {
		into = append(into, &values[k])
	}
	if err := rows.Scan(into...); err != nil {
		return r, err
	}
	for _, p := range []*cost.Period{&r.BillingPeriod, &r.ChargePeriod} {
		p.Start, p.End = p.Start.UTC(), p.End.UTC()
	}
	if extra != nil {
		if err := json.Unmarshal(extra, &r.Extra); err != nil {
			return r, err
		}
	}
	return r, decode(&r, values)
}

// decode puts the dictionary's values into their fields.
func decode(r *focus.Row, values [kinds][]byte) error {
	for k := range kindTags {
		var texts []string
		if err := json.Unmarshal(values[k], &texts); err != nil {
			return err
		}
		for i, text := range texts {
			if i < len(columnsOf[k]) {
				*columnsOf[k][i].field(r) = text
			}
		}
	}
	if err := json.Unmarshal(values[kindTags], &r.Tags); err != nil {
		return err
	}
	if len(r.Tags) == 0 {
		r.Tags = nil
	}
	return nil
}
