package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Part is a piece of what a base forecast is about. The parts of a scenario do not overlap and together are the whole.
type Part struct {
	Scopes []cost.Scope // the leaves of the bill that lie in it
	Points []Point      // its own forecast, for the days of the base
}

func (p Part) inside(s cost.Scope) bool { return slices.ContainsFunc(p.Scopes, s.Matches) }

// Change is one way in which the days to come could differ from what the base expects: a factor on a scope, or money that
// comes or goes.
type Change struct {
	Scope cost.Scope // what the factor is about; a part lies wholly in it or wholly outside
	// Factor is what a day's cost of the scope is multiplied by, 0 or more; nil multiplies nothing.
	Factor func(day time.Time) float64
	// Amounts come to a day, each multiplied by Weight.
	Amounts []Amount
	// Weight is how much of the amounts a day has; nil is all of them on every day.
	Weight func(day time.Time) float64
}

// Amount is money a day, in the base's currency. A positive one is new cost of the scope. A negative one is taken from what the
// scope still costs then, and never more than that.
type Amount struct {
	Scope cost.Scope
	Daily float64
}

// Growth multiplies a scope from a day on so that it grows by the share a month, 0.05 for 5 %, compounding by the day. A month
// is a twelfth of 365.25 days.
func Growth(scope cost.Scope, share float64, days cost.Period) Change {
	const month = 365.25 / 12
	return Change{Scope: scope, Factor: func(day time.Time) float64 {
		if day.Before(days.Start) {
			return 1
		}
		end := day.AddDate(0, 0, 1)
		if end.After(days.End) { // what has grown by then stays
			end = days.End
		}
		return math.Pow(1+share, float64(cost.Period{Start: days.Start, End: end}.Len())/month)
	}}
}

// Multiply multiplies a scope on the days of a period.
func Multiply(scope cost.Scope, factor float64, days cost.Period) Change {
	return Change{Scope: scope, Factor: func(day time.Time) float64 {
		if days.Contains(day) {
			return factor
		}
		return 1
	}}
}

// Add brings an amount to each day of a period, or takes it away.
func Add(scope cost.Scope, daily float64, days cost.Period) Change {
	return Change{Amounts: []Amount{{scope, daily}}, Weight: func(day time.Time) float64 {
		if days.Contains(day) {
			return 1
		}
		return 0
	}}
}

// PhaseIn brings amounts a little at a time: an equal part more on each of so many days from the first one on, and all of them
// from then on.
func PhaseIn(amounts []Amount, first time.Time, days int) Change {
	return Change{Amounts: amounts, Weight: func(day time.Time) float64 {
		passed := cost.Period{Start: first, End: day}.Len() + 1
		if day.Before(first) {
			return 0
		}
		return min(1, float64(passed)/float64(max(1, days)))
	}}
}

// Scenario is a base forecast with changes.
type Scenario struct {
	Points  []Point  `json:"points"`
	Months  []Sum    `json:"months"`
	Next30  *Sum     `json:"next_30"`
	Next90  *Sum     `json:"next_90"`
	Effects []Effect `json:"effects"` // one a change, in their order; with the base they add up to the scenario
}

// Effect is what one change adds to what the base and the changes before it expect; negative where it takes away.
type Effect struct {
	Months []EffectSum `json:"months"`
	Next30 *EffectSum  `json:"next_30"`
	Next90 *EffectSum  `json:"next_90"`
	// NotTaken is what a change was to take away over all days and could not, because the cost was gone already; nil for none.
	NotTaken *cost.Money `json:"not_taken,omitempty"`
}

// EffectSum is what a change adds over a period.
type EffectSum struct {
	Period cost.Period `json:"period"`
	Amount cost.Money  `json:"amount"`
}

// Play applies changes to a base forecast, in their order: what grows has what was added before grow along, and nothing is
// taken away twice. Without a change the scenario is the base to the last digit.
//
// The parts are brought to what the base expects: what they miss or exceed it by is shared out by their size.
//
// A factor on everything scales the intervals, and money that comes or goes moves them. Where parts grow unequally, the scenario
// is the base times the least factor, plus the parts by which they exceed it; the widths of these are added up, as if their
// errors went together, which is never too narrow.
func Play(base Forecast, parts []Part, changes []Change) Scenario {
	b := newBoard(base, parts)
	effects := make([]daily, len(changes))
	for i, c := range changes {
		effects[i] = b.apply(c)
	}
	return b.scenario(base, effects)
}

// daily is what a change added to each day, and what it could not take.
type daily struct{ added, short []float64 }

// board holds the parts while changes are applied to them. Money that came is a part as well, without errors of its own.
type board struct {
	days   []time.Time
	pieces []*piece
}

type piece struct {
	Part

	mean   []float64
	factor []float64
}

func newBoard(base Forecast, parts []Part) *board {
	b := &board{}
	for _, p := range base.Points {
		b.days = append(b.days, p.Day)
	}
	for _, p := range parts {
		next := &piece{Part: p, mean: make([]float64, len(b.days)), factor: repeat(1, len(b.days))}
		for t := range b.days {
			next.mean[t] = p.Points[t].Mean
		}
		b.pieces = append(b.pieces, next)
	}
	for t := range b.days {
		b.reconcile(t, base.Points[t].Mean)
	}
	return b
}

// reconcile lets the parts of a day sum to the base.
func (b *board) reconcile(t int, whole float64) {
	sum, size := 0.0, 0.0
	for _, p := range b.pieces {
		sum += p.mean[t]
		size += math.Abs(p.mean[t])
	}
	for _, p := range b.pieces {
		share := 1 / float64(len(b.pieces))
		if size > 0 {
			share = math.Abs(p.mean[t]) / size
		}
		p.mean[t] += (whole - sum) * share
	}
}

func (b *board) apply(c Change) daily {
	d := daily{added: make([]float64, len(b.days)), short: make([]float64, len(b.days))}
	if c.Factor != nil {
		for _, p := range b.pieces {
			if !p.inside(c.Scope) {
				continue
			}
			for t, day := range b.days {
				f := c.Factor(day)
				d.added[t] += p.mean[t] * (f - 1)
				p.mean[t] *= f
				p.factor[t] *= f
			}
		}
	}
	for _, a := range c.Amounts {
		var fresh *piece
		if a.Daily > 0 {
			fresh = &piece{Part: Part{Scopes: []cost.Scope{a.Scope}}, mean: make([]float64, len(b.days)), factor: repeat(1, len(b.days))}
		}
		for t, day := range b.days {
			amount := a.Daily
			if c.Weight != nil {
				amount *= c.Weight(day)
			}
			if fresh != nil {
				fresh.mean[t] = amount
				d.added[t] += amount
				continue
			}
			taken := b.take(t, a.Scope, -amount)
			d.added[t] -= taken
			d.short[t] += -amount - taken
		}
		if fresh != nil {
			b.pieces = append(b.pieces, fresh)
		}
	}
	return d
}

// take takes an amount away from what the scope costs on a day, from each part by its size, and tells how much there was.
func (b *board) take(t int, s cost.Scope, amount float64) float64 {
	there := 0.0
	for _, p := range b.pieces {
		if p.inside(s) {
			there += max(0, p.mean[t])
		}
	}
	amount = min(amount, there)
	if amount <= 0 {
		return 0
	}
	for _, p := range b.pieces {
		if p.inside(s) && p.mean[t] > 0 {
			p.mean[t] -= amount * (p.mean[t] / there)
		}
	}
	return amount
}
