package azure

import (
	"cmp"
	"maps"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// view is how costs are told: as invoiced, or with what was paid in advance spread over its use.
type view string

// The views, as Azure calls them.
const (
	actualCost    view = "ActualCost"
	amortizedCost view = "AmortizedCost"
)

// views are both, of which each row of a bill comes from one: use of commitments, and what of them was not used, from the
// amortised costs, all else from the actual ones. So the billed costs add up to the invoice, and the bill can be written while
// the reports are read.
var views = []view{actualCost, amortizedCost}

// fields gives a field of a record of cost or usage details by its name in lower case; nothing where there is no such.
type fields func(name string) string

// first is the first of the fields that says anything. The kinds of agreements, and reports and lists, spell them differently.
func (f fields) first(names ...string) string {
	for _, name := range names {
		if s := f(name); s != "" {
			return s
		}
	}
	return ""
}

// number is the first of the fields that is a number.
func (f fields) number(names ...string) decimal.NullDecimal {
	for _, name := range names {
		if s := f(name); s != "" {
			d, err := decimal.NewFromString(s)
			return decimal.NullDecimal{Decimal: d, Valid: err == nil}
		}
	}
	return decimal.NullDecimal{}
}

// detailing turns records into rows.
type detailing struct {
	month          cost.Period
	account        string // that the settings name
	services       map[string]bool
	resourceGroups map[string]bool
	subscriptions  map[string]bool
	emit           func(focus.Row) bool
	texts          texts
	tags           map[string]map[string]string
}

func (c *Collector) detailing(days cost.Period, emit func(focus.Row) bool) *detailing {
	return &detailing{
		month: cost.Month(days.Start), account: c.settings["billing_account"],
		services: c.list("services"), resourceGroups: c.list("resource_groups"), subscriptions: c.list("subscriptions"), emit: emit,
	}
}

// take emits the row of a record, if it has one in this view and is wanted.
func (d *detailing) take(p place, v view, f fields) error {
	row, ok, err := d.row(p, v, f)
	if err != nil || !ok || !wanted(d.services, row.ServiceName) || !wanted(d.resourceGroups, groupOf(row.ResourceID)) || !wanted(d.subscriptions, row.SubAccountID) {
		return err
	}
	if !d.emit(row) {
		return errEnough
	}
	return nil
}

// row writes a record as FOCUS. It reports false where the other view has the row.
func (d *detailing) row(p place, v view, f fields) (focus.Row, bool, error) {
	text := func(names ...string) string { return d.texts.once(f.first(names...)) }
	amount := f.number("costinbillingcurrency", "cost", "pretaxcost")
	day, dated := dayOf(f.first("date", "usagedate"))
	k := charge{
		currency: d.texts.once(strings.ToUpper(f.first("billingcurrencycode", "billingcurrency"))), chargeType: text("chargetype"),
		model:   d.texts.once(strings.ReplaceAll(f("pricingmodel"), " ", "")), // lists have "On Demand"
		benefit: d.texts.once(benefitOf(f)), benefitName: text("benefitname", "reservationname"),
	}
	if !amount.Valid || !dated || len(k.currency) != 3 {
		return focus.Row{}, false, fault.New(fault.Unprocessable, "Azure gave a cost without a day, an amount or a currency, so its costs were not taken over.")
	}
	if !d.month.Contains(day) {
		return focus.Row{}, false, fault.New(fault.Unprocessable, "Azure gave costs of %s when asked for %s, so they were not taken over.", day.Format(time.DateOnly), d.month)
	}
	category, class := k.category()
	prepaid := k.prepaid(category)
	billed, effective := amount.Decimal, amount.Decimal
	switch use := prepaid && category == usage; {
	case v == amortizedCost && !use, v == actualCost && use && billed.IsZero():
		return focus.Row{}, false, nil
	case v == amortizedCost:
		billed = decimal.Zero
	case prepaid:
		effective = decimal.Zero
	}
	row := focus.Row{
		BillingPeriod: d.month, ChargePeriod: cost.Days(day, 1),
		BilledCost: billed, EffectiveCost: effective, BillingCurrency: cost.Currency(k.currency),
		ServiceProviderName: resource.Azure.BillName(), HostProviderName: cmp.Or(publisher(text), resource.Azure.BillName()), InvoiceIssuerName: resource.Azure.BillName(),
		InvoiceID: text("invoiceid"), AvailabilityZone: text("availabilityzone"), RegionID: d.texts.once(region(f.first("resourcelocationnormalized", "resourcelocation"))),
		ChargeCategory: category, ChargeClass: class, ChargeDescription: text("product", "productname", "metername"), ChargeFrequency: frequencies[strings.ToLower(text("frequency"))],
		PricingCategory: pricingCategories[k.model], SkuID: text("productid"),
	}
	d.whose(&row, p, text)
	d.resource(&row, f, text)
	d.amounts(&row, f)
	d.marks(&row, f, text)
	if k.commitment(&row); row.CommitmentDiscountStatus == "Unused" {
		row.ConsumedQuantity, row.ConsumedUnit = decimal.NullDecimal{}, "" // nothing was
	}
	return row, true, nil
}

// prepaid reports whether it is about a commitment: its purchase and return, its use, or what of it was not used.
func (k charge) prepaid(category string) bool {
	committed := k.model == "Reservation" || k.model == "SavingsPlan" || strings.HasPrefix(k.chargeType, "Unused")
	return committed && (category == usage || category == purchase)
}

// benefitOf is the id of the commitment behind a record. Where only the ids of a reservation and its order are given, it is made
// of them.
func benefitOf(f fields) string {
	id, reservation := strings.ToLower(f("benefitid")), strings.ToLower(f("reservationid"))
	orderID := strings.ToLower(f("productorderid"))
	switch {
	case id != "":
		return id
	case reservation != "" && !strings.Contains(reservation, "/") && orderID != "":
		return "/providers/microsoft.capacity/reservationorders/" + orderID + "/reservations/" + reservation
	}
	return reservation
}

// publisher is who else made what Microsoft sells.
func publisher(text func(...string) string) string {
	if strings.EqualFold(text("publishertype"), "Marketplace") {
		return text("publishername")
	}
	return ""
}

// frequencies are what FOCUS calls those of Azure.
var frequencies = map[string]string{"usagebased": "Usage-Based", "usage-based": "Usage-Based", "onetime": "One-Time", "one-time": "One-Time", "recurring": "Recurring"}

// whose names the accounts. Those with a Microsoft Customer Agreement are billed by profile, and only they have prices in another
// currency than their bill's.
func (d *detailing) whose(row *focus.Row, p place, text func(...string) string) {
	row.BillingAccountID, row.BillingAccountName = text("billingaccountid"), text("billingaccountname")
	if text("pricingcurrency", "pricingcurrencycode") != "" {
		row.BillingAccountID, row.BillingAccountName = text("billingprofileid", "billingaccountid"), text("billingprofilename", "billingaccountname")
	}
	row.SubAccountID = d.texts.once(lastSegment(strings.ToLower(text("subscriptionguid", "subscriptionid"))))
	row.SubAccountID = cmp.Or(row.SubAccountID, p.of.id)
	row.SubAccountName = text("subscriptionname")
	if row.SubAccountID == p.of.id {
		row.SubAccountName = cmp.Or(row.SubAccountName, p.of.name)
	}
	row.BillingAccountID = cmp.Or(d.account, row.BillingAccountID, row.SubAccountID)
}

// resource says what was billed.
func (d *detailing) resource(row *focus.Row, f fields, text func(...string) string) {
	id := f("resourceid")
	if other := f.first("instancename", "instanceid"); id == "" && strings.HasPrefix(other, "/") {
		id = other
	}
	row.ResourceID = d.texts.once(strings.ToLower(id))
	row.ResourceName = lastSegment(row.ResourceID)
	s := serviceOf(typeOf(row.ResourceID), text("metercategory", "consumedservice"))
	row.ServiceName, row.ServiceCategory, row.ServiceSubcategory, row.ResourceType = s.name, s.category, s.subcategory, s.resourceType
	if row.ResourceID == "" {
		row.ResourceType = ""
	}
}

// typeOf is the type in the id of a resource: microsoft.sql/servers/databases.
func typeOf(id string) string {
	const mark = "/providers/"
	i := strings.LastIndex(id, mark)
	if i < 0 {
		return ""
	}
	parts := strings.Split(id[i+len(mark):], "/")
	kinds := parts[:1:1]
	for n := 1; n < len(parts); n += 2 {
		kinds = append(kinds, parts[n])
	}
	return strings.Join(kinds, "/")
}

// marks adds tags and what FOCUS has no columns for.
func (d *detailing) marks(row *focus.Row, f fields, text func(...string) string) {
	row.Tags = map[string]string{}
	if raw := f("tags"); raw != "" {
		if pairs, ok := d.tagPairs(raw); ok {
			row.Tags = pairs
		} else {
			row.Extra["Tags"] = d.texts.once(raw)
		}
	}
	for name, column := range extras {
		if value := text(column...); value != "" {
			row.Extra[name] = value
		}
	}
}

// extras are columns of Azure by the names that Microsoft's FOCUS exports give them.
var extras = map[string][]string{
	"x_PublisherType": {"publishertype"}, "x_SkuMeterId": {"meterid"}, "x_SkuMeterName": {"metername"}, "x_SkuMeterCategory": {"metercategory"},
	"x_SkuMeterSubcategory": {"metersubcategory"}, "x_CostCenter": {"costcenter"}, "x_ResourceGroupName": {"resourcegroup", "resourcegroupname"},
	"x_InvoiceSectionName": {"invoicesectionname", "invoicesection"}, "x_SkuOfferId": {"offerid"}, "x_SkuTerm": {"term"},
}

// mostTags bounds how many texts of tags are remembered.
const mostTags = 10_000

// tagPairs reads tags: a JSON object, mostly without its braces. Rows with the same tags share one map.
func (d *detailing) tagPairs(raw string) (map[string]string, bool) {
	if pairs, ok := d.tags[raw]; ok {
		return pairs, pairs != nil
	}
	pairs, err := parseTags(raw)
	if d.tags == nil || len(d.tags) >= mostTags {
		d.tags = map[string]map[string]string{}
	}
	if err != nil {
		pairs = nil
	}
	d.tags[strings.Clone(raw)] = maps.Clone(pairs)
	return pairs, err == nil
}
