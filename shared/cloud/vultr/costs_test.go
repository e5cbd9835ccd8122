package vultr_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cloud/vultr"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

var (
	update    = flag.Bool("update", false, "write the golden files anew")
	july      = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	august    = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	september = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
)

func rows(t testing.TB, c *vultr.Collector, month time.Time) []focus.Row {
	t.Helper()
	var out []focus.Row
	for row, err := range c.Costs(t.Context(), month) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func billed(rows []focus.Row) (sum decimal.Decimal) {
	for i := range rows {
		sum = sum.Add(rows[i].BilledCost)
	}
	return sum
}

// The golden files are FOCUS: every column of every row, to the last digit.
func TestRowsAreThoseOfTheBill(t *testing.T) {
	t.Parallel()
	c := newWorld(t).open(nil)
	for name, month := range map[string]time.Time{"invoiced": august, "running": september} {
		var got bytes.Buffer
		w := focus.NewCSVWriter(&got)
		for _, row := range rows(t, c, month) {
			if err := w.Write(&row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs from %s:\n%s", name, file, got.String())
		}
	}
}

func TestTheRowsOfAMonthComeToItsInvoiceAndCredits(t *testing.T) {
	t.Parallel()
	c := newWorld(t).open(nil)
	// 1234676.79 is what the invoice asks for, a cent more than its items; no 32-bit float can hold it. 25.50 was given back.
	if got, want := billed(rows(t, c, august)), decimal.RequireFromString("1234651.29"); !got.Equal(want) {
		t.Errorf("August comes to %s, want %s", got, want)
	}
	if got, want := billed(rows(t, c, september)), decimal.RequireFromString("13.03"); !got.Equal(want) {
		t.Errorf("September comes to %s so far, want %s", got, want)
	}
	if got := rows(t, c, july); len(got) != 1 || got[0].ChargeCategory != "Credit" {
		t.Errorf("July without an invoice has %+v, want its one credit", got)
	}
	if got := rows(t, c, september.AddDate(0, 1, 0)); len(got) != 0 {
		t.Errorf("a month that has not begun has %d rows", len(got))
	}
}

func TestHoursAreSpreadOverTheirDaysExactly(t *testing.T) {
	t.Parallel()
	var money, hours decimal.Decimal
	days := 0
	for _, row := range rows(t, newWorld(t).open(nil), august) {
		if row.ChargeDescription != "203.0.113.7 (8192 MB) [web-1]" {
			continue
		}
		days++
		money, hours = money.Add(row.BilledCost), hours.Add(row.PricingQuantity.Decimal)
		if row.ChargePeriod.End.Sub(row.ChargePeriod.Start) > 24*time.Hour || row.ChargePeriod.Start.Hour() != 0 && days > 1 {
			t.Errorf("a day is %s to %s", row.ChargePeriod.Start, row.ChargePeriod.End)
		}
		if row.ChargePeriod.Start.Hour() == 0 && !row.PricingQuantity.Decimal.Equal(decimal.NewFromInt(24)) {
			t.Errorf("a whole day has %s hours", row.PricingQuantity.Decimal)
		}
	}
	if days != 3 || !money.Equal(decimal.RequireFromString("3.21")) || !hours.Equal(decimal.NewFromInt(54)) {
		t.Errorf("2.25 days are %d days of %s USD and %s hours", days, money, hours)
	}
}

func TestItemsWithoutAnEndFollowFromTheirHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct{ start, end, units, wantStart, wantEnd string }{
		{"2026-09-10T10:00:00+00:00", "2026-09-10T10:00:00+00:00", "30", "2026-09-10T10:00:00Z", "2026-09-11T16:00:00Z"},
		{"2026-09-19T10:00:00+02:00", "2026-09-19T10:00:00+02:00", "720", "2026-09-19T08:00:00Z", "2026-09-20T15:00:00Z"}, // so far
		{"", "", "0.123456789123", "2026-09-01T00:00:00Z", "2026-09-20T15:00:00Z"},
		{"2026-09-20T14:59:00+00:00", "2026-09-20T14:59:00+00:00", "0", "2026-09-20T14:59:00Z", "2026-09-20T15:59:00Z"},
	} {
		w.set(func() {
			w.lists["/v2/billing/pending-charges"] = []any{map[string]any{
				"description": "Load Balancer (shop)", "product": "Load Balancer", "start_date": tt.start, "end_date": tt.end,
				"units": json.Number(tt.units), "unit_type": "hours", "unit_price": json.Number("0.0149"), "total": json.Number("10"),
			}}
		})
		got := rows(t, w.open(nil), september)
		first, last := got[0].ChargePeriod.Start.Format(time.RFC3339), got[len(got)-1].ChargePeriod.End.Format(time.RFC3339)
		var units decimal.Decimal
		for i := range got {
			units = units.Add(got[i].PricingQuantity.Decimal)
		}
		if !units.Equal(decimal.RequireFromString(tt.units)) {
			t.Errorf("%s hours became %s", tt.units, units)
		}
		if first != tt.wantStart || last != tt.wantEnd || !billed(got).Equal(decimal.NewFromInt(10)) {
			t.Errorf("%s for %s hours: %s to %s, want %s to %s", tt.start, tt.units, first, last, tt.wantStart, tt.wantEnd)
		}
	}
}

func TestItemsFindTheirResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := func(description, product string) {
		w.lists["/v2/billing/pending-charges"] = append(w.lists["/v2/billing/pending-charges"], map[string]any{
			"description": description, "product": product, "start_date": "2026-09-10T00:00:00+00:00", "end_date": "2026-09-11T00:00:00+00:00",
			"units": json.Number("24"), "unit_type": "hours", "unit_price": json.Number("0.01"), "total": json.Number("0.24"),
		})
	}
	want := map[string]string{
		"203.0.113.7 (8192 MB) [old name]": "cb676a46-66fd-4dfb-b839-443f2e6c0b60", // by its address
		"192.0.2.1 (8192 MB) [web-1]":      "cb676a46-66fd-4dfb-b839-443f2e6c0b60", // by its label: the volume of that label is no server
		"192.0.2.1 (8192 MB) [twin]":       "",                                     // two have the label
		"0.0.0.0 (8192 MB)":                "",                                     // nobody's address
		"8192 MB []":                       "",
		"Something else":                   "",
	}
	w.lists["/v2/billing/pending-charges"] = nil
	for description := range want {
		item(description, "Vultr Cloud Compute")
	}
	for _, row := range rows(t, w.open(nil), september) {
		if row.ResourceID != want[row.ChargeDescription] {
			t.Errorf("%q belongs to %q, want %q", row.ChargeDescription, row.ResourceID, want[row.ChargeDescription])
		}
	}
	// 203.0.113.8 was another server's before today's was made.
	for _, row := range rows(t, w.open(nil), august) {
		if row.ChargeDescription == "203.0.113.8 (8192 MB) [gone]" && row.ResourceID != "" {
			t.Errorf("the use of a deleted server counts as that of %s", row.ResourceID)
		}
	}
}

