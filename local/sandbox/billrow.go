package sandbox

import (
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// row is an ordinary usage row: all four costs are list price times quantity.
func (b *biller) row(day cost.Period, account, region string, c charge) focus.Row {
	amount := c.quantity.Mul(c.price)
	row := b.blank(day, account)
	row.BilledCost, row.EffectiveCost, row.ListCost, row.ContractedCost = amount, amount, amount, amount
	row.ServiceName, row.ServiceCategory, row.ServiceSubcategory = c.service, c.category, c.subcategory
	row.RegionID, row.RegionName = region, region
	row.ChargeCategory, row.ChargeDescription, row.ChargeFrequency = "Usage", c.text, "Usage-Based"
	row.PricingCategory, row.PricingUnit, row.ConsumedUnit = "Standard", c.unit, c.unit
	row.PricingQuantity, row.ConsumedQuantity = decimal.NewNullDecimal(c.quantity), decimal.NewNullDecimal(c.quantity)
	row.ListUnitPrice, row.ContractedUnitPrice = decimal.NewNullDecimal(c.price), decimal.NewNullDecimal(c.price)
	row.SkuID = c.sku
	row.SkuPriceID = c.sku + "/" + region
	return row
}

// blank is a row of the account with nothing charged yet.
func (b *biller) blank(period cost.Period, account string) focus.Row {
	row := focus.Row{
		BillingPeriod: b.month, ChargePeriod: period, BillingCurrency: usd,
		SubAccountID: account, SubAccountName: accountNames[account],
		ServiceProviderName: b.cloud.BillName(), HostProviderName: b.cloud.BillName(),
	}
	switch b.cloud {
	case resource.AWS:
		row.BillingAccountID, row.BillingAccountName, row.InvoiceIssuerName = awsPayer, "Meridian Goods", "Amazon Web Services, Inc."
	case resource.GCP:
		row.BillingAccountID, row.BillingAccountName, row.InvoiceIssuerName = gcpBilling, "Meridian Goods", "Google Cloud"
	case resource.Azure:
		row.BillingAccountID, row.BillingAccountName, row.InvoiceIssuerName = azureBilling, "Meridian Goods", "Microsoft"
	case resource.Vultr:
		row.BillingAccountID, row.BillingAccountName, row.InvoiceIssuerName = vultrMain, "Meridian Goods", "Vultr"
	}
	if !b.v.now.Before(b.month.End.Add(invoiced)) {
		row.InvoiceID = string(b.cloud) + "-" + b.month.Start.Format("2006-01")
	}
	return row
}

func zone(ref resource.Ref) string {
	if ref.Cloud == resource.AWS {
		return ref.Region + "a"
	}
	return ""
}

// fee is charged once a month, or once.
type fee struct {
	cloud             resource.Cloud
	account           string
	service, category string
	charge, class     string // FOCUS ChargeCategory and ChargeClass
	text, amount      string
	daily             bool // every day, else on the first of the month
	only              int  // months after the start, for a fee that is charged once; 0: every month
}

var feeList = []fee{
	{cloud: resource.AWS, account: awsProd, service: "AWS Support (Business)", category: "Other", charge: "Purchase", text: "Business support, monthly", amount: "640.00"},
	{cloud: resource.AWS, account: awsProd, service: "Tax", category: "Other", charge: "Tax", text: "Sales tax", amount: "318.75"},
	{cloud: resource.AWS, account: awsProd, service: "Amazon Elastic Compute Cloud", category: "Compute", charge: "Credit", text: "Migration credit", amount: "-250.00"},
	{cloud: resource.AWS, account: awsData, service: "AWS Glue", category: "Analytics", charge: "Usage", class: "Correction", text: "Refund for failed jobs", amount: "-186.40", only: 9},
	{cloud: resource.GCP, account: gcpProd, service: "Compute Engine", category: "Compute", charge: "Credit", text: "Promotion", amount: "-4.50", daily: true},
	{cloud: resource.Azure, account: azureERP, service: "Azure Marketplace", category: "Business Applications", charge: "Purchase", text: "Backup suite, monthly subscription", amount: "415.00"},
	{cloud: resource.Azure, account: azureProd, service: "Azure Support", category: "Other", charge: "Purchase", text: "Standard support, monthly", amount: "100.00"},
	{cloud: resource.Vultr, account: vultrMain, service: "Tax", category: "Other", charge: "Tax", text: "Sales tax", amount: "24.60"},
}

// fees bills what the day owes. None of them belongs to a resource.
func (b *biller) fees(day cost.Period) []focus.Row {
	var out []focus.Row
	for _, f := range feeList {
		first := day.Start.Day() == 1
		if f.only > 0 {
			first = day.Start.Equal(b.v.base.Start.AddDate(0, f.only, 0))
		}
		if f.cloud != b.cloud || !first && !f.daily {
			continue
		}
		period := day
		if !f.daily && f.only == 0 {
			period = b.month
		}
		row := b.blank(period, f.account)
		amount := decimal.RequireFromString(f.amount)
		row.BilledCost, row.EffectiveCost, row.ListCost, row.ContractedCost = amount, amount, amount, amount
		row.ServiceName, row.ServiceCategory, row.ServiceSubcategory = f.service, f.category, "Other ("+f.category+")"
		row.ChargeCategory, row.ChargeClass, row.ChargeDescription = f.charge, f.class, f.text
		row.ChargeFrequency = "Recurring"
		if f.only > 0 {
			row.ChargeFrequency = "One-Time"
		}
		if f.charge == "Purchase" || f.charge == "Usage" {
			row.PricingCategory, row.PricingUnit = "Standard", "Months"
			row.PricingQuantity, row.ListUnitPrice = decimal.NewNullDecimal(decimal.NewFromInt(1)), decimal.NewNullDecimal(amount)
			row.ContractedUnitPrice = row.ListUnitPrice
		}
		out = append(out, row)
	}
	return out
}
