package gcp

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// credit is one deduction from a row; its amount is negative.
type credit struct {
	ID       string          `json:"id"`
	FullName string          `json:"full_name"`
	Type     string          `json:"type"`
	Amount   decimal.Decimal `json:"amount"`
}

// The types of credits that are told apart.
const (
	promotion      = "PROMOTION"
	usageDiscount  = "COMMITTED_USAGE_DISCOUNT"
	dollarDiscount = "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"
	feeOffset      = "FEE_UTILIZATION_OFFSET" // on the fee itself: what was used of it
)

// chargeRows makes FOCUS rows of one row of the standard or detailed export: one for the charge and, since FOCUS knows gifts
// as charges of their own, one for each promotion. Together their billed costs are cost plus all credits, which is what
// Google asks for. No amount is held at zero: corrections are negative.
func chargeRows(l *line, k kind, period cost.Period) []focus.Row {
	row := chargeRow(l, k, period)
	var credits []credit
	l.document("credits", &credits)
	rows := []focus.Row{row}
	for _, c := range credits {
		if c.Type == promotion {
			rows = append(rows, promotionRow(row, c))
			continue
		}
		rows[0].BilledCost = rows[0].BilledCost.Add(c.Amount)
		rows[0].EffectiveCost = rows[0].EffectiveCost.Add(c.Amount)
		commitment(&rows[0], c)
	}
	return rows
}

func chargeRow(l *line, k kind, period cost.Period) focus.Row {
	// Before any credit, cost is the contract's price times the quantity, rounded as Google bills it.
	charged := l.money("cost")
	row := focus.Row{
		BillingPeriod: period, ChargePeriod: cost.Period{Start: l.instant("usage_start"), End: l.instant("usage_end")},
		BilledCost: charged, EffectiveCost: charged, ContractedCost: charged, ListCost: charged,
		BillingCurrency: cost.Currency(l.text("currency")), BillingAccountID: l.text("billing_account_id"),
		SubAccountID: l.text("project_id"), SubAccountName: l.text("project_name"),
		ServiceProviderName: resource.GCP.BillName(), HostProviderName: resource.GCP.BillName(), InvoiceIssuerName: resource.GCP.BillName(),
		ServiceName: l.text("service_name"), ServiceCategory: serviceCategory(l.text("service_id")),
		RegionID: cmp.Or(l.text("region"), l.text("location")), AvailabilityZone: l.text("zone"),
		ChargeDescription: l.text("sku_name"), SkuID: l.text("sku_id"), SkuPriceID: l.text("sku_id"),
		PricingQuantity: l.amount("pricing_amount"), PricingUnit: l.text("pricing_unit"),
		ConsumedQuantity: l.amount("usage_amount"), ConsumedUnit: l.text("usage_unit"),
		Extra: map[string]string{},
	}
	if !row.ChargePeriod.End.After(row.ChargePeriod.Start) { // some adjustments are of a moment
		row.ChargePeriod.End = row.ChargePeriod.Start.Add(time.Hour)
	}
	if row.ServiceName == "" {
		row.ServiceName = resource.GCP.BillName()
	}
	if list := l.amount("cost_at_list"); list.Valid {
		row.ListCost = list.Decimal
	}
	if seller := l.text("seller_name"); seller != "" {
		row.HostProviderName = seller
	}
	if month := l.text("invoice_month"); month != period.Start.Format("200601") {
		l.fail("invoice_month", "is not the month asked for")
	}
	if rate := l.amount("currency_conversion_rate"); rate.Valid && !rate.Decimal.Equal(decimal.NewFromInt(1)) {
		row.Extra["x_CurrencyConversionRate"] = rate.Decimal.String()
	}
	categorise(l, &row)
	tagged(l, &row)
	if k == detailed {
		detail(l, &row)
	}
	return row
}

// categorise says what kind of charge it is and how it was priced.
func categorise(l *line, row *focus.Row) {
	costType := l.text("cost_type")
	switch costType {
	case "tax":
		row.ChargeCategory = "Tax"
	case "adjustment", "rounding_error":
		row.ChargeCategory = "Adjustment"
	default:
		row.ChargeCategory, row.ChargeFrequency = "Usage", "Usage-Based"
		row.PricingCategory = pricingCategory(row.ChargeDescription)
	}
	if costType != "regular" && costType != "" {
		row.Extra["x_CostType"] = costType
	}
	if l.text("adjustment_id") != "" || l.text("adjustment_type") != "" {
		row.ChargeClass = "Correction"
	}
	row.CommitmentDiscountID = l.text("subscription_id")
}

func pricingCategory(sku string) string {
	lower := strings.ToLower(sku)
	switch {
	case strings.HasPrefix(sku, "Commitment"):
		return "Committed"
	case strings.Contains(lower, "spot") || strings.Contains(lower, "preemptible"):
		return "Dynamic"
	}
	return "Standard"
}

