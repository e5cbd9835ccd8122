package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const analysedTenant tenant.ID = "6f1f9f5e-0000-4000-8000-000000000007"

// analysing is the API over a real record with five anomalies, and an analysis that only notes what it was asked.
type analysing struct {
	*testing.T
	handler http.Handler
	asked   []job.AnalyzeInput
}

func (x *analysing) Run(_ context.Context, in job.AnalyzeInput) (job.AnalyzeOutput, error) {
	x.asked = append(x.asked, in)
	return job.AnalyzeOutput{Analysis: in.Filter.String(), Basis: cost.Effective, Currencies: []cost.Currency{"USD"}}, nil
}

func newAnalysing(t *testing.T) *analysing {
	t.Helper()
	db := pgtest.Open(t)
	if err := db.SaveTenant(t.Context(), analysedTenant, "tenant"); err != nil {
		t.Fatal(err)
	}
	x := &analysing{T: t}
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	scope := cost.Scope{cost.Provider: "AWS", cost.Service: "AWS Glue"}
	var found []job.Anomaly
	for i := range 5 {
		found = append(found, job.Anomaly{Status: job.AnomalyEnded, Analysis: "total", Incident: anomaly.Incident{
			ID: fmt.Sprintf("anomaly-%d", i), Kind: anomaly.Spike, Severity: anomaly.Severities[min(i, 3)], Scope: scope,
			Start: day.AddDate(0, 0, i), Detected: day.AddDate(0, 0, i), Causes: []anomaly.Cause{{Scope: scope, Share: 1}}}})
	}
	values := make([]float64, 200)
	for i := range values {
		values[i] = 10 + float64(i%7)
	}
	f := forecast.Daily(cost.Series{Start: day.AddDate(0, 0, -200), Values: values, Final: 200, Currency: "USD", Basis: cost.Effective}, 95, nil)
	err := db.SaveAnalysis(t.Context(), analysedTenant, job.AnalysisKey{Scope: "total", Basis: cost.Effective},
		func([]job.Anomaly) []job.Anomaly { return found }, []job.Forecast{{Forecast: f, Level: job.WholeLevel, Version: forecast.Version}}, []job.Trend{})
	if err != nil {
		t.Fatal(err)
	}
	x.handler = api.New(slog.New(slog.DiscardHandler), api.Analysis{Run: x, Reader: db, Assess: job.Assess{Store: db, Now: func() time.Time { return day }}, Receipts: &executing{claimed: map[string][2]string{}}})
	return x
}

func (x *analysing) do(role tenant.Role, method, path, body string, headers ...string) (int, map[string]any) {
	x.Helper()
	ctx := tenant.NewContext(x.Context(), tenant.Principal{Tenant: analysedTenant, Subject: "anna", Role: role})
	r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body)).WithContext(ctx)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	x.handler.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		x.Fatalf("%s %s: %d %q", method, path, w.Code, w.Body)
	}
	return w.Code, out
}

func items(out map[string]any) []map[string]any {
	var all []map[string]any
	list, _ := out["items"].([]any)
	for _, i := range list {
		if m, ok := i.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func TestAnalyzeOnceForAKey(t *testing.T) {
	t.Parallel()
	x := newAnalysing(t)
	const body = `{"types":["anomaly"],"sensitivity":"high","filters":{"ServiceProviderName":"AWS"}}`
	for range 2 {
		if code, out := x.do(tenant.Operator, "POST", "/analyze", body, "Idempotency-Key", "k"); code != http.StatusOK || out["analysis"] != "ServiceProviderName=AWS" {
			t.Fatalf("%d %v", code, out)
		}
	}
	if len(x.asked) != 1 || x.asked[0].Tenant != analysedTenant || x.asked[0].Sensitivity != anomaly.Fine || x.asked[0].Filter[cost.Provider] != "AWS" {
		t.Errorf("asked %+v, want it once", x.asked)
	}
	if code, _ := x.do(tenant.Viewer, "POST", "/analyze", "{}"); code != http.StatusForbidden {
		t.Errorf("a viewer: %d", code)
	}
	for _, days := range []string{`{"start":"2026-01-01","end":"2026-11-01"}`, `{"start":"2026-01-01T09:00:00Z","end":"2026-11-01T00:00:00Z"}`} {
		code, out := x.do(tenant.Operator, "POST", "/analyze", `{"period":`+days+`}`)
		if last := x.asked[len(x.asked)-1].Period; code != http.StatusOK || last == nil || last.String() != "2026-01-01..2026-11-01" {
			t.Errorf("%s: %d %v, asked for %v", days, code, out, last)
		}
	}
	for _, bad := range []string{`{"types":["magic"]}`, `{"sensitivity":"extreme"}`, `{"basis":"net"}`, `{"unknown":1}`,
		`{"period":{"start":"yesterday","end":"2026-11-01"}}`, `{"period":{"start":"2026-01-01"}}`} {
		if code, _ := x.do(tenant.Operator, "POST", "/analyze", bad); code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, code)
		}
	}
}

