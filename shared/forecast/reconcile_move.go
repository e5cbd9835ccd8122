package forecast

import (
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Moved is the forecast with the mean of each day moved. The intervals go with it and keep their widths, but a cost that was not
// expected to become negative is not by having moved. f itself stays as it is; without by it is f.
func (f Forecast) Moved(by []float64) Forecast {
	if len(by) != len(f.Points) || !slices.ContainsFunc(by, func(v float64) bool { return v != 0 }) {
		return f
	}
	points := f.Points
	f.Points = make([]Point, len(points))
	for i, p := range points {
		f.Points[i] = p.moved(by[i])
	}
	f.Months = slices.Clone(f.Months)
	for i := range f.Months {
		f.Months[i] = *f.Months[i].withDays(points, f.Points)
	}
	f.Next30, f.Next90 = f.Next30.withDays(points, f.Points), f.Next90.withDays(points, f.Points)
	return f
}

// moved keeps the distance of the upper edges on both sides: the lower ones may have been cut at nothing.
func (p Point) moved(by float64) Point {
	least := math.Inf(-1)
	if p.Low95 >= 0 {
		least = 0
	}
	half80, half95 := p.High80-p.Mean, p.High95-p.Mean
	p.Mean += by
	p.Low80, p.Low95 = min(max(least, p.Mean-half80), p.Mean), min(max(least, p.Mean-half95), p.Mean)
	p.High80, p.High95 = p.Mean+half80, p.Mean+half95
	return p
}

// withDays is the sum after its days have moved; nil stays nil.
func (s *Sum) withDays(before, after []Point) *Sum {
	if s == nil {
		return nil
	}
	by, mean, least := 0.0, 0.0, 0.0
	for i, p := range after {
		if s.Period.Contains(p.Day) {
			by += p.Mean - before[i].Mean
			mean += p.Mean
			least += p.Low95
		}
	}
	out := *s
	cents := func(v float64) decimal.Decimal { return decimal.NewFromFloat(v).Round(2) }
	out.Mean.Amount = s.Settled.Amount.Add(cents(mean))
	floor := s.Settled.Amount.Add(cents(least))
	for _, edge := range []*cost.Money{&out.Low80, &out.Low95} {
		edge.Amount = decimal.Min(decimal.Max(edge.Amount.Add(cents(by)), floor), out.Mean.Amount)
	}
	for _, edge := range []*cost.Money{&out.High80, &out.High95} {
		edge.Amount = decimal.Max(edge.Amount.Add(cents(by)), out.Mean.Amount)
	}
	return &out
}
