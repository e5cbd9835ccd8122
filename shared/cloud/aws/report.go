package aws

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// column is a column of a Cost and Usage Report that is read.
type column int

const (
	itemType column = iota
	payerID
	payerName
	accountID
	accountName
	periodStart
	invoiceID
	issuer
	usageStart
	usageEnd
	currencyCode
	unblendedCost
	netUnblendedCost
	publicCost
	unblendedRate
	netUnblendedRate
	publicRate
	usageAmount
	pricingUnit
	purchaseOption
	rateCode
	rateID
	productCode
	productName
	serviceCode
	skuID
	regionCode
	productRegion
	zone
	resourceID
	description
	taxType
	usageType
	operation
	reservationARN
	reservationCost
	netReservationCost
	unusedUpfront
	netUnusedUpfront
	unusedRecurring
	netUnusedRecurring
	planARN
	planCost
	netPlanCost
	commitmentTotal
	commitmentUsed
	planUpfront
	netPlanUpfront
	planRecurring
	netPlanRecurring
	productMap
	resourceTags
	costCategories
	discounts
	splitParent
	columnCount
)

// columnNames are those of CUR 2.0. The legacy report has the same under names such as lineItem/UnblendedCost.
var columnNames = [columnCount]string{
	itemType: "line_item_line_item_type", payerID: "bill_payer_account_id", payerName: "bill_payer_account_name",
	accountID: "line_item_usage_account_id", accountName: "line_item_usage_account_name", periodStart: "bill_billing_period_start_date",
	invoiceID: "bill_invoice_id", issuer: "bill_invoicing_entity", usageStart: "line_item_usage_start_date", usageEnd: "line_item_usage_end_date",
	currencyCode: "line_item_currency_code", unblendedCost: "line_item_unblended_cost", netUnblendedCost: "line_item_net_unblended_cost",
	publicCost: "pricing_public_on_demand_cost", unblendedRate: "line_item_unblended_rate", netUnblendedRate: "line_item_net_unblended_rate",
	publicRate: "pricing_public_on_demand_rate", usageAmount: "line_item_usage_amount", pricingUnit: "pricing_unit",
	purchaseOption: "pricing_purchase_option", rateCode: "pricing_rate_code", rateID: "pricing_rate_id",
	productCode: "line_item_product_code", productName: "product_product_name", serviceCode: "product_servicecode", skuID: "product_sku",
	regionCode: "product_region_code", productRegion: "product_region", zone: "line_item_availability_zone", resourceID: "line_item_resource_id",
	description: "line_item_line_item_description", taxType: "line_item_tax_type", usageType: "line_item_usage_type", operation: "line_item_operation",
	reservationARN: "reservation_reservation_a_r_n", reservationCost: "reservation_effective_cost", netReservationCost: "reservation_net_effective_cost",
	unusedUpfront:    "reservation_unused_amortized_upfront_fee_for_billing_period",
	netUnusedUpfront: "reservation_net_unused_amortized_upfront_fee_for_billing_period",
	unusedRecurring:  "reservation_unused_recurring_fee", netUnusedRecurring: "reservation_net_unused_recurring_fee",
	planARN: "savings_plan_savings_plan_a_r_n", planCost: "savings_plan_savings_plan_effective_cost", netPlanCost: "savings_plan_net_savings_plan_effective_cost",
	commitmentTotal: "savings_plan_total_commitment_to_date", commitmentUsed: "savings_plan_used_commitment",
	planUpfront:      "savings_plan_amortized_upfront_commitment_for_billing_period",
	netPlanUpfront:   "savings_plan_net_amortized_upfront_commitment_for_billing_period",
	planRecurring:    "savings_plan_recurring_commitment_for_billing_period",
	netPlanRecurring: "savings_plan_net_recurring_commitment_for_billing_period",
	productMap:       "product", resourceTags: "resource_tags", costCategories: "cost_category", discounts: "discount",
	splitParent: "split_line_item_parent_resource_id",
}

// needed are the columns without which no bill can be made of a report.
var needed = []column{itemType, payerID, accountID, periodStart, usageStart, usageEnd, currencyCode, unblendedCost, productCode}

// report reads one file of a Cost and Usage Report, CUR 2.0 or legacy, as FOCUS rows.
type report struct {
	table *focus.Table
	at    [columnCount]int // where a column stands; -1: nowhere
	tags  map[int]string   // legacy columns of a tag each
	month cost.Period
	rows  int64
	bill  *bill
	known recollection
}

