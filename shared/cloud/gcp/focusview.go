package gcp

import (
	"strings"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// focusRow reads a line of Google's own FOCUS export.
func focusRow(l *line, period cost.Period) focus.Row {
	return focus.Row{
		BillingPeriod: period, ChargePeriod: cost.Period{Start: l.instant("ChargePeriodStart"), End: l.instant("ChargePeriodEnd")},
		BilledCost: l.money("BilledCost"), EffectiveCost: l.money("EffectiveCost"), ListCost: l.money("ListCost"), ContractedCost: l.money("ContractedCost"),
		BillingCurrency:  cost.Currency(l.text("BillingCurrency")),
		BillingAccountID: l.text("BillingAccountId"), BillingAccountName: l.text("BillingAccountName"),
		SubAccountID: l.text("SubAccountId"), SubAccountName: l.text("SubAccountName"),
		// The view writes its own word for it, and one cloud keeps one name.
		ServiceProviderName: resource.GCP.BillName(), HostProviderName: l.text("PublisherName"), InvoiceIssuerName: l.text("InvoiceIssuerName"),
		ServiceName: l.text("ServiceName"), ServiceCategory: l.text("ServiceCategory"),
		RegionID: l.text("RegionId"), RegionName: l.text("RegionName"), AvailabilityZone: l.text("AvailabilityZone"),
		ResourceID: l.text("ResourceId"), ResourceName: l.text("ResourceName"), ResourceType: l.text("ResourceType"),
		ChargeCategory: l.text("ChargeCategory"), ChargeClass: l.text("ChargeClass"),
		ChargeDescription: l.text("ChargeDescription"), ChargeFrequency: l.text("ChargeFrequency"),
		PricingCategory: l.text("PricingCategory"), PricingQuantity: l.amount("PricingQuantity"), PricingUnit: l.text("PricingUnit"),
		ConsumedQuantity: l.amount("ConsumedQuantity"), ConsumedUnit: l.text("ConsumedUnit"),
		ListUnitPrice: l.amount("ListUnitPrice"), ContractedUnitPrice: l.amount("ContractedUnitPrice"),
		SkuID: l.text("SkuId"), SkuPriceID: l.text("SkuPriceId"),
		CommitmentDiscountCategory: l.text("CommitmentDiscountCategory"), CommitmentDiscountID: l.text("CommitmentDiscountId"),
		CommitmentDiscountName: l.text("CommitmentDiscountName"), CommitmentDiscountStatus: l.text("CommitmentDiscountStatus"),
		CommitmentDiscountType: l.text("CommitmentDiscountType"),
		Tags:                   focusTags(l),
	}
}

// focusTags reads the tags, which are a list of keys and values or, as FOCUS has it, an object.
func focusTags(l *line) map[string]string {
	text := l.text("Tags")
	if strings.HasPrefix(text, "{") {
		object := map[string]string{}
		l.document("Tags", &object)
		return object
	}
	var list []label
	l.document("Tags", &list)
	return labels(list)
}
