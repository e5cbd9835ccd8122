package collection_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// google plays BigQuery, for projects that have a bill and nothing else.
type google struct {
	*bills

	key string // JSON of the service account that all share
}

func openGoogle(tb testing.TB, b *bills) google {
	tb.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "cost-agent@billing-prod.iam.gserviceaccount.com", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	if err != nil {
		tb.Fatal(err)
	}
	return google{b, string(key)}
}

func (g google) settings(number int) (settings map[string]string, secret string) {
	project := fmt.Sprintf("bills-%d", number)
	return map[string]string{"billing_table": project + ".billing.gcp_billing_export_resource_v1_012345_6789AB_CDEF01", "projects": project, "commitment_use": "off"}, g.key
}

func (g google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	number, ofProject := between(r.URL.Path, "/projects/bills-", "/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/token"):
		fmt.Fprint(w, `{"access_token":"token","token_type":"Bearer","expires_in":3600}`)
	case strings.HasPrefix(r.URL.Path, "/bigquery/v2/") && ofProject:
		g.bigquery(w, r, number)
	default:
		fmt.Fprint(w, "{}")
	}
}

// bigquery answers the query of a month, first what it would scan, and then page by page. The name of a job says what it is for.
func (g google) bigquery(w http.ResponseWriter, r *http.Request, number int) {
	var in struct {
		Query           string
		DryRun          bool
		MaxResults      int
		QueryParameters []struct {
			Name           string
			ParameterValue struct{ Value string }
		}
	}
	from := 0
	invoice := r.URL.Path[strings.LastIndex(r.URL.Path, "_")+1:]
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, p := range in.QueryParameters {
			if p.Name == "invoice_month" {
				invoice = p.ParameterValue.Value
			}
		}
	} else {
		from, _ = strconv.Atoi(r.URL.Query().Get("pageToken"))
		in.MaxResults, _ = strconv.Atoi(r.URL.Query().Get("maxResults"))
	}
	month, err := time.Parse("200601", invoice)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case in.DryRun:
		fmt.Fprint(w, `{"kind":"bigquery#queryResponse","totalBytesProcessed":"734003200","jobComplete":true,"schema":{"fields":[]}}`)
		return
	}
	to, more := page(from, in.MaxResults, g.rows)
	token := ""
	if more {
		token = strconv.Itoa(to)
	}
	reply(w, map[string]any{"kind": "bigquery#queryResponse", "jobComplete": true, "pageToken": token, "totalRows": strconv.Itoa(g.rows), "schema": schema(),
		"jobReference": map[string]string{"projectId": fmt.Sprintf("bills-%d", number), "jobId": "job_" + invoice, "location": "EU"}, "rows": g.lines(number, month, from, to)})
}

// bigColumns are those of the detailed export, with what a row has in them; the verbs are filled by lines.
var bigColumns = [][2]string{
	{"billing_account_id", "%[7]s-6789AB-CDEF01"}, {"invoice_month", "%[1]s"}, {"cost_type", "regular"}, {"service_id", "6F81-5844-456A"},
	{"service_name", "Compute Engine"}, {"sku_id", "9662-7089-1FC1"}, {"sku_name", "N2 Instance Core running in Frankfurt"}, {"usage_start", "%[2]d"}, {"usage_end", "%[3]d"},
	{"project_id", "shop-prod"}, {"project_number", "998877665544"}, {"project_name", "Shop"}, {"project_labels", `[{"key":"team","value":"shop"}]`},
	{"labels", `[{"key":"team","value":"team-%[5]d"}]`}, {"system_labels", `[{"key":"compute.googleapis.com/cores","value":"4"}]`}, {"tags", "[]"},
	{"location", "europe-west3"}, {"region", "europe-west3"}, {"zone", "europe-west3-a"}, {"cost", "%[6]s"}, {"cost_at_list", "%[6]s"}, {"currency", "EUR"},
	{"currency_conversion_rate", "0.92"}, {"usage_amount", "14400"}, {"usage_unit", "seconds"}, {"pricing_amount", "4"}, {"pricing_unit", "hour"}, {"credits", "[]"},
	{"adjustment_id", ""}, {"adjustment_type", ""}, {"seller_name", ""}, {"subscription_id", ""}, {"resource_name", "web-%[4]d"},
	{"resource_id", "//compute.googleapis.com/projects/998877665544/zones/europe-west3-a/instances/%[4]d"}, {"effective_price", "0.048544"},
	{"pricing_unit_quantity", "1"}, {"tier_start_amount", "0"},
}

var verb = regexp.MustCompile(`%\[(\d)\]\w`)

func schema() map[string]any {
	var fields []map[string]string
	for _, c := range bigColumns {
		fields = append(fields, map[string]string{"name": c[0], "type": "STRING", "mode": "NULLABLE"})
	}
	return map[string]any{"fields": fields}
}

// lines are rows as BigQuery writes them: every value a text, and null for what is absent.
func (g google) lines(number int, month time.Time, from, to int) []any {
	out := []any{}
	days := g.days(month)
	for n := from; n < to; n++ {
		start := month.AddDate(0, 0, n%days)
		values := []string{month.Format("200601"), strconv.FormatInt(start.UnixMicro(), 10), strconv.FormatInt(start.Add(time.Hour).UnixMicro(), 10),
			strconv.Itoa(n / days), strconv.Itoa(n / days % 7), g.amount(number, month, n).String(), fmt.Sprintf("%06d", number)}
		cells := make([]map[string]any, 0, len(bigColumns))
		for _, c := range bigColumns {
			var value any
			if c[1] != "" {
				value = verb.ReplaceAllStringFunc(c[1], func(v string) string { return values[v[2]-'1'] })
			}
			cells = append(cells, map[string]any{"v": value})
		}
		out = append(out, map[string]any{"f": cells})
	}
	return out
}
