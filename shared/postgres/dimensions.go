package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// kind is a group of FOCUS columns that belong together, coded as one number a row. The numbers stand in the database;
// they are never given a new meaning.
type kind uint8

// The kinds. Those before rollupKinds are kept by the daily rollup as well.
const (
	kindProvider kind = iota
	kindBillingAccount
	kindSubAccount
	kindService
	kindRegion
	kindCharge
	kindResource
	kindSku
	kindCommitment
	kindTags
)

const (
	kinds       = int(kindTags) + 1
	rollupKinds = kindResource
)

// idColumns are the columns of cost_rows and cost_daily that hold the number, by kind.
var idColumns = [kinds]string{
	"provider_id", "billing_account_id", "sub_account_id", "service_id", "region_id", "charge_id", "resource_id", "sku_id",
	"commitment_id", "tags_id",
}

// columnsOf names the FOCUS columns of each kind with their fields, in the order of the dictionary's value. New ones go
// to the end: what is stored already lacks them, and reads as empty.
var columnsOf = [kinds][]textColumn{
	kindProvider: {
		{"ServiceProviderName", func(r *focus.Row) *string { return &r.ServiceProviderName }},
		{"HostProviderName", func(r *focus.Row) *string { return &r.HostProviderName }},
		{"InvoiceIssuerName", func(r *focus.Row) *string { return &r.InvoiceIssuerName }},
	},
	kindBillingAccount: {
		{"BillingAccountId", func(r *focus.Row) *string { return &r.BillingAccountID }},
		{"BillingAccountName", func(r *focus.Row) *string { return &r.BillingAccountName }},
		{"InvoiceId", func(r *focus.Row) *string { return &r.InvoiceID }},
	},
	kindSubAccount: {
		{"SubAccountId", func(r *focus.Row) *string { return &r.SubAccountID }},
		{"SubAccountName", func(r *focus.Row) *string { return &r.SubAccountName }},
	},
	kindService: {
		{"ServiceName", func(r *focus.Row) *string { return &r.ServiceName }},
		{"ServiceCategory", func(r *focus.Row) *string { return &r.ServiceCategory }},
		{"ServiceSubcategory", func(r *focus.Row) *string { return &r.ServiceSubcategory }},
	},
	kindRegion: {
		{"RegionId", func(r *focus.Row) *string { return &r.RegionID }},
		{"RegionName", func(r *focus.Row) *string { return &r.RegionName }},
	},
	kindCharge: {
		{"ChargeCategory", func(r *focus.Row) *string { return &r.ChargeCategory }},
		{"PricingCategory", func(r *focus.Row) *string { return &r.PricingCategory }},
		{"ChargeClass", func(r *focus.Row) *string { return &r.ChargeClass }},
		{"ChargeFrequency", func(r *focus.Row) *string { return &r.ChargeFrequency }},
	},
	kindResource: {
		{"ResourceId", func(r *focus.Row) *string { return &r.ResourceID }},
		{"ResourceName", func(r *focus.Row) *string { return &r.ResourceName }},
		{"ResourceType", func(r *focus.Row) *string { return &r.ResourceType }},
		{"AvailabilityZone", func(r *focus.Row) *string { return &r.AvailabilityZone }},
	},
	kindSku: {
		{"SkuId", func(r *focus.Row) *string { return &r.SkuID }},
		{"SkuPriceId", func(r *focus.Row) *string { return &r.SkuPriceID }},
		{"ChargeDescription", func(r *focus.Row) *string { return &r.ChargeDescription }},
		{"PricingUnit", func(r *focus.Row) *string { return &r.PricingUnit }},
		{"ConsumedUnit", func(r *focus.Row) *string { return &r.ConsumedUnit }},
	},
	kindCommitment: {
		{"CommitmentDiscountId", func(r *focus.Row) *string { return &r.CommitmentDiscountID }},
		{"CommitmentDiscountName", func(r *focus.Row) *string { return &r.CommitmentDiscountName }},
		{"CommitmentDiscountCategory", func(r *focus.Row) *string { return &r.CommitmentDiscountCategory }},
		{"CommitmentDiscountType", func(r *focus.Row) *string { return &r.CommitmentDiscountType }},
		{"CommitmentDiscountStatus", func(r *focus.Row) *string { return &r.CommitmentDiscountStatus }},
	},
	kindTags: nil, // its value is an object
}

type textColumn struct {
	name  cost.Dimension
	field func(*focus.Row) *string
}

// place is where a dimension's value is found: in the dictionary's value of a kind, below a path.
type place struct {
	kind  kind
	index int    // position in the array of the value
	tag   string // key in the object of kindTags
}

var places = func() map[cost.Dimension]place {
	all := map[cost.Dimension]place{}
	for k, columns := range columnsOf {
		for i, c := range columns {
			all[c.name] = place{kind: kind(k), index: i}
		}
	}
	return all
}()

// known lists the columns that costs are grouped by, in the order of their names.
func known() []string {
	var names []string
	for d := range places {
		names = append(names, string(d))
	}
	slices.Sort(names)
	return names
}

// placeOf finds a dimension; fault.Invalid names one that the record does not have.
func placeOf(d cost.Dimension) (place, error) {
	if key, ok := d.TagKey(); ok && key != "" {
		return place{kind: kindTags, tag: key}, nil
	}
	if p, ok := places[d]; ok {
		return p, nil
	}
	return place{}, fault.Input("dimension", string(d), "is none of %s and Tags/<key>", strings.Join(known(), ", "))
}

// text is the SQL expression of the value, empty when there is none, for the dictionary under the given alias. A tag's
// key becomes a parameter.
func (p place) text(alias string, args *arguments) string {
	if p.kind == kindTags {
		return fmt.Sprintf("coalesce(%s.value ->> %s::text, '')", alias, args.add(p.tag))
	}
	return fmt.Sprintf("coalesce(%s.value ->> %d, '')", alias, p.index)
}

// arguments collects the parameters of a statement under construction.
type arguments []any

// add gives the placeholder of one more parameter.
func (a *arguments) add(value any) string {
	*a = append(*a, value)
	return fmt.Sprintf("$%d", len(*a))
}
