package azure

import (
	"cmp"
	"context"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	adviser    = "Advisor"
	adviceRead = "Microsoft.Advisor/recommendations"
)

// recommendation is one of Advisor's.
type recommendation struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Properties struct {
		ImpactedField    string         `json:"impactedField"`
		LastUpdated      string         `json:"lastUpdated"`
		TypeID           string         `json:"recommendationTypeId"`
		Extended         map[string]any `json:"extendedProperties"` // texts by their specification
		ShortDescription struct {
			Problem  string `json:"problem"`
			Solution string `json:"solution"`
		} `json:"shortDescription"`
		ResourceMetadata struct {
			ResourceID string `json:"resourceId"`
		} `json:"resourceMetadata"`
	} `json:"properties"`
}

// Advice implements ingest.Adviser: what Advisor recommends to save costs in each subscription, which is one part each. Reading it
// is free.
func (c *Collector) Advice(ctx context.Context) (ingest.Advice, error) {
	out := ingest.Advice{Given: []resource.Advice{}, Parts: []ingest.Part{}}
	all, err := c.readable(ctx)
	if err != nil {
		return out, err
	}
	for _, s := range all {
		given, err := c.advised(ctx, s)
		if err != nil && (ctx.Err() != nil || fault.CodeOf(err) == fault.Throttled) {
			return out, err
		}
		status, reason := outcome(err)
		out.Parts = append(out.Parts, ingest.Part{Account: s.id, Service: adviceRead, Status: status, Reason: reason})
		out.Given = append(out.Given, given...)
	}
	return out, nil
}

// advised reads the advice of a subscription to its end; of a list that breaks off nothing is kept.
func (c *Collector) advised(ctx context.Context, s subscription) ([]resource.Advice, error) {
	var out []resource.Advice
	groups, regions := c.list("resource_groups"), c.list("regions")
	for r, err := range answers[recommendation](ctx, c, adviceListing(s)) {
		if err != nil {
			return nil, err
		}
		one := r.advice(s)
		if wanted(groups, groupOf(one.ID)) && (one.Region == "" || wanted(regions, one.Region)) {
			out = append(out, one)
		}
	}
	return out, nil
}

func adviceListing(s subscription) listing {
	q := subscriptionListing(s, "RecommendationsClient.NewListPager", "/providers/"+adviceRead, "2020-01-01")
	q.query.Set("$filter", "Category eq 'Cost'")
	return q
}

func (r recommendation) advice(s subscription) resource.Advice {
	p := r.Properties
	more := make(map[string]string, len(p.Extended))
	flatten(more, p.Extended)
	x := func(names ...string) string {
		return fields(func(name string) string { return more[strings.ToLower(name)] }).first(names...)
	}
	id := strings.ToLower(p.ResourceMetadata.ResourceID)
	a := resource.Advice{
		Ref: resource.Ref{
			Cloud: resource.Azure, Account: s.id, Type: typesOf[strings.ToLower(p.ImpactedField)], ID: id,
			Region: strings.ReplaceAll(strings.ToLower(x("regionId", "region", "location")), " ", ""),
		},
		Source: adviser, Advice: strings.ToLower(cmp.Or(r.ID, r.Name)), Kind: cmp.Or(x("recommendationType", "recommendationSubCategory"), p.TypeID),
		Text: cmp.Or(p.ShortDescription.Solution, p.ShortDescription.Problem), Current: x("currentSku"), Advised: x("targetSku", "recommendedSkuName", "displaySKU"),
		At: firstInstant(p.LastUpdated),
	}
	a.Saving, a.Currency = saving(x("annualSavingsAmount"), x("savingsAmount"), cost.Currency(x("savingsCurrency")))
	return a
}

// saving is what is saved in a month: a twelfth of what is saved in a year, or the amount that Advisor gives, which is for a month.
func saving(year, month string, currency cost.Currency) (*decimal.Decimal, cost.Currency) {
	if !currency.Valid() {
		return nil, ""
	}
	if amount, err := decimal.NewFromString(year); err == nil {
		amount = amount.DivRound(decimal.NewFromInt(monthsInYear), digits)
		return &amount, currency
	}
	if amount, err := decimal.NewFromString(month); err == nil {
		return &amount, currency
	}
	return nil, ""
}

const monthsInYear = 12

// typesOf are the types of resources by Azure's names of them.
var typesOf = map[string]resource.Type{
	"microsoft.compute/virtualmachines": resource.Instance, "microsoft.compute/virtualmachinescalesets": resource.ScalingGroup,
	"microsoft.compute/disks": resource.Volume, "microsoft.compute/snapshots": resource.Snapshot, "microsoft.network/publicipaddresses": resource.Address,
	"microsoft.network/loadbalancers": resource.LoadBalancer, "microsoft.network/applicationgateways": resource.LoadBalancer,
	"microsoft.sql/servers/databases": resource.Database, "microsoft.storage/storageaccounts": resource.Bucket, "microsoft.web/sites": resource.Function,
}
