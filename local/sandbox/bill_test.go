package sandbox

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

var update = flag.Bool("update", false, "write the golden file anew")

var september = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// TestMonthTotalsAreGolden holds a month of every provider to the cent.
func TestMonthTotalsAreGolden(t *testing.T) {
	t.Parallel()
	const path = "testdata/2026-09.json"
	e := open(t, Options{})
	var got []Total
	for _, cloud := range resource.Clouds {
		total := e.view().total(cloud, cost.Month(september))
		for _, amount := range []*decimal.Decimal{&total.Billed, &total.Effective, &total.List, &total.Contracted} {
			*amount = amount.Round(2)
		}
		got = append(got, total)
	}
	doc, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	doc = append(doc, '\n')
	if *update {
		if err := os.WriteFile(path, doc, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(doc) != string(want) {
		t.Errorf("September 2026 is\n%swant\n%s", doc, want)
	}
}

// TestBillIsWhatPriceListsSay computes parts of a month by hand, from public prices.
func TestBillIsWhatPriceListsSay(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	sum := func(cloud resource.Cloud, want func(focus.Row) bool) decimal.Decimal {
		total := decimal.Zero
		for _, row := range rows(t, e, cloud, september) {
			if want(row) {
				total = total.Add(row.EffectiveCost)
			}
		}
		return total
	}
	app := func(name, sku string) func(focus.Row) bool {
		return func(r focus.Row) bool { return r.Tags["application"] == name && r.SkuID == sku }
	}
	hours := decimal.NewFromInt(30 * 24)
	months := hours.Div(decimal.NewFromInt(730))
	n := decimal.RequireFromString
	for name, c := range map[string]struct{ got, want decimal.Decimal }{
		"12 m5.2xlarge, always on":           {sum(resource.AWS, app("storefront", "m5.2xlarge")), n("12").Mul(n("0.384")).Mul(hours)},
		"8 m5.large, 22 workdays of 12 h":    {sum(resource.AWS, app("images", "m5.large")), n("8").Mul(n("0.096")).Mul(n("264"))},
		"6 c5.4xlarge in Ireland for 2 days": {sum(resource.AWS, app("closing", "c5.4xlarge")), n("6").Mul(n("0.68")).Mul(n("1.1")).Mul(n("48"))},
		"24 gp2 volumes of 500 GiB":          {sum(resource.AWS, app("events", "gp2")), n("24").Mul(n("500")).Mul(n("0.10")).Mul(n("1.1")).Mul(months)},
		"the savings plan":                   {sum(resource.AWS, func(r focus.Row) bool { return r.CommitmentDiscountID != "" }), n("1.29").Mul(hours)},
		"6 premium disks of 1 TiB":           {sum(resource.Azure, app("erp", "Premium_LRS")), n("6").Mul(n("1024")).Mul(n("0.12")).Mul(n("1.1")).Mul(months)},
		"the firewall with 8 % off":          {sum(resource.Azure, app("erp", "firewall")), n("30").Mul(n("30")).Mul(n("0.92"))},
		"a promotion of 4.50 a day":          {sum(resource.GCP, func(r focus.Row) bool { return r.ChargeCategory == "Credit" }), n("-4.5").Mul(n("30"))},
		"3 mirrors":                          {sum(resource.Vultr, app("mirror", "vc2-6c-16gb")), n("3").Mul(n("0.1096")).Mul(hours)},
	} {
		if !c.got.Round(6).Equal(c.want.Round(6)) {
			t.Errorf("%s cost %s, want %s", name, c.got, c.want)
		}
	}
}

func TestRowsKeepTheRulesOfFOCUS(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	for _, cloud := range resource.Clouds {
		all := rows(t, e, cloud, september)
		if len(all) < 300 {
			t.Errorf("%s has only %d rows", cloud, len(all))
		}
		for i, r := range all {
			switch {
			case r.BillingPeriod != cost.Month(september), r.ChargePeriod.Start.Before(r.BillingPeriod.Start), r.ChargePeriod.End.After(r.BillingPeriod.End):
				t.Fatalf("%s row %d: charge period %s in billing period %s", cloud, i, r.ChargePeriod, r.BillingPeriod)
			case r.BillingCurrency != usd, r.ServiceProviderName != cloud.BillName(), r.BillingAccountID == "", r.SubAccountID == "", r.SubAccountName == "",
				r.ServiceName == "", r.ServiceCategory == "", r.ChargeCategory == "", r.ChargeDescription == "", r.InvoiceID == "", r.InvoiceIssuerName == "":
				t.Fatalf("%s row %d lacks a column: %+v", cloud, i, r)
			case r.ListUnitPrice.Valid && !r.ListUnitPrice.Decimal.Mul(r.PricingQuantity.Decimal).Equal(r.ListCost):
				t.Fatalf("%s row %d: list cost %s is not %s times %s", cloud, i, r.ListCost, r.PricingQuantity.Decimal, r.ListUnitPrice.Decimal)
			case r.ContractedUnitPrice.Valid && !r.ContractedUnitPrice.Decimal.Mul(r.PricingQuantity.Decimal).Equal(r.ContractedCost):
				t.Fatalf("%s row %d: contracted cost %s is not quantity times price", cloud, i, r.ContractedCost)
			}
		}
	}
}

// TestCommitmentAddsUp: what was used and what was not is what was purchased, every day.
func TestCommitmentAddsUp(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	bought, spent := map[time.Time]decimal.Decimal{}, map[time.Time]decimal.Decimal{}
	statuses := map[string]int{}
	for _, r := range rows(t, e, resource.AWS, september) {
		if r.CommitmentDiscountID == "" {
			continue
		}
		day := r.ChargePeriod.Start
		statuses[r.CommitmentDiscountStatus]++
		if r.ChargeCategory == "Purchase" {
			bought[day] = bought[day].Add(r.BilledCost)
			if !r.EffectiveCost.IsZero() {
				t.Errorf("the purchase of %s has the effective cost %s", day, r.EffectiveCost)
			}
			continue
		}
		spent[day] = spent[day].Add(r.EffectiveCost)
		if !r.BilledCost.IsZero() {
			t.Errorf("a row under the plan is billed with %s", r.BilledCost)
		}
	}
	if len(bought) != 30 || statuses["Used"] == 0 || statuses["Unused"] == 0 {
		t.Fatalf("%d purchases, rows by status %v", len(bought), statuses)
	}
	for day, amount := range bought {
		if !spent[day].Equal(amount) {
			t.Errorf("%s: purchased %s, used and unused %s", day.Format(time.DateOnly), amount, spent[day])
		}
	}
}

// TestPlanCoversNoMoreThanItHas: what exceeds the commitment is billed on demand, and no hour twice.
func TestPlanCoversNoMoreThanItHas(t *testing.T) {
	t.Parallel()
	price, hours := decimal.RequireFromString("2"), decimal.NewFromInt(24) // 1.44 an hour after the discount, 1.29 is left
	p := newCommitment(resource.AWS, 24*time.Hour)
	row := focus.Row{ListUnitPrice: decimal.NewNullDecimal(price)}
	parts := p.cover(withQuantity(row, hours), charge{quantity: hours, price: price})
	if len(parts) != 2 || parts[0].CommitmentDiscountStatus != "Used" || parts[1].CommitmentDiscountStatus != "" {
		t.Fatalf("covered in the parts %+v", parts)
	}
	if got := parts[0].PricingQuantity.Decimal.Add(parts[1].PricingQuantity.Decimal); !got.Equal(hours) {
		t.Errorf("%s of %s hours are billed", got, hours)
	}
	if list := parts[0].ListCost.Add(parts[1].ListCost); !list.Equal(hours.Mul(price)) {
		t.Errorf("the list cost is %s", list)
	}
	if !parts[1].BilledCost.Equal(parts[1].PricingQuantity.Decimal.Mul(price)) || p.left.IsNegative() {
		t.Errorf("the rest costs %s, the plan has %s left", parts[1].BilledCost, p.left)
	}
}

// TestLastDaysAreRestated: what a bill says of the last days is short, later grows, and then stands for ever.
func TestLastDaysAreRestated(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	november := cost.MonthStart(e.base.Today)
	daily := func() map[time.Time]decimal.Decimal {
		out := map[time.Time]decimal.Decimal{}
		for _, r := range rows(t, e, resource.AWS, november) {
			if r.InvoiceID != "" {
				t.Fatal("a month that is not over has an invoice")
			}
			out[r.ChargePeriod.Start] = out[r.ChargePeriod.Start].Add(r.EffectiveCost)
		}
		return out
	}
	first, final := daily(), FinalBefore(e.clock.Now())
	e.clock.Advance(4 * 24 * time.Hour)
	second := daily()
	short := 0
	for day, amount := range first {
		switch {
		case day.Before(final) && !second[day].Equal(amount):
			t.Errorf("%s was final and changed from %s to %s", day.Format(time.DateOnly), amount, second[day])
		case !day.Before(final) && !second[day].GreaterThan(amount):
			t.Errorf("%s was provisional with %s and became %s", day.Format(time.DateOnly), amount, second[day])
		case !day.Before(final):
			short++
		}
	}
	if short != 2 {
		t.Errorf("%d days were provisional, want 2", short)
	}
	e.clock.Advance(20 * 24 * time.Hour)
	for _, r := range rows(t, e, resource.AWS, november) {
		if r.InvoiceID != "aws-2026-11" {
			t.Fatalf("ten days after its end, November has the invoice %q", r.InvoiceID)
		}
	}
}

func TestMonthsOutsideTheTimeHaveNoRows(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	for _, month := range []time.Time{e.base.Start.AddDate(0, -1, 0), e.base.Today.AddDate(0, 1, 0)} {
		if got := rows(t, e, resource.AWS, month); len(got) != 0 {
			t.Errorf("%s has %d rows", month.Format(time.DateOnly), len(got))
		}
	}
}

// BenchmarkStreamEverything writes all bills of all clouds.
func BenchmarkStreamEverything(b *testing.B) {
	e := open(b, Options{})
	for b.Loop() {
		n := 0
		for _, cloud := range resource.Clouds {
			for _, month := range (cost.Period{Start: e.base.Start, End: e.base.Today}).Months() {
				n += len(rows(b, e, cloud, month.Start))
			}
		}
		b.ReportMetric(float64(n), "rows")
	}
}
