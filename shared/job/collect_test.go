package job_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func billInput(key string) job.BillInput {
	return job.BillInput{Tenant: buyer, Connection: "aws-main", Cloud: resource.AWS, Month: september, Key: key}
}

func TestBillStagesTheMonthAsFOCUS(t *testing.T) {
	t.Parallel()
	s := newShelf()
	key := ingest.Key(buyer, "aws-main", "run", "bill.parquet")
	out, err := collect(&cloud{rows: 7}, s).Bill(t.Context(), billInput(key))
	if err != nil || out.Key != key || out.Rows != 7 || out.Stopped != "" || len(out.Spent) != 1 || out.Spent[0].Units != 7 {
		t.Fatalf("got %+v, %v", out, err)
	}
	file := ingest.Bytes(s.objects[key])
	if format, err := focus.Detect(file, file.Size()); err != nil || format != focus.Parquet {
		t.Errorf("staged as %q, %v; want Parquet", format, err)
	}
}

func TestABillThatBreaksOffLeavesNoObject(t *testing.T) {
	t.Parallel()
	key := ingest.Key(buyer, "aws-main", "run", "bill.parquet")
	other := cost.Month(september.AddDate(0, -1, 0))
	for name, tc := range map[string]struct {
		from cloud
		in   job.BillInput
		want fault.Code
	}{
		"the stream fails":            {cloud{rows: 9, failAt: 5}, billInput(key), fault.Throttled},
		"a row of another period":     {cloud{rows: 9, period: other}, billInput(key), fault.Unprocessable},
		"another tenant's key":        {cloud{rows: 9}, billInput("someone-else/x"), fault.NotFound},
		"a month that is not a month": {cloud{rows: 9}, job.BillInput{Tenant: buyer, Month: today, Key: key}, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf()
			if _, err := collect(&tc.from, s).Bill(t.Context(), tc.in); fault.CodeOf(err) != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			if len(s.objects) != 0 {
				t.Error("an object was left")
			}
		})
	}
}

func TestAMonthWithoutRowsStagesNothing(t *testing.T) {
	t.Parallel()
	s := newShelf()
	out, err := collect(&cloud{}, s).Bill(t.Context(), billInput(ingest.Key(buyer, "c", "r", "b")))
	if err != nil || out.Key != "" || out.Rows != 0 || out.Spent == nil || len(s.objects) != 0 || s.aborted != 1 {
		t.Errorf("got %+v, %v, %d objects", out, err, len(s.objects))
	}
}

// A limit that the customer set is no failure: what was read before it stays, what was not is told and read next time.
func TestReadingStopsAtTheLimitAndSaysSo(t *testing.T) {
	t.Parallel()
	s := newShelf()
	key := ingest.Key(buyer, "aws-main", "run", "bill.parquet")
	in := billInput(key)
	in.Settings = map[string]string{ingest.LimitSetting: "0.05"}
	cent := decimal.RequireFromString("0.01")
	bill, err := collect(&cloud{rows: 9, price: cent}, s).Bill(t.Context(), in)
	if err != nil || bill.Rows != 0 || bill.Key != "" || !strings.Contains(bill.Stopped, "0.05 USD") || bill.Spent[0].Units != 5 || len(s.objects) != 0 {
		t.Errorf("bill: %+v, %v, %d objects", bill, err, len(s.objects))
	}
	vm := resource.Resource{Ref: resource.Ref{Type: resource.Instance, ID: "i-1", Region: "a"}}
	for limit, want := range map[string]string{"0.00": "", "0.01": key, "0.02": key} {
		c := &cloud{price: cent, inv: ingest.Inventory{Resources: []resource.Resource{vm}}}
		out, err := collect(c, newShelf()).Inventory(t.Context(), job.InventoryInput{Tenant: buyer, Connection: "aws-main", Key: key, Settings: map[string]string{ingest.LimitSetting: limit}})
		if err != nil || out.Key != want || (out.Stopped == "") != (limit == "0.02") {
			t.Errorf("inventory for %s USD: %+v, %v; want the key %q", limit, out, err, want)
		}
	}
}

func TestCollectorsGetTheWholeConnection(t *testing.T) {
	t.Parallel()
	c := &cloud{lacks: []string{"ce:GetCostAndUsage"}}
	in := job.RightsInput{Tenant: buyer, Connection: "main", Cloud: resource.GCP, Settings: map[string]string{"project": "p"}, Secret: ingest.SecretName(buyer, "main")}
	out, err := collect(c, newShelf()).Check(t.Context(), in)
	if err != nil || len(out.Missing) != 1 || out.Missing[0] != "ce:GetCostAndUsage" || c.of.Settings["project"] != "p" || c.of.Secret != in.Secret || c.of.ID != "main" {
		t.Errorf("got %+v, %v of %+v", out, err, c.of)
	}
	in.Secret = ingest.SecretName("b7c1d2e3-0000-4000-8000-00000000beef", "main")
	if _, err := collect(c, newShelf()).Check(t.Context(), in); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("credentials of another tenant: %v, want Forbidden", err)
	}
}

// The limit is that of the run: a reading goes on where the one before stopped spending, and an attempt that failed counts too.
func TestReadingsOfARunShareTheLimit(t *testing.T) {
	t.Parallel()
	s := newShelf()
	ledger := ingest.Key(buyer, "collections", "run", "aws-main", "spent.json")
	s.objects[ledger] = []byte(`{"spent":"0"}`)
	cent := decimal.RequireFromString("0.01")
	read := func(c cloud) (job.BillOutput, error) {
		in := billInput(ingest.Key(buyer, "aws-main", "run", "bill.parquet"))
		in.Settings, in.Ledger = map[string]string{ingest.LimitSetting: "0.10"}, ledger
		c.price = cent
		return collect(&c, s).Bill(t.Context(), in)
	}
	if out, err := read(cloud{rows: 4}); err != nil || out.Stopped != "" || out.Rows != 4 {
		t.Errorf("the first: %+v, %v", out, err)
	}
	if _, err := read(cloud{rows: 9, failAt: 3}); fault.CodeOf(err) != fault.Throttled {
		t.Errorf("the one that fails: %v", err)
	}
	if string(s.objects[ledger]) != `{"spent":"0.08"}` { // 4, and the 4 calls of the attempt that failed
		t.Errorf("spent %s", s.objects[ledger])
	}
	if out, err := read(cloud{rows: 4}); err != nil || out.Rows != 0 || !strings.Contains(out.Stopped, "after 0.1 USD") || out.Spent[0].Units != 2 {
		t.Errorf("the third may make two calls: %+v, %v", out, err)
	}
	in := job.InventoryInput{Tenant: buyer, Connection: "aws-main", Key: ingest.Key(buyer, "aws-main", "run", "inventory.json"), Ledger: ledger, Settings: map[string]string{ingest.LimitSetting: "0.10"}}
	if out, err := collect(&cloud{price: cent}, s).Inventory(t.Context(), in); err != nil || out.Key != "" || out.Stopped == "" {
		t.Errorf("the inventory: %+v, %v", out, err)
	}
	in.Ledger = "someone-else/spent.json"
	if _, err := collect(&cloud{}, s).Inventory(t.Context(), in); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("another tenant's ledger: %v", err)
	}
}
