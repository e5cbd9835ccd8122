package vultr

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// tally is what the charges that are pending of a month have come to, and on which days they did. Vultr only tells how much an
// item is so far: what it grew by since the reading before is what the time between the two cost.
type tally struct {
	At       time.Time `json:"at"` // no later than the end of the month
	Account  string    `json:"account"`
	Invoices []int64   `json:"invoices"` // of the month, which took what they bill out of the pending charges
	Lines    []line    `json:"lines"`
}

// line is an item as it was read last, and the shares that its money and units came in, which sum to them.
type line struct {
	Item   item    `json:"item"`
	Shares []share `json:"shares"`
}

// identity is what of an item stays as it grows: nothing in a bill is an id.
type identity struct {
	description, product, unitType string
	start                          time.Time
}

func (l line) identity() identity {
	return identity{l.Item.Description, l.Item.Product, l.Item.UnitType, l.Item.StartDate.Time}
}

// likeness are the ways in which a line is known again: by all of its identity; under another name, for what it is of was
// renamed; and with another start.
var likeness = []func(line) identity{
	line.identity,
	func(l line) identity { i := l.identity(); i.description = ""; return i },
	func(l line) identity { i := l.identity(); i.start = time.Time{}; return i },
}

// known reads the tally of the reading before. Nothing of it counts if it cannot be read, is of another account, or since when
// an invoice took charges of the month away: then all days are spread anew, and their sum is right again.
func (w *writer) known(document []byte, invoices []int64) tally {
	var before tally
	if json.Unmarshal(document, &before) != nil || before.Account != w.account || !slices.Equal(before.Invoices, invoices) {
		return tally{}
	}
	return before
}

// pending writes the charges that are pending of the month, and gives the tally to know next time. A month that is over and
// has neither charges nor an invoice yet keeps what was read of it: its invoice is about to come.
func (w *writer) pending(items []item, before tally, invoices []int64) tally {
	after := tally{At: w.month.End, Account: w.account, Invoices: invoices, Lines: merge(items)}
	if w.now.Before(w.month.End) {
		after.At = w.now
	}
	if len(items) == 0 && len(invoices) == 0 && !w.now.Before(w.month.End) {
		after = before
	} else {
		w.follow(&after, before)
	}
	for _, l := range after.Lines {
		w.line(l)
	}
	return after
}

// follow gives the lines their shares, of which those that a line had before stay. A line that Vultr no longer asks for ends
// with a share that takes its money back.
func (w *writer) follow(after *tally, before tally) {
	past, left := pair(after.Lines, before.Lines)
	for n := range after.Lines {
		w.grow(&after.Lines[n], past[n], before.At, after.At)
	}
	for _, was := range left {
		gone := was
		gone.Item.Total = money{}
		if was.Item.Units != nil {
			gone.Item.Units = &money{}
		}
		w.grow(&gone, was, before.At, after.At)
		after.Lines = append(after.Lines, gone)
	}
}

// pair finds what each line was before, and which are left. A line is taken for another only where no other one, of those that
// were not yet known again, is like it.
func pair(lines, before []line) (past, left []line) {
	past = make([]line, len(lines))
	known, taken := make([]bool, len(lines)), make([]bool, len(before))
	for n, like := range likeness {
		exact := n == 0
		now := alike(lines, like, func(at int) bool { return !known[at] })
		then := alike(before, like, func(at int) bool { return !taken[at] && (exact || !before[at].Item.Total.IsZero()) }) // one that is gone is not renamed
		for of, l := range now {
			if b := then[of]; len(l) == 1 && len(b) == 1 {
				past[l[0]], known[l[0]], taken[b[0]] = before[b[0]], true, true
			}
		}
	}
	for b, l := range before {
		if !taken[b] {
			left = append(left, l)
		}
	}
	return past, left
}

// alike groups those of the lines that are open by what they are alike in.
func alike(lines []line, like func(line) identity, open func(at int) bool) map[identity][]int {
	groups := map[identity][]int{}
	for at, l := range lines {
		if open(at) {
			groups[like(l)] = append(groups[like(l)], at)
		}
	}
	return groups
}

// merge makes lines of items. Those that nothing tells apart become one.
func merge(items []item) []line {
	lines, of := make([]line, 0, len(items)), map[identity]int{}
	for _, i := range items {
		l := line{Item: i}
		n, has := of[l.identity()]
		if !has {
			of[l.identity()] = len(lines)
			lines = append(lines, l)
			continue
		}
		into := &lines[n].Item
		into.Total = money{into.Total.Add(i.Total.Decimal)}
		if into.Units != nil || i.Units != nil {
			into.Units = &money{quantity(*into).Add(quantity(i))}
		}
		if into.UnitPrice != nil && (i.UnitPrice == nil || !into.UnitPrice.Equal(i.UnitPrice.Decimal)) {
			into.UnitPrice = nil
		}
	}
	return lines
}

// grow gives a line the shares of the line that it was before, and of what it grew by, which may be negative.
func (w *writer) grow(l *line, was line, since, at time.Time) {
	l.Shares = was.Shares
	money, units := l.Item.Total.Sub(was.Item.Total.Decimal), quantity(l.Item).Sub(quantity(was.Item))
	if money.IsZero() && units.IsZero() {
		return
	}
	p := w.period(l.Item)
	if p.End.After(w.month.End) && p.Start.Before(w.month.End) {
		p.End = w.month.End
	}
	if len(was.Shares) > 0 || l.Item.StartDate.IsZero() {
		p = later(p, since, at)
	}
	l.Shares = join(was.Shares, spread(p, money, units))
}

// later is what of the period lies after since, until at. Where nothing does, an item changed that had ended, and all the time
// between is taken; where there is no time between, the day that ends with it.
func later(p cost.Period, since, at time.Time) cost.Period {
	if since.After(p.Start) {
		p.Start = since
	}
	if !p.Start.Before(p.End) {
		p.End = at
	}
	if !p.Start.Before(p.End) {
		p.Start = cost.Day(p.End.Add(-1))
	}
	return p
}

// line writes the shares of a line. Shares that came to nothing are none.
func (w *writer) line(l line) {
	shares := slices.DeleteFunc(slices.Clone(l.Shares), func(s share) bool { return s.Money.IsZero() && s.Units.IsZero() })
	if len(shares) > 0 {
		w.divide(w.of(l.Item, cost.Period{Start: shares[0].Period.Start, End: shares[len(shares)-1].Period.End}), shares)
	}
}

// quantity is how many units an item has, zero where it does not say.
func quantity(i item) decimal.Decimal { return maybe(i.Units).Decimal }
