package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// otherTenant goes over every operation with the key of a tenant that has nothing.
func otherTenant(t *testing.T, s *stack.Stack) {
	const other = tenant.ID("b7c1d2e3-0000-4000-8000-00000000beef")
	key, err := s.AddTenant(t.Context(), tenant.Principal{Tenant: other, Subject: "stranger", Role: tenant.Admin}, "Somebody else")
	if err != nil {
		t.Fatal(err)
	}
	mine := collectMine(t, s)
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			RequestBody any    `json:"requestBody"`
		} `json:"paths"`
	}
	if err := callerOf(s).Get(t.Context(), "/api/v1/openapi.json", nil, &doc); err != nil {
		t.Fatal(err)
	}
	called := 0
	for path, operations := range doc.Paths {
		for method, op := range operations {
			for _, target := range mine.fill(t, path) {
				status, body := call(t, s.URL+target, strings.ToUpper(method), key, mine.body(op.OperationID))
				called++
				for _, secret := range mine.secrets {
					if strings.Contains(body, secret) && !strings.Contains(target+mine.body(op.OperationID), secret) {
						t.Errorf("%s %s shows %q: %d %.300s", method, target, secret, status, body)
					}
				}
				if status >= http.StatusInternalServerError || strings.Contains(path, "{id}") && status < http.StatusBadRequest {
					t.Errorf("%s %s of somebody else: %d %.300s", method, target, status, body)
				}
			}
		}
	}
	if called < 30 {
		t.Errorf("only %d operations were called", called)
	}
	if after := collectMine(t, s); after.state != mine.state {
		t.Error("something of the first tenant was changed")
	}
}

// belongings are what a tenant has.
type belongings struct {
	state                                  string // everything as JSON
	executions, recommendations, anomalies []string
	connections, budgets                   []string
	secrets                                []string
}

func collectMine(t *testing.T, s *stack.Stack) belongings {
	t.Helper()
	b := belongings{secrets: []string{"Meridian", "111122223333", "storefront", "checkout", "BigQuery"}}
	ids := func(path string) (out []string) {
		var page struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		var raw json.RawMessage
		if err := callerOf(s).Get(t.Context(), path, nil, &raw); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			t.Fatal(err)
		}
		b.state += string(raw)
		for _, i := range page.Items {
			out = append(out, i.ID)
		}
		return out
	}
	b.executions, b.recommendations, b.anomalies = ids("/api/v1/executions"), ids("/api/v1/recommendations"), ids("/api/v1/anomalies")
	b.connections, b.budgets = ids("/api/v1/connections"), ids("/api/v1/budgets")
	for _, path := range []string{"/api/v1/outcomes", "/api/v1/costs/periods", "/api/v1/execution/freeze", "/api/v1/settings", "/api/v1/forecasts", "/api/v1/calibrations",
		"/api/v1/commitments", "/api/v1/advice"} {
		ids(path)
	}
	if len(b.executions) == 0 || len(b.recommendations) == 0 || len(b.anomalies) == 0 {
		t.Fatal("the first tenant has nothing that could be seen")
	}
	b.secrets = slices.Concat(b.secrets, b.executions, b.recommendations, b.anomalies)
	return b
}

// fill puts the first tenant's identifiers into a path. A path that this does not know fails the test, so that no new
// operation is forgotten.
func (b belongings) fill(t *testing.T, path string) []string {
	t.Helper()
	before, after, ok := strings.Cut(path, "{")
	if !ok {
		return []string{path}
	}
	_, after, _ = strings.Cut(after, "}")
	values := map[string][]string{
		"/api/v1/execution/": b.executions, "/api/v1/outcomes/": b.executions, "/api/v1/recommendations/": b.recommendations,
		"/api/v1/anomalies/": b.anomalies, "/api/v1/runs/": b.executions, "/api/v1/": {"aws"},
		"/api/v1/connections/": b.connections, "/api/v1/budgets/": b.budgets,
	}[before]
	if values == nil {
		t.Errorf("the test does not know what stands in %s", path)
	}
	var out []string
	for _, v := range values {
		out = append(out, before+url.PathEscape(v)+after)
	}
	return out[:min(len(out), 3)]
}

// body is one that the operation accepts, about the first tenant's things where it names any.
func (b belongings) body(operation string) string {
	hash := strings.Repeat("a", 64)
	switch operation {
	case "execute":
		return `{"recommendation_id":"` + b.recommendations[0] + `","plan_hash":"` + hash + `"}`
	case "approve-recommendation":
		return `{"plan_hash":"` + hash + `"}`
	case "dismiss-recommendation":
		return `{"reason":"not mine"}`
	case "set-settings":
		return `{"country":"FR"}`
	case "play-scenario":
		return `{"steps":[{"kind":"recommendations","ids":["` + b.recommendations[0] + `"]}]}`
	case "create-budget":
		return `{"name":"Mine","period":"monthly","amount":{"amount":"100","currency":"USD"}}`
	case "update-budget":
		return `{"name":"Mine","period":"monthly","amount":{"amount":"100","currency":"USD"},"version":1}`
	case "assess-anomaly":
		return `{"verdict":"true"}`
	case "set-execution-freeze":
		return `{"frozen":true,"reason":"mine"}`
	case "create-connection":
		return `{"id":"x","cloud":"vultr","name":"x","secret":{"api_key":"x"}}`
	case "update-connection":
		return `{"name":"mine"}`
	case "import-bill":
		return `{"staged":"` + string(stack.Tenant) + `/aws-main/x/bill.parquet"}`
	}
	return "{}"
}

func call(t *testing.T, target, method, key, body string) (int, string) {
	t.Helper()
	var reader io.Reader
	if method != http.MethodGet {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, target, reader)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
