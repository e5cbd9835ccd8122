package vultr_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func TestCollectorConforms(t *testing.T) {
	cloudtest.Run(t, cloudtest.Subject{Cloud: resource.Vultr, Month: time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC), New: conforming})
}

func conforming(t *testing.T) cloudtest.World {
	t.Helper()
	w := newWorld(t)
	refuse := func(n, status int) { w.set(func() { w.refuse, w.status = n, status }) }
	return cloudtest.World{
		Collector:  w.open(nil),
		Bill:       func(charges []cloudtest.Charge) { w.set(func() { w.bill(charges) }) },
		EmptyPages: func() { w.set(func() { w.emptyPages = true }) },
		Throttle:   func(n int) { refuse(n, http.StatusTooManyRequests) },
		Fail:       refuse,
		Half:       func() { w.set(func() { w.half = true }) },
		Deny: func() (string, string) {
			w.set(func() { w.denied["/v2/blocks"] = true })
			return "global", "blocks"
		},
		Revoke: func() string {
			w.set(func() { w.denied["/v2/billing/invoices"] = true })
			return "billing"
		},
		Hang: func() <-chan struct{} {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.hanging == nil {
				w.hanging = make(chan struct{}, 100)
			}
			return w.hanging
		},
		Regions: []string{"ewr", "fra"},
	}
}

func number(d decimal.Decimal) json.Number { return json.Number(d.String()) }

// bill makes charges items of the month's one invoice, each for a server of its own. Credits are in the billing history.
func (w *world) bill(charges []cloudtest.Charge) {
	var invoice decimal.Decimal
	items, servers, history := []any{}, []any{}, []any{}
	for i, c := range charges {
		id := json.Number(decimal.NewFromInt(int64(i + 1)).String())
		if c.Credit && c.Resource == "" {
			history = append(history, map[string]any{"id": id, "date": "2026-08-10T00:00:00+00:00", "type": "credit", "description": "credit", "amount": number(c.Amount), "balance": json.Number("0")})
			continue
		}
		label := ""
		if c.Resource != "" {
			label = c.Resource + "-" + id.String()
			servers = append(servers, map[string]any{
				"id": label, "os": "Debian", "ram": json.Number("1024"), "disk": json.Number("25"), "main_ip": "0.0.0.0", "vcpu_count": json.Number("1"), "region": "ewr",
				"plan": "vc2-1c-1gb", "date_created": "2026-01-01T00:00:00+00:00", "status": "active", "power_status": "running", "server_status": "ok", "label": label, "features": []any{}, "tags": []any{},
			})
		}
		items = append(items, map[string]any{
			"description": "1024 MB [" + label + "]", "product": "Vultr Cloud Compute", "start_date": "2026-08-01T00:00:00+00:00", "end_date": "2026-09-01T00:00:00+00:00",
			"units": json.Number("672"), "unit_type": "hours", "unit_price": json.Number("0.01"), "total": number(c.Amount),
		})
		invoice = invoice.Add(c.Amount)
	}
	invoices := []any{}
	if len(items) > 0 {
		invoices = append(invoices, map[string]any{"id": json.Number("77"), "date": "2026-09-01T00:30:00+00:00", "description": "Invoice #77", "amount": number(invoice), "balance": json.Number("0")})
	}
	w.lists["/v2/billing/invoices"], w.lists["/v2/billing/invoices/77/items"] = invoices, items
	w.lists["/v2/billing/history"], w.lists["/v2/instances"] = history, servers
}
