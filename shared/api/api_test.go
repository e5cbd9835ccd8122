package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		call   call
		status int
		code   fault.Code
	}{
		"no key":            {call{method: "GET", path: "/costs"}, 401, fault.Unauthenticated},
		"unknown role":      {call{method: "GET", path: "/costs", role: "root"}, 401, fault.Unauthenticated},
		"reader loads":      {call{method: "POST", path: "/focus/costs/collect", role: tenant.Viewer}, 403, fault.Forbidden},
		"role before shape": {call{method: "POST", path: "/focus/costs/collect", role: tenant.Viewer, body: []byte("{")}, 403, fault.Forbidden},
		"doubled slash":     {call{method: "GET", path: "//costs", role: tenant.Admin}, 404, fault.NotFound},
		"dots":              {call{method: "GET", path: "/costs/../connections", role: tenant.Admin}, 404, fault.NotFound},
		"unknown path":      {call{method: "GET", path: "/cost", role: tenant.Admin}, 404, fault.NotFound},
		"unknown method":    {call{method: "DELETE", path: "/costs", role: tenant.Admin}, 405, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tc.call.send(t, io.Discard, costsOf(&store{}))
			if p := r.problem(t); p.Status != tc.status || p.Code != tc.code || p.Detail == "" {
				t.Errorf("got %+v; want %d %s", p, tc.status, tc.code)
			}
			if tc.status == http.StatusMethodNotAllowed && r.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow is %q", r.header.Get("Allow"))
			}
			if r.header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be stored")
			}
		})
	}
}

func TestFailuresShowNoInternals(t *testing.T) {
	t.Parallel()
	secret := "postgres://app:hunter2@db"
	for name, tc := range map[string]struct {
		err    error
		status int
	}{
		"plain error": {errors.New("dial " + secret), 500},
		"internal":    {fault.Wrap(errors.New(secret), fault.Internal, "Table %s is broken.", secret), 500},
		"unavailable": {fault.Wrap(errors.New(secret), fault.Unavailable, "The database does not answer; try again in a moment."), 503},
		"throttled":   {fault.New(fault.Throttled, "Try again in a moment."), 429},
		"drifted":     {fault.New(fault.Drifted, "The instance is no longer what was approved."), 409},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			r := call{method: "GET", path: "/costs", role: tenant.Viewer}.send(t, &log, costsOf(&store{err: tc.err}))
			if p := r.problem(t); p.Status != tc.status {
				t.Errorf("got %+v, want %d", p, tc.status)
			}
			if bytes.Contains(r.body, []byte("hunter2")) || bytes.Contains(r.body, []byte("Table")) {
				t.Errorf("the answer shows internals: %s", r.body)
			}
			if strings.Contains(tc.err.Error(), secret) && !strings.Contains(log.String(), secret) {
				t.Errorf("the log does not tell the cause: %s", log.String())
			}
		})
	}
}

// broken panics where it should read.
type broken struct{ *store }

func (broken) Costs(context.Context, tenant.ID, cost.Query) ([]cost.Group, error) {
	panic("index out of hunter2")
}
func (broken) Coverage(context.Context, tenant.ID) ([]ingest.Coverage, error) { return nil, nil }

func TestAPanicIsAProblemAndALogLine(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	x := costsOf(&store{})
	x.Reader = broken{}
	r := call{method: "GET", path: "/costs", role: tenant.Viewer}.send(t, &log, x)
	if p := r.problem(t); p.Status != 500 || p.Code != fault.Internal || strings.Contains(p.Detail, "hunter2") {
		t.Errorf("got %+v", p)
	}
	if !strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "costs_test.go") && !strings.Contains(log.String(), "api_test.go") {
		t.Errorf("the log tells neither reason nor place: %s", log.String())
	}
}

