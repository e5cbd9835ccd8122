package sandbox

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// dimensions of a row, as a scope names them.
func dimensions(r focus.Row) cost.Scope {
	return cost.Scope{cost.Provider: r.ServiceProviderName, cost.Account: r.SubAccountID, cost.Service: r.ServiceName, cost.Region: r.RegionID,
		cost.Resource: r.ResourceID, cost.ChargeCategory: r.ChargeCategory, cost.Tag("application"): r.Tags["application"]}
}

// dailyCost is the scope's effective cost by day, USD, over the last half year.
func dailyCost(t testing.TB, e *Estate, scope cost.Scope) map[time.Time]float64 {
	t.Helper()
	out := map[time.Time]float64{}
	for _, cloud := range resource.Clouds {
		if cloud.BillName() != scope[cost.Provider] {
			continue
		}
		for _, month := range (cost.Period{Start: e.base.Today.AddDate(0, -6, 0), End: e.base.Today}).Months() {
			for _, r := range rows(t, e, cloud, month.Start) {
				if scope.Matches(dimensions(r)) {
					out[r.ChargePeriod.Start] += r.EffectiveCost.InexactFloat64()
				}
			}
		}
	}
	return out
}

func median(days map[time.Time]float64, from, to time.Time) float64 {
	var all []float64
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		all = append(all, days[day])
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// TestPlantedAnomaliesAreInTheBill looks at each in the daily cost of its scope: the days before, the days of it, and the
// days after.
func TestPlantedAnomaliesAreInTheBill(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	final := FinalBefore(e.clock.Now())
	for _, p := range e.view().planted() {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			days := dailyCost(t, e, p.Scope)
			first, end := p.From, p.To
			if end.IsZero() {
				end = final
			}
			if p.Kind == NewSpend || p.Kind == Vanished {
				first = first.AddDate(0, 0, 1) // the first whole day
			}
			before := median(days, p.From.AddDate(0, 0, -21), p.From)
			during := median(days, first, end)
			if eve := days[p.From.AddDate(0, 0, -1)]; math.Abs(eve-p.Usual.InexactFloat64()) > 0.01 {
				t.Errorf("the day before cost %.2f, the truth says %s", eve, p.Usual)
			}
			switch p.Kind {
			case Spike, Level:
				if during < 1.7*before {
					t.Errorf("from %.2f to %.2f a day", before, during)
				}
			case Ramp:
				if last := days[end.AddDate(0, 0, -1)]; last < 2.5*before || last < 1.3*during {
					t.Errorf("from %.2f through %.2f to %.2f a day", before, during, last)
				}
			case Drop:
				if during > 0.4*before {
					t.Errorf("from %.2f to %.2f a day", before, during)
				}
			case NewSpend:
				if before != 0 || during < 100 {
					t.Errorf("from %.2f to %.2f a day", before, during)
				}
			case Vanished:
				if before < 20 || during != 0 {
					t.Errorf("from %.2f to %.2f a day", before, during)
				}
			}
			if !p.To.IsZero() {
				if after := median(days, p.To, p.To.AddDate(0, 0, 7)); after < 0.7*before || after > 1.4*before {
					t.Errorf("from %.2f, and then %.2f a day", before, after)
				}
			}
		})
	}
}

// TestLastingAnomaliesLast over the days that are still to come.
func TestLastingAnomaliesLast(t *testing.T) {
	t.Parallel()
	v := open(t, Options{}).view()
	next := midnight(v.base.Today).AddDate(0, 0, 5)
	for _, d := range deviations() {
		m := v.meter(d.meter)
		more := v.amount(m, next) - m.amount(v.base, next)
		if lasting := d.to == 0; lasting && more < 80 || !lasting && more != 0 {
			t.Errorf("%s: five days on it is %.2f a day more", d.id, more)
		}
	}
}

// TestImpactIsWhatTheBillSays: of an anomaly that is over, the impact is the cost of its days less the usual cost.
func TestImpactIsWhatTheBillSays(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	n := 0
	for _, p := range e.view().planted() {
		if p.To.IsZero() || p.Kind == Drop {
			continue
		}
		n++
		days := dailyCost(t, e, p.Scope)
		sum, count := 0.0, 0.0
		for day := p.From; day.Before(p.To); day = day.AddDate(0, 0, 1) {
			sum += days[day]
			count++
		}
		usual := median(days, p.From.AddDate(0, 0, -21), p.From) * count
		if impact := p.Impact.InexactFloat64(); sum-usual < 0.8*impact || sum-usual > 1.2*impact {
			t.Errorf("%s: the bill says %.2f above usual, the truth %.2f", p.ID, sum-usual, impact)
		}
	}
	if n != 4 {
		t.Errorf("%d anomalies are over", n)
	}
}

func TestUsualMovementsAreInTheBill(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	for _, u := range usuals() {
		days := dailyCost(t, e, u.Scope)
		lowest, highest := 1e9, 0.0
		for day := e.base.Today.AddDate(0, 0, -60).Truncate(24 * time.Hour); day.Before(FinalBefore(e.clock.Now())); day = day.AddDate(0, 0, 1) {
			lowest, highest = min(lowest, days[day]), max(highest, days[day])
		}
		if highest < 1.5*lowest || highest == 0 {
			t.Errorf("%q: between %.2f and %.2f a day", u.Text, lowest, highest)
		}
	}
}
