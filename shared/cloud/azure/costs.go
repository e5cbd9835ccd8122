package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v2"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// queried asks Cost Management for both views of the costs of each subscription.
func (c *Collector) queried(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return rows(func(emit func(focus.Row) bool) error {
		days, some := c.daysOf(month)
		if !some {
			return nil
		}
		all, err := c.readable(ctx)
		if err != nil {
			return err
		}
		for _, s := range all {
			charges, err := c.charges(ctx, s, days)
			if err != nil {
				return err
			}
			if !c.emitRows(s, charges, days.Start, emit) {
				return nil
			}
		}
		return nil
	})
}

func (c *Collector) emitRows(s subscription, charges map[charge]*amounts, month time.Time, emit func(focus.Row) bool) bool {
	names, resourceGroups := c.list("services"), c.list("resource_groups")
	for _, key := range slices.SortedFunc(maps.Keys(charges), compareCharges) {
		row := key.row(s, charges[key], cost.Month(month))
		row.BillingAccountID = cmp.Or(c.settings["billing_account"], s.id)
		if !wanted(names, row.ServiceName) || !wanted(resourceGroups, groupOf(row.ResourceID)) {
			continue
		}
		if !emit(row) {
			return false
		}
	}
	return true
}

// charge is what a cost is for: everything that Cost Management groups by.
type charge struct {
	day      int // 20260930
	currency string

	resource, resourceType, location      string
	chargeType, publisher, service, meter string
	tier, model, benefit, benefitName     string
	tags                                  string // as one JSON object
}

// amounts are the two views of a charge: what the invoice asks for, and its share of what was paid in advance.
type amounts struct{ actual, amortized decimal.Decimal }

// charges reads both views and joins them. A charge that only one of them has is nothing in the other: purchases of
// commitments have no amortised cost, and use that a commitment pays for has no actual one.
func (c *Collector) charges(ctx context.Context, s subscription, days cost.Period) (map[charge]*amounts, error) {
	charges := map[charge]*amounts{}
	var known texts
	for _, kind := range []armcostmanagement.ExportType{armcostmanagement.ExportTypeActualCost, armcostmanagement.ExportTypeAmortizedCost} {
		for page, err := range c.query(ctx, s, kind, days) {
			if err != nil {
				return nil, err
			}
			for _, row := range page.rows {
				key, amount, err := page.charge(row, days, &known)
				if err != nil {
					return nil, err
				}
				sum, ok := charges[key]
				if !ok {
					sum = &amounts{}
					charges[key] = sum
				}
				if kind == armcostmanagement.ExportTypeActualCost {
					sum.actual = sum.actual.Add(amount)
				} else {
					sum.amortized = sum.amortized.Add(amount)
				}
			}
		}
	}
	return charges, nil
}

// charge reads one row. Without a day, an amount or a currency it is worth nothing, and leaving it out would lose money
// unseen, so that is an error.
func (t table) charge(row []any, days cost.Period, known *texts) (charge, decimal.Decimal, error) {
	text := func(name string) string { return known.once(t.text(row, name)) }
	date, dated := t.number(row, "UsageDate")
	total, counted := t.number(row, "totalCost", "Cost", "PreTaxCost", "CostInBillingCurrency")
	day, errDay := decimal.NewFromString(date.String())
	amount, errAmount := decimal.NewFromString(total.String())
	key := charge{
		currency: strings.ToUpper(text("Currency")),
		resource: known.once(strings.ToLower(t.text(row, "ResourceId"))), resourceType: known.once(strings.ToLower(t.text(row, "ResourceType"))),
		location: text("ResourceLocation"), chargeType: text("ChargeType"), publisher: text("PublisherType"),
		service: text("ServiceName"), tier: text("ServiceTier"), meter: text("Meter"),
		model: text("PricingModel"), benefit: text("BenefitId"), benefitName: text("BenefitName"),
		tags: known.once(tagObject(t.texts(row, "Tags"))),
	}
	if !dated || !counted || errDay != nil || errAmount != nil || len(key.currency) != 3 {
		return key, amount, fault.New(fault.Unprocessable, "Azure gave a cost without a day, an amount or a currency, so its costs were not taken over.")
	}
	key.day = int(day.IntPart())
	if month := cost.Month(days.Start); !month.Contains(key.start()) {
		return key, amount, fault.New(fault.Unprocessable, "Azure gave costs of %s when asked for %s, so they were not taken over.", key.start().Format(time.DateOnly), month)
	}
	return key, amount, nil
}

func (k charge) start() time.Time {
	return time.Date(k.day/10000, time.Month(k.day/100%100), k.day%100, 0, 0, 0, 0, time.UTC)
}

// compareCharges orders charges, so that the same costs always give the same bill.
func compareCharges(a, b charge) int {
	return cmp.Or(
		cmp.Compare(a.day, b.day), cmp.Compare(a.resource, b.resource), cmp.Compare(a.service, b.service), cmp.Compare(a.meter, b.meter),
		cmp.Compare(a.chargeType, b.chargeType), cmp.Compare(a.model, b.model), cmp.Compare(a.benefit, b.benefit), cmp.Compare(a.currency, b.currency),
		cmp.Compare(a.tier, b.tier), cmp.Compare(a.location, b.location), cmp.Compare(a.publisher, b.publisher), cmp.Compare(a.tags, b.tags),
		cmp.Compare(a.resourceType, b.resourceType), cmp.Compare(a.benefitName, b.benefitName))
}

// tagObject makes one JSON object of tags, each of which Azure writes as "key":"value" with the quotes.
func tagObject(pairs []string) string {
	if len(pairs) == 0 {
		return ""
	}
	tags := map[string]string{}
	for _, pair := range pairs {
		var one map[string]string
		if json.Unmarshal([]byte("{"+pair+"}"), &one) == nil {
			maps.Copy(tags, one)
			continue
		}
		key, value, _ := strings.Cut(pair, ":") // not quoted after all
		tags[strings.Trim(key, `"`)] = strings.Trim(value, `"`)
	}
	text, _ := json.Marshal(tags) // a map of texts always has a JSON form
	return string(text)
}

// groupOf is the resource group in a resource's id.
func groupOf(id string) string {
	_, rest, _ := strings.Cut(id, "/resourcegroups/")
	group, _, _ := strings.Cut(rest, "/")
	return group
}