func TestOpenAPIDescribesEveryOperation(t *testing.T) {
	t.Parallel()
	h := api.New(slog.New(slog.DiscardHandler)) // serves no resource, and yet describes all
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/openapi.json", nil))
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Security    []map[string][]string
			Responses   map[string]struct{ Content map[string]any }
			RequestBody struct{ Content map[string]any }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != http.StatusOK || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%d %v", w.Code, err)
	}
	if len(doc.Paths) < 10 {
		t.Errorf("%d paths only", len(doc.Paths))
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			open := path == "/api/v1/health"
			if op.OperationID == "" || op.Summary == "" || (len(op.Security) == 0) != open {
				t.Errorf("%s %s: %+v", method, path, op)
			}
		}
	}
	if n := len(doc.Paths["/api/v1/focus/costs/collect"]["post"].RequestBody.Content); n != 5 {
		t.Errorf("%d ways to send a bill are described, want 5", n)
	}
}

func TestHealthTellsWhatAnswers(t *testing.T) {
	t.Parallel()
	up := func(context.Context) error { return nil }
	down := func(context.Context) error { return errors.New("dial tcp 10.0.0.7: refused") }
	for name, tc := range map[string]struct {
		database, cache func(context.Context) error
		status          int
		says            string
	}{
		"all well":    {up, up, 200, `"status":"ok"`},
		"no cache":    {up, down, 200, `"status":"degraded"`},
		"no database": {down, up, 503, `"status":"down"`},
	} {
		r := call{method: "GET", path: "/health"}.send(t, io.Discard, api.Health{Database: tc.database, Cache: tc.cache, Build: "b1"})
		if r.status != tc.status || !strings.Contains(string(r.body), tc.says) || strings.Contains(string(r.body), "10.0.0.7") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

func TestProblemsNameTheFieldAsItWasSent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		path, kind, body         string
		err                      error
		location, message, value string
	}{
		"missing":      {"/connections", "", `{"id":"a","name":"b"}`, nil, "body.cloud", "is missing", ""},
		"unknown":      {"/aws/costs/collect", "", `{"month":1}`, nil, "body.month", "unexpected property", `{"month":1}`},
		"content type": {"/connections", "text/plain", `{}`, nil, "header.Content-Type", "has to be application/json", ""},
		"of a job":     {"/analyze", "", `{"filters":{"Colour":"red"}}`, fault.Input("dimension", "Colour", "is none"), "body.filters", "is none", "Colour"},
		"the amount":   {"/recommendations/generate", "", `{"min_saving":"-1"}`, nil, "body.min_saving", "is no amount such as 25 or 12.50", "-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.kind == "" {
				tc.kind = "application/json"
			}
			r := call{method: "POST", path: tc.path, role: tenant.Admin, headers: map[string]string{"Content-Type": tc.kind}, body: []byte(tc.body)}.
				send(t, io.Discard, api.Connections{}, workflows(), api.Analysis{Run: refusing{tc.err}}, api.Recommendations{})
			p := r.problem(t)
			if len(p.Errors) != 1 || p.Errors[0].Location != tc.location || p.Errors[0].Message != tc.message || p.Errors[0].Value != tc.value ||
				p.Detail != tc.location+": "+tc.message {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// refusing analyses nothing.
type refusing struct{ err error }

func (r refusing) Run(context.Context, job.AnalyzeInput) (job.AnalyzeOutput, error) {
	return job.AnalyzeOutput{}, r.err
}

func TestNothingStoredHasANULInItsName(t *testing.T) {
	t.Parallel()
	r := call{method: "GET", path: "/runs/collect.a%00", role: tenant.Viewer}.send(t, io.Discard, workflows())
	if p := r.problem(t); p.Status != 400 || len(p.Errors) != 1 || p.Errors[0].Location != "path" {
		t.Errorf("got %+v, want 400 that names the path", p)
	}
}

func TestEncodedSlashesStayInTheirSegment(t *testing.T) {
	t.Parallel()
	x := workflows()
	r := call{method: "GET", path: "/runs/collect.a%2Fb", role: tenant.Viewer}.send(t, io.Discard, x)
	if p := r.problem(t); p.Status != 404 || strings.Contains(p.Detail, "openapi") {
		t.Errorf("got %+v; want the operation's own 404, not that of an unknown path", p)
	}
}
