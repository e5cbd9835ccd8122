package vultr

import (
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	usd   = cost.Currency("USD") // Vultr bills in nothing else
	hours = "hours"              // Vultr's word, and one that FOCUS allows
	// mostHours bounds what an item without an end may claim.
	mostHours = 31 * 24
)

// writer makes the rows of one month.
type writer struct {
	month   cost.Period
	account string
	owners  owners
	now     time.Time
	rows    []focus.Row
}

// invoice writes the items of an invoice, and what it asks for beyond them: tax that is no item, and the cents that rounding
// every item made. The rows come to what the invoice says.
func (w *writer) invoice(e entry, items []item) {
	id := strconv.FormatInt(e.ID, 10)
	rest := e.Amount.Decimal
	for _, i := range items {
		w.item(i, id)
		rest = rest.Sub(i.Total.Decimal)
	}
	if rest.IsZero() {
		return
	}
	row := w.blank(w.month, rest)
	row.InvoiceID, row.ServiceName, row.ServiceCategory = id, "Vultr", "Other"
	row.ChargeCategory, row.ChargeFrequency = "Adjustment", "One-Time"
	row.ChargeDescription = "Invoice #" + id + " beyond its items"
	w.rows = append(w.rows, row)
}

// credit writes money that Vultr gave.
func (w *writer) credit(e entry) {
	row := w.blank(cost.Period{Start: e.Date.Time, End: e.Date.Add(time.Second)}, e.Amount.Decimal)
	row.ServiceName, row.ServiceCategory = "Vultr", "Other"
	row.ChargeCategory, row.ChargeFrequency, row.ChargeDescription = "Credit", "One-Time", e.Description
	w.rows = append(w.rows, row)
}

// item writes one item of an invoice. One that is priced by the hour costs the same every hour, so it is spread over its days.
func (w *writer) item(i item, invoice string) {
	period := w.period(i)
	row := w.of(i, period)
	row.InvoiceID = invoice
	if i.UnitType != hours {
		w.rows = append(w.rows, row)
		return
	}
	w.divide(row, spread(period, i.Total.Decimal, quantity(i)))
}

// of is the row of a whole item, which was used in the period.
func (w *writer) of(i item, period cost.Period) focus.Row {
	row := w.blank(period, i.Total.Decimal)
	row.ChargeDescription = i.Description
	kind := kindOf(i.Product)
	row.ServiceName, row.ServiceCategory, row.ServiceSubcategory = kind.service, kind.category, kind.subcategory
	row.ChargeCategory, row.ChargeFrequency = kind.charge, "Usage-Based"
	if i.Total.IsNegative() && kind.charge == "Usage" {
		row.ChargeCategory = "Credit"
	}
	if row.ChargeCategory == "Usage" {
		row.PricingCategory, row.PricingUnit, row.ConsumedUnit = "Standard", i.UnitType, i.UnitType
		row.PricingQuantity, row.ConsumedQuantity = maybe(i.Units), maybe(i.Units)
		row.ListUnitPrice, row.ContractedUnitPrice = maybe(i.UnitPrice), maybe(i.UnitPrice)
	}
	if r, ok := w.owners.of(i.Description, kind.typ, period); ok {
		row.ResourceID, row.ResourceName, row.ResourceType = r.ID, r.Name, string(r.Type)
		row.RegionID, row.RegionName, row.Tags = r.Region, r.Region, r.Tags
		row.SkuID = r.Attributes[resource.AttrSize]
	}
	return row
}

// divide writes a row once for each share of it.
func (w *writer) divide(row focus.Row, shares []share) {
	for _, s := range shares {
		part := row
		part.ChargePeriod = s.Period
		pay(&part, s.Money)
		if row.PricingQuantity.Valid {
			units := decimal.NewNullDecimal(s.Units)
			part.PricingQuantity, part.ConsumedQuantity = units, units
		}
		w.rows = append(w.rows, part)
	}
}

// period is when an item was used. What has no dates is of the whole month, an end that is no end follows from the hours, and
// what is still running ends now.
func (w *writer) period(i item) cost.Period {
	p := cost.Period{Start: i.StartDate.Time, End: i.EndDate.Time}
	if p.Start.IsZero() {
		p.Start = w.month.Start
	}
	switch {
	case p.End.IsZero():
		p.End = w.month.End
	case !p.Start.Before(p.End) && i.UnitType == hours && i.Units != nil && i.Units.IsPositive():
		p.End = p.Start.Add(time.Duration(min(i.Units.IntPart(), mostHours)) * time.Hour)
	}
	if p.End.After(w.now) {
		p.End = w.now
	}
	if !p.Start.Before(p.End) {
		p.End = p.Start.Add(time.Hour) // Vultr bills every hour that was begun
	}
	return p
}

func (w *writer) blank(period cost.Period, amount decimal.Decimal) focus.Row {
	name := resource.Vultr.BillName()
	row := focus.Row{
		BillingPeriod: w.month, ChargePeriod: period, BillingCurrency: usd,
		BillingAccountID: w.account, BillingAccountName: w.account, SubAccountID: w.account, SubAccountName: w.account,
		ServiceProviderName: name, HostProviderName: name, InvoiceIssuerName: name,
	}
	pay(&row, amount)
	return row
}

// pay sets all four costs: Vultr has no discounts, and its unit prices are rounded too far to compute anything from them.
func pay(row *focus.Row, amount decimal.Decimal) {
	row.BilledCost, row.EffectiveCost, row.ListCost, row.ContractedCost = amount, amount, amount, amount
}

func maybe(m *money) decimal.NullDecimal {
	if m == nil {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(m.Decimal)
}

// moment is a time as Vultr writes it, in two ways.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler. No text is the zero time.
func (m *moment) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" || text == "null" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse(time.DateTime, text)
	}
	m.Time = at.UTC()
	return err
}
