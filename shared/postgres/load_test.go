package postgres_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/postgres"
)

var september = cost.Month(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))

// charge is a row with what every row must have.
func charge(provider, account, amount string, day int) focus.Row {
	start := september.Start.AddDate(0, 0, day-1)
	d := decimal.RequireFromString(amount)
	return focus.Row{
		BillingPeriod: cost.Month(start), ChargePeriod: cost.Days(start, 1), BillingCurrency: "USD",
		BilledCost: d, EffectiveCost: d, ListCost: d, ContractedCost: d,
		BillingAccountID: account, ServiceProviderName: provider, InvoiceIssuerName: provider,
		ServiceName: "Compute", ServiceCategory: "Compute", ChargeCategory: "Usage", ChargeDescription: "an hour",
	}
}

// total is the sum of one basis over everything in 2026.
func total(t *testing.T, db *postgres.DB, where map[cost.Dimension][]string) (decimal.Decimal, int64) {
	t.Helper()
	year := cost.Period{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	groups, err := db.Costs(t.Context(), acme, cost.Query{Period: year, Basis: cost.Billed, Grain: cost.Total, Filter: where})
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) == 0 {
		return decimal.Decimal{}, 0
	}
	if len(groups) > 1 {
		t.Fatalf("one sum was asked for, got %v", groups)
	}
	return groups[0].Amount, groups[0].Rows
}

func wantTotal(t *testing.T, db *postgres.DB, amount string, rows int64) {
	t.Helper()
	if got, n := total(t, db, nil); !got.Equal(decimal.RequireFromString(amount)) || n != rows {
		t.Errorf("the record holds %s in %d rows, want %s in %d", got, n, amount, rows)
	}
}

func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	db := open(t)
	want := charge("AWS", "1", "0.12345678901234567890123456789", 3)
	fillTexts(&want)
	want.ChargeCategory, want.ServiceProviderName, want.BillingCurrency = "Adjustment", "AWS", "EUR"
	want.EffectiveCost = decimal.RequireFromString("-99999999999999.000000000001")
	want.PricingQuantity = decimal.NewNullDecimal(decimal.RequireFromString("2.0000000000"))
	want.ListUnitPrice = decimal.NewNullDecimal(decimal.RequireFromString("4e-7"))
	want.ChargePeriod.End = want.ChargePeriod.Start.Add(time.Hour + 123456*time.Microsecond)
	want.Tags = map[string]string{"team": "a\"b", "": "empty key", "café": "☕", "none": ""}
	want.Extra = map[string]string{"x_Id": "1", "x_Note": "<&> 'quoted', ünïcode"}
	bare := charge("AWS", "1", "-1", 4)
	bare.ServiceName, bare.BillingCurrency = "Other", "EUR"
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, want, bare))})

	var got []focus.Row
	for row, err := range db.Charges(t.Context(), acme, september, nil) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	if len(got) != 2 {
		t.Fatalf("%d rows came back, want 2", len(got))
	}
	for i, w := range []focus.Row{want, bare} {
		sameRow(t, w, got[i])
	}
}

// fillTexts gives every text field a value of its own.
func fillTexts(row *focus.Row) {
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			f.SetString("the " + v.Type().Field(i).Name + " ünï")
		}
	}
}

// sameRow compares field by field: decimals by value, everything else as it is.
func sameRow(t *testing.T, want, got focus.Row) {
	t.Helper()
	w, g := reflect.ValueOf(want), reflect.ValueOf(got)
	for i := range w.NumField() {
		same := reflect.DeepEqual(w.Field(i).Interface(), g.Field(i).Interface())
		switch a := w.Field(i).Interface().(type) {
		case decimal.Decimal:
			same = a.Equal(fieldOf[decimal.Decimal](g.Field(i)))
		case decimal.NullDecimal:
			b := fieldOf[decimal.NullDecimal](g.Field(i))
			same = a.Valid == b.Valid && a.Decimal.Equal(b.Decimal)
		}
		if !same {
			t.Errorf("%s is %v, want %v", w.Type().Field(i).Name, g.Field(i), w.Field(i))
		}
	}
}

func fieldOf[T any](v reflect.Value) T {
	x, _ := v.Interface().(T)
	return x
}

func TestTheSameFileTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	db := open(t)
	bill := csvOf(t, slices.Collect(focustest.Rows(10_000, 7))...)
	first := load(t, db, acme, ingest.Bill{File: content(bill)})
	if first.Unchanged || first.Accepted != 10_000 || first.Rejected != 0 {
		t.Fatalf("first load: %+v", first)
	}
	amount, rows := total(t, db, nil)
	again := load(t, db, acme, ingest.Bill{File: content(bill)})
	if !again.Unchanged || again.Accepted != first.Accepted || again.SHA256 != first.SHA256 || len(again.Periods) != len(first.Periods) {
		t.Errorf("second load: %+v", again)
	}
	if a, n := total(t, db, nil); !a.Equal(amount) || n != rows {
		t.Errorf("%s in %d rows became %s in %d", amount, rows, a, n)
	}
}

// Each month fills a buffer of its own: more than the copy keeps.
func TestAFileMayHoldTheBillsOfManyMonths(t *testing.T) {
	t.Parallel()
	db := open(t)
	var rows []focus.Row
	for i := range 12 {
		rows = append(rows, charge("AWS", "1", "1", 31*i-242)) // January, and every 31 days from then on
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := db.Load(ctx, acme, ingest.Bill{File: content(csvOf(t, rows...))}); err != nil {
		t.Fatal(err)
	}
	wantTotal(t, db, "12", 12)
}

func TestARestatedBillReplacesItsPeriodAlone(t *testing.T) {
	t.Parallel()
	db := open(t)
	both := csvOf(t, charge("AWS", "1", "10", 1), charge("AWS", "1", "20", 2), charge("AWS", "1", "5", 31)) // the last is October
	load(t, db, acme, ingest.Bill{Connection: "main", File: content(both)})
	restated := csvOf(t, charge("AWS", "1", "11", 1))
	report := load(t, db, acme, ingest.Bill{Connection: "main", File: content(restated)})
	if len(report.Periods) != 1 || report.Periods[0].Replaced != 2 || report.Periods[0].Rows != 1 || report.Periods[0].Connection != "main" {
		t.Errorf("periods: %+v", report.Periods)
	}
	wantTotal(t, db, "16", 2)

	// The older file is news again, for one of its periods had been replaced.
	if report := load(t, db, acme, ingest.Bill{Connection: "main", File: content(both)}); report.Unchanged {
		t.Error("the first file was taken for loaded, but one of its periods had been replaced")
	}
	wantTotal(t, db, "35", 3)
}

func TestConnectionsAreDerivedPerBillingAccount(t *testing.T) {
	t.Parallel()
	db := open(t)
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, charge("AWS", "1", "10", 1), charge("Microsoft", "m", "3", 1)))})
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, charge("AWS", "2", "5", 1)))})
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, charge("AWS", "1", "12", 1)))})
	wantTotal(t, db, "20", 3)

	connections, err := db.Connections(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range connections {
		ids = append(ids, c.ID+" "+string(c.Cloud))
	}
	if want := []string{"focus:AWS:1 ", "focus:AWS:2 ", "focus:Microsoft:m "}; !slices.Equal(ids, want) {
		t.Errorf("connections %v, want %v", ids, want)
	}
	coverage, err := db.Coverage(t.Context(), acme)
	if err != nil || len(coverage) != 3 {
		t.Fatalf("coverage %+v, %v", coverage, err)
	}
	if c := coverage[0]; c.Rows != 1 || c.Period != september || len(c.Totals) != 1 || !c.Totals[0].Billed.Equal(decimal.NewFromInt(12)) ||
		!c.FirstUsage.Equal(september.Start) || len(c.SHA256) != 64 {
		t.Errorf("coverage of %s: %+v", c.Connection, c)
	}
}

