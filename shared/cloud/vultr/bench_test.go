package vultr_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cloud/vultr"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// BenchmarkConnection collects all of one connection: an invoice of 31 days of 160 servers, which is nearly 5,000 rows, the
// inventory and the prices; with the limiter that Vultr's own limit asks for.
func BenchmarkConnection(b *testing.B) {
	const (
		servers = 160
		atMost  = 5 * time.Second
	)
	w := newWorld(b)
	w.pageSize = 500
	var items, machines []any
	for i := range servers {
		label := fmt.Sprintf("server-%d", i)
		items = append(items, map[string]any{
			"description": "1024 MB [" + label + "]", "product": "Vultr Cloud Compute", "start_date": "2026-08-01T00:00:00+00:00", "end_date": "2026-09-01T00:00:00+00:00",
			"units": json.Number("744"), "unit_type": "hours", "unit_price": json.Number("0.0068"), "total": json.Number("5"),
		})
		machines = append(machines, map[string]any{
			"id": label, "os": "Debian", "ram": json.Number("1024"), "disk": json.Number("25"), "main_ip": "0.0.0.0", "vcpu_count": json.Number("1"), "region": "ewr",
			"plan": "vc2-1c-1gb", "date_created": "2026-01-01T00:00:00+00:00", "status": "active", "power_status": "running", "server_status": "ok", "label": label, "features": []any{}, "tags": []any{},
		})
	}
	w.lists["/v2/billing/invoices/5317720/items"], w.lists["/v2/instances"] = items, machines
	o := w.options()
	o.Limiter = nil
	for b.Loop() {
		began := time.Now()
		c, err := vultr.New(b.Context(), ingest.Connection{ID: "vultr-main", Cloud: "vultr", Secret: "s"}, o)
		if err != nil {
			b.Fatal(err)
		}
		bill := rows(b, c, august)
		inv, errInventory := c.Resources(b.Context())
		prices, errPrices := c.Prices(b.Context(), []string{"ewr"})
		if errInventory != nil || errPrices != nil {
			b.Fatal(errInventory, errPrices)
		}
		if took := time.Since(began); took > atMost || len(bill) < 31*servers || len(inv.Resources) < servers || len(prices) == 0 {
			b.Errorf("%d rows, %d resources and %d prices took %s, promised are %s", len(bill), len(inv.Resources), len(prices), took, atMost)
		}
	}
}
