package collection_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// microsoft plays Entra, Resource Manager and Cost Management, for subscriptions that have a bill and nothing else.
type microsoft struct{ *bills }

func (microsoft) settings(number int) (settings map[string]string, secret string) {
	return map[string]string{"tenant_id": directory, "client_id": subscription(number)}, `{"client_secret":"s"}`
}

const (
	directory = "11111111-1111-1111-1111-111111111111"
	queryPage = 1000
	discovery = `{"tenant_discovery_endpoint":"https://login.microsoftonline.com/` + directory + `/v2.0/.well-known/openid-configuration","api-version":"1.1","metadata":[{"preferred_network":"login.microsoftonline.com","preferred_cache":"login.windows.net","aliases":["login.microsoftonline.com","login.windows.net","login.microsoft.com","sts.windows.net"]}]}`
	endpoints = `{"token_endpoint":"https://login.microsoftonline.com/` + directory + `/oauth2/v2.0/token","authorization_endpoint":"https://login.microsoftonline.com/` + directory + `/oauth2/v2.0/authorize","issuer":"https://login.microsoftonline.com/` + directory + `/v2.0"}`
)

// subscription is also the id of the application that may read it.
func subscription(number int) string { return fmt.Sprintf("5f0c2f4e-8a41-4d7e-9c55-%012d", number) }

func (m microsoft) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	number, _ := between(r.Header.Get("Authorization"), "application-", "")
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/discovery/instance"):
		fmt.Fprint(w, discovery)
	case strings.HasSuffix(path, "/openid-configuration"):
		fmt.Fprint(w, endpoints)
	case strings.HasSuffix(path, "/oauth2/v2.0/token"):
		id := r.FormValue("client_id")
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"application-%s"}`, strings.TrimLeft(id[strings.LastIndex(id, "-")+1:], "0"))
	case path == "/subscriptions":
		fmt.Fprintf(w, `{"value":[{"id":"/subscriptions/%[1]s","subscriptionId":"%[1]s","displayName":"Shop","state":"Enabled"}]}`, subscription(number))
	case strings.HasSuffix(path, "/Microsoft.CostManagement/query"):
		m.query(w, r, number)
	default:
		fmt.Fprint(w, `{"value":[]}`)
	}
}

// query answers a page of the daily costs; the actual and the amortised ones are the same.
func (m microsoft) query(w http.ResponseWriter, r *http.Request, number int) {
	var in struct {
		TimePeriod struct{ From, To time.Time }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	month, id := in.TimePeriod.From, subscription(number)
	from, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken")) // the first page has none
	to, more := page(from, queryPage, m.rows)
	next := ""
	if more {
		next = fmt.Sprintf("https://management.azure.com:443/subscriptions/%s/providers/Microsoft.CostManagement/query?api-version=2021-10-01&$skiptoken=%d", id, to)
	}
	var columns []map[string]string
	for _, name := range []string{"Cost", "UsageDate", "ResourceId", "ResourceType", "ResourceLocation", "ChargeType", "PublisherType", "ServiceName", "ServiceTier", "Meter", "PricingModel", "BenefitId", "BenefitName", "Tags", "Currency"} {
		columns = append(columns, map[string]string{"name": name, "type": "String"})
	}
	rows := [][]any{}
	days := m.days(month)
	for n := from; n < to; n++ {
		date := month.AddDate(0, 0, n%days)
		disk := fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-%d/providers/Microsoft.Compute/disks/disk-%d", id, n/days%5, n/days)
		rows = append(rows, []any{json.Number(m.amount(number, month, n).String()), date.Year()*10000 + int(date.Month())*100 + date.Day(), disk,
			"microsoft.compute/disks", "EU West", "Usage", "Azure", "Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "OnDemand", "", "",
			[]string{fmt.Sprintf(`"team":"team-%d"`, n/days%7)}, "EUR"})
	}
	reply(w, map[string]any{"id": "q", "name": "q", "type": "Microsoft.CostManagement/query", "properties": map[string]any{"nextLink": next, "columns": columns, "rows": rows}})
}
