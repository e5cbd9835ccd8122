package ingest

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// Meter counts what reading a cloud costs, and stops it at a limit. It may be used from many goroutines. A nil Meter counts
// nothing and stops nothing.
type Meter struct {
	limit *decimal.Decimal

	mu    sync.Mutex
	total decimal.Decimal
	spent map[string]Spending
}

// Spending is what one kind of call has cost so far, USD of list price.
type Spending struct {
	What   string          `json:"what"` // "Cost Explorer requests", "CloudWatch metrics", "BigQuery bytes"
	Units  int64           `json:"units"`
	Amount decimal.Decimal `json:"amount"`
}

// NewMeter makes a meter that stops at limit, USD; nil never stops.
func NewMeter(limit *decimal.Decimal) *Meter {
	return &Meter{limit: limit, spent: map[string]Spending{}}
}

// Carry counts what was spent before towards the limit. It is none of this meter's spending.
func (m *Meter) Carry(before decimal.Decimal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total = m.total.Add(before)
}

// Total is what has been spent, USD, with what was carried.
func (m *Meter) Total() decimal.Decimal {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// Spend is called before so many units at the unit price are used. It fails with fault.LimitReached, and counts nothing, when
// they would exceed the limit.
func (m *Meter) Spend(what string, units int64, unitPrice decimal.Decimal) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	amount := unitPrice.Mul(decimal.NewFromInt(units))
	if m.limit != nil && m.total.Add(amount).GreaterThan(*m.limit) {
		return fault.New(fault.LimitReached, "Reading stopped at the connection's limit of %s USD a run, after %s USD. The next run goes on; raise the limit to read more at once.", m.limit, m.total)
	}
	m.total = m.total.Add(amount)
	s := m.spent[what]
	m.spent[what] = Spending{What: what, Units: s.Units + units, Amount: s.Amount.Add(amount)}
	return nil
}

// Spent lists what has been spent, by kind.
func (m *Meter) Spent() []Spending {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.spent), func(a, b Spending) int { return cmp.Compare(a.What, b.What) })
}
