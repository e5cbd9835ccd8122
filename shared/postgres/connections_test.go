package postgres_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

func awsMain() ingest.Connection {
	return ingest.Connection{Tenant: acme, ID: "aws-main", Cloud: resource.AWS, Name: "Main", Settings: map[string]string{"role_arn": "r"}, Secret: "s"}
}

func TestAConnectionIsCreatedOnceChangedAndRemoved(t *testing.T) {
	t.Parallel()
	db := open(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.SaveTenant(t.Context(), acme, "Acme"))
	must(db.SaveTenant(t.Context(), stranger, "Stranger"))
	must(db.CreateConnection(t.Context(), awsMain()))
	if err := db.CreateConnection(t.Context(), awsMain()); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("created twice: %v, want Conflict", err)
	}
	changed := awsMain()
	changed.Name, changed.Settings, changed.Cloud = "Renamed", nil, resource.GCP
	must(db.UpdateConnection(t.Context(), changed))
	got, err := db.Connection(t.Context(), acme, "aws-main")
	if err != nil || got.Name != "Renamed" || len(got.Settings) != 0 || got.Cloud != resource.AWS || got.Secret != "s" || got.Tenant != acme {
		t.Errorf("changed to %+v, %v", got, err)
	}
	for name, call := range map[string]func(tenant.ID) error{
		"read":   func(id tenant.ID) error { _, err := db.Connection(t.Context(), id, "aws-main"); return err },
		"status": func(id tenant.ID) error { _, err := db.ConnectionStatus(t.Context(), id, "aws-main"); return err },
		"change": func(id tenant.ID) error { c := awsMain(); c.Tenant = id; return db.UpdateConnection(t.Context(), c) },
		"remove": func(id tenant.ID) error { return db.RemoveConnection(t.Context(), id, "aws-main") },
	} {
		if err := call(stranger); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s by another tenant: %v, want NotFound", name, err)
		}
	}
	must(db.RemoveConnection(t.Context(), acme, "aws-main"))
	if all, err := db.Connections(t.Context(), acme); err != nil || len(all) != 0 {
		t.Errorf("after its removal: %v, %v", all, err)
	}
	other := awsMain()
	other.Cloud = resource.GCP
	if err := db.CreateConnection(t.Context(), other); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the ID of bills of another cloud was taken: %v, want Conflict", err)
	}
	must(db.CreateConnection(t.Context(), awsMain()))
}

// A part that could not be read is told, and says nothing about what exists there; removing the connection does.
func TestTheStatusTellsHowReadingWent(t *testing.T) {
	t.Parallel()
	db := open(t)
	if err := db.SaveTenant(t.Context(), acme, "Acme"); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateConnection(t.Context(), awsMain()); err != nil {
		t.Fatal(err)
	}
	month, at := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 10, 7, 0, 0, 0, time.UTC)
	in := func(account string) resource.Resource {
		return resource.Resource{Ref: resource.Ref{Cloud: resource.AWS, Account: account, Type: resource.Instance, Region: "eu-west-1", ID: "i-" + account}}
	}
	part := func(account string, status ingest.Status, reason string) ingest.Part {
		return ingest.Part{Account: account, Region: "eu-west-1", Service: "ec2", Status: status, Reason: reason}
	}
	for i, s := range []ingest.Inventory{
		{Resources: []resource.Resource{in("1"), in("2")}, Parts: []ingest.Part{part("1", ingest.OK, ""), part("2", ingest.OK, "")}},
		{Parts: []ingest.Part{part("2", ingest.OK, ""), part("1", ingest.Denied, "No right."), part("1", ingest.OK, "")}},
	} {
		if err := db.SaveInventory(t.Context(), acme, "aws-main", ingest.Snapshot{Inventory: s, At: at.Add(time.Duration(i) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := db.Inventory(t.Context(), acme, "aws-main"); err != nil || len(left) != 1 || left[0].ID != "i-1" {
		t.Errorf("in the account that was denied exists what was there, in the other nothing: %v, %v", left, err)
	}
	paid := []ingest.Spending{{What: "requests", Units: 2, Amount: decimal.RequireFromString("0.02")}}
	readings := []ingest.Reading{
		{Connection: "aws-main", What: ingest.BillReading, Month: month, Status: ingest.Failed, Reason: "Busy.", Spent: paid, At: at},
		{Connection: "aws-main", What: ingest.BillReading, Month: month.AddDate(0, -1, 0), Status: ingest.OK, At: at},
		{Connection: "aws-main", What: ingest.InventoryReading, Status: ingest.Limited, Reason: "Stopped.", At: at},
		{Connection: "gone", What: ingest.InventoryReading, Status: ingest.OK, At: at},
	}
	older := readings[0]
	older.Status, older.At = ingest.OK, at.Add(-time.Hour)
	for _, batch := range [][]ingest.Reading{readings, {older}} {
		if err := db.SaveReadings(t.Context(), acme, batch); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.ConnectionStatus(t.Context(), acme, "aws-main")
	if err != nil || len(got.Readings) != 3 || len(got.Parts) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	first := got.Readings[0]
	if first.Status != ingest.Failed || !first.Month.Equal(month) || first.Reason != "Busy." || len(first.Spent) != 1 || first.Spent[0].Amount.String() != "0.02" || !first.At.Equal(at) {
		t.Errorf("the last attempt at the bill: %+v", first)
	}
	if i := got.Readings[2]; i.What != ingest.InventoryReading || i.Status != ingest.Limited || !i.Month.IsZero() {
		t.Errorf("the inventory: %+v", i)
	}
	if p := got.Parts[0]; p.Account != "1" || p.Status != ingest.Denied || p.Reason != "No right." {
		t.Errorf("the part that was denied: %+v", p)
	}
	if err := db.RemoveConnection(t.Context(), acme, "aws-main"); err != nil {
		t.Fatal(err)
	}
	if left, err := db.Inventory(t.Context(), acme, "aws-main"); err != nil || len(left) != 0 {
		t.Errorf("of a removed connection %d resources exist, %v", len(left), err)
	}
	if all, err := db.Readings(t.Context(), acme); err != nil || len(all) != 0 {
		t.Errorf("of a removed connection there are readings: %v, %v", all, err)
	}
}
