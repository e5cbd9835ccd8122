package focus

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// layout says what each cell of a row is: a column of Row, or, where that is nil, an extra one under its own name.
type layout struct {
	columns []*column
	names   []string // as they stand in the header
	extra   []int    // cells that go to Row.Extra
	formers []former // cells with former names beside the ones that replaced them, as in FOCUS 1.3
	billed  int      // cell of BilledCost
	money   int      // cell of BillingCurrency
	tags    int      // cell of Tags, -1 when there is none
	extras  int      // cell of x_Extra, -1 when there is none
}

// former is a cell that stands in for a column where that is null.
type former struct {
	cell   int
	column *column
}

// newLayout understands a header. Names match exactly, else whatever their case; the names of FOCUS 1.4 win over former ones.
func newLayout(header []string) (*layout, error) {
	l := &layout{columns: make([]*column, len(header)), names: make([]string, len(header)), billed: -1, money: -1, tags: -1, extras: -1}
	taken := make(map[string]bool, len(header))
	for i, name := range header {
		if !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0 {
			return nil, notFocus("the name of its column %d is not text in UTF-8", i+1)
		}
		l.names[i] = strings.TrimSpace(name)
		if l.names[i] == "" {
			l.names[i] = fmt.Sprintf("Column %d", i+1)
		}
		if taken[l.names[i]] {
			return nil, fault.New(fault.Unprocessable, "The column %s stands twice in the header. Export the file again with each column once.", shorten(l.names[i]))
		}
		taken[l.names[i]] = true
	}
	var missing []string
	for i := range columns {
		c := &columns[i]
		at, err := l.find(c)
		if err != nil {
			return nil, err
		}
		if at >= 0 {
			l.claim(at, c)
		} else if c.required {
			missing = append(missing, c.wanted())
		}
	}
	if len(missing) > 0 {
		return nil, l.incomplete(missing)
	}
	for i, c := range l.columns {
		if c == nil {
			l.extra = append(l.extra, i)
			l.noteFormer(i)
		}
	}
	return l, nil
}

func (l *layout) noteFormer(cell int) {
	for i := range columns {
		if c := &columns[i]; c.former != "" && strings.EqualFold(c.former, l.names[cell]) {
			l.formers = append(l.formers, former{cell, c})
		}
	}
}

func (l *layout) claim(at int, c *column) {
	l.columns[at] = c
	switch c.name {
	case "BilledCost":
		l.billed = at
	case "BillingCurrency":
		l.money = at
	case "Tags":
		l.tags = at
	case extrasColumn:
		l.extras = at
	}
}

// find gives the cell that holds c, -1 when there is none.
func (l *layout) find(c *column) (int, error) {
	for _, name := range []string{c.name, c.former} {
		if name == "" {
			continue
		}
		at := -1
		for i, have := range l.names {
			if !strings.EqualFold(have, name) {
				continue
			}
			if at >= 0 {
				return -1, fault.New(fault.Unprocessable, "The header has both %s and %s, which are the same column. Export the file again with each column once.", l.names[at], have)
			}
			at = i
		}
		if at >= 0 {
			return at, nil
		}
	}
	return -1, nil
}

// wanted names the column for a message.
func (c *column) wanted() string {
	if c.former != "" {
		return c.name + " (or " + c.former + ")"
	}
	return c.name
}

// incomplete words what is wrong with a header that lacks columns.
func (l *layout) incomplete(missing []string) error {
	required := 0
	for i := range columns {
		if columns[i].required {
			required++
		}
	}
	if found := required - len(missing); found <= 2 {
		return notFocus("its first line has %d of the %d columns that every FOCUS bill has", found, required)
	}
	return fault.New(fault.Unprocessable, "The file lacks mandatory FOCUS columns: %s. Export it again as FOCUS 1.0 to 1.4 with all columns.", strings.Join(missing, ", "))
}

// otherDelimiter recognises a header that is a FOCUS one when it is split by something else than commas.
func otherDelimiter(line string) error {
	for _, d := range []struct{ sign, name string }{{";", "semicolons"}, {"\t", "tabs"}, {"|", "vertical bars"}} {
		if found := requiredIn(strings.Split(line, d.sign)); found > 2 && found > requiredIn(strings.Split(line, ",")) {
			return fault.New(fault.Unprocessable, "The columns of the file are separated by %s (%q). Export it again with commas.", d.name, d.sign)
		}
	}
	return nil
}

// requiredIn counts the names of mandatory columns.
func requiredIn(names []string) int {
	found := 0
	for _, name := range names {
		name = strings.Trim(name, "\" \r")
		for i := range columns {
			if c := &columns[i]; c.required && (strings.EqualFold(name, c.name) || strings.EqualFold(name, c.former)) {
				found++
			}
		}
	}
	return found
}

func notFocus(format string, args ...any) error {
	return fault.New(fault.Unprocessable, "This is not a FOCUS file: %s. Send a FOCUS 1.0 to 1.4 cost and usage export as CSV, gzipped CSV or Parquet.", fmt.Sprintf(format, args...))
}

// shorten keeps a text fit for a message: a short one that can be stored and shown.
func shorten(s string) string {
	const most = 80
	cut := len(s) > most
	if cut {
		s = s[:most]
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if cut {
		s += "…"
	}
	return s
}