// commitment notes what a credit says about the commitment that it came from. Of a fee with a credit for its use, the usage
// carries its own price, so that what is left of the fee is what was not used.
func commitment(row *focus.Row, c credit) {
	status := "Used"
	switch c.Type {
	case usageDiscount:
		row.CommitmentDiscountCategory, row.CommitmentDiscountType = "Usage", ofResources
	case dollarDiscount:
		row.CommitmentDiscountCategory, row.CommitmentDiscountType = "Spend", ofSpend
	case feeOffset:
		row.CommitmentDiscountCategory, row.CommitmentDiscountType, status = "Spend", ofSpend, "Unused"
	default:
		return
	}
	row.PricingCategory, row.CommitmentDiscountStatus, row.CommitmentDiscountName = "Committed", status, cmp.Or(c.FullName, c.ID) // of resources, the id is the name
	if row.CommitmentDiscountID == "" {
		row.CommitmentDiscountID = c.ID
	}
}

// promotionRow is a gift as a charge of its own. It belongs to the same account, service and resource as what it pays for,
// so that sums over any of them are net.
func promotionRow(of focus.Row, c credit) focus.Row {
	return focus.Row{
		BillingPeriod: of.BillingPeriod, ChargePeriod: of.ChargePeriod,
		BilledCost: c.Amount, EffectiveCost: c.Amount, ListCost: c.Amount, ContractedCost: c.Amount,
		BillingCurrency: of.BillingCurrency, BillingAccountID: of.BillingAccountID, SubAccountID: of.SubAccountID, SubAccountName: of.SubAccountName,
		ServiceProviderName: of.ServiceProviderName, HostProviderName: of.HostProviderName, InvoiceIssuerName: of.InvoiceIssuerName,
		ServiceName: of.ServiceName, ServiceCategory: of.ServiceCategory, RegionID: of.RegionID, AvailabilityZone: of.AvailabilityZone,
		ResourceID: of.ResourceID, ResourceName: of.ResourceName, ResourceType: of.ResourceType,
		ChargeCategory: "Credit", ChargeClass: of.ChargeClass, ChargeDescription: cmp.Or(c.FullName, c.ID),
		Tags:  of.Tags,
		Extra: map[string]string{"x_CreditId": c.ID, "x_CreditType": c.Type},
	}
}

// detail adds what only the detailed export knows: the resource and its price.
func detail(l *line, row *focus.Row) {
	row.ResourceName = l.text("resource_name")
	row.ResourceID = resourceID(l.text("resource_id"), row.SubAccountID, l.text("project_number"))
	row.ResourceType = resourceType(row.ResourceID)
	if row.ResourceID == "" {
		row.ResourceID = row.ResourceName
	}
	price, per := l.amount("effective_price"), l.amount("pricing_unit_quantity")
	if price.Valid && (!per.Valid || per.Decimal.IsPositive()) {
		if per.Valid {
			price.Decimal = price.Decimal.Div(per.Decimal)
		}
		row.ContractedUnitPrice = price
	}
	if tier := l.amount("tier_start_amount"); tier.Valid {
		row.SkuPriceID = row.SkuID + "/" + tier.Decimal.String()
	}
}

// resourceID is the full name of a resource with its project's id. Bills write some names with the project's number, the
// inventory never does.
func resourceID(full, project, number string) string {
	if project == "" || number == "" {
		return full
	}
	return strings.Replace(full, "/projects/"+number+"/", "/projects/"+project+"/", 1)
}

// resourceType is the service and collection of a full name: "compute.googleapis.com/instances".
func resourceType(full string) string {
	rest, ok := strings.CutPrefix(full, "//")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 3 {
		return ""
	}
	return parts[0] + "/" + parts[len(parts)-2]
}

// label is a label or tag. Those of a project or folder are inherited by what is in it.
type label struct {
	Key       string `json:"key"`
	Value     string `json:"value"`
	Inherited bool   `json:"inherited"`
}

func labels(list []label) map[string]string {
	out := make(map[string]string, len(list))
	for _, l := range list {
		out[l.Key] = l.Value
	}
	return out
}

// tagged merges labels and tags, the nearest last: a resource's own label counts more than one of its project. What came from
// further away only is listed as inherited.
func tagged(l *line, row *focus.Row) {
	var project, own, system, tags []label
	l.document("project_labels", &project)
	l.document("system_labels", &system)
	l.document("labels", &own)
	l.document("tags", &tags)
	inherited := labels(project)
	for _, t := range tags {
		if t.Inherited {
			inherited[t.Key] = t.Value
		}
	}
	row.Tags = maps.Clone(inherited)
	maps.Copy(row.Tags, labels(system))
	for _, t := range slices.Concat(tags, own) {
		if !t.Inherited {
			row.Tags[t.Key] = t.Value
			delete(inherited, t.Key)
		}
	}
	if len(inherited) > 0 {
		row.Extra["x_InheritedTags"] = strings.Join(slices.Sorted(maps.Keys(inherited)), ",")
	}
}

// document reads a cell that holds JSON; null and nothing leave into as it is.
func (l *line) document(column string, into any) {
	text := l.text(column)
	if text == "" {
		return
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		l.fail(column, "is not the JSON expected")
	}
}
