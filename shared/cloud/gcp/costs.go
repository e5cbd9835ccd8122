package gcp

import (
	"context"
	"iter"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// Costs streams the rows of the invoice of a month, as FOCUS. Google's invoice months begin and end at midnight in California;
// they stand here as the calendar months whose names they bear, while the charges keep their hours, in UTC.
func (c *Collector) Costs(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		if !month.Equal(cost.MonthStart(month)) {
			yield(focus.Row{}, fault.Input("month", month.Format(time.RFC3339), "is not the beginning of a calendar month in UTC"))
			return
		}
		k, _ := c.settings.table.kind()
		of := reader{kind: k, period: cost.Month(month)}
		for p, err := range c.run(ctx, c.settings.bill(k, month.UTC()), k) {
			if err != nil {
				yield(focus.Row{}, err)
				return
			}
			if !of.page(p, yield) {
				return
			}
		}
	}
}

// reader turns lines of a bill into rows.
type reader struct {
	kind   kind
	period cost.Period
}

// page gives the rows of a page; it reports whether to go on.
func (r reader) page(p page, yield func(focus.Row, error) bool) bool {
	if len(p.rows) == 0 {
		return true // pages may be empty in between
	}
	at, err := columnsOf(p.schema)
	if err != nil {
		return yield(focus.Row{}, err) && false
	}
	for _, row := range p.rows {
		l := &line{at: at, cells: row.F}
		rows := r.rows(l)
		if l.err != nil {
			return yield(focus.Row{}, l.err) && false
		}
		for _, row := range rows {
			if !yield(row, nil) {
				return false
			}
		}
	}
	return true
}

func (r reader) rows(l *line) []focus.Row {
	if r.kind == asFOCUS {
		return []focus.Row{focusRow(l, r.period)}
	}
	return chargeRows(l, r.kind, r.period)
}
