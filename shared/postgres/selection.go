package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// selection is the part of a statement that says which costs are meant. Whole days count: those that the period touches.
type selection struct {
	from, to time.Time // usage days, half-open
	filters  []filter
	rollup   bool // the daily rollup has all that is asked for
	args     arguments
	where    []string
}

type filter struct {
	place  place
	values []string
}

// newSelection checks the inputs. It reads the rollup unless one of the dimensions is kept only by the rows.
func newSelection(p cost.Period, by []place, where map[cost.Dimension][]string) (*selection, error) {
	if !p.Start.Before(p.End) {
		return nil, fault.Input("period.end", p.End.Format(time.RFC3339), "is not after the start")
	}
	s := &selection{from: cost.Day(p.Start), to: cost.Day(p.End.Add(24*time.Hour - 1)), rollup: true}
	for d, values := range where {
		at, err := placeOf(d)
		if err != nil {
			return nil, err
		}
		if len(values) > 0 {
			s.filters = append(s.filters, filter{at, values})
			s.rollup = s.rollup && at.kind < rollupKinds
		}
	}
	// A fixed order makes equal questions equal statements, which the driver prepares once.
	slices.SortFunc(s.filters, func(a, b filter) int { return strings.Compare(a.place.key(), b.place.key()) })
	for _, at := range by {
		s.rollup = s.rollup && at.kind < rollupKinds
	}
	return s, nil
}

func (p place) key() string { return fmt.Sprintf("%d/%d/%s", p.kind, p.index, p.tag) }

// table is what to read from, with names for what differs.
func (s *selection) table() (name, day, rows string) {
	if s.rollup {
		return "cost_daily", "usage_date", "sum(rows)"
	}
	return "cost_rows", "(charge_start at time zone 'UTC')::date", "count(*)"
}

// bind turns the selection into conditions. For rows it first looks up which bills touch the period, so that other months
// and other bills are not even opened.
//
// Nested loops are ruled out: right after a tenant's first bills the planner takes the tenant for one of hundreds, and would
// join what it thinks are sixty rows with sixty, but are a hundred thousand with ten thousand. A hash join is never that wrong.
func (s *selection) bind(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `set local enable_nestloop = off`); err != nil {
		return err
	}
	if s.rollup {
		s.conditions("usage_date", "date")
	} else {
		if err := s.bindBills(ctx, tx); err != nil {
			return err
		}
		s.conditions("charge_start", "timestamptz")
	}
	for _, f := range s.filters {
		s.where = append(s.where, fmt.Sprintf("%s in (select f.id from dictionary f where f.kind = %d and %s = any(%s::text[]))",
			idColumns[f.place.kind], f.place.kind, f.place.text("f", &s.args), s.args.add(f.values)))
	}
	return nil
}

func (s *selection) conditions(column, kind string) {
	s.where = append(s.where,
		fmt.Sprintf("%s >= %s::%s", column, s.args.add(s.from), kind),
		fmt.Sprintf("%s < %s::%s", column, s.args.add(s.to), kind))
}

func (s *selection) bindBills(ctx context.Context, tx pgx.Tx) error {
	const sql = `
		select id, date_trunc('month', period_start at time zone 'UTC')::date
		from bills where last_usage >= $1::date and first_usage < $2::date`
	rows, err := tx.Query(ctx, sql, s.from, s.to)
	if err != nil {
		return err
	}
	var (
		bills  = []int64{}
		months = []time.Time{}
		bill   int64
		month  time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&bill, &month}, func() error {
		bills = append(bills, bill)
		if !slices.Contains(months, month) {
			months = append(months, month)
		}
		return nil
	})
	s.where = append(s.where,
		fmt.Sprintf("billing_month = any(%s::date[])", s.args.add(months)),
		fmt.Sprintf("bill_id = any(%s::bigint[])", s.args.add(bills)))
	return err
}

// costColumns are the columns of the bases.
var costColumns = map[cost.Basis]string{
	cost.Billed: "billed_cost", cost.Effective: "effective_cost", cost.List: "list_cost", cost.Contracted: "contracted_cost",
}

func costColumn(b cost.Basis) (string, error) {
	basis, ok := cost.ParseBasis(string(b))
	if !ok {
		return "", fault.Input("basis", string(b), "is none of billed, effective, list, contracted")
	}
	return costColumns[basis], nil
}

// maxGroupBy bounds how many dimensions one question may combine.
const maxGroupBy = 4

func placesOf(by []cost.Dimension) ([]place, error) {
	if len(by) > maxGroupBy {
		return nil, fault.Input("group_by", fmt.Sprint(by), "has more than %d dimensions", maxGroupBy)
	}
	found := make([]place, len(by))
	for i, d := range by {
		at, err := placeOf(d)
		if err != nil {
			return nil, err
		}
		if slices.Contains(by[:i], d) {
			return nil, fault.Input("group_by", string(d), "is named twice")
		}
		found[i] = at
	}
	return found, nil
}
