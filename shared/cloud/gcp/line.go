package gcp

import (
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/api/bigquery/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// line is one row of a result. The first cell that cannot be read is kept as its error.
type line struct {
	at    map[string]int
	cells []*bigquery.TableCell
	err   error
}

// columnsOf finds where the columns of a result stand.
func columnsOf(s *bigquery.TableSchema) (map[string]int, error) {
	if s == nil || len(s.Fields) == 0 {
		return nil, malformed("a result without columns")
	}
	at := make(map[string]int, len(s.Fields))
	for i, f := range s.Fields {
		at[f.Name] = i
	}
	return at, nil
}

func malformed(format string, args ...any) *fault.Error {
	return fault.New(fault.Unprocessable, "BigQuery's answer cannot be read: "+format+". The bill was not taken in.", args...)
}

// text is the cell of a column, empty when it is null.
func (l *line) text(column string) string {
	i, ok := l.at[column]
	if !ok || i >= len(l.cells) || l.cells[i] == nil {
		l.fail(column, "is missing")
		return ""
	}
	switch v := l.cells[i].V.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	l.fail(column, "is not a single value")
	return ""
}

func (l *line) fail(column, problem string) {
	if l.err == nil {
		l.err = malformed("column %s %s", column, problem)
	}
}

// amount is a number that may be null. It is read from its decimal text, never through a float.
func (l *line) amount(column string) decimal.NullDecimal {
	text := l.text(column)
	if text == "" {
		return decimal.NullDecimal{}
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		l.fail(column, "is not a number")
	}
	return decimal.NewNullDecimal(d)
}

// money is an amount that has to be there.
func (l *line) money(column string) decimal.Decimal {
	d := l.amount(column)
	if !d.Valid {
		l.fail(column, "has no amount")
	}
	return d.Decimal
}

// instant is a moment, in microseconds since 1970.
func (l *line) instant(column string) time.Time {
	micros, err := strconv.ParseInt(strings.TrimSpace(l.text(column)), 10, 64)
	if err != nil {
		l.fail(column, "is not a moment")
	}
	return time.UnixMicro(micros).UTC()
}
