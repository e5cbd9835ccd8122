package recommend

import (
	"fmt"
	"math"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// spare is how much more than the 99th percentile a new volume type must do.
const spare = 1.25

// volumeType finds volumes whose use a cheaper type carries.
var volumeType = Rule{
	Name: "volume-type", Subcategory: "Modernization", Action: plan.ChangeVolumeType,
	Effort:      Rating{1, "The volume is changed while it is in use."},
	Undo:        Rating{0.95, "It can be undone: the volume goes back to its type."},
	Disturbance: 0.1,
	judge:       judgeVolumeType,
	tell: func(group []*candidate) (string, string) {
		first := group[0]
		from, to := first.target.Before[resource.AttrVolumeType], first.target.After[resource.AttrVolumeType]
		return fmt.Sprintf("Change %s from %s to %s", described(group, "volume"), from, to),
			fmt.Sprintf("%s costs less than %s and carries what these volumes were seen to do, with a quarter to spare.", to, from)
	},
	together: func(c *candidate) string {
		return togetherness(c, c.target.Before[resource.AttrVolumeType], c.target.After[resource.AttrVolumeType])
	},
}

func judgeVolumeType(e *estate, r Observed) (*candidate, string) {
	if r.Type != resource.Volume {
		return nil, ""
	}
	move, ok := moveOf(r.Cloud, r.Attributes[resource.AttrVolumeType])
	if !ok {
		return nil, ""
	}
	gib, ok := number(r.Attributes, resource.AttrGiB)
	if !ok {
		return nil, "Its size is not known."
	}
	use, refusal := e.volumeUse(r, move.own(gib))
	if refusal != "" {
		return nil, refusal
	}
	next, refusal := move.performing(use.need, gib)
	if refusal != "" {
		return nil, refusal
	}
	was, ok := e.book.volume(r.Region, move.from, gib, performance{}, performance{})
	if !ok {
		return nil, fmt.Sprintf("The price of %s in %s is not known.", move.from, r.Region)
	}
	will, ok := e.book.volume(r.Region, move.to, gib, next, move.included(gib))
	if !ok || will.Currency != was.Currency {
		return nil, fmt.Sprintf("The price of %s in %s is not known.", move.to, r.Region)
	}
	if !will.Amount.LessThan(was.Amount) {
		return nil, fmt.Sprintf("It needs %.0f IOPS and %.0f MiB/s, with which %s would cost %s a month, not less than %s.", next.iops, next.mibps, move.to, will, was)
	}
	spend, source := was, FromPriceList
	if rate, ok := e.Rates[r.ID]; ok {
		spend, source = rate.Monthly, FromBill
	}
	load := 100 * max(use.iops.P99/next.iops, use.mibps.P99/next.mibps)
	c := &candidate{
		resource: r, cost: spend, saving: effective(spend.Amount.Sub(spend.Amount.Mul(will.Amount.DivRound(was.Amount, 12))), spend.Currency),
		source: source, target: e.retyped(r, move, next), load: &load, days: use.iops.Days,
		measures: []measure{
			{"disk_iops p99", use.iops.P99, "IOPS", "It did at most %s in 99 of 100 samples."},
			{"iops after", next.iops, "IOPS", "After the change it can do %s."},
			{"throughput after", next.mibps, "MiB/s", "After the change it can move %s."},
		},
		warnings: []string{move.warning}, doubts: use.doubts,
	}
	return c, ""
}

// volumeUse is what a volume was seen to need.
type volumeUse struct {
	need        performance
	iops, mibps Stats
	doubts      []string
}

// volumeUse reads the use of a volume. A throughput that is not measured is taken to be all that the volume can do.
func (e *estate) volumeUse(r Observed, own performance) (use volumeUse, refusal string) {
	var ok bool
	if use.iops, ok = e.usage(r.ID, resource.DiskOps); !ok && r.Attributes[resource.AttrAttachedTo] == "" {
		return use, "It is attached to nothing and has no use to judge by; whether it is needed at all is for the rule " + idleVolumeName + "."
	} else if !ok {
		return use, "What it reads and writes is not known."
	}
	if use.iops.Days < LeastDays {
		return use, fmt.Sprintf("It has been observed as it is for %d days only; %d are needed.", use.iops.Days, LeastDays)
	}
	can := ownPerformance(r, own)
	use.need = performance{min(wanted(use.iops), can.iops), can.mibps}
	if use.mibps, ok = e.usage(r.ID, resource.DiskBytes); ok {
		use.need.mibps = min(wanted(use.mibps), can.mibps)
	} else {
		use.doubts = append(use.doubts, "its throughput is not measured")
	}
	return use, ""
}

// wanted is what a volume must be able to do: its 99th percentile with some to spare, and its peak.
func wanted(s Stats) float64 { return max(spare*s.P99, s.Max) }

// ownPerformance is what the inventory says that the volume can do, else what its type does.
func ownPerformance(r Observed, own performance) performance {
	if iops, ok := number(r.Attributes, resource.AttrIOPS); ok {
		own.iops = iops
	}
	if mibps, ok := number(r.Attributes, resource.AttrThroughput); ok {
		own.mibps = mibps
	}
	return own
}

// performing is what the new type is set to: what it includes, and more where that is needed and can be bought.
func (m volumeMove) performing(need performance, gib float64) (performance, string) {
	p := m.included(gib)
	most := p
	if m.buyable != nil {
		most = *m.buyable
	}
	if need.iops > most.iops || need.mibps > most.mibps {
		return p, fmt.Sprintf("It needs %.0f IOPS and %.0f MiB/s; %s of its size does at most %.0f IOPS and %.0f MiB/s.", need.iops, need.mibps, m.to, most.iops, most.mibps)
	}
	return performance{max(p.iops, math.Ceil(need.iops/100)*100), max(p.mibps, math.Ceil(need.mibps))}, ""
}

// retyped is the target of the plan. Performance is written where it is chosen, or where the cloud shows it.
func (e *estate) retyped(r Observed, move volumeMove, next performance) plan.Target {
	state := before(plan.ChangeVolumeType, r)
	set := map[string]string{resource.AttrVolumeType: move.to}
	for name, value := range map[string]float64{resource.AttrIOPS: next.iops, resource.AttrThroughput: next.mibps} {
		if _, shown := state[name]; shown || move.buyable != nil {
			set[name] = strconv.FormatFloat(value, 'f', -1, 64)
		}
	}
	t := plan.Target{Ref: r.Ref, Before: state, After: becoming(state, set)}
	if id := r.Attributes[resource.AttrAttachedTo]; id != "" {
		t.Watch = []resource.Ref{{Cloud: r.Cloud, Account: r.Account, Region: r.Region, Type: resource.Instance, ID: id}}
	}
	return t
}

// volume is what a volume costs a month at list price: its size, and the performance above what is included. It reports
// false when any price that is needed is missing.
func (b priceBook) volume(region, kind string, gib float64, does, included performance) (cost.Money, bool) {
	base, ok := b.find(region, resource.Volume, kind, perGiBMonth)
	if !ok {
		return cost.Money{}, false
	}
	sum := base.Amount.Mul(exact(gib))
	for _, extra := range []struct {
		unit   string
		amount float64
	}{{perIOPSMonth, does.iops - included.iops}, {perMiBpsMonth, does.mibps - included.mibps}} {
		if extra.amount <= 0 {
			continue
		}
		price, ok := b.find(region, resource.Volume, kind, extra.unit)
		if !ok || price.Currency != base.Currency {
			return cost.Money{}, false
		}
		sum = sum.Add(price.Amount.Mul(exact(extra.amount)))
	}
	return effective(sum, base.Currency), true
}

// volumeCost is what a volume costs a month: from the bill, else at list price when the type includes what it does.
func (e *estate) volumeCost(r Observed) (cost.Money, Source, string) {
	if rate, ok := e.Rates[r.ID]; ok {
		return rate.Monthly, FromBill, ""
	}
	gib, _ := number(r.Attributes, resource.AttrGiB)
	kind := r.Attributes[resource.AttrVolumeType]
	price, ok := e.book.find(r.Region, resource.Volume, kind, perGiBMonth)
	if !ok {
		return cost.Money{}, "", fmt.Sprintf("The bill does not show it, and the price of %s in %s is not known.", kind, r.Region)
	}
	return effective(price.Amount.Mul(decimal.NewFromFloat(gib)), price.Currency), FromPriceList, ""
}
