package gcp

import (
	"cmp"
	"context"
	_ "embed" // the query
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/api/bigquery/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

//go:embed sql/commitments.sql
var commitmentsSQL string

// lateness is how long after its use a charge may be written.
const lateness = 5 * 24 * time.Hour

// commitmentsQuery asks for the fees of the period, and for what they paid for.
func commitmentsQuery(t table, period cost.Period) *bigquery.QueryRequest {
	return newQuery(commitmentsSQL, t, "",
		timestamp("period_from", period.Start), timestamp("period_to", period.End),
		timestamp("partitions_from", period.Start), timestamp("partitions_to", period.End.Add(lateness)))
}

// cudLine is one line of the answer: a fee, or what fees paid for.
type cudLine struct {
	subscription, sku, service, region, unit string
	currency                                 cost.Currency
	first, last                              time.Time
	cost, amount                             decimal.Decimal
	offset, covered                          decimal.NullDecimal
}

// isResourceFee tells the fee of a commitment to resources from everything else.
func (l cudLine) isResourceFee() bool { return strings.HasPrefix(l.sku, "Commitment v1:") }

// fromBill adds what only the bill knows: the commitments of money, and how all were used. Google's FOCUS export does not tell
// fees and covered use apart, so it is not asked. That the bill could not be read costs nothing else: a part says so.
func (c *Collector) fromBill(ctx context.Context, period cost.Period, out *ingest.Commitments) error {
	k, _ := c.settings.table.kind()
	if k == asFOCUS || !c.settings.askUse {
		return nil
	}
	part := ingest.Part{Region: global, Service: "bigquery", Status: ingest.OK}
	lines, err := c.cudLines(ctx, k, period)
	switch code := fault.CodeOf(err); {
	case err == nil:
		out.Use = append(usedResources(lines, period), usedMoney(lines, period)...)
		out.Held = append(out.Held, heldMoney(lines)...)
	case ctx.Err() != nil, code == fault.Unauthenticated:
		return err
	case code == fault.LimitReached:
		part.Status, part.Reason = ingest.Limited, fault.Public(err).Message
	default:
		part.Status, part.Reason = unreadAs(err, "the billing export "+c.settings.table.String())
	}
	out.Parts = append(out.Parts, part)
	return nil
}

func (c *Collector) cudLines(ctx context.Context, k kind, period cost.Period) (out []cudLine, err error) {
	for p, err := range c.run(ctx, commitmentsQuery(c.settings.table, period), k) {
		if err != nil {
			return nil, err
		}
		if len(p.rows) == 0 {
			continue
		}
		at, err := columnsOf(p.schema)
		if err != nil {
			return nil, err
		}
		for _, row := range p.rows {
			l := &line{at: at, cells: row.F}
			out = append(out, cudLine{
				subscription: l.text("subscription_id"), sku: l.text("sku_name"), service: l.text("service_name"), region: l.text("region"), unit: l.text("unit"),
				currency: cost.Currency(l.text("currency")), first: l.instant("first_start"), last: l.instant("last_end"),
				cost: l.money("cost"), amount: l.amount("amount").Decimal, offset: l.amount("offset_credit"), covered: l.amount("covered_amount"),
			})
			if l.err != nil {
				return nil, l.err
			}
		}
	}
	return out, nil
}

// used is so much of a fee, and of what that was used.
type used struct{ fee, used decimal.Decimal }

func (u *used) add(fee, part decimal.Decimal) { u.fee, u.used = u.fee.Add(fee), u.used.Add(part) }

// use is the share that was used and what the rest cost; nothing without a fee.
func (u *used) use(base resource.CommitmentUse, currency cost.Currency) (resource.CommitmentUse, bool) {
	if !u.fee.IsPositive() {
		return base, false
	}
	part := decimal.Min(u.used, u.fee) // shares are rounded
	share, unused := part.Div(u.fee).InexactFloat64(), u.fee.Sub(part)
	base.Used, base.Unused, base.Currency = &share, &unused, currency
	return base, true
}

// usedResources is how all commitments to resources were used together: each fee by the share of its cores or memory that was
// used in its region, weighted by what it costs. What could have been covered the bill does not say.
func usedResources(lines []cudLine, period cost.Period) []resource.CommitmentUse {
	type place struct {
		region, unit string
		currency     cost.Currency
	}
	fees, promised, covered := map[place]decimal.Decimal{}, map[place]decimal.Decimal{}, map[place]decimal.Decimal{}
	for _, l := range lines {
		at := place{l.region, l.unit, l.currency}
		switch {
		case l.isResourceFee():
			fees[at], promised[at] = fees[at].Add(l.cost), promised[at].Add(l.amount)
		case l.covered.Valid:
			covered[at] = covered[at].Add(l.covered.Decimal)
		}
	}
	total := map[cost.Currency]*used{}
	for at, fee := range fees {
		if !promised[at].IsPositive() {
			continue
		}
		if total[at.currency] == nil {
			total[at.currency] = &used{}
		}
		share := decimal.Min(covered[at].Div(promised[at]), decimal.NewFromInt(1))
		total[at.currency].add(fee, fee.Mul(share))
	}
	if len(total) != 1 { // none, or amounts that cannot be added
		return nil
	}
	var out []resource.CommitmentUse
	for currency, u := range total {
		if one, ok := u.use(resource.CommitmentUse{Cloud: resource.GCP, Type: ofResources, Period: period}, currency); ok {
			out = append(out, one)
		}
	}
	return out
}

// moneyFee is the fee of one commitment of money.
type moneyFee struct {
	cudLine
	used
}

// moneyFees are the fees for money, by their subscription. Those that Google still bills the older way, with the discount as a
// credit on what is used, do not say what was promised, and are left out.
func moneyFees(lines []cudLine) []moneyFee {
	byID := map[string]*moneyFee{}
	var order []string
	for _, l := range lines {
		if l.subscription == "" || !l.offset.Valid {
			continue
		}
		f := byID[l.subscription]
		if f == nil {
			f = &moneyFee{cudLine: l}
			byID[l.subscription], order = f, append(order, l.subscription)
		}
		if l.first.Before(f.first) {
			f.first = l.first
		}
		if l.last.After(f.last) {
			f.last = l.last
		}
		f.add(l.cost, l.offset.Decimal.Neg())
	}
	out := make([]moneyFee, 0, len(order))
	for _, id := range order {
		out = append(out, *byID[id])
	}
	return out
}

func usedMoney(lines []cudLine, period cost.Period) (out []resource.CommitmentUse) {
	for _, f := range moneyFees(lines) {
		base := resource.CommitmentUse{Cloud: resource.GCP, Type: ofSpend, Commitment: f.subscription, Period: period}
		if one, ok := f.use(base, f.currency); ok {
			out = append(out, one)
		}
	}
	return out
}

// heldMoney are the commitments of money. When they began and will end, the bill does not say.
func heldMoney(lines []cudLine) (out []resource.Commitment) {
	const places = 9
	for _, f := range moneyFees(lines) {
		hours := decimal.NewFromInt(int64(f.last.Sub(f.first) / time.Second)).Div(decimal.NewFromInt(3600))
		if !hours.IsPositive() || !f.fee.IsPositive() {
			continue
		}
		hourly := f.fee.DivRound(hours, places)
		out = append(out, resource.Commitment{
			Cloud: resource.GCP, Region: f.region, ID: f.subscription, Name: f.sku, Type: ofSpend, Category: resource.SpendCommitment,
			Service: f.service, Quantity: hourly, Unit: string(f.currency) + "/hour", Hourly: &hourly, Currency: f.currency,
			Payment: "no_upfront", State: "ACTIVE",
		})
	}
	slices.SortFunc(out, func(a, b resource.Commitment) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
