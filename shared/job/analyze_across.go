package job

import (
	"math"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// cross brings the forecasts of what crosses the tree, accounts and regions, to the sum of their leaves as the tree has reconciled
// them: so every cut of a provider sums to the provider, and an account to what its services cost in it. What stands for several
// leaves is divided by what these cost lately.
func cross(branches []branch, forecasts []Forecast) {
	finest := map[string]outlet{}
	for i, b := range branches {
		if b.level != LeafLevel {
			continue
		}
		of := i
		if b.same >= 0 {
			of = b.same
		}
		all := recentCosts(b.leaves)
		for _, s := range b.leaves {
			share := 1 / float64(len(b.leaves))
			if all > 0 {
				share = recentCost(s) / all
			}
			finest[keyOf(s)] = outlet{&forecasts[of], share}
		}
	}
	for i, b := range branches {
		if !b.across || b.same >= 0 {
			continue
		}
		f := &forecasts[i]
		f.Moves = make([]float64, len(f.Points))
		for k, p := range f.Points {
			f.Moves[k] = -p.Mean
			for _, s := range b.leaves {
				f.Moves[k] += finest[keyOf(s)].on(s, p.Day)
			}
		}
	}
}

func keyOf(s cost.Series) string { return s.Scope.String() + "\x00" + string(s.Currency) }

// outlet is the reconciled forecast that a leaf is a part of.
type outlet struct {
	forecast *Forecast
	share    float64
}

// on is what a leaf costs on a day: what is settled, or its share of what is expected.
func (o outlet) on(s cost.Series, day time.Time) float64 {
	points := o.forecast.Points
	if len(points) == 0 || day.Before(points[0].Day) {
		if i := s.Index(day); i >= 0 && i < len(s.Values) && !math.IsNaN(s.Values[i]) {
			return s.Values[i]
		}
		return 0
	}
	i := cost.Period{Start: points[0].Day, End: day}.Len()
	if i >= len(points) {
		return 0
	}
	return o.share * (points[i].Mean + o.forecast.Moves[i])
}
