package postgres_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func connected(t *testing.T) *postgres.DB {
	t.Helper()
	db := open(t)
	if err := db.SaveConnection(t.Context(), ingest.Connection{Tenant: acme, ID: "main", Cloud: resource.AWS, Name: "Main"}); err != nil {
		t.Fatal(err)
	}
	return db
}

func machine(id, region, size string) resource.Resource {
	return resource.Resource{Ref: resource.Ref{Cloud: resource.AWS, Account: "1", Region: region, Type: resource.Instance, ID: id}, Name: id,
		Attributes: map[string]string{resource.AttrSize: size, resource.AttrState: "running"}, Tags: map[string]string{"application": id}, CreatedAt: noon.AddDate(0, -3, 0)}
}

func reading(at time.Time, status map[string]ingest.Status, resources ...resource.Resource) ingest.Snapshot {
	s := ingest.Snapshot{At: at, Inventory: ingest.Inventory{Resources: resources}}
	for _, region := range slices.Sorted(maps.Keys(status)) {
		s.Parts = append(s.Parts, ingest.Part{Region: region, Service: "ec2", Status: status[region]}, ingest.Part{Region: region, Service: "rds", Status: ingest.OK})
	}
	return s
}

func save(t *testing.T, db *postgres.DB, s ingest.Snapshot) map[string]recommend.Observed {
	t.Helper()
	if err := db.SaveInventory(t.Context(), acme, "main", s); err != nil {
		t.Fatal(err)
	}
	return inventory(t, db)
}

func inventory(t *testing.T, db *postgres.DB) map[string]recommend.Observed {
	t.Helper()
	list, err := db.Inventory(t.Context(), acme, "main")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]recommend.Observed{}
	for _, r := range list {
		out[r.ID] = r
	}
	return out
}

func TestAPartThatFailedSaysNothing(t *testing.T) {
	t.Parallel()
	ok := map[string]ingest.Status{"east": ingest.OK, "west": ingest.OK}
	for name, tt := range map[string]struct {
		status map[string]ingest.Status
		want   []string
	}{
		"east failed":   {map[string]ingest.Status{"east": ingest.Failed, "west": ingest.OK}, []string{"a", "c"}},
		"west denied":   {map[string]ingest.Status{"east": ingest.OK, "west": ingest.Denied}, []string{"b", "c"}},
		"all read":      {ok, []string{"c"}}, // nothing was said about the south
		"nothing tried": {nil, []string{"a", "b", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := connected(t)
			save(t, db, reading(noon, ok, machine("a", "east", "m5.large"), machine("b", "west", "m5.large"), machine("c", "south", "m5.large")))
			got := save(t, db, reading(noon.Add(time.Hour), tt.status))
			if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, tt.want) {
				t.Errorf("there are %v, want %v", ids, tt.want)
			}
		})
	}
}

func TestSinceWhenAResourceIsWhatItIs(t *testing.T) {
	t.Parallel()
	db := connected(t)
	ok := map[string]ingest.Status{"east": ingest.OK}
	at := func(days int) time.Time { return noon.AddDate(0, 0, days) }
	first := save(t, db, reading(at(0), ok, machine("a", "east", "m5.large")))["a"]
	if !first.Since.Equal(first.CreatedAt) || !first.SeenUnchanged.Equal(at(0)) {
		t.Errorf("seen first: since %s, seen since %s", first.Since, first.SeenUnchanged)
	}
	stopped := machine("a", "east", "m5.large")
	stopped.Attributes[resource.AttrState] = "stopped"
	if same := save(t, db, reading(at(1), ok, stopped))["a"]; !same.Since.Equal(first.Since) || same.Attributes[resource.AttrState] != "stopped" {
		t.Errorf("a stopped instance is the same: %+v", same)
	}
	if resized := save(t, db, reading(at(2), ok, machine("a", "east", "m5.xlarge")))["a"]; !resized.Since.Equal(at(2)) || !resized.SeenUnchanged.Equal(at(2)) {
		t.Errorf("a resized one is another: %+v", resized)
	}
	save(t, db, reading(at(3), ok))
	if back := save(t, db, reading(at(4), ok, machine("a", "east", "m5.xlarge")))["a"]; !back.Since.Equal(at(4)) {
		t.Errorf("one that came back is another: %+v", back)
	}
}

func TestAnOlderReadingChangesNothing(t *testing.T) {
	t.Parallel()
	db := connected(t)
	ok := map[string]ingest.Status{"east": ingest.OK}
	now := reading(noon, ok, machine("a", "east", "m5.large"))
	now.Prices = []resource.Price{{Size: "m5.large", Amount: decimal.RequireFromString("0.096")}}
	save(t, db, now)
	if got := save(t, db, reading(noon.Add(-time.Hour), ok, machine("b", "east", "m5.large"))); len(got) != 1 || got["a"].ID == "" {
		t.Errorf("the older reading gave %v", got)
	}
	if got := save(t, db, now); len(got) != 1 {
		t.Errorf("the same reading again gave %v", got)
	}
	save(t, db, reading(noon.Add(time.Hour), ok, machine("a", "east", "m5.large")))
	prices, err := db.Prices(t.Context(), acme, "main")
	if err != nil || len(prices) != 1 || !prices[0].Amount.Equal(decimal.RequireFromString("0.096")) {
		t.Errorf("a reading without prices left %v, %v", prices, err)
	}
}

