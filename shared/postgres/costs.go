package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// steps are the SQL expressions of the first day of a step, around that of the usage day.
var steps = map[cost.Grain]string{
	cost.Daily:   "%s",
	cost.Monthly: "date_trunc('month', %s)::date",
}

// Costs answers a question about the loaded bills. Any FOCUS column that is text may be a dimension, and Tags/<key>.
// Groups come by step and, within a step, the most expensive first. A limit keeps the groups that are the most expensive over
// the whole period, each with all its steps. A filter without values is none. It fails with fault.Invalid for a period, dimension, basis or grain that it does not know.
func (db *DB) Costs(ctx context.Context, t tenant.ID, q cost.Query) ([]cost.Group, error) {
	by, err := placesOf(q.GroupBy)
	if err != nil {
		return nil, err
	}
	sel, err := newSelection(q.Period, by, q.Filter)
	if err != nil {
		return nil, err
	}
	amount, err := costColumn(q.Basis)
	if err != nil {
		return nil, err
	}
	if _, ok := steps[q.Grain]; !ok && q.Grain != cost.Total && q.Grain != "" {
		return nil, fault.Input("grain", string(q.Grain), "is none of total, daily, monthly")
	}
	groups := []cost.Group{}
	err = db.tx(ctx, t, func(tx pgx.Tx) error {
		if err := sel.bind(ctx, tx); err != nil {
			return err
		}
		sql := sel.sums(by, amount, q.Grain, q.Limit)
		rows, err := tx.Query(ctx, sql, sel.args...)
		if err != nil {
			return err
		}
		groups, err = pgx.CollectRows(rows, scanGroup(q.GroupBy))
		return err
	})
	return groups, err
}

// sums is the statement: sum by number first, which is cheap, then join what is left with the dictionary and sum by text,
// for several numbers may stand for the same text.
func (s *selection) sums(by []place, amount string, grain cost.Grain, limit int) string {
	table, day, count := s.table()
	step := stepOf(grain, day, s)
	var ids, joins, texts strings.Builder
	joined := map[kind]bool{}
	for i, at := range by {
		alias := fmt.Sprintf("d%d", at.kind)
		if !joined[at.kind] {
			joined[at.kind] = true
			fmt.Fprintf(&ids, ", %s", idColumns[at.kind])
			fmt.Fprintf(&joins, "\n  join dictionary %[1]s on %[1]s.id = sums.%[2]s and %[1]s.kind = %[3]d", alias, idColumns[at.kind], at.kind)
		}
		fmt.Fprintf(&texts, ", %s as g%d", at.text(alias, &s.args), i)
	}
	names, most := positions(5, len(by)), ""
	if limit > 0 {
		most = "\nwhere place <= " + s.args.add(limit)
	}
	return fmt.Sprintf(`
with sums as (
  select %[1]s as step, currency%[2]s, sum(%[3]s) as amount, %[4]s as n
  from %[5]s
  where %[6]s
  group by 1, currency%[2]s
), groups as (
  select step, currency, sum(amount) as amount, sum(n)::bigint as n%[7]s
  from sums%[8]s
  group by 1, 2%[9]s
), whole as (
  select *, sum(amount) over (partition by currency%[10]s) as whole from groups
), ranked as (
  select *, dense_rank() over (order by whole desc, currency%[10]s) as place from whole
)
select step, currency, amount, n%[10]s
from ranked%[11]s
order by 1, amount desc, 2%[9]s`,
		step, ids.String(), amount, count, table, strings.Join(s.where, "\n    and "),
		texts.String(), joins.String(), names, named(len(by)), most)
}

// named lists the columns of the group: ", g0, g1".
func named(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", g%d", i)
	}
	return b.String()
}

func stepOf(grain cost.Grain, day string, s *selection) string {
	if expression, ok := steps[grain]; ok {
		return fmt.Sprintf(expression, day)
	}
	return s.args.add(s.from) + "::date"
}

// positions names output columns by number: ", 5, 6".
func positions(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", %d", from+i)
	}
	return b.String()
}

func scanGroup(by []cost.Dimension) pgx.RowToFunc[cost.Group] {
	return func(row pgx.CollectableRow) (cost.Group, error) {
		var (
			g      cost.Group
			start  time.Time
			amount decimal.Decimal
		)
		values := make([]string, len(by))
		into := []any{&start, &g.Currency, &amount, &g.Rows}
		for i := range values {
			into = append(into, &values[i])
		}
		if err := row.Scan(into...); err != nil {
			return g, err
		}
		g.Start, g.Amount, g.Scope = cost.Day(start), amount, make(cost.Scope, len(by))
		for i, d := range by {
			g.Scope[d] = values[i]
		}
		return g, nil
	}
}
