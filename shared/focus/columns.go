package focus

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// column is one FOCUS column that has a field in Row. Exactly one of the accessors is set, or kind alone says
// what to do with it.
type column struct {
	name     string
	former   string // its name before FOCUS 1.4
	kind     kind
	required bool // the header must have it and no row may leave it null

	text     func(*Row) *string
	amount   func(*Row) *decimal.Decimal
	quantity func(*Row) *decimal.NullDecimal
	instant  func(*Row) *time.Time
}

type kind uint8

const (
	text kind = iota
	amount
	quantity
	instant
	currency
	category
	tags
	extras
)

// extrasColumn holds Row.Extra as one JSON object in the files that the writers make: a stream of rows cannot know
// beforehand which other columns will come. Its name has the prefix that FOCUS keeps for custom columns.
const extrasColumn = "x_Extra"

// columns lists every column in the order the writers use.
var columns = []column{
	{name: "BillingPeriodStart", kind: instant, required: true, instant: func(r *Row) *time.Time { return &r.BillingPeriod.Start }},
	{name: "BillingPeriodEnd", kind: instant, required: true, instant: func(r *Row) *time.Time { return &r.BillingPeriod.End }},
	{name: "ChargePeriodStart", kind: instant, required: true, instant: func(r *Row) *time.Time { return &r.ChargePeriod.Start }},
	{name: "ChargePeriodEnd", kind: instant, required: true, instant: func(r *Row) *time.Time { return &r.ChargePeriod.End }},
	{name: "BilledCost", kind: amount, required: true, amount: func(r *Row) *decimal.Decimal { return &r.BilledCost }},
	{name: "EffectiveCost", kind: amount, required: true, amount: func(r *Row) *decimal.Decimal { return &r.EffectiveCost }},
	{name: "ListCost", kind: amount, required: true, amount: func(r *Row) *decimal.Decimal { return &r.ListCost }},
	{name: "ContractedCost", kind: amount, required: true, amount: func(r *Row) *decimal.Decimal { return &r.ContractedCost }},
	{name: "BillingCurrency", kind: currency, required: true},
	{name: "BillingAccountId", required: true, text: func(r *Row) *string { return &r.BillingAccountID }},
	{name: "BillingAccountName", text: func(r *Row) *string { return &r.BillingAccountName }},
	{name: "SubAccountId", text: func(r *Row) *string { return &r.SubAccountID }},
	{name: "SubAccountName", text: func(r *Row) *string { return &r.SubAccountName }},
	{name: "ServiceProviderName", former: "ProviderName", required: true, text: func(r *Row) *string { return &r.ServiceProviderName }},
	{name: "HostProviderName", former: "PublisherName", text: func(r *Row) *string { return &r.HostProviderName }},
	{name: "InvoiceIssuerName", text: func(r *Row) *string { return &r.InvoiceIssuerName }},
	{name: "InvoiceId", text: func(r *Row) *string { return &r.InvoiceID }},
	{name: "ServiceName", required: true, text: func(r *Row) *string { return &r.ServiceName }},
	{name: "ServiceCategory", required: true, text: func(r *Row) *string { return &r.ServiceCategory }},
	{name: "ServiceSubcategory", text: func(r *Row) *string { return &r.ServiceSubcategory }},
	{name: "RegionId", text: func(r *Row) *string { return &r.RegionID }},
	{name: "RegionName", text: func(r *Row) *string { return &r.RegionName }},
	{name: "AvailabilityZone", text: func(r *Row) *string { return &r.AvailabilityZone }},
	{name: "ResourceId", text: func(r *Row) *string { return &r.ResourceID }},
	{name: "ResourceName", text: func(r *Row) *string { return &r.ResourceName }},
	{name: "ResourceType", text: func(r *Row) *string { return &r.ResourceType }},
	{name: "ChargeCategory", kind: category, required: true},
	{name: "ChargeClass", text: func(r *Row) *string { return &r.ChargeClass }},
	{name: "ChargeDescription", text: func(r *Row) *string { return &r.ChargeDescription }},
	{name: "ChargeFrequency", text: func(r *Row) *string { return &r.ChargeFrequency }},
	{name: "PricingCategory", text: func(r *Row) *string { return &r.PricingCategory }},
	{name: "PricingQuantity", kind: quantity, quantity: func(r *Row) *decimal.NullDecimal { return &r.PricingQuantity }},
	{name: "PricingUnit", text: func(r *Row) *string { return &r.PricingUnit }},
	{name: "ConsumedQuantity", kind: quantity, quantity: func(r *Row) *decimal.NullDecimal { return &r.ConsumedQuantity }},
	{name: "ConsumedUnit", text: func(r *Row) *string { return &r.ConsumedUnit }},
	{name: "ListUnitPrice", kind: quantity, quantity: func(r *Row) *decimal.NullDecimal { return &r.ListUnitPrice }},
	{name: "ContractedUnitPrice", kind: quantity, quantity: func(r *Row) *decimal.NullDecimal { return &r.ContractedUnitPrice }},
	{name: "SkuId", text: func(r *Row) *string { return &r.SkuID }},
	{name: "SkuPriceId", text: func(r *Row) *string { return &r.SkuPriceID }},
	{name: "CommitmentDiscountCategory", text: func(r *Row) *string { return &r.CommitmentDiscountCategory }},
	{name: "CommitmentDiscountId", text: func(r *Row) *string { return &r.CommitmentDiscountID }},
	{name: "CommitmentDiscountName", text: func(r *Row) *string { return &r.CommitmentDiscountName }},
	{name: "CommitmentDiscountStatus", text: func(r *Row) *string { return &r.CommitmentDiscountStatus }},
	{name: "CommitmentDiscountType", text: func(r *Row) *string { return &r.CommitmentDiscountType }},
	{name: "Tags", kind: tags},
	{name: extrasColumn, kind: extras},
}

// categories are the allowed values of ChargeCategory, the same in every version.
var categories = []string{"Usage", "Purchase", "Tax", "Credit", "Adjustment"}

func chargeCategory(cell []byte) (string, bool) {
	for _, c := range categories {
		if string(cell) == c || strings.EqualFold(string(cell), c) {
			return c, true
		}
	}
	return "", false
}
