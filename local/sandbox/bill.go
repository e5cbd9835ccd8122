package sandbox

import (
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// delay is how late each cloud writes its bill.
var delay = map[resource.Cloud]time.Duration{
	resource.AWS: 12 * time.Hour, resource.GCP: 18 * time.Hour, resource.Azure: 20 * time.Hour, resource.Vultr: 10 * time.Hour,
}

const (
	// settled is how long after its end a day may still be restated: by-use services are first billed short.
	settled = 48 * time.Hour
	// short is the part of a by-use service that the bill shows until then.
	short = 0.94
	// invoiced is how long after its end a month gets its invoice number.
	invoiced = 4 * 24 * time.Hour
)

// FinalBefore is the first day that a bill collected at now may still restate; all days before it are final.
func FinalBefore(now time.Time) time.Time { return midnight(now.Add(-settled)) }

// biller writes the bill of one cloud and one month.
type biller struct {
	v     *view
	cloud resource.Cloud
	until time.Time // what happened later is not on the bill yet
	month cost.Period
	memo  map[memoKey][]charge
}

type memoKey struct {
	region string
	typ    resource.Type
	form   form
	span   time.Duration
}

// bill streams the rows of the month in a fixed order until yield says stop.
func (v *view) bill(cloud resource.Cloud, month time.Time, yield func(focus.Row) bool) {
	b := &biller{v: v, cloud: cloud, until: v.now.Add(-delay[cloud]).Truncate(time.Hour), month: cost.Month(month), memo: map[memoKey][]charge{}}
	for day := later(b.month.Start, v.base.Start); day.Before(b.month.End) && day.Before(b.until); day = day.AddDate(0, 0, 1) {
		if !b.day(cost.Days(day, 1), yield) {
			return
		}
	}
}

func (b *biller) day(day cost.Period, yield func(focus.Row) bool) bool {
	end := earlier(day.End, b.until)
	plan := newCommitment(b.cloud, end.Sub(day.Start))
	for _, it := range b.v.items {
		if it.ref.Cloud == b.cloud && !b.item(it, day, end, plan, yield) {
			return false
		}
	}
	for _, m := range b.v.meters {
		if m.cloud == b.cloud && !yield(b.metered(m, day, end)) {
			return false
		}
	}
	for _, row := range append(b.fees(day), plan.rows(b, day)...) {
		if !yield(row) {
			return false
		}
	}
	return true
}

// item bills one resource for the part of the day before end.
func (b *biller) item(it *item, day cost.Period, end time.Time, plan *commitment, yield func(focus.Row) bool) bool {
	for _, s := range b.v.spans(it, day.Start, end) {
		length := it.billed(s)
		if length <= 0 {
			continue
		}
		for _, c := range b.charges(it, s.form, length) {
			row := b.row(day, it.ref.Account, it.ref.Region, c)
			row.ResourceID, row.ResourceName, row.ResourceType, row.Tags = it.ref.ID, it.name, string(it.ref.Type), it.tags
			row.AvailabilityZone = zone(it.ref)
			if it.covered && it.ref.Type == resource.Instance {
				for _, part := range plan.cover(row, c) {
					if !yield(part) {
						return false
					}
				}
				continue
			}
			if !yield(row) {
				return false
			}
		}
	}
	return true
}

func (b *biller) charges(it *item, f form, length time.Duration) []charge {
	f.attachedTo, f.detachedAt = "", "" // cost nothing
	key := memoKey{it.ref.Region, it.ref.Type, f, length}
	if known, ok := b.memo[key]; ok {
		return known
	}
	out := charges(it, f, hoursIn(length))
	b.memo[key] = out
	return out
}

// billed is how long the resource is charged for in the span.
func (it *item) billed(s span) time.Duration {
	if it.ref.Type == resource.Instance && it.runs != always {
		return it.runs.within(s.from, s.to)
	}
	return s.to.Sub(s.from)
}

// within is how long the schedule runs between from and to.
func (s schedule) within(from, to time.Time) time.Duration {
	var sum time.Duration
	for hour := from.Truncate(time.Hour); hour.Before(to); hour = hour.Add(time.Hour) {
		if !s.on(hour) {
			continue
		}
		sum += earlier(hour.Add(time.Hour), to).Sub(later(from, hour))
	}
	return sum
}

// metered bills a by-use service. Until the day has settled the provider has not counted all of it.
func (b *biller) metered(m meter, day cost.Period, end time.Time) focus.Row {
	usd := b.v.amount(m, day.Start) * end.Sub(day.Start).Hours() / 24
	if !day.Start.Before(FinalBefore(b.v.now)) {
		usd *= short
	}
	price := decimal.RequireFromString(m.unitPrice)
	quantity := decimal.NewFromFloat(math.Max(usd, 0)).DivRound(price, 4)
	row := b.row(day, m.account, m.region, charge{m.service, m.category, m.subcategory, m.name, m.name, m.unit, quantity, price})
	if m.discount != "" {
		left := decimal.NewFromInt(1).Sub(decimal.RequireFromString(m.discount))
		row.ContractedUnitPrice = decimal.NewNullDecimal(price.Mul(left))
		row.ContractedCost = row.ListCost.Mul(left)
		row.BilledCost, row.EffectiveCost = row.ContractedCost, row.ContractedCost
	}
	row.ResourceID, row.ResourceType = m.resourceID, m.resourceType
	row.Tags = map[string]string{"application": m.app}
	if m.deploys {
		row.Tags["deploy"] = b.v.release(day.Start)
	}
	return row
}
