package collection_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// vultr plays the API of Vultr, for accounts that have a bill and nothing else.
type vultr struct{ *bills }

func (vultr) settings(number int) (settings map[string]string, secret string) {
	return map[string]string{"account": fmt.Sprintf("account-%d", number)}, fmt.Sprintf(`{"api_key":"key-%d"}`, number)
}

// invoicedDays is how many days of the month before each of its items is of, priced by the hour, which makes a row a day.
const invoicedDays = 25

func (v vultr) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, known := between(r.Header.Get("Authorization"), "Bearer key-", "")
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var items []any
	member := strings.ReplaceAll(path.Base(r.URL.Path), "-", "_")
	switch before := v.months()[0]; {
	case r.URL.Path == "/v2/billing/history":
		member = "billing_history"
	case r.URL.Path == "/v2/billing/invoices":
		member, items = "billing_invoices", []any{v.invoice(number, before)}
	case strings.HasPrefix(r.URL.Path, "/v2/billing/invoices/"):
		member, items = "invoice_items", v.items(number, before)
	case r.URL.Path == "/v2/billing/pending-charges":
		items = v.pending(number, v.months()[1])
	case r.URL.Path == "/v2/plans-metal":
		member = "plans_metal"
	case strings.HasPrefix(r.URL.Path, "/v2/databases/plans"):
		member = "plans"
	}
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor")) // the first page has none
	to, more := page(from, size, len(items))
	next := ""
	if more {
		next = strconv.Itoa(to)
	}
	if items = items[from:to]; items == nil {
		items = []any{}
	}
	total := len(items)
	if from > 0 || more {
		total = v.rows
	}
	reply(w, map[string]any{member: items, "meta": map[string]any{"total": total, "links": map[string]string{"next": next, "prev": ""}}})
}

func (v vultr) invoice(number int, month time.Time) map[string]any {
	sum := decimal.Zero
	for n := range v.rows / invoicedDays {
		sum = sum.Add(v.amount(number, month, n).Mul(decimal.NewFromInt(invoicedDays)))
	}
	return map[string]any{"id": number, "date": month.AddDate(0, 1, 0).Format(time.RFC3339), "description": fmt.Sprintf("Invoice #%d", number), "amount": json.Number(sum.String()), "balance": 0}
}

// items are servers, each of which costs on each of its days the amount of its number.
func (v vultr) items(number int, month time.Time) (all []any) {
	for n := range v.rows / invoicedDays {
		total := v.amount(number, month, n).Mul(decimal.NewFromInt(invoicedDays))
		all = append(all, item(n, month, month.AddDate(0, 0, invoicedDays), "hours", invoicedDays*24, total))
	}
	return all
}

// pending are charges that are not by the hour, each of which makes a row.
func (v vultr) pending(number int, month time.Time) (all []any) {
	for n := range v.rows {
		all = append(all, item(n, month, month.Add(time.Hour), "GB", 1, v.amount(number, month, n)))
	}
	return all
}

func item(n int, start, end time.Time, unit string, units int, total decimal.Decimal) map[string]any {
	return map[string]any{"description": fmt.Sprintf("1024 MB [server-%d]", n), "product": "Vultr Cloud Compute", "start_date": start.Format(time.RFC3339), "end_date": end.Format(time.RFC3339),
		"units": units, "unit_type": unit, "unit_price": json.Number("0.0068"), "total": json.Number(total.String())}
}
