package vultr

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

const (
	// places is to how many decimals a share is rounded; the last share takes the rest, so that all of them are exactly the whole.
	places = 8
	day    = 24 * time.Hour
)

// share is what one UTC day, or the part of it that the period is, has of an item.
type share struct {
	Period cost.Period     `json:"period"`
	Money  decimal.Decimal `json:"money"` // USD
	Units  decimal.Decimal `json:"units"`
}

// spread divides money and units over the days of the period, in proportion to time.
func spread(p cost.Period, money, units decimal.Decimal) []share {
	whole := decimal.NewFromInt(int64(p.End.Sub(p.Start)))
	var shares []share
	var paid, used decimal.Decimal // by the days before
	for start := p.Start; start.Before(p.End); {
		end := cost.Day(start).Add(day)
		if end.After(p.End) {
			end = p.End
		}
		elapsed := decimal.NewFromInt(int64(end.Sub(p.Start)))
		upTo := func(all decimal.Decimal) decimal.Decimal {
			if end.Equal(p.End) {
				return all
			}
			return all.Mul(elapsed).DivRound(whole, places)
		}
		shares = append(shares, share{cost.Period{Start: start, End: end}, upTo(money).Sub(paid), upTo(units).Sub(used)})
		paid, used, start = upTo(money), upTo(units), end
	}
	return shares
}

// join adds later shares to those of the days before. A day stays one share.
func join(shares, later []share) []share {
	out := slices.Clone(shares)
	for _, s := range later {
		at := slices.IndexFunc(out, func(o share) bool { return cost.Day(o.Period.Start).Equal(cost.Day(s.Period.Start)) })
		if at < 0 {
			out = append(out, s)
			continue
		}
		o := &out[at]
		o.Money, o.Units = o.Money.Add(s.Money), o.Units.Add(s.Units)
		if s.Period.Start.Before(o.Period.Start) {
			o.Period.Start = s.Period.Start
		}
		if s.Period.End.After(o.Period.End) {
			o.Period.End = s.Period.End
		}
	}
	return out
}