func TestAnomaliesByPage(t *testing.T) {
	t.Parallel()
	x := newAnalysing(t)
	var ids []string
	path := "/anomalies?limit=2"
	for range 4 {
		code, out := x.do(tenant.Viewer, "GET", path, "")
		if code != http.StatusOK {
			t.Fatalf("%d %v", code, out)
		}
		for _, i := range items(out) {
			ids = append(ids, fmt.Sprint(i["id"]))
		}
		next, more := out["next_cursor"].(string)
		if !more {
			break
		}
		path = "/anomalies?limit=2&cursor=" + next
	}
	if got := strings.Join(ids, " "); got != "anomaly-4 anomaly-3 anomaly-2 anomaly-1 anomaly-0" {
		t.Errorf("pages gave %s", got)
	}
	for query, want := range map[string]int{
		"severity=critical": 2, "since=2026-11-04": 2, "provider=AWS": 5, "provider=Vultr": 0, "service=AWS+Glue": 5, "status=open": 0, "status=open&status=ended": 5,
	} {
		if code, out := x.do(tenant.Viewer, "GET", "/anomalies?"+query, ""); code != http.StatusOK || len(items(out)) != want {
			t.Errorf("%s: %d with %d items, want %d", query, code, len(items(out)), want)
		}
	}
	for _, query := range []string{"cursor=x", "since=today", "severity=huge", "statsu=open"} {
		if code, _ := x.do(tenant.Viewer, "GET", "/anomalies?"+query, ""); code != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", query, code)
		}
	}
}

func TestAnalyzeNeedsNoBody(t *testing.T) {
	t.Parallel()
	x := newAnalysing(t)
	if code, out := x.do(tenant.Operator, "POST", "/analyze", ""); code != http.StatusOK || len(x.asked) != 1 || x.asked[0].Types != nil {
		t.Errorf("%d %v, asked %+v", code, out, x.asked)
	}
}

func TestOneAnomaly(t *testing.T) {
	t.Parallel()
	x := newAnalysing(t)
	code, out := x.do(tenant.Viewer, "GET", "/anomalies/anomaly-3", "")
	if code != http.StatusOK || out["kind"] != "spike" || out["severity"] != "critical" {
		t.Errorf("%d %v", code, out)
	}
	if _, ended := out["end"]; ended {
		t.Error("an anomaly that goes on has no end")
	}
	if code, out := x.do(tenant.Viewer, "GET", "/anomalies/none", ""); code != http.StatusNotFound || !strings.Contains(fmt.Sprint(out["detail"]), "none") {
		t.Errorf("%d %v", code, out)
	}
}

func TestForecastsAndTrendsByScope(t *testing.T) {
	t.Parallel()
	x := newAnalysing(t)
	code, out := x.do(tenant.Viewer, "GET", "/forecasts", "")
	all := items(out)
	if code != http.StatusOK || len(all) != 1 {
		t.Fatalf("%d %v", code, out)
	}
	points, _ := all[0]["points"].([]any)
	next, _ := all[0]["next_30"].(map[string]any)
	if len(points) != 95 || all[0]["currency"] != "USD" || next["mean"] == nil {
		t.Errorf("%d points, next 30 days %v", len(points), next)
	}
	for path, want := range map[string]int{
		"/forecasts?scope=provider": http.StatusOK, "/trends?scope=service&provider=AWS&service=S3": http.StatusOK, "/forecasts?scope=leaf&service=S3": http.StatusOK, "/trends": http.StatusOK,
		"/forecasts?account=1": http.StatusOK, "/trends?region=eu&scope=region": http.StatusOK, "/trends?account=1&service=S3": http.StatusOK, "/forecasts?provider=AWS": http.StatusOK,
		"/forecasts?scope=total&provider=AWS": http.StatusBadRequest, "/trends?scope=provider&service=S3": http.StatusBadRequest, "/trends?scope=tag": http.StatusBadRequest,
		"/forecasts?scope=service&account=1": http.StatusBadRequest, "/trends?scope=account&region=eu": http.StatusBadRequest,
	} {
		if code, out := x.do(tenant.Viewer, "GET", path, ""); code != want {
			t.Errorf("%s: %d %v, want %d", path, code, out, want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	x := newAnalysing(t)
	path := "/anomalies/anomaly-2/verdict"
	for _, tt := range []struct {
		role   tenant.Role
		path   string
		body   string
		code   int
		status string
	}{
		{tenant.Viewer, path, `{"verdict":"expected"}`, http.StatusForbidden, "ended"},
		{tenant.Operator, path, `{"verdict":"nonsense"}`, http.StatusBadRequest, "ended"},
		{tenant.Operator, "/anomalies/none/verdict", `{"verdict":"true"}`, http.StatusNotFound, "ended"},
		{tenant.Operator, path, `{"verdict":"expected","note":"the sale"}`, http.StatusOK, "dismissed"},
		{tenant.Operator, path, `{"verdict":"true"}`, http.StatusOK, "open"}, // its record has no end,
		{tenant.Operator, path, `{"verdict":"ignore"}`, http.StatusOK, "dismissed"},
	} {
		if code, out := x.do(tt.role, "POST", tt.path, tt.body); code != tt.code || code == http.StatusOK && out["status"] != tt.status {
			t.Errorf("%s %s: %d %v", tt.path, tt.body, code, out)
		}
		if _, out := x.do(tenant.Viewer, "GET", "/anomalies/anomaly-2", ""); out["status"] != tt.status {
			t.Errorf("after %s it is %v, want %s", tt.body, out["status"], tt.status)
		}
	}
	if _, out := x.do(tenant.Viewer, "GET", "/anomalies", ""); len(items(out)) != 4 {
		t.Errorf("%d anomalies are listed, want those that nobody dismissed", len(items(out)))
	}
}
