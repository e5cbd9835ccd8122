package cost

import (
	"time"

	"github.com/shopspring/decimal"
)

// Grain is the length of the steps an answer is cut into.
type Grain string

// The grains.
const (
	Total   Grain = "total" // one step for the whole period
	Daily   Grain = "daily"
	Monthly Grain = "monthly"
)

// Query asks for sums of cost by usage date (ChargePeriodStart).
type Query struct {
	Period  Period
	Basis   Basis
	Grain   Grain
	GroupBy []Dimension            // at most four; currency always groups on top
	Filter  map[Dimension][]string // any of the values; dimensions are and-ed
	Limit   int                    // at most so many groups, those that are the most expensive over the period, each with all its steps; 0 is no limit
}

// Group is one sum of an answer.
type Group struct {
	Scope    Scope           // the values of GroupBy
	Start    time.Time       // first day of the step
	Amount   decimal.Decimal // of Query.Basis
	Currency Currency
	Rows     int64 // cost rows behind the sum
}
