package aws

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// rowsOfReport reads a file as a month's only one.
func rowsOfReport(t testing.TB, content []byte) (rows []focus.Row, err error) {
	t.Helper()
	e := exportReader{month: cost.Month(november), bill: newBill(), emit: func(row focus.Row) error { rows = append(rows, row); return nil }}
	file, err := e.open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	for err == nil {
		var row focus.Row
		if row, err = file.next(); err == nil {
			err = e.emit(row)
		}
	}
	if !errors.Is(err, io.EOF) {
		return rows, err
	}
	return rows, errors.Join(e.bill.rest(e.month, e.emit), file.close())
}

// totals are the sums of billed and of effective costs.
func totals(rows []focus.Row) (billed, effective decimal.Decimal) {
	for _, r := range rows {
		billed, effective = billed.Add(r.BilledCost), effective.Add(r.EffectiveCost)
	}
	return billed.Round(noise), effective.Round(noise)
}

func all(name string) string { return name }

// withoutNet leaves out what discounts have been taken off, as most people's reports do.
func withoutNet(name string) string {
	if strings.Contains(name, "_net_") {
		return ""
	}
	return name
}

// legacy gives columns the names that they had before CUR 2.0.
func legacy(name string) string {
	switch name {
	case "resource_tags", "product", "cost_category", "discount", "bill_payer_account_name", "line_item_usage_account_name":
		return ""
	case "line_item_product_code":
		return "lineItem/ProductCode"
	}
	for snaked, old := range map[string]string{"line_item_": "lineItem/", "bill_": "bill/", "savings_plan_": "savingsPlan/", "reservation_": "reservation/", "pricing_": "pricing/", "product_": "product/", "split_line_item_": "splitLineItem/"} {
		if rest, ok := strings.CutPrefix(name, snaked); ok {
			words := strings.Split(rest, "_")
			for i, w := range words {
				if (i > 0 || old != "product/") && !strings.HasPrefix(rest, "public_on") {
					words[i] = strings.ToUpper(w[:1]) + w[1:]
				} else if i > 0 {
					words[i] = strings.ToUpper(w[:1]) + w[1:]
				}
			}
			return old + strings.Join(words, "")
		}
	}
	return name
}

func TestAReportAsFOCUS(t *testing.T) {
	t.Parallel()
	rows, err := rowsOfReport(t, csvReport(t, all, aMonth()...))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.golden", rows)
}

func TestABillIsItsInvoiceAndAmortises(t *testing.T) {
	t.Parallel()
	// Amortised it is: usage 25.745, savings plans 34.20 and 7.60, the reservation 23.75 (15 recurring and 120/12 upfront, less 5 %),
	// support 29, tax 7.775, credit -5, refund -1.50.
	cases := map[string]struct {
		content           []byte
		billed, effective string
	}{
		"gzip":    {csvReport(t, all, aMonth()...), "693.47", "121.57"},
		"Parquet": {parquetReport(t, aMonth()...), "693.47", "121.57"},
		// Without the net columns the discounts, 34.905 of them, are rows of their own, also of what is only paid upfront.
		"gross":  {csvReport(t, withoutNet, aMonth()...), "693.47", "91.47"},
		"legacy": {csvReport(t, legacy, aMonth()...), "693.47", "121.57"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := rowsOfReport(t, c.content)
			if err != nil || len(rows) != len(aMonth()) {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			if billed, effective := totals(rows); billed.String() != c.billed || effective.String() != c.effective {
				t.Errorf("billed %s, effective %s, want %s and %s", billed, effective, c.billed, c.effective)
			}
		})
	}
}