func TestTheFullerDayOfUseIsKept(t *testing.T) {
	t.Parallel()
	db := connected(t)
	hours := func(from, n int, value float64) []resource.Usage {
		u := resource.Usage{Ref: machine("a", "east", "").Ref, Metric: resource.CPU, Every: time.Hour}
		for i := range n {
			u.Samples = append(u.Samples, resource.Sample{At: cost.Day(noon).Add(time.Duration(from+i) * time.Hour), Value: value})
		}
		return []resource.Usage{u}
	}
	day := func() float64 {
		found, err := db.UsageDays(t.Context(), acme, "main", cost.Period{Start: cost.Day(noon), End: noon})
		if err != nil || len(found) != 1 || !found[0].Day.Equal(cost.Day(noon)) || found[0].Resource != "a" || found[0].Metric != resource.CPU {
			t.Fatalf("days %+v, %v", found, err)
		}
		return found[0].Sketch.Max
	}
	s := reading(noon, nil, machine("a", "east", "m5.large"))
	s.Usage = hours(0, 12, 10)
	save(t, db, s)
	s.At, s.Usage = noon.Add(time.Hour), hours(0, 13, 20)
	save(t, db, s)
	if got := day(); got != 20 {
		t.Errorf("the fuller day has the maximum %v, want 20", got)
	}
	s.At, s.Usage = noon.Add(2*time.Hour), hours(10, 3, 30)
	save(t, db, s)
	if got := day(); got != 20 {
		t.Errorf("a part of the day replaced it: maximum %v", got)
	}
}

func TestInventoryIsTheTenantsOwn(t *testing.T) {
	t.Parallel()
	db := connected(t)
	save(t, db, reading(noon, nil, machine("a", "east", "m5.large")))
	if found, err := db.Inventory(t.Context(), other, "main"); err != nil || len(found) != 0 {
		t.Errorf("another tenant sees %v, %v", found, err)
	}
	if found, err := db.InventoryConnections(t.Context(), other); err != nil || len(found) != 0 {
		t.Errorf("another tenant has the connections %v, %v", found, err)
	}
	if err := db.SaveInventory(t.Context(), other, "main", reading(noon, nil)); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("another tenant writes: %v", err)
	}
	tags, err := db.ResourceTags(t.Context(), acme, []resource.Ref{machine("a", "east", "").Ref, machine("b", "east", "").Ref})
	if err != nil || len(tags) != 1 || tags[machine("a", "east", "").Ref]["application"] != "a" {
		t.Errorf("tags %v, %v", tags, err)
	}
}

func TestCostsOfResourcesByDay(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Options{URL: pgtest.URL(t), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.SaveTenant(t.Context(), acme, "Acme"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.FinalUntil(t.Context(), acme, "main"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("without a bill it is final until %v", err)
	}
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	charge := func(id, category, usd string, from, to time.Time) focus.Row {
		d := decimal.RequireFromString(usd)
		return focus.Row{BillingPeriod: cost.Month(noon), ChargePeriod: cost.Period{Start: from, End: to}, BilledCost: d, EffectiveCost: d, ListCost: d, ContractedCost: d,
			BillingCurrency: "USD", BillingAccountID: "1", ServiceProviderName: "AWS", HostProviderName: "AWS", InvoiceIssuerName: "AWS", ServiceName: "Amazon EC2", ServiceCategory: "Compute",
			ResourceID: id, ChargeCategory: category, PricingCategory: "Standard", PricingUnit: "Hours", PricingQuantity: decimal.NewNullDecimal(decimal.NewFromInt(12))}
	}
	covered := charge("i-2", "Usage", "9", day(3), day(6))
	covered.PricingCategory = "Committed"
	load(t, db, acme, ingest.Bill{Connection: "main", File: content(csvOf(t,
		charge("i-1", "Usage", "1.25", day(1), day(1).Add(time.Hour)),
		charge("i-1", "Usage", "1.50", day(1).Add(23*time.Hour), day(2)),
		charge("i-1", "Tax", "7", day(1), day(2)),
		covered,
		charge("i-3", "Usage", "5", day(1), day(2)),
		charge("i-1", "Usage", "4", day(16), day(17)),
	))})
	got, err := db.ResourceCosts(t.Context(), acme, "main", []string{"i-1", "i-2", "i-9"}, cost.Period{Start: day(1), End: day(5)})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || len(got["i-1"]) != 1 || !got["i-1"][0].Day.Equal(day(1)) || got["i-1"][0].Effective.String() != "2.75" || got["i-1"][0].Quantity.Decimal.String() != "24" || got["i-1"][0].Unit != "Hours" {
		t.Errorf("costs %+v", got)
	}
	if spread := got["i-2"]; len(spread) != 2 || !spread[1].Day.Equal(day(4)) || !spread[1].Effective.Equal(decimal.NewFromInt(3)) || !spread[1].Committed.Equal(decimal.NewFromInt(3)) || !got["i-1"][0].Committed.IsZero() {
		t.Errorf("three days of 9 are %+v", spread)
	}
	if final, err := db.FinalUntil(t.Context(), acme, "main"); err != nil || !final.Equal(day(17)) {
		t.Errorf("final until %s, %v, want the 17th, after which the bill says nothing", final, err)
	}
	if got, err := db.ResourceCosts(t.Context(), acme, "another", []string{"i-1"}, cost.Period{Start: day(1), End: day(5)}); err != nil || len(got) != 0 {
		t.Errorf("another connection has %v, %v", got, err)
	}
}
