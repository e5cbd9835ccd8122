package postgres_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// largeReading is 1,000 instances and 1,500 volumes with 30 days of hourly use: 3.6 million samples.
func largeReading() ingest.Snapshot {
	s := ingest.Snapshot{At: noon, Inventory: ingest.Inventory{Parts: []ingest.Part{{Region: "east", Service: "ec2", Status: ingest.OK}}}}
	add := func(typ resource.Type, id string, attributes map[string]string, metrics ...resource.Metric) {
		r := resource.Resource{Ref: resource.Ref{Cloud: resource.AWS, Account: "1", Region: "east", Type: typ, ID: id}, Name: id, Attributes: attributes,
			Tags: map[string]string{"application": "shop-" + id[len(id)-1:]}, CreatedAt: noon.AddDate(-1, 0, 0)}
		s.Resources = append(s.Resources, r)
		for _, m := range metrics {
			u := resource.Usage{Ref: r.Ref, Metric: m, Every: time.Hour}
			for h := range 30 * 24 {
				u.Samples = append(u.Samples, resource.Sample{At: cost.Day(noon).AddDate(0, 0, -30).Add(time.Duration(h) * time.Hour), Value: 12 + 8*math.Sin(float64(h+len(s.Resources)))})
			}
			s.Usage = append(s.Usage, u)
		}
	}
	for i := range 1000 {
		add(resource.Instance, fmt.Sprintf("i-%04d", i), map[string]string{resource.AttrSize: "m5.xlarge", resource.AttrState: "running"}, resource.CPU, resource.Memory)
	}
	for i := range 1500 {
		add(resource.Volume, fmt.Sprintf("vol-%04d", i), map[string]string{resource.AttrVolumeType: "gp2", resource.AttrGiB: "500", resource.AttrState: "in-use",
			resource.AttrAttachedTo: fmt.Sprintf("i-%04d", i%1000), resource.AttrIOPS: "1500"}, resource.DiskOps, resource.DiskBytes)
	}
	price := func(typ resource.Type, size, unit, usd, vcpu string) {
		s.Prices = append(s.Prices, resource.Price{Cloud: resource.AWS, Region: "east", Type: typ, Size: size, Unit: unit, Amount: decimal.RequireFromString(usd), Currency: "USD",
			Attributes: map[string]string{resource.AttrVCPU: vcpu, resource.AttrMemoryGiB: vcpu}})
	}
	price(resource.Instance, "m5.large", "hour", "0.096", "2")
	price(resource.Instance, "m5.xlarge", "hour", "0.192", "4")
	price(resource.Volume, "gp2", "GiB-month", "0.10", "")
	price(resource.Volume, "gp3", "GiB-month", "0.08", "")
	for i := range 10_000 { // as many as a cloud has in all its regions
		price(resource.Instance, fmt.Sprintf("x%d.large", i), "hour", "1", "2")
	}
	return s
}

func BenchmarkInventoryAndRecommendations(b *testing.B) {
	db, err := postgres.Open(b.Context(), postgres.Options{URL: pgtest.URL(b), Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.SaveTenant(b.Context(), acme, "Acme"); err != nil {
		b.Fatal(err)
	}
	if err := db.SaveConnection(b.Context(), ingest.Connection{Tenant: acme, ID: "main", Cloud: resource.AWS, Name: "Main"}); err != nil {
		b.Fatal(err)
	}
	s := largeReading()
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			if err := db.SaveInventory(b.Context(), acme, "main", s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("recommend", func(b *testing.B) {
		run := job.Recommend{Inventory: db, Costs: db, Store: db, Learned: db, Now: func() time.Time { return noon }}
		for b.Loop() {
			out, err := run.Run(b.Context(), job.RecommendInput{Tenant: acme})
			if err != nil || out.Found == 0 {
				b.Fatalf("found %d, %v", out.Found, err)
			}
		}
	})
}
