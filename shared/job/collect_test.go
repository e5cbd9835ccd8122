package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const buyer tenant.ID = "6f1f9f5e-0000-4000-8000-000000000001"

var (
	september = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	today     = time.Date(2026, 9, 10, 7, 30, 0, 0, time.UTC)
)

func clock() time.Time { return today }

// shelf is a staging area in memory.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
	aborted int
}

func newShelf() *shelf { return &shelf{objects: map[string][]byte{}} }

func (s *shelf) Writer(_ context.Context, key string) (ingest.WriteAborter, error) {
	return &sheet{shelf: s, key: key}, nil
}

func (s *shelf) Reader(_ context.Context, key string) (ingest.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.objects[key]
	if !ok {
		return nil, fault.New(fault.NotFound, "There is nothing here.")
	}
	return ingest.Bytes(b), nil
}

type sheet struct {
	bytes.Buffer
	shelf *shelf
	key   string
}

func (w *sheet) Close() error {
	w.shelf.mu.Lock()
	defer w.shelf.mu.Unlock()
	w.shelf.objects[w.key] = w.Bytes()
	return nil
}

func (w *sheet) Abort() error { w.shelf.aborted++; return nil }

// cloud is a collector with so many rows, that fails after failAt of them.
type cloud struct {
	rows   int
	failAt int
	period cost.Period
	asked  ingest.UsageQuery
	inv    ingest.Inventory
	err    error
	of     ingest.Connection
	meter  *ingest.Meter
	price  decimal.Decimal // of a call
	lacks  []string
}

// pay is what a paid call does first.
func (c *cloud) pay() error { return c.meter.Spend("requests", 1, c.price) }

func (c *cloud) Check(context.Context) ([]string, error) { return c.lacks, c.err }

