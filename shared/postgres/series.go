package postgres

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
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
		spans  map[string]span
		groups []cost.Group
	)
	err = db.tx(ctx, t, func(tx pgx.Tx) error {
		if spans, err = providerSpans(ctx, tx); err != nil {
			return err
		}
		if err := sel.bind(ctx, tx); err != nil {
			return err
		}
		sql := sel.sums(at, amount, cost.Daily, 0)
		rows, err := tx.Query(ctx, sql, sel.args...)
		if err != nil {
			return err
		}
		groups, err = pgx.CollectRows(rows, scanGroup(by))
		return err
	})
	if err != nil {
		return nil, err
	}
	return assemble(q, sel, groups, spans), nil
}

// span is what a provider has reported so far: first and last day, and the day before which it had settled them when the
// latest bill was loaded. A bill that is not read again stays provisional at its end, however long ago that is.
type span struct{ first, last, final time.Time }

// providerSpans reads them from all loaded bills. The last day is that of usage where there is any: taxes and fees carry
// dates ahead of it. The bills of a provider come by several connections, each at its own pace: the provider has reported a
// day once all of them have, or what one has not read yet would look as if it cost nothing.
func providerSpans(ctx context.Context, tx pgx.Tx) (map[string]span, error) {
	const sql = `
		with days as (
		  select bill_id, provider_id, charge_id, min(usage_date) as first, max(usage_date) as last
		  from cost_daily group by 1, 2, 3
		), reported as (
		  select p.value ->> 0 as provider, bill_id, min(first) as first, max(last) as last, max(last) filter (where c.value ->> 0 = 'Usage') as used
		  from days join dictionary p on p.id = provider_id join dictionary c on c.id = charge_id group by 1, 2
		)
		select provider, min(first), coalesce(max(used), max(last)), (array_agg(loaded_at order by used desc nulls last, reported.last desc))[1]
		from reported join bills on bills.id = bill_id join loads on loads.id = load_id
		group by provider, bills.connection_id`
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	byConnection := map[string][]span{}
	var name string
	var first, last, loaded time.Time
	_, err = pgx.ForEachRow(rows, []any{&name, &first, &last, &loaded}, func() error {
		byConnection[name] = append(byConnection[name], span{cost.Day(first), cost.Day(last), ingest.FinalBefore(loaded)})
		return nil
	})
	spans := make(map[string]span, len(byConnection))
	for name, all := range byConnection {
		spans[name] = together(all)
	}
	return spans, err
}

// draft is a series in the making.
type draft struct {
	series    cost.Series
	days      map[time.Time]float64
	providers map[string]bool
}

func assemble(q cost.SeriesQuery, sel *selection, groups []cost.Group, spans map[string]span) []cost.Series {
	drafts := map[string]*draft{}
	basis, _ := cost.ParseBasis(string(q.Basis)) // it has been checked
	for _, g := range groups {
		scope := make(cost.Scope, len(q.By))
		for _, d := range q.By {
			scope[d] = g.Scope[d]
		}
		key := scope.String() + "\x00" + string(g.Currency)
		d, ok := drafts[key]
		if !ok {
			d = &draft{
				series: cost.Series{Scope: scope, Basis: basis, Currency: g.Currency},
				days:   map[time.Time]float64{}, providers: map[string]bool{},
			}
			drafts[key] = d
		}
		d.providers[g.Scope[cost.Provider]] = true
		d.days[g.Start] += g.Amount.InexactFloat64()
	}
	all := make([]cost.Series, 0, len(drafts))
	for _, d := range drafts {
		all = append(all, d.finish(sel.from, sel.to, q.FinalBefore, spans))
	}
	slices.SortFunc(all, func(a, b cost.Series) int {
		if c := strings.Compare(a.Scope.String(), b.Scope.String()); c != 0 {
			return c
		}
		return strings.Compare(string(a.Currency), string(b.Currency))
	})
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
	for i := range s.Values {
		s.Values[i] = d.days[s.Day(i)]
		if s.Day(i).After(reported.last) {
			s.Values[i] = math.NaN()
		}
	}
	s.Final = max(0, min(s.Index(finalBefore), s.Index(reported.final), s.Index(reported.last)+1, len(s.Values)))
	return s
}

// quiet is how far a provider or connection may lie behind the foremost one and still be waited for; after that it counts as
// ended.
const quiet = 14 * 24 * time.Hour

// reported is the span over which all providers of the series have reported.
func (d *draft) reported(spans map[string]span) span {
	all := make([]span, 0, len(d.providers))
	for name := range d.providers {
		all = append(all, spans[name])
	}
	return together(all)
}

// together is from the first day that any of the spans holds, to the last that each has reached, and final where each is; but
// for the spans that have ended.
func together(spans []span) span {
	var out span
	for _, s := range spans {
		if s.last.After(out.last) {
			out.last = s.last
		}
	}
	foremost := out.last
	for _, s := range spans {
		if out.first.IsZero() || s.first.Before(out.first) {
			out.first = s.first
		}
		if foremost.Sub(s.last) > quiet {
			continue
		}
		if s.last.Before(out.last) {
			out.last = s.last
		}
		if out.final.IsZero() || s.final.Before(out.final) {
			out.final = s.final
		}
	}
	return out
}
