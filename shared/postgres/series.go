package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Series gives daily series, by scope and currency. A day without rows is zero where its providers have reported, and NaN
// after their last day of usage, which nobody knows yet. A series begins with the period, or with the first
// day that one of its providers ever reported.
//
// A fee for a month stands on the first day of its charge period, as FOCUS dates it.
func (db *DB) Series(ctx context.Context, t tenant.ID, q cost.SeriesQuery) ([]cost.Series, error) {
	by := q.By
	if !slices.Contains(by, cost.Provider) { // each provider reports at its own pace
		by = append(slices.Clone(by), cost.Provider)
	}
	if _, err := placesOf(q.By); err != nil {
		return nil, err
	}
	at := make([]place, len(by))
	for i, d := range by {
		var err error
		if at[i], err = placeOf(d); err != nil {
			return nil, err
		}
	}
	sel, err := newSelection(q.Period, at, q.Filter)
	if err != nil {
		return nil, err
	}
	amount, err := costColumn(q.Basis)
	if err != nil {
		return nil, err
	}
	var (
		spans map[string]span
		packs []pack
	)
	err = db.tx(ctx, t, func(tx pgx.Tx) error {
		if spans, err = db.spans.of(ctx, tx, t); err != nil {
			return err
		}
		if err := sel.bind(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sel.packs(at, amount), sel.args...)
		if err != nil {
			return err
		}
		packs, err = pgx.CollectRows(rows, scanPack(len(by)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return assemble(q, by, sel, packs, spans), nil
}

// pack is the costs of one combination of dictionary numbers.
type pack struct {
	currency cost.Currency
	days     []int32 // after the beginning of the selection, in no order; one may come several times
	amounts  []float64
	values   []string // of the dimensions
}

// packs is the statement: the days of each combination of numbers come as two arrays, so that a year and a half of a series is
// one row and its texts are looked up once. The rollup has few rows a day, and summing them here takes several times as long as
// reading them; the rows of resources are many, and are summed first.
func (s *selection) packs(by []place, amount string) string {
	table, day, _ := s.table()
	var ids, joins, texts strings.Builder
	joined := map[kind]bool{}
	for _, at := range by {
		alias := fmt.Sprintf("d%d", at.kind)
		if !joined[at.kind] {
			joined[at.kind] = true
			fmt.Fprintf(&ids, ", %s", idColumns[at.kind])
			fmt.Fprintf(&joins, "\n  join dictionary %[1]s on %[1]s.id = packed.%[2]s and %[1]s.kind = %[3]d", alias, idColumns[at.kind], at.kind)
		}
		fmt.Fprintf(&texts, ", %s", at.text(alias, &s.args))
	}
	day = fmt.Sprintf("%s - %s::date", day, s.args.add(s.from))
	amount += "::float8"
	from := fmt.Sprintf("%s\n  where %s", table, strings.Join(s.where, "\n    and "))
	if !s.rollup {
		from = fmt.Sprintf("(select %[1]s as day, currency%[2]s, sum(%[3]s) as amount from %[4]s group by 1, currency%[2]s) sums",
			day, ids.String(), strings.TrimSuffix(amount, "::float8"), from)
		day, amount = "day", "amount::float8"
	}
	return fmt.Sprintf(`
with packed as (
  select currency%[1]s, array_agg(%[2]s) as days, array_agg(%[3]s) as amounts
  from %[4]s
  group by currency%[1]s
)
select currency, days, amounts%[5]s
from packed%[6]s`, ids.String(), day, amount, from, texts.String(), joins.String())
}

func scanPack(dimensions int) pgx.RowToFunc[pack] {
	return func(row pgx.CollectableRow) (pack, error) {
		p := pack{values: make([]string, dimensions)}
		into := []any{&p.currency, &p.days, &p.amounts}
		for i := range p.values {
			into = append(into, &p.values[i])
		}
		err := row.Scan(into...)
		return p, err
	}
}

// draft is a series in the making.
type draft struct {
	series    cost.Series
	charges   []charge
	providers map[string]bool
}

// charge is what a day cost, or a part of it.
type charge struct {
	day    int32
	amount float64
}

func assemble(q cost.SeriesQuery, by []cost.Dimension, sel *selection, packs []pack, spans map[string]span) []cost.Series {
	drafts := map[string]*draft{}
	basis, _ := cost.ParseBasis(string(q.Basis)) // it has been checked
	provider := slices.Index(by, cost.Provider)
	for _, p := range packs {
		scope := make(cost.Scope, len(q.By))
		for i, d := range by[:len(q.By)] {
			scope[d] = p.values[i]
		}
		key := scope.String() + "\x00" + string(p.currency)
		d, ok := drafts[key]
		if !ok {
			d = &draft{
				series:  cost.Series{Scope: scope, Basis: basis, Currency: p.currency},
				charges: make([]charge, 0, len(p.days)), providers: map[string]bool{},
			}
			drafts[key] = d
		}
		d.providers[p.values[provider]] = true
		for i, day := range p.days {
			d.charges = append(d.charges, charge{day, p.amounts[i]})
		}
	}
	all := make([]cost.Series, 0, len(drafts))
	for _, key := range slices.Sorted(maps.Keys(drafts)) { // by scope, then currency
		all = append(all, drafts[key].finish(sel.from, sel.to, q.FinalBefore, spans))
	}
	return all
}

func (d *draft) finish(from, to, finalBefore time.Time, spans map[string]span) cost.Series {
	reported := d.reported(spans)
	s := d.series
	s.Start = from
	if reported.first.After(from) {
		s.Start = reported.first
	}
	s.Values = make([]float64, max(0, s.Index(to)))
	d.sum(s.Values, cost.Period{Start: from, End: s.Start}.Len())
	known := max(0, s.Index(reported.last)+1)
	for i := known; i < len(s.Values); i++ {
		s.Values[i] = math.NaN()
	}
	s.Final = max(0, min(s.Index(finalBefore), s.Index(reported.final), known, len(s.Values)))
	return s
}

// sum adds the charges up by day, leaving out the days before the first. Floating point sums depend on the order, which is one of
// the amounts and none of the record's.
func (d *draft) sum(values []float64, first int) {
	slices.SortFunc(d.charges, func(a, b charge) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.amount, b.amount))
	})
	for _, c := range d.charges {
		if i := int(c.day) - first; i >= 0 && i < len(values) {
			values[i] += c.amount
		}
	}
}