func (c *cloud) Costs(_ context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		for i := range c.rows {
			if err := c.pay(); err != nil {
				yield(focus.Row{}, err)
				return
			}
			if c.failAt > 0 && i == c.failAt {
				yield(focus.Row{}, fault.New(fault.Throttled, "Slow down."))
				return
			}
			period := cost.Month(month)
			if c.period != (cost.Period{}) {
				period = c.period
			}
			row := focus.Row{
				BillingPeriod: period, ChargePeriod: cost.Days(month, 1), BillingCurrency: "USD", BilledCost: decimal.New(int64(i), -2),
				ServiceProviderName: "AWS", BillingAccountID: "1", ServiceName: "S", ServiceCategory: "Compute", ChargeCategory: "Usage",
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (c *cloud) Resources(context.Context) (ingest.Inventory, error) {
	return c.inv, errors.Join(c.err, c.pay())
}

func (c *cloud) Usage(_ context.Context, q ingest.UsageQuery) (ingest.Measured, error) {
	c.asked = q
	if err := c.pay(); err != nil {
		return ingest.Measured{}, err
	}
	return ingest.Measured{Usage: []resource.Usage{{Ref: q.Refs[0], Metric: resource.CPU, Every: q.Every}}}, c.err
}

func (*cloud) Prices(_ context.Context, regions []string) ([]resource.Price, error) {
	var out []resource.Price
	for _, r := range regions {
		out = append(out, resource.Price{Region: r})
	}
	return out, nil
}

func collect(c *cloud, s *shelf) job.Collect {
	return job.Collect{Staging: s, Now: clock, Collectors: func(_ context.Context, of ingest.Connection, m *ingest.Meter) (ingest.Collector, error) {
		c.of, c.meter = of, m
		return c, nil
	}}
}

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

func TestInventoryStagesASnapshot(t *testing.T) {
	t.Parallel()
	s := newShelf()
	ref := func(kind resource.Type, region, id string) resource.Resource {
		return resource.Resource{Ref: resource.Ref{Cloud: resource.AWS, Type: kind, Region: region, ID: id}}
	}
	c := &cloud{inv: ingest.Inventory{
		Resources: []resource.Resource{ref(resource.Instance, "b", "i-1"), ref(resource.Snapshot, "a", "s-1"), ref(resource.Volume, "b", "v-1")},
		Parts:     []ingest.Part{{Region: "a", Status: ingest.OK}, {Region: "c", Service: "ec2", Status: ingest.Denied, Reason: "No right."}},
	}}
	key := ingest.Key(buyer, "aws-main", "run", "inventory.json")
	out, err := collect(c, s).Inventory(t.Context(), job.InventoryInput{Tenant: buyer, Connection: "aws-main", Cloud: resource.AWS, Key: key})
	if err != nil || out.Resources != 3 || len(out.Unread) != 1 || out.Unread[0].Region != "c" {
		t.Fatalf("got %+v, %v", out, err)
	}
	if len(c.asked.Refs) != 2 || c.asked.Every != time.Hour || c.asked.Period.Len() != 30 || !c.asked.Period.End.Equal(today.Truncate(time.Hour)) {
		t.Errorf("asked for usage %+v", c.asked)
	}
	var snapshot ingest.Snapshot
	if err := json.Unmarshal(s.objects[key], &snapshot); err != nil {
		t.Fatal(err)
	}
	if !snapshot.At.Equal(today) || len(snapshot.Resources) != 3 || len(snapshot.Parts) != 2 || len(snapshot.Usage) != 1 || len(snapshot.Prices) != 2 {
		t.Errorf("staged %+v", snapshot)
	}
}

func TestUsageStagesAnArray(t *testing.T) {
	t.Parallel()
	s := newShelf()
	key := ingest.Key(buyer, "c", "execution-1", "usage-1-0.json")
	in := job.UsageRequest{Tenant: buyer, Refs: []resource.Ref{{ID: "i-1"}}, Metrics: []resource.Metric{resource.ErrorRate}, From: today.Add(-time.Hour), To: today, EverySeconds: 60, Key: key}
	if out, err := collect(&cloud{}, s).Usage(t.Context(), in); err != nil || out.Key != key {
		t.Fatalf("got %+v, %v", out, err)
	}
	var usage []resource.Usage
	if err := json.Unmarshal(s.objects[key], &usage); err != nil || len(usage) != 1 || usage[0].Every != time.Minute {
		t.Errorf("staged %s, %v", s.objects[key], err)
	}
	in.To = in.From
	if _, err := collect(&cloud{}, s).Usage(t.Context(), in); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("empty period: got %v, want Invalid", err)
	}
}

// registry is a connection store.
type registry struct {
	connections []ingest.Connection
	covered     []ingest.Coverage
	tried       []ingest.Reading
	saved       *[]ingest.Reading
}

func (r registry) Readings(context.Context, tenant.ID) ([]ingest.Reading, error) { return r.tried, nil }

func (r registry) SaveReadings(_ context.Context, _ tenant.ID, readings []ingest.Reading) error {
	if r.saved != nil {
		*r.saved = readings
	}
	return nil
}

func (r registry) Connections(context.Context, tenant.ID) ([]ingest.Connection, error) {
	return r.connections, nil
}
func (r registry) Coverage(context.Context, tenant.ID) ([]ingest.Coverage, error) {
	return r.covered, nil
}

func planning(r registry) job.PlanCollection {
	return job.PlanCollection{Connections: r, Now: clock, Collectors: map[resource.Cloud]string{resource.AWS: "collect-aws", resource.GCP: "collect-gcp"}}
}

func loaded(connection string, months ...time.Time) []ingest.Coverage {
	var out []ingest.Coverage
	for _, m := range months {
		out = append(out, ingest.Coverage{Connection: connection, Period: cost.Month(m)})
	}
	return out
}

func TestPlanReadsWhatIsMissingOrMayHaveChanged(t *testing.T) {
	t.Parallel()
	back := func(n int) time.Time { return september.AddDate(0, -n, 0) }
	r := registry{
		connections: []ingest.Connection{{ID: "new", Cloud: resource.AWS}, {ID: "old", Cloud: resource.GCP}, {ID: "focus:AWS:1"}, {ID: "az", Cloud: resource.Azure}},
		covered:     loaded("old", back(5), back(4), back(2), back(1), back(0)), // back(3) is missing
	}
	out, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	months := map[string][]string{}
	for _, b := range out.Bills {
		months[b.Connection] = append(months[b.Connection], b.Month.Format("2006-01"))
		if want := string(buyer) + "/" + b.Connection + "/r1/bill-" + b.Month.Format("2006-01") + ".parquet"; b.Key != want {
			t.Errorf("key %s, want %s", b.Key, want)
		}
	}
	if len(months["new"]) != 18 || months["new"][0] != "2026-09" || months["new"][17] != "2025-04" {
		t.Errorf("new connection: %v", months["new"])
	}
	if want := []string{"2026-09", "2026-08", "2026-06"}; !slices.Equal(months["old"], want) {
		t.Errorf("known connection: %v, want %v", months["old"], want)
	}
	if len(months) != 2 || len(out.Inventories) != 2 {
		t.Errorf("uploads and unknown clouds are not read: %v", months)
	}
	if len(out.Skipped) != 1 || !strings.Contains(out.Skipped[0], "COLLECTORS") {
		t.Errorf("skipped: %v", out.Skipped)
	}
}

func TestPlanSaysWhyNothingCanBeRead(t *testing.T) {
	t.Parallel()
	r := registry{connections: []ingest.Connection{{ID: "az", Cloud: resource.Azure}}}
	for want, asked := range map[string]job.PlanRequest{
		"COLLECTORS": {Cloud: resource.Azure}, "POST /api/v1/connections": {Cloud: resource.AWS},
		"No connection of the cloud aws is registered.": {Cloud: resource.AWS}, `No connection "b" is registered.`: {Connection: "b"},
		`No connection "az" of the cloud gcp is`: {Cloud: resource.GCP, Connection: "az"},
	} {
		_, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r", Request: asked})
		if fault.CodeOf(err) != fault.Unprocessable || !strings.Contains(fault.Public(err).Message, want) {
			t.Errorf("%+v: got %v", asked, err)
		}
	}
	if out, err := planning(registry{}).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r"}); err != nil || len(out.Bills) != 0 {
		t.Errorf("a tenant without connections: %+v, %v; want an empty plan", out, err)
	}
}

func TestPlanFitsIntoAState(t *testing.T) {
	t.Parallel()
	var r registry
	for i := range 60 {
		r.connections = append(r.connections, ingest.Connection{ID: strings.Repeat("x", 40) + string(rune('A'+i)), Cloud: resource.AWS})
	}
	out, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: strings.Repeat("r", 80)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil || len(text) > 170*1024 { // of 256 KiB, for the results come on top
		t.Errorf("the plan has %d bytes, %v", len(text), err)
	}
	perConnection := map[string]int{}
	for _, b := range out.Bills {
		perConnection[b.Connection]++
	}
	for c, n := range perConnection {
		if n != 18 {
			t.Errorf("%s is read in part: %d months", c, n)
		}
	}
	if len(out.Skipped) != 60-len(perConnection) || len(perConnection) != 15 {
		t.Errorf("%d connections are planned, %d are told to be left out", len(perConnection), len(out.Skipped))
	}
}

// Of many known connections each has its turn, and neither their inventories nor those left out burst the state.
func TestConnectionsTakeTurns(t *testing.T) {
	t.Parallel()
	var r registry
	for i := range 1000 {
		id := fmt.Sprintf("connection-%03d", i)
		r.connections = append(r.connections, ingest.Connection{ID: id, Cloud: resource.AWS})
		covered := loaded(id, september)
		covered[0].LoadedAt = september.Add(time.Duration(i*7919%1000) * time.Minute)
		r.covered = append(r.covered, covered...)
	}
	out, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: strings.Repeat("r", 80)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil || len(text) > 170*1024 {
		t.Errorf("the plan has %d bytes, %v", len(text), err)
	}
	for _, inventory := range out.Inventories {
		var i int
		if _, err := fmt.Sscanf(inventory.Connection, "connection-%d", &i); err != nil || i*7919%1000 >= len(out.Inventories) {
			t.Errorf("%s has its turn before others that were read longer ago", inventory.Connection)
		}
	}
	if len(out.Inventories) != 100 || len(out.Bills) != 200 || len(out.Skipped) != 51 || !strings.Contains(out.Skipped[50], "850 more") {
		t.Errorf("%d inventories, %d bills, %d skipped, the last one: %s", len(out.Inventories), len(out.Bills), len(out.Skipped), out.Skipped[len(out.Skipped)-1])
	}
}

func TestSumKeepsFailuresApartFromNoData(t *testing.T) {
	t.Parallel()
	failure := &job.Caught{Error: "Throttled", Cause: `{"errorType":"Throttled","errorMessage":"The cloud is busy."}`}
	in := job.CollectedInput{
		Bills: []job.BillResult{
			{Connection: "a", Month: september, Rows: 10, Rejected: 1}, {Connection: "a", Month: september, Rows: 5, Unchanged: true},
			{Connection: "b", Month: september, Failure: failure},
		},
		Inventories: []job.InventoryResult{{Connection: "a", Resources: 4, Unread: []ingest.Part{{Region: "r", Service: "ec2", Status: ingest.Denied, Reason: "No right."}}}},
	}
	var saved []ingest.Reading
	out, err := planning(registry{saved: &saved}).Sum(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Bills != 2 || out.Rows != 15 || out.Rejected != 1 || out.Unchanged != 1 || out.Resources != 4 || len(out.Problems) != 2 {
		t.Errorf("got %+v", out)
	}
	if !strings.Contains(out.Problems[0], "The cloud is busy.") {
		t.Errorf("the reason is lost: %v", out.Problems)
	}
	_, err = planning(registry{}).Sum(t.Context(), job.CollectedInput{Bills: in.Bills[2:]})
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("everything failed: got %v, want Unavailable", err)
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

// A month that could not be read is owed, even one before the first that is loaded.
func TestWhatCouldNotBeReadIsReadAgain(t *testing.T) {
	t.Parallel()
	back := func(n int) time.Time { return september.AddDate(0, -n, 0) }
	r := registry{
		connections: []ingest.Connection{{ID: "a", Cloud: resource.AWS, Settings: map[string]string{"role_arn": "r"}, Secret: "s"}},
		covered:     loaded("a", back(3), back(2), back(1), back(0)),
		tried: []ingest.Reading{
			{Connection: "a", What: ingest.BillReading, Month: back(9), Status: ingest.Limited}, {Connection: "a", What: ingest.BillReading, Month: back(8), Status: ingest.OK},
			{Connection: "a", What: ingest.BillReading, Month: back(3), Status: ingest.Failed}, {Connection: "b", What: ingest.BillReading, Month: back(7), Status: ingest.Failed},
			{Connection: "a", What: ingest.InventoryReading, Month: back(6), Status: ingest.Failed},
		},
	}
	out, err := planning(r).Run(t.Context(), job.PlanInput{Tenant: buyer, Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	var months []string
	for _, b := range out.Bills {
		months = append(months, b.Month.Format("2006-01"))
		if b.Settings["role_arn"] != "r" || b.Secret != "s" {
			t.Errorf("the plan lacks the settings: %+v", b)
		}
	}
	if want := []string{"2026-09", "2026-08", "2026-06", "2025-12"}; !slices.Equal(months, want) {
		t.Errorf("planned %v, want %v", months, want)
	}
}

func TestSumNotesHowEachReadingWent(t *testing.T) {
	t.Parallel()
	var saved []ingest.Reading
	paid := job.Cost{Spent: []ingest.Spending{{What: "requests", Units: 3, Amount: decimal.RequireFromString("0.03")}}}
	limited := paid
	limited.Stopped = "Reading stopped."
	out, err := planning(registry{saved: &saved}).Sum(t.Context(), job.CollectedInput{Tenant: buyer,
		Bills: []job.BillResult{
			{Connection: "a", Month: september, Rows: 10, Cost: paid}, {Connection: "b", Month: september, Cost: limited},
			{Connection: "c", Month: september, Failure: &job.Caught{Error: "Forbidden", Cause: `{"errorType":"Forbidden","errorMessage":"No right."}`}},
		},
		Inventories: []job.InventoryResult{{Connection: "a", Failure: &job.Caught{Error: "Throttled"}}},
	})
	if err != nil || out.Bills != 1 || out.SpentUSD.String() != "0.06" || len(out.Problems) != 3 || !strings.Contains(strings.Join(out.Problems, " "), "b, bill of 2026-09: Reading stopped.") {
		t.Errorf("got %+v, %v", out, err)
	}
	var statuses []ingest.Status
	for _, r := range saved {
		statuses = append(statuses, r.Status)
		if !r.At.Equal(today) {
			t.Errorf("noted for %s", r.At)
		}
	}
	if want := []ingest.Status{ingest.OK, ingest.Limited, ingest.Denied, ingest.Failed}; !slices.Equal(statuses, want) || saved[2].Reason != "No right." {
		t.Errorf("noted %+v", saved)
	}
}

var _ io.Writer = (*sheet)(nil)
