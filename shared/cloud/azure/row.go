package azure

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Words of FOCUS.
const (
	usage    = "Usage"
	purchase = "Purchase"
)

// row writes a charge as FOCUS. Cost Management knows no list prices: list and contracted cost are given as the larger of
// the other two, so that no discount shows that nobody knows of, and x_SourceChanges says so.
func (k charge) row(s subscription, a *amounts, month cost.Period) focus.Row {
	billed, effective := a.actual, a.amortized
	category, class := k.category()
	committed := k.model == "Reservation" || k.model == "SavingsPlan"
	if committed && category == usage {
		billed = decimal.Zero // paid with the commitment
	}
	if committed && category == purchase {
		effective = decimal.Zero // spread over the use of the commitment
	}
	what := serviceOf(k.resourceType, k.service)
	row := focus.Row{
		BillingPeriod: month, ChargePeriod: cost.Days(k.start(), 1),
		BilledCost: billed, EffectiveCost: effective, ListCost: k.whole(billed, effective), ContractedCost: k.whole(billed, effective),
		BillingCurrency: cost.Currency(k.currency),
		SubAccountID:    s.id, SubAccountName: s.name,
		ServiceProviderName: resource.Azure.BillName(), HostProviderName: resource.Azure.BillName(), InvoiceIssuerName: resource.Azure.BillName(),
		ServiceName: what.name, ServiceCategory: what.category, ServiceSubcategory: what.subcategory,
		RegionID: region(k.location), ResourceID: k.resource, ResourceName: lastSegment(k.resource), ResourceType: what.resourceType,
		ChargeCategory: category, ChargeClass: class, ChargeDescription: k.meter,
		PricingCategory: pricingCategories[k.model],
		Tags:            map[string]string{},
		Extra:           map[string]string{"x_SourceChanges": "MissingListCost,MissingContractedCost"},
	}
	if category == usage {
		row.ChargeFrequency = "Usage-Based"
	}
	if k.tags != "" {
		_ = json.Unmarshal([]byte(k.tags), &row.Tags) // tagObject wrote it
	}
	for name, value := range map[string]string{"x_PublisherType": k.publisher, "x_SkuTier": k.tier, "x_SkuMeterName": k.meter} {
		if value != "" {
			row.Extra[name] = value
		}
	}
	k.commitment(&row)
	return row
}

// whole is the list cost that no discount can be read out of. For credits and refunds it is the amount further below zero.
func (k charge) whole(billed, effective decimal.Decimal) decimal.Decimal {
	if billed.Abs().GreaterThan(effective.Abs()) {
		return billed
	}
	return effective
}

// category follows Microsoft's own mapping: what a commitment did not use is usage, a refund is a corrected purchase.
func (k charge) category() (category, class string) {
	switch {
	case k.chargeType == usage, strings.HasPrefix(k.chargeType, "Unused"):
		return usage, ""
	case k.chargeType == purchase, k.chargeType == "Tax", k.chargeType == "Credit":
		return k.chargeType, ""
	case k.chargeType == "Refund":
		return purchase, "Correction"
	}
	return "Adjustment", ""
}

var pricingCategories = map[string]string{
	"OnDemand": "Standard", "Spot": "Dynamic", "Reservation": "Committed", "SavingsPlan": "Committed",
}

// commitment names the reservation or savings plan behind the charge.
func (k charge) commitment(row *focus.Row) {
	benefit := strings.ToLower(k.benefit)
	switch {
	case strings.Contains(benefit, "/microsoft.capacity/"):
		row.CommitmentDiscountCategory, row.CommitmentDiscountType = "Usage", "Reservation"
	case strings.Contains(benefit, "/microsoft.billingbenefits/"):
		row.CommitmentDiscountCategory, row.CommitmentDiscountType = "Spend", "Savings Plan"
	default:
		return
	}
	row.CommitmentDiscountID, row.CommitmentDiscountName = benefit, k.benefitName
	switch {
	case strings.HasPrefix(k.chargeType, "Unused"):
		row.CommitmentDiscountStatus = "Unused"
	case row.ChargeCategory == usage:
		row.CommitmentDiscountStatus = "Used"
	}
}

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// region is the name that Azure uses elsewhere for a place as Cost Management writes it: "EU West" is westeurope.
func region(location string) string {
	location = strings.ToLower(strings.TrimSpace(location))
	switch location {
	case "", "unassigned", "unknown", "all regions":
		return ""
	}
	return cmp.Or(billedRegions[location], strings.ReplaceAll(location, " ", ""))
}

// billedRegions are places that billing calls otherwise, after the table of regions in Microsoft's FinOps toolkit.
var billedRegions = map[string]string{
	"us east": "eastus", "us east 2": "eastus2", "us west": "westus", "us west 2": "westus2", "us west 3": "westus3",
	"us central": "centralus", "us north central": "northcentralus", "us south central": "southcentralus", "us west central": "westcentralus",
	"eu west": "westeurope", "eu north": "northeurope", "ap east": "eastasia", "ap southeast": "southeastasia",
	"ja east": "japaneast", "ja west": "japanwest", "kr central": "koreacentral", "kr south": "koreasouth",
	"au east": "australiaeast", "au southeast": "australiasoutheast", "au central": "australiacentral", "au central 2": "australiacentral2",
	"in central": "centralindia", "in south": "southindia", "in west": "westindia", "ca central": "canadacentral", "ca east": "canadaeast",
	"uk south": "uksouth", "uk west": "ukwest", "fr central": "francecentral", "fr south": "francesouth",
	"de west central": "germanywestcentral", "de north": "germanynorth", "ch north": "switzerlandnorth", "ch west": "switzerlandwest",
	"no east": "norwayeast", "no west": "norwaywest", "se central": "swedencentral", "se south": "swedensouth",
	"pl central": "polandcentral", "it north": "italynorth", "es central": "spaincentral", "il central": "israelcentral",
	"br south": "brazilsouth", "br southeast": "brazilsoutheast", "mx central": "mexicocentral", "za north": "southafricanorth",
	"za west": "southafricawest", "ae north": "uaenorth", "ae central": "uaecentral", "qa central": "qatarcentral", "nz north": "newzealandnorth",
}