func TestAKeyThatMayNotListServersLosesNoMoney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.open(nil)
	before := billed(rows(t, c, august))
	w.set(func() { w.denied["/v2/instances"] = true })
	after := rows(t, c, august)
	if got := billed(after); !got.Equal(before) {
		t.Errorf("without the servers, the month comes to %s instead of %s", got, before)
	}
}

func TestAnswersOfAnyContentTypeAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.open(nil)
	before := rows(t, c, august)
	w.set(func() { w.contentType = "application/json; charset=utf-8" })
	if after := rows(t, c, august); len(after) != len(before) || len(after) == 0 {
		t.Errorf("%d rows with a charset, %d without", len(after), len(before))
	}
}

// Between the end of a month and its invoice, its charges are pending beside those of the new month.
func TestNoChargeIsLostOrDoubledWhenTheInvoiceComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.open(nil)
	charge := func(start, total string) any {
		return map[string]any{
			"description": "Load Balancer (shop)", "product": "Load Balancer", "start_date": start, "end_date": start,
			"units": json.Number("1"), "unit_type": "hours", "unit_price": json.Number("1"), "total": json.Number(total),
		}
	}
	invoices := w.lists["/v2/billing/invoices"]
	w.set(func() {
		w.now = time.Date(2026, 9, 1, 0, 20, 0, 0, time.UTC)
		w.lists["/v2/billing/history"], w.lists["/v2/billing/invoices"] = nil, nil
		w.lists["/v2/billing/pending-charges"] = []any{charge("2026-08-31T23:00:00+00:00", "7"), charge("2026-09-01T00:00:00+00:00", "1")}
	})
	expect := func(when, inAugust, inSeptember string) {
		t.Helper()
		if got := billed(rows(t, c, august)); !got.Equal(decimal.RequireFromString(inAugust)) {
			t.Errorf("%s, August is %s, want %s", when, got, inAugust)
		}
		if got := billed(rows(t, c, september)); !got.Equal(decimal.RequireFromString(inSeptember)) {
			t.Errorf("%s, September is %s, want %s", when, got, inSeptember)
		}
	}
	expect("before the invoice", "7", "1")
	w.set(func() {
		w.now = time.Date(2026, 9, 1, 0, 40, 0, 0, time.UTC)
		w.lists["/v2/billing/invoices"] = invoices
		w.lists["/v2/billing/pending-charges"] = []any{charge("2026-08-31T23:30:00+00:00", "2"), charge("2026-09-01T00:00:00+00:00", "1")}
	})
	expect("after it", "1234676.79", "3") // what came too late for August's invoice will be on September's
}

func TestAnInvoiceThatComesWhileTheBillIsReadStopsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.open(nil)
	invoices := w.lists["/v2/billing/invoices"]
	w.set(func() {
		w.lists["/v2/billing/invoices"] = nil
		w.before = func(path string) {
			if path == "/v2/billing/pending-charges" {
				w.set(func() { w.lists["/v2/billing/invoices"] = invoices })
			}
		}
	})
	for row, err := range c.Costs(t.Context(), august) {
		if fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("got %+v, %v; want %s", row, err, fault.Unavailable)
		}
	}
}