func TestBadRowsAreLeftOutAndReported(t *testing.T) {
	t.Parallel()
	db := open(t)
	lines := strings.SplitAfter(string(csvOf(t, charge("AWS", "1", "10", 1), charge("AWS", "1", "7.25", 2), charge("AWS", "1", "1", 3))), "\n")
	lines[2] = strings.Replace(lines[2], "2026-09-02T00:00:00Z", "yesterday", 1)
	report := load(t, db, acme, ingest.Bill{File: content([]byte(strings.Join(lines, "")))})
	if report.Accepted != 2 || report.Rejected != 1 || len(report.Rejections) != 1 || report.Rejections[0].Row != 2 || report.Rejections[0].Value != "yesterday" {
		t.Errorf("report %+v", report)
	}
	if len(report.Lost) != 1 || !report.Lost[0].Billed.Equal(decimal.RequireFromString("7.25")) || report.Lost[0].Currency != "USD" || report.Lost[0].Unknown != 0 {
		t.Errorf("lost %+v, want 7.25 USD", report.Lost)
	}
	wantTotal(t, db, "11", 2)
}

func TestAFileThatBreaksOffChangesNothing(t *testing.T) {
	t.Parallel()
	db := open(t)
	load(t, db, acme, ingest.Bill{Connection: "main", File: content(csvOf(t, charge("AWS", "1", "10", 1)))})
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(csvOf(t, slices.Collect(focustest.Rows(20_000, 3))...)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	cut := zipped.Bytes()[:zipped.Len()/2]
	if _, err := db.Load(t.Context(), acme, ingest.Bill{Connection: "main", File: content(cut)}); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("half a file: %v, want Unprocessable", err)
	}
	if _, err := db.Load(t.Context(), acme, ingest.Bill{File: content([]byte("a,b\n1,2\n"))}); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("no FOCUS file: %v, want Unprocessable", err)
	}
	wantTotal(t, db, "10", 1)
	if connections, err := db.Connections(t.Context(), acme); err != nil || len(connections) != 1 {
		t.Errorf("connections %v, %v", connections, err)
	}
}

func TestAnUnknownTenantIsNotFound(t *testing.T) {
	t.Parallel()
	db := open(t)
	_, err := db.Load(t.Context(), "0c0c0c0c-0000-4000-8000-000000000003", ingest.Bill{File: content(csvOf(t, charge("AWS", "1", "10", 1)))})
	if fault.CodeOf(err) != fault.NotFound {
		t.Errorf("%v, want NotFound", err)
	}
}

func TestConcurrentLoadsOfAPeriodLeaveOneOfThem(t *testing.T) {
	t.Parallel()
	db := open(t)
	const loads = 6
	var group sync.WaitGroup
	errs := make([]error, loads)
	for i := range loads {
		group.Go(func() {
			owner := acme
			if i%3 == 2 {
				owner = other
			}
			rows := []focus.Row{charge("AWS", "1", strconv.Itoa(i+1), 1), charge("AWS", "1", strconv.Itoa(i+1), 400)}
			_, errs[i] = db.Load(t.Context(), owner, ingest.Bill{Connection: "main", File: content(csvOf(t, rows...))})
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	amount, n := total(t, db, nil)
	if n != 1 || amount.GreaterThan(decimal.NewFromInt(loads)) {
		t.Errorf("%s in %d rows, want those of one load", amount, n)
	}
}

// stuck is a file whose storage fails in the middle.
type stuck struct{ file }

func (s stuck) ReadAt(p []byte, off int64) (int, error) {
	if off > 100_000 {
		return 0, io.ErrClosedPipe
	}
	return s.Reader.ReadAt(p, off)
}

func TestStorageThatFailsIsWorthARetry(t *testing.T) {
	t.Parallel()
	db := open(t)
	bill := stuck{file{bytes.NewReader(csvOf(t, slices.Collect(focustest.Rows(1000, 3))...))}}
	if _, err := db.Load(t.Context(), acme, ingest.Bill{File: bill}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("%v, want Unavailable", err)
	}
}

func TestABillOfWhichNothingIsAcceptedSaysSo(t *testing.T) {
	t.Parallel()
	db := open(t)
	broken := charge("AWS", "1", "12", 1)
	broken.ServiceName = ""
	report := load(t, db, acme, ingest.Bill{File: content(csvOf(t, broken))})
	if report.Accepted != 0 || report.Rejected != 1 || report.Periods == nil || report.Totals == nil || len(report.Lost) != 1 {
		t.Errorf("report %+v", report)
	}
}
