package forecast

import (
	"math"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// widths are the distances from the mean to the four bounds of a day or a sum.
type widths [4]float64

func (p Point) widths() widths {
	return widths{p.Mean - p.Low80, p.High80 - p.Mean, p.Mean - p.Low95, p.High95 - p.Mean}
}

func (w *widths) add(other widths, times float64) {
	for k := range w {
		w[k] += other[k] * times
	}
}

// scenario sums up.
func (b *board) scenario(base Forecast, effects []daily) Scenario {
	s := Scenario{Points: make([]Point, len(base.Points)), Months: []Sum{}, Effects: make([]Effect, len(effects))}
	least := math.Inf(-1)
	if !anyBelowZero(base.Points) {
		least = 0
	}
	before, after := make([]widths, len(base.Points)), make([]widths, len(base.Points))
	for t, p := range base.Points {
		before[t] = p.widths()
		after[t] = b.widthsOf(t, before[t])
		delta := 0.0
		for _, e := range effects {
			delta += e.added[t]
		}
		wider := func(k int) float64 { return after[t][k] - before[t][k] }
		cut := func(v float64) float64 { return max(least, v) }
		s.Points[t] = Point{
			Day: p.Day, Mean: cut(p.Mean + delta), Low80: cut(p.Low80 + delta - wider(0)), High80: cut(p.High80 + delta + wider(1)),
			Low95: cut(p.Low95 + delta - wider(2)), High95: cut(p.High95 + delta + wider(3)),
		}
	}
	for i := range effects {
		s.Effects[i] = Effect{Months: []EffectSum{}, NotTaken: effects[i].notTaken(base)}
	}
	sum := func(of Sum, keep func(*Effect, EffectSum)) Sum {
		from, to := days(base, of.Period)
		delta := decimal.Zero
		for i, e := range effects {
			amount := decimal.NewFromFloat(total(e.added[from:to])).Round(2)
			delta = delta.Add(amount)
			keep(&s.Effects[i], EffectSum{of.Period, cost.Money{Amount: amount, Currency: base.Currency, Basis: base.Basis}})
		}
		return of.moved(delta, total4(before[from:to]), total4(after[from:to]), least)
	}
	for _, m := range base.Months {
		s.Months = append(s.Months, sum(m, func(e *Effect, v EffectSum) { e.Months = append(e.Months, v) }))
	}
	if base.Next30 != nil {
		next := sum(*base.Next30, func(e *Effect, v EffectSum) { e.Next30 = &v })
		s.Next30 = &next
	}
	if base.Next90 != nil {
		next := sum(*base.Next90, func(e *Effect, v EffectSum) { e.Next90 = &v })
		s.Next90 = &next
	}
	return s
}

// widthsOf are the widths of a day with the changes.
func (b *board) widthsOf(t int, base widths) widths {
	least := math.Inf(1)
	for _, p := range b.pieces {
		if p.counts(t) {
			least = min(least, p.factor[t])
		}
	}
	if math.IsInf(least, 1) {
		return base
	}
	var out widths
	out.add(base, least)
	for _, p := range b.pieces {
		if over := p.factor[t] - least; over > 0 && p.counts(t) {
			out.add(p.Points[t].widths(), over)
		}
	}
	return out
}

// counts reports whether the part had anything to be wrong about on a day.
func (p *piece) counts(t int) bool {
	return t < len(p.Points) && (p.Points[t].Mean != 0 || p.Points[t].widths() != widths{})
}

// moved is the sum with an amount more, and intervals as much wider as those of its days are.
func (s Sum) moved(by decimal.Decimal, before, after widths, least float64) Sum {
	out := s
	out.Mean.Amount = s.Mean.Amount.Add(by)
	bound := func(of cost.Money, k int) cost.Money {
		width := of.Amount.Sub(s.Mean.Amount)
		switch {
		case after[k] == before[k]: // to the last digit
		case before[k] > 0:
			width = width.Mul(decimal.NewFromFloat(after[k] / before[k])).Round(2)
		default:
			sign := float64(2*(k%2) - 1)
			width = decimal.NewFromFloat(sign * after[k]).Round(2)
		}
		of.Amount = out.Mean.Amount.Add(width)
		if least == 0 && of.Amount.LessThan(s.Settled.Amount) {
			of.Amount = s.Settled.Amount
		}
		return of
	}
	out.Low80, out.High80, out.Low95, out.High95 = bound(s.Low80, 0), bound(s.High80, 1), bound(s.Low95, 2), bound(s.High95, 3)
	return out
}

// notTaken is what a change could not take away; less than a cent is nothing.
func (d daily) notTaken(base Forecast) *cost.Money {
	m := cost.Money{Amount: decimal.NewFromFloat(total(d.short)).Round(2), Currency: base.Currency, Basis: base.Basis}
	if !m.Amount.IsPositive() {
		return nil
	}
	return &m
}

// days are the positions of a period among the points of a forecast.
func days(f Forecast, p cost.Period) (from, to int) {
	if len(f.Points) == 0 {
		return 0, 0
	}
	first := f.Points[0].Day
	return max(0, cost.Period{Start: first, End: p.Start}.Len()), min(len(f.Points), cost.Period{Start: first, End: p.End}.Len())
}

func anyBelowZero(points []Point) bool {
	for _, p := range points {
		if p.Low95 < 0 {
			return true
		}
	}
	return false
}

func total(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum
}

func total4(all []widths) widths {
	var sum widths
	for _, w := range all {
		sum.add(w, 1)
	}
	return sum
}
