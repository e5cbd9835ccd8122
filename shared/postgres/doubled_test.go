package postgres_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// usage is a bill of ten days: each day each service costs something of its own. Change alters what each row is.
func usage(change func(row *focus.Row, day int), services ...string) []focus.Row {
	var rows []focus.Row
	for day := 1; day <= 10; day++ {
		for i, name := range services {
			row := charge("AWS", "payer", fmt.Sprintf("%d.%02d", 10*(i+1)+day*day%7, day*13%100), day)
			row.ServiceName, row.SubAccountID, row.RegionID = name, "1", "eu-west-1"
			if change != nil {
				change(&row, day)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func TestTheSameMoneyUnderTwoConnectionsIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		second []focus.Row
		found  bool
	}{
		"the same bill": {usage(nil, "EC2", "S3", "RDS"), true},
		"services by other names, and a little restated": {usage(func(r *focus.Row, _ int) {
			r.ServiceName, r.ServiceProviderName, r.BillingAccountName = "Amazon "+r.ServiceName, "Amazon Web Services", "Payer"
			r.BilledCost = r.BilledCost.Add(r.BilledCost.Shift(-3))
		}, "EC2", "S3", "RDS"), true},
		"a part of it": {usage(nil, "EC2"), true},
		"the other part of what a tag splits": {usage(func(r *focus.Row, day int) {
			r.BilledCost = r.BilledCost.Add(charge("", "", strconv.Itoa(day%4+3), 1).BilledCost)
		}, "EC2", "S3", "RDS"), false},
		"another account of the same payer": {usage(func(r *focus.Row, _ int) { r.SubAccountID = "2" }, "EC2", "S3", "RDS"), false},
		"another payer":                     {usage(func(r *focus.Row, _ int) { r.BillingAccountID = "elsewhere" }, "EC2", "S3", "RDS"), false},
		"other days": {usage(func(r *focus.Row, _ int) {
			r.ChargePeriod.Start, r.ChargePeriod.End = r.ChargePeriod.Start.AddDate(0, 0, 12), r.ChargePeriod.End.AddDate(0, 0, 12)
		}, "EC2", "S3", "RDS"), false},
		"nothing but zeros": {usage(func(r *focus.Row, _ int) { r.BilledCost = r.BilledCost.Sub(r.BilledCost) }, "EC2"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			if first := load(t, db, acme, ingest.Bill{Connection: "first", File: content(csvOf(t, usage(nil, "EC2", "S3", "RDS")...))}); len(first.Doubled) != 0 {
				t.Fatalf("the first bill is doubled: %+v", first.Doubled)
			}
			report := load(t, db, acme, ingest.Bill{Connection: "second", File: content(csvOf(t, c.second...))})
			if found := len(report.Doubled) == 1; found != c.found || len(report.Doubled) > 1 {
				t.Fatalf("got %+v; want found %t", report.Doubled, c.found)
			}
			for _, at := range []string{"first", "second"} {
				s, err := db.ConnectionStatus(t.Context(), acme, at)
				if err != nil || (len(s.Doubled) == 1) != c.found {
					t.Errorf("the status of %s: %+v, %v", at, s.Doubled, err)
				}
			}
			if !c.found {
				return
			}
			d := report.Doubled[0]
			if d.Connection != "first" || d.BillingAccount != "payer" || d.Currency != "USD" || !d.First.Equal(september.Start) || !d.Last.Equal(september.Start.AddDate(0, 0, 9)) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

// A tenant's bill is no double of another's.
func TestDoublesAreOfOneTenant(t *testing.T) {
	t.Parallel()
	db := open(t)
	load(t, db, other, ingest.Bill{Connection: "theirs", File: content(csvOf(t, usage(nil, "EC2")...))})
	if r := load(t, db, acme, ingest.Bill{Connection: "ours", File: content(csvOf(t, usage(nil, "EC2")...))}); len(r.Doubled) != 0 {
		t.Errorf("got %+v", r.Doubled)
	}
}

func TestBillsAreRemovedOnceNothingReadsThem(t *testing.T) {
	t.Parallel()
	db := open(t)
	if err := db.CreateConnection(t.Context(), ingest.Connection{Tenant: acme, ID: "read", Cloud: resource.AWS, Name: "read"}); err != nil {
		t.Fatal(err)
	}
	bill := append(usage(nil, "EC2"), usage(func(r *focus.Row, _ int) {
		r.BillingPeriod.Start, r.BillingPeriod.End = r.BillingPeriod.Start.AddDate(0, -1, 0), r.BillingPeriod.Start
		r.ChargePeriod.Start, r.ChargePeriod.End = r.ChargePeriod.Start.AddDate(0, -1, 0), r.ChargePeriod.End.AddDate(0, -1, 0)
	}, "S3")...)
	load(t, db, acme, ingest.Bill{Connection: "read", File: content(csvOf(t, bill...))})
	load(t, db, acme, ingest.Bill{Connection: "kept", File: content(csvOf(t, charge("AWS", "payer", "1", 20)))})
	load(t, db, other, ingest.Bill{Connection: "read", File: content(csvOf(t, bill...))})

	if _, err := db.RemoveBills(t.Context(), acme, "read"); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("what is still read would come back: %v", err)
	}
	if err := db.RemoveConnection(t.Context(), acme, "read"); err != nil {
		t.Fatal(err)
	}
	removed, err := db.RemoveBills(t.Context(), acme, "read")
	if err != nil || removed.Bills != 2 || removed.Rows != 20 {
		t.Errorf("removed %+v, %v", removed, err)
	}
	wantTotal(t, db, "1", 1)
	if _, err := db.RemoveBills(t.Context(), acme, "read"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("there is nothing any more: %v", err)
	}
	theirs, err := db.Coverage(t.Context(), other)
	if err != nil || len(theirs) != 2 {
		t.Errorf("the other tenant has %v, %v", theirs, err)
	}
	// The same file is news again.
	if again := load(t, db, acme, ingest.Bill{Connection: "again", File: content(csvOf(t, bill...))}); again.Unchanged || again.Accepted != 20 {
		t.Errorf("got %+v", again)
	}
}

// What a load replaces leaves the comparison with it.
func TestARestatedBillIsComparedAnew(t *testing.T) {
	t.Parallel()
	db := open(t)
	load(t, db, acme, ingest.Bill{Connection: "first", File: content(csvOf(t, usage(nil, "EC2")...))})
	load(t, db, acme, ingest.Bill{Connection: "second", File: content(csvOf(t, usage(nil, "EC2")...))})
	elsewhere := usage(func(r *focus.Row, _ int) { r.BillingAccountID = "elsewhere" }, "EC2")
	if r := load(t, db, acme, ingest.Bill{Connection: "second", File: content(csvOf(t, elsewhere...))}); len(r.Doubled) != 0 {
		t.Errorf("got %+v", r.Doubled)
	}
	s, err := db.ConnectionStatus(t.Context(), acme, "first")
	if err != nil || len(s.Doubled) != 0 {
		t.Errorf("got %+v, %v", s.Doubled, err)
	}
}
