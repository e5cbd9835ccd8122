package sandbox

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Kind is how the cost of a scope left its path.
type Kind string

// The kinds.
const (
	Spike    Kind = "spike"     // a day or a few, then back
	Level    Kind = "level"     // higher from a day on
	Ramp     Kind = "ramp"      // more every day
	Drop     Kind = "drop"      // lower for some days
	NewSpend Kind = "new-spend" // a cost that was not there before
	Vanished Kind = "vanished"  // a cost that is no longer there
)

// deviation is an anomaly planted in a meter.
type deviation struct {
	id, meter string
	kind      Kind
	from, to  int     // days before today, to is the last day; 0 is: until now
	add       float64 // USD a day; of a ramp: more with every day
	most      float64 // of a ramp: USD a day at most
	factor    float64 // of a drop
	cause     string
}

func deviations() []deviation {
	return []deviation{
		{id: "nat-spike", meter: "nat-bytes", kind: Spike, from: 34, to: 32, add: 410, cause: "A backup job copied the media bucket through the NAT gateway instead of the gateway endpoint."},
		{id: "runaway-query", meter: "queries", kind: Spike, from: 22, to: 17, add: 720, cause: "A scheduled query lost its partition filter and scanned the whole table every hour."},
		{id: "log-level", meter: "logs-ingested", kind: Level, from: 55, add: 88, cause: "Release v2.41 of storefront went out with debug logging switched on."},
		{id: "request-ramp", meter: "media-requests", kind: Ramp, from: 29, add: 6.5, most: 150, cause: "A retry loop in the image importer lists the bucket more often every day."},
		{id: "bandwidth-drop", meter: "bandwidth", kind: Drop, from: 76, to: 70, factor: 0.22, cause: "The partner feed was down, nobody downloaded."},
		{id: "egress-spike", meter: "egress", kind: Spike, from: 12, to: 11, add: 245, cause: "A crawler fetched the whole catalogue twice."},
		{id: "overage-spike", meter: "overage", kind: Spike, from: 104, to: 101, add: 92, cause: "A mirror served a release to the public."},
	}
}

// deviate is what the cost of a whole day becomes.
func (d deviation) deviate(today, day time.Time, usd float64) float64 {
	from, to := midnight(today).AddDate(0, 0, -d.from), midnight(today).AddDate(0, 0, -d.to)
	if day.Before(from) || d.to > 0 && day.After(to) {
		return usd
	}
	switch d.kind {
	case Drop:
		return usd * d.factor
	case Ramp:
		return usd + min(d.most, d.add*float64(cost.Period{Start: from, End: day}.Len()+1))
	default:
		return usd + d.add
	}
}

// amount is the meter's cost on a whole day with what was planted.
func (v *view) amount(m meter, day time.Time) float64 {
	usd := m.amount(v.base, day)
	for _, d := range deviations() {
		if d.meter == m.name {
			usd = d.deviate(v.base.Today, day, usd)
		}
	}
	return usd
}

// release is the value of the deploy tag.
func (v *view) release(day time.Time) string {
	if day.Before(midnight(v.base.Today).AddDate(0, 0, -55)) {
		return "v2.40"
	}
	return "v2.41"
}

// Planted is an anomaly that is really in the bills.
type Planted struct {
	ID    string          `json:"id"`
	Kind  Kind            `json:"kind"`
	Scope cost.Scope      `json:"scope"` // the narrowest dimensions that hold it
	From  time.Time       `json:"from"`
	To    time.Time       `json:"to,omitzero"` // first day after it; zero: still going on
	Usual decimal.Decimal `json:"usual"`       // USD of the scope on the day before it began
	// Impact is effective cost less what it would have been, USD, from its beginning to its end or the estate's today.
	Impact decimal.Decimal `json:"impact"`
	Cause  string          `json:"cause"`
}

// Usual is a movement of the bill that looks like an anomaly and is none.
type Usual struct {
	Scope cost.Scope `json:"scope"`
	Text  string     `json:"text"`
}

