package demo

import (
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// Bill is what the agent says one provider billed over all time.
type Bill struct {
	Rows int64
	Sums map[cost.Basis]decimal.Decimal
}

// Bills holds what was loaded to what was billed, to the last decimal.
func (c *Checks) Bills(bills map[string]Bill, truth sandbox.Truth) {
	for _, t := range truth.Bills {
		got := bills[t.Provider]
		c.Hold(got.Rows == int64(t.Rows), "rows of "+t.Provider, "%d, but truly %d", got.Rows, t.Rows)
		for basis, want := range map[cost.Basis]decimal.Decimal{cost.Billed: t.Billed, cost.Effective: t.Effective, cost.List: t.List, cost.Contracted: t.Contracted} {
			c.Hold(got.Sums[basis].Equal(want), string(basis)+" cost of "+t.Provider, "%s, but truly %s", got.Sums[basis], want)
		}
	}
}
