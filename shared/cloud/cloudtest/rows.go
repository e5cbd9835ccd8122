package cloudtest

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// adds checks that the rows are the charges: no more, no less, with their sign and their lack of a resource.
func adds(t *testing.T, rows []focus.Row, charges []Charge) {
	t.Helper()
	var billed, unnamed, named, back decimal.Decimal
	for i := range rows {
		billed = billed.Add(rows[i].BilledCost)
		if rows[i].ResourceID == "" {
			unnamed = unnamed.Add(rows[i].BilledCost)
		} else {
			named = named.Add(rows[i].BilledCost)
		}
		if rows[i].BilledCost.IsNegative() {
			back = back.Add(rows[i].BilledCost)
		}
	}
	if want := sum(charges); !billed.Equal(want) {
		t.Errorf("%d charges come to %s, their %d rows to %s; the difference is %s", len(charges), want, len(rows), billed, billed.Sub(want))
	}
	var unnamedWant, backWant decimal.Decimal
	for _, c := range charges {
		if c.Resource == "" {
			unnamedWant = unnamedWant.Add(c.Amount)
		}
		if c.Amount.IsNegative() {
			backWant = backWant.Add(c.Amount)
		}
	}
	if !named.IsZero() && !unnamed.Equal(unnamedWant) { // a bill that names no resources at all has nothing to tell apart
		t.Errorf("charges without a resource come to %s, want %s", unnamed, unnamedWant)
	}
	if !back.Equal(backWant) {
		t.Errorf("credits come to %s, want %s", back, backWant)
	}
}

var chargeCategories = []string{"Usage", "Purchase", "Tax", "Credit", "Adjustment"}

func validRow(t *testing.T, s Subject, row *focus.Row) {
	t.Helper()
	if want := cost.Month(s.Month); !row.BillingPeriod.Start.Equal(want.Start) || !row.BillingPeriod.End.Equal(want.End) {
		t.Errorf("billing period %s, want %s", row.BillingPeriod, want)
	}
	if !row.ChargePeriod.Start.Before(row.ChargePeriod.End) {
		t.Errorf("the charge period %s is empty", row.ChargePeriod)
	}
	for _, at := range []time.Time{row.BillingPeriod.Start, row.BillingPeriod.End, row.ChargePeriod.Start, row.ChargePeriod.End} {
		if at.Location() != time.UTC {
			t.Errorf("%s is not UTC", at)
		}
	}
	if want := s.Cloud.BillName(); row.ServiceProviderName != want {
		t.Errorf("provider %q, want %q", row.ServiceProviderName, want)
	}
	if !row.BillingCurrency.Valid() {
		t.Errorf("currency %q", row.BillingCurrency)
	}
	if !slices.Contains(chargeCategories, row.ChargeCategory) {
		t.Errorf("charge category %q", row.ChargeCategory)
	}
	if row.BillingAccountID == "" || row.ServiceName == "" || row.ServiceCategory == "" {
		t.Errorf("a row without account, service or category: %+v", *row)
	}
}

// storable checks that what is staged is what was read: written as Parquet and read again, the rows are the same.
func storable(t *testing.T, rows []focus.Row) {
	t.Helper()
	var file bytes.Buffer
	w := focus.NewParquetWriter(&file)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := focus.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), focus.Parquet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for i := range rows {
		var back focus.Row
		rejection, err := r.Next(&back)
		if err != nil || rejection != nil {
			t.Fatalf("row %d of %d cannot be loaded: %+v %v", i+1, len(rows), rejection, err)
		}
		if name := difference(&rows[i], &back); name != "" {
			t.Errorf("row %d: %s changes when it is staged", i+1, name)
		}
	}
	if _, err := r.Next(&focus.Row{}); !errors.Is(err, io.EOF) {
		t.Errorf("after %d rows: %v", len(rows), err)
	}
}

// difference names the first field in which two rows differ in meaning, empty when none does.
func difference(a, b *focus.Row) string {
	va, vb := reflect.ValueOf(*a), reflect.ValueOf(*b)
	for i := range va.NumField() {
		if !same(va.Field(i).Interface(), vb.Field(i).Interface()) {
			return va.Type().Field(i).Name
		}
	}
	return ""
}

func same(x, y any) bool {
	switch x := x.(type) {
	case decimal.Decimal:
		z, ok := y.(decimal.Decimal)
		return ok && x.Equal(z)
	case decimal.NullDecimal:
		z, ok := y.(decimal.NullDecimal)
		return ok && x.Valid == z.Valid && x.Decimal.Equal(z.Decimal)
	case cost.Period:
		z, ok := y.(cost.Period)
		return ok && x.Start.Equal(z.Start) && x.End.Equal(z.End)
	case map[string]string:
		z, ok := y.(map[string]string)
		return ok && maps.Equal(x, z)
	default:
		return reflect.DeepEqual(x, y)
	}
}
