package focus

import (
	"bytes"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// maxRecord bounds one record, and so one cell.
const maxRecord = 1 << 20

// problem is what is wrong with one cell, or with the whole record when cell is -1.
type problem struct {
	cell   int
	reason string
}

func (p *problem) set(cell int, reason string) bool {
	p.cell, p.reason = cell, reason
	return false
}

// assembler turns the cells of a record into a Row. Bills repeat themselves, so it keeps what it has parsed.
type assembler struct {
	layout   *layout
	last     []lastCell
	texts    recall[struct{}]
	instants recall[time.Time]
	numbers  coefficients
	currency cost.Currency // the last valid one
	pairs    memory[pairsOf]
	extras   memory[map[string]string]
	extraKey []byte
}

// lastCell is what stood in the same column of the row before.
type lastCell struct {
	text    string // also the raw form of instant
	instant time.Time
}

// pairsOf is a parsed Tags cell; raw keeps one that has no pairs to read.
type pairsOf struct {
	pairs map[string]string
	raw   string
}

// memory remembers what texts mean that take long to understand, and begins anew when they have grown too many.
type memory[T any] struct {
	known map[string]T
	bytes int
}

const (
	maxRemembered = 4 << 20 // bytes of text a memory holds
	maxWorth      = 4 << 10 // bytes of a text worth remembering
)

func (m *memory[T]) put(text string, value T) {
	if len(text) > maxWorth {
		return
	}
	m.bytes += len(text) + 32 // what an entry takes on its own
	if m.known == nil || m.bytes > maxRemembered {
		m.known, m.bytes = map[string]T{}, 0
	}
	m.known[text] = value
}

func newAssembler(l *layout) *assembler {
	return &assembler{
		layout: l, last: make([]lastCell, len(l.columns)),
		texts: newRecall[struct{}](textSets), instants: newRecall[time.Time](instantSets), numbers: make(coefficients, numberSets),
	}
}

// isNull reports whether a cell says nothing: it is blank, or has the text NULL as database exports do.
func isNull(cell []byte) bool {
	if len(cell) == 0 {
		return true
	}
	if c := cell[0]; c > ' ' && c != 'N' && c != 'n' {
		return false
	}
	cell = bytes.TrimSpace(cell)
	return len(cell) == 0 || len(cell) == 4 && strings.EqualFold(string(cell), "NULL")
}

// fill makes row from cells. It reports false, and what is wrong in p, when there is no row to make.
func (a *assembler) fill(row *Row, cells [][]byte, p *problem) bool {
	*row = Row{}
	if len(cells) != len(a.layout.columns) {
		return p.set(-1, "")
	}
	for i, cell := range cells {
		c := a.layout.columns[i]
		if len(cell) == 0 || isNull(cell) { // most that say nothing are empty
			if c != nil && c.required && c.former == "" {
				return p.set(i, "is empty, and every row must have it")
			}
			continue
		}
		if reason := a.set(row, c, i, cell); reason != "" {
			if cannot := unstorable(cell); cannot != "" {
				reason = cannot
			}
			return p.set(i, reason)
		}
	}
	a.fillExtra(row, cells)
	return a.settle(row, cells, p)
}

// unstorable says why a cell is no text that can be stored, nothing when it can.
func unstorable(cell []byte) string {
	if !utf8.Valid(cell) {
		return "is not text in UTF-8"
	}
	if bytes.IndexByte(cell, 0) >= 0 {
		return "contains a NUL character"
	}
	return ""
}

// set puts one cell that is not null into its field, or says why it cannot. No cell that it takes is unstorable: what it
// remembers has been looked at, and numbers, times and categories have no room for other characters.
func (a *assembler) set(row *Row, c *column, i int, cell []byte) (reason string) {
	if c == nil { // fillExtra takes it
		return unstorable(cell)
	}
	switch c.kind {
	case text:
		*c.text(row), reason = a.text(i, cell)
	case amount, quantity:
		d, ok := parseNumber(cell, a.numbers)
		switch {
		case !ok:
			return notNumber
		case c.kind == amount:
			*c.amount(row) = d
		default:
			*c.quantity(row) = decimal.NewNullDecimal(d)
		}
	case instant:
		t, ok := a.instant(i, cell)
		if !ok {
			return "is not a time such as 2026-09-01T00:00:00Z between the years 2000 and 2100"
		}
		*c.instant(row) = t
	case currency:
		return a.setCurrency(row, i, cell)
	case category:
		name, ok := chargeCategory(bytes.TrimSpace(cell))
		if !ok {
			return "is none of " + strings.Join(categories, ", ")
		}
		row.ChargeCategory = name
	case tags:
		row.Tags, reason = a.tags(cell).pairs, unstorable(cell)
	case extras: // fillExtra takes it
		return unstorable(cell)
	}
	return reason
}

func (a *assembler) setCurrency(row *Row, i int, cell []byte) (reason string) {
	name, reason := a.text(i, cell)
	row.BillingCurrency = cost.Currency(name)
	if row.BillingCurrency == a.currency {
		return reason
	}
	if !row.BillingCurrency.Valid() {
		return "is not a currency code such as USD"
	}
	a.currency = row.BillingCurrency
	return reason
}

const notNumber = "is not a number such as 1234.56 or 1.2E-7, of at most 38 digits"

// settle checks what takes more than one cell.
func (a *assembler) settle(row *Row, cells [][]byte, p *problem) bool {
	l := a.layout
	for _, f := range l.formers {
		if name := f.column.text(row); *name == "" && !isNull(cells[f.cell]) {
			*name, _ = a.text(f.cell, cells[f.cell]) // set has looked at it
		}
	}
	if row.ServiceProviderName == "" {
		return p.set(l.cellOf("ServiceProviderName"), "is empty, and every row must have it")
	}
	if !row.BillingPeriod.Start.Before(row.BillingPeriod.End) {
		return p.set(l.cellOf("BillingPeriodEnd"), "is not after BillingPeriodStart")
	}
	if !row.ChargePeriod.Start.Before(row.ChargePeriod.End) {
		return p.set(l.cellOf("ChargePeriodEnd"), "is not after ChargePeriodStart")
	}
	return true
}

func (l *layout) cellOf(name string) int {
	for i, c := range l.columns {
		if c != nil && c.name == name {
			return i
		}
	}
	return -1
}

// text is the cell as a string, mostly the same string for the same text, or says why it cannot be stored.
func (a *assembler) text(i int, cell []byte) (value, reason string) {
	if last := a.last[i].text; last == string(cell) {
		return last, ""
	}
	known, set := a.texts.find(cell)
	if known != nil {
		a.last[i].text = known.text
		return known.text, ""
	}
	if reason := unstorable(cell); reason != "" {
		return "", reason
	}
	value = string(cell)
	a.texts.put(set, value, struct{}{})
	a.last[i].text = value
	return value, ""
}

func (a *assembler) instant(i int, cell []byte) (time.Time, bool) {
	last := &a.last[i]
	if last.text == string(cell) {
		return last.instant, true
	}
	known, set := a.instants.find(cell)
	if known == nil {
		t, ok := parseInstant(cell)
		if !ok || t.Year() < 2000 || t.Year() > 2100 {
			return time.Time{}, false
		}
		a.instants.put(set, string(cell), t)
		known = &set[0]
	}
	last.text, last.instant = known.text, known.value
	return known.value, true
}

func (a *assembler) tags(cell []byte) pairsOf {
	if p, ok := a.pairs.known[string(cell)]; ok {
		return p
	}
	var p pairsOf
	var ok bool
	if p.pairs, ok = parsePairs(cell); !ok {
		p.raw = string(cell)
	}
	a.pairs.put(string(cell), p)
	return p
}

// fillExtra collects the other columns. Rows with the same ones share one map.
func (a *assembler) fillExtra(row *Row, cells [][]byte) {
	l := a.layout
	raw := "" // a Tags cell that is no JSON
	if l.tags >= 0 && row.Tags == nil && !isNull(cells[l.tags]) {
		raw = a.tags(cells[l.tags]).raw
	}
	key := a.extraKey[:0]
	key = append(key, raw...)
	has := raw != ""
	for _, i := range l.extra {
		key = append(key, 0) // no cell holds one
		if !isNull(cells[i]) {
			key = append(key, cells[i]...)
			has = true
		}
	}
	packed := l.extras >= 0 && !isNull(cells[l.extras])
	if packed {
		key = append(append(key, 0), cells[l.extras]...)
	}
	a.extraKey = key
	if !has && !packed {
		return
	}
	if extra, ok := a.extras.known[string(key)]; ok {
		row.Extra = extra
		return
	}
	row.Extra = a.collect(cells, packed, raw)
	a.extras.put(string(key), row.Extra)
}

// collect makes the map of the other columns: the ones packed into x_Extra, a Tags cell that is no JSON, and the
// columns without a field.
func (a *assembler) collect(cells [][]byte, packed bool, rawTags string) map[string]string {
	l := a.layout
	extra := map[string]string{}
	if packed {
		if pairs, ok := parsePairs(cells[l.extras]); ok {
			maps.Copy(extra, pairs)
		} else {
			extra[extrasColumn] = string(cells[l.extras])
		}
	}
	if rawTags != "" {
		extra["Tags"] = rawTags
	}
	for _, i := range l.extra {
		if !isNull(cells[i]) {
			extra[l.names[i]], _ = a.text(i, cells[i]) // set has looked at it
		}
	}
	return orNil(extra)
}