// openReport gets ready to read. It gives no report for a file that is none.
func openReport(file io.ReaderAt, size int64, month cost.Period, whole *bill) (*report, error) {
	table, err := focus.OpenTable(file, size)
	if err != nil {
		return nil, err
	}
	r := &report{table: table, month: month, bill: whole, tags: map[int]string{}, known: newRecollection()}
	for i := range r.at {
		r.at[i] = -1
	}
	for i, name := range table.Header() {
		if tag, ok := strings.CutPrefix(name, "resourceTags/"); ok {
			r.tags[i] = tagKey(tag)
		} else if c := slices.Index(columnNames[:], snake(name)); c >= 0 {
			r.at[c] = i
		}
	}
	if r.at[itemType] < 0 {
		return nil, table.Close()
	}
	for _, c := range needed {
		if r.at[c] < 0 {
			return nil, errors.Join(fault.New(fault.Unprocessable, "The Cost and Usage Report lacks the column %s. Export it again with all columns.", columnNames[c]), table.Close())
		}
	}
	return r, nil
}

// snake writes a legacy name as CUR 2.0 has it: "lineItem/UnblendedCost" is line_item_unblended_cost.
func snake(name string) string {
	var b strings.Builder
	gap := true // so that none is added at the beginning
	for _, c := range name {
		switch {
		case c == '/':
			c = '_'
		case unicode.IsUpper(c) && !gap:
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
		gap = c == '_'
	}
	return b.String()
}

// tagKey is a tag's own key. Reports tell those of users from those that AWS gives: user_team, user:team, aws_createdBy.
func tagKey(name string) string {
	for _, separator := range []string{":", "_"} {
		if key, ok := strings.CutPrefix(name, "user"+separator); ok {
			return key
		}
		if key, ok := strings.CutPrefix(name, "aws"+separator); ok {
			return "aws:" + key
		}
	}
	return name
}

// next gives the next row; io.EOF is the end. A line item that cannot be read is a fault of the whole report.
func (r *report) next() (focus.Row, error) {
	for {
		cells, bad, err := r.table.Next()
		if err != nil {
			return focus.Row{}, err
		}
		r.rows++
		if bad == "" && len(cells) != len(r.table.Header()) {
			bad = "It has another number of cells than the header."
		}
		if bad != "" {
			return focus.Row{}, fault.New(fault.Unprocessable, "Row %d of the Cost and Usage Report cannot be used. %s", r.rows, bad)
		}
		item := lineItem{report: r, cells: cells}
		if item.split() {
			continue
		}
		row := item.row()
		if item.failed == nil && item.waits {
			r.bill.discounts = append(r.bill.discounts, row)
			continue
		}
		return row, item.failed
	}
}

func (r *report) close() error { return r.table.Close() }

// lineItem is one record of a report. What is wrong with it is kept until it has been read whole.
type lineItem struct {
	*report
	cells  [][]byte
	failed error
	waits  bool // for the end of the bill, which tells whether it counts
}

func (l *lineItem) fail(c column, reason string) {
	if l.failed == nil {
		l.failed = fault.New(fault.Unprocessable, "Row %d of the Cost and Usage Report cannot be used: %s %s.", l.rows, columnNames[c], reason)
	}
}

func (l *lineItem) cell(c column) []byte {
	if at := l.at[c]; at >= 0 {
		return l.cells[at]
	}
	return nil
}

func (l *lineItem) text(c column) string { return l.known.text(l.cell(c)) }

// first is the first of the columns that has a text.
func (l *lineItem) first(columns ...column) string {
	for _, c := range columns {
		if text := l.text(c); text != "" {
			return text
		}
	}
	return ""
}

// number is a number, invalid where the report leaves it out.
func (l *lineItem) number(c column) decimal.NullDecimal {
	cell := l.cell(c)
	if len(cell) == 0 {
		return decimal.NullDecimal{}
	}
	d, ok := focus.ParseNumber(cell)
	if !ok {
		l.fail(c, "is no number")
	}
	return decimal.NullDecimal{Decimal: d, Valid: ok}
}

// either is the first of the columns that has a number.
func (l *lineItem) either(columns ...column) decimal.NullDecimal {
	for _, c := range columns {
		if n := l.number(c); n.Valid {
			return n
		}
	}
	return decimal.NullDecimal{}
}

// amount is a number that the rules need, from the first column that has it.
func (l *lineItem) amount(columns ...column) decimal.Decimal {
	n := l.either(columns...)
	if !n.Valid {
		l.fail(columns[len(columns)-1], "is missing")
	}
	return n.Decimal
}

func (l *lineItem) instant(c column) time.Time {
	at, ok := focus.ParseInstant(l.cell(c))
	if !ok {
		l.fail(c, "is no time")
	}
	return at
}

// pairs reads a map column, which is JSON in CSV; the map is shared between rows.
func (l *lineItem) pairs(c column, key func(string) string) map[string]string {
	pairs, ok := l.known.pairs(c, l.cell(c), key)
	if !ok {
		l.fail(c, "is no map")
	}
	return pairs
}