// planted measures every anomaly.
func (v *view) planted() []Planted {
	var out []Planted
	today := midnight(v.base.Today)
	for _, d := range deviations() {
		m := v.meter(d.meter)
		p := Planted{ID: d.id, Kind: d.kind, Cause: d.cause, From: today.AddDate(0, 0, -d.from), Scope: m.scope()}
		end := today
		if d.to > 0 {
			end = today.AddDate(0, 0, 1-d.to)
			p.To = end
		}
		p.Usual = dollars(v.usual(p.Scope, p.From.AddDate(0, 0, -1)))
		impact := 0.0
		for day := p.From; day.Before(end); day = day.AddDate(0, 0, 1) {
			impact += v.amount(m, day) - m.amount(v.base, day)
		}
		p.Impact = dollars(impact)
		out = append(out, p)
	}
	for _, f := range feeList {
		if f.only > 0 {
			out = append(out, plantedFee(v.base.Start, f))
		}
	}
	for _, it := range v.items {
		switch it.name {
		case gpuInstance:
			out = append(out, v.plantedResource(it, "forgotten-gpu", NewSpend, it.born, "An experiment was finished and its GPU instance left running."))
		case reportsDatabase:
			out = append(out, v.plantedResource(it, "vanished-database", Vanished, it.gone, "The database was deleted by hand."))
		}
	}
	return out
}

// usual is what all meters of the scope cost on a day without anything planted.
func (v *view) usual(scope cost.Scope, day time.Time) float64 {
	usd := 0.0
	for _, m := range v.meters {
		if scope.Matches(m.scope()) {
			usd += m.amount(v.base, day)
		}
	}
	return usd
}

// plantedFee measures a charge that comes once.
func plantedFee(start time.Time, f fee) Planted {
	at := start.AddDate(0, f.only, 0)
	return Planted{ID: "one-off-refund", Kind: Drop, From: at, To: at.AddDate(0, 0, 1), Cause: f.text, Impact: decimal.RequireFromString(f.amount),
		Scope: cost.Scope{cost.Provider: f.cloud.BillName(), cost.Account: f.account, cost.Service: f.service, cost.Region: ""}}
}

// plantedResource measures an anomaly that is the coming or going of one resource.
func (v *view) plantedResource(it *item, id string, kind Kind, at time.Time, cause string) Planted {
	p := Planted{ID: id, Kind: kind, From: midnight(at), Cause: cause, Scope: cost.Scope{
		cost.Provider: it.ref.Cloud.BillName(), cost.Account: it.ref.Account, cost.Region: it.ref.Region, cost.Resource: it.ref.ID,
	}}
	rate := hourlyCost(it, it.form)
	hours := decimal.NewFromFloat(midnight(v.base.Today).Sub(at).Hours())
	p.Impact = rate.Mul(hours).Round(2)
	if kind == Vanished {
		p.Usual, p.Impact = rate.Mul(decimal.NewFromInt(24)).Round(2), p.Impact.Neg()
	}
	return p
}

func (v *view) meter(name string) meter {
	for _, m := range v.meters {
		if m.name == name {
			return m
		}
	}
	panic("sandbox: no meter " + name) // the names stand in this package
}

func (m meter) scope() cost.Scope {
	s := cost.Scope{cost.Provider: m.cloud.BillName(), cost.Account: m.account, cost.Service: m.service, cost.Region: m.region}
	if m.resourceID != "" {
		s[cost.Resource] = m.resourceID
	}
	return s
}

func dollars(usd float64) decimal.Decimal { return decimal.NewFromFloat(usd).Round(2) }

func usuals() []Usual {
	return []Usual{
		{cost.Scope{cost.Provider: "AWS", cost.Service: "AWS Support (Business)"}, "The support fee is charged on the first of every month."},
		{cost.Scope{cost.Provider: "AWS", cost.ChargeCategory: "Tax"}, "Tax is charged on the first of every month."},
		{cost.Scope{cost.Provider: "AWS", cost.Tag("application"): "closing"}, "The closing of the books runs on the first two days of every month."},
		{cost.Scope{cost.Provider: "AWS", cost.Tag("application"): "images"}, "The image fleet runs on workdays only."},
	}
}