// TestAListPriceOfZeroIsNone: reports write zero for what has no public price, such as products of the marketplace.
func TestAListPriceOfZeroIsNone(t *testing.T) {
	t.Parallel()
	sold, free := item("Usage", "abc123", "AWS Marketplace software", 100), item("Usage", "AmazonEC2", "free tier", 0)
	for _, r := range []*record{&sold, &free} {
		r.Public, r.PublicRate, r.Amount, r.Unit = usd(0), "0.0000000000", usd(10), "Units"
	}
	reserved := item("DiscountedUsage", "AmazonRDS", "reserved", 0)
	reserved.RI, reserved.RIEffective, reserved.NetRIEffective, reserved.Public = nodes, usd(7), usd(7), usd(0)
	rows, err := rowsOfReport(t, csvReport(t, all, sold, free, reserved))
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if r := rows[0]; r.ListCost.String() != "95" || r.ListUnitPrice.Valid {
		t.Errorf("list cost %s at %v", r.ListCost, r.ListUnitPrice)
	}
	if r := rows[1]; !r.ListCost.IsZero() || !r.ListUnitPrice.Valid {
		t.Errorf("list cost %s at %v", r.ListCost, r.ListUnitPrice)
	}
	if r := rows[2]; r.ListCost.String() != "7" || r.ContractedCost.String() != "7" {
		t.Errorf("list cost %s, contracted %s", r.ListCost, r.ContractedCost)
	}
}

func TestCoveredUsageThatIsNotNegatedYet(t *testing.T) {
	t.Parallel()
	month := aMonth()
	i := slices.IndexFunc(month, func(r record) bool { return r.Description == "negated" })
	rows, err := rowsOfReport(t, parquetReport(t, slices.Delete(month, i, i+1)...))
	if err != nil {
		t.Fatal(err)
	}
	last := rows[len(rows)-1]
	if billed, _ := totals(rows); billed.String() != "740.97" || last.BilledCost.String() != "47.5" || last.SubAccountID != member || last.ChargeCategory != "Adjustment" {
		t.Errorf("billed %s, and %+v", billed, last)
	}
}

func TestTagsOfLegacyReports(t *testing.T) {
	t.Parallel()
	keep := func(name string) string {
		switch name {
		case "line_item_operation":
			return "resourceTags/user:Team"
		case "line_item_availability_zone":
			return "resourceTags/aws:createdBy"
		}
		return legacy(name)
	}
	rows, err := rowsOfReport(t, csvReport(t, keep, aMonth()...))
	if err != nil || len(rows) == 0 || rows[0].Tags["Team"] != "RunInstances" || rows[0].Tags["aws:createdBy"] != "eu-west-1a" || len(rows[1].Tags) != 0 {
		t.Errorf("%v %+v", err, rows[:2])
	}
}

func TestReportsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	change := func(f func(*record)) []byte {
		r := aMonth()[2]
		f(&r)
		return parquetReport(t, r)
	}
	lacking := func(column string) []byte {
		return csvReport(t, func(name string) string { return map[bool]string{false: name}[name == column] }, aMonth()...)
	}
	cases := map[string]struct {
		content []byte
		text    string
	}{
		"another month":      {change(func(r *record) { r.PeriodStart = november.AddDate(0, -1, 0) }), "bill_billing_period_start_date"},
		"no currency":        {change(func(r *record) { r.Currency = "" }), "line_item_currency_code"},
		"no amortised cost":  {change(func(r *record) { r.PlanCost, r.NetPlanCost = nil, nil }), "savings_plan_savings_plan_effective_cost is missing"},
		"no cost":            {lacking("line_item_unblended_cost"), "line_item_unblended_cost"},
		"no column of plans": {lacking("savings_plan_used_commitment"), "savings_plan_used_commitment is missing"},
		"not a number":       {bytes.Replace(plainReport(t), []byte(",22.8,"), []byte(",x,"), 1), "Row 1"},
		"cells missing":      {append(plainReport(t), "a,b\n"...), "Row 19"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := rowsOfReport(t, c.content); fault.CodeOf(err) != fault.Unprocessable || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, want a complaint about %s", err, c.text)
			}
		})
	}
}
