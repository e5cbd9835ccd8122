package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// machines plays Step Functions.
type machines struct {
	runs   map[string]job.Run
	starts int
	err    error
}

func (m *machines) Start(_ context.Context, machine, name string, input any) (string, error) {
	if m.err != nil {
		return "", m.err
	}
	m.starts++
	text, err := json.Marshal(input)
	m.runs[machine+"/"+name] = job.Run{Machine: machine, Name: name, Status: "RUNNING", Input: text, StartedAt: fixedNow()}
	return "arn:run:" + name, err
}

func (m *machines) Describe(_ context.Context, machine, name string) (job.Run, error) {
	run, ok := m.runs[machine+"/"+name]
	if !ok {
		return run, fault.New(fault.NotFound, "There is no run with this id.")
	}
	return run, nil
}

// receipts plays the idempotency table.
type receipts struct {
	mu      sync.Mutex
	hashes  map[string]string
	answers map[string][]byte
}

func (r *receipts) Claim(_ context.Context, t tenant.ID, operation, key, hash string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := string(t) + operation + key
	if have, ok := r.hashes[id]; ok && (have != hash || r.answers[id] == nil) {
		return nil, fault.New(fault.Conflict, "This Idempotency-Key was sent with another request.")
	}
	r.hashes[id] = hash
	return r.answers[id], nil
}

func (r *receipts) Keep(_ context.Context, t tenant.ID, operation, key string, answer []byte) error {
	r.answers[string(t)+operation+key] = answer
	return nil
}

func (r *receipts) Release(_ context.Context, t tenant.ID, operation, key string) error {
	delete(r.hashes, string(t)+operation+key)
	return nil
}

type lastSummary struct{}

func (lastSummary) Last(context.Context, tenant.ID) (job.SummaryOutput, error) {
	return job.SummaryOutput{Run: "r", Collect: json.RawMessage(`{"rows":1}`), Costs: []job.ProviderCost{}, Problems: []string{}}, nil
}

func workflows() api.Workflows {
	n := 0
	return api.Workflows{
		Summary: lastSummary{},
		Runs: api.Runs{
			Machines: &machines{runs: map[string]job.Run{}},
			Receipts: &receipts{hashes: map[string]string{}, answers: map[string][]byte{}},
			NewID:    func() string { n++; return "run-" + string(rune('0'+n)) },
		},
	}
}

func started(t *testing.T, r reply) string {
	t.Helper()
	var out struct{ ID, ARN string }
	if err := json.Unmarshal(r.body, &out); err != nil || r.status != http.StatusAccepted || out.ARN == "" || r.header.Get("Location") != "/api/v1/runs/"+out.ID {
		t.Fatalf("%d %v %s", r.status, r.header, r.body)
	}
	return out.ID
}

func TestARunIsStartedAndWatched(t *testing.T) {
	t.Parallel()
	x := workflows()
	m, _ := x.Machines.(*machines)
	id := started(t, call{method: "POST", path: "/aws/costs/collect", role: tenant.Operator, headers: map[string]string{"Content-Type": "application/json"},
		body: []byte(`{"months":3,"connection":"main"}`)}.send(t, io.Discard, x))
	if got := string(m.runs["collect/run-1"].Input); got != `{"tenant":"`+string(shop)+`","cloud":"aws","connection":"main","months":3}` {
		t.Errorf("started with %s", got)
	}
	watch := call{method: "GET", path: "/runs/" + id, role: tenant.Viewer}
	if r := watch.send(t, io.Discard, x); r.status != http.StatusOK || !strings.Contains(string(r.body), `"status":"running"`) || strings.Contains(string(r.body), "ended_at") {
		t.Errorf("%d %s", r.status, r.body)
	}
	run := m.runs["collect/run-1"]
	run.Status, run.EndedAt, run.Error, run.Cause = "FAILED", fixedNow().Add(time.Minute), "Unavailable", `{"errorMessage":"Nothing could be collected."}`
	m.runs["collect/run-1"] = run
	if r := watch.send(t, io.Discard, x); !strings.Contains(string(r.body), `"status":"failed"`) || !strings.Contains(string(r.body), `"reason":"Nothing could be collected."`) {
		t.Errorf("%s", r.body)
	}
	watch.tenant = "6f1f9f5e-0000-4000-8000-000000000002"
	if p := watch.send(t, io.Discard, x).problem(t); p.Status != http.StatusNotFound {
		t.Errorf("another tenant: got %+v, want 404", p)
	}
}

func TestTheSameKeyStartsOneRun(t *testing.T) {
	t.Parallel()
	x := workflows()
	m, _ := x.Machines.(*machines)
	post := func(path, key, body string) reply {
		return call{method: "POST", path: path, role: tenant.Operator, headers: map[string]string{"Idempotency-Key": key, "Content-Type": "application/json"}, body: []byte(body)}.send(t, io.Discard, x)
	}
	first := started(t, post("/workflows/cost-optimization", "k1", `{}`))
	if again := started(t, post("/workflows/cost-optimization", "k1", `{}`)); again != first || m.starts != 1 {
		t.Errorf("started %s then %s, %d runs", first, again, m.starts)
	}
	if p := post("/workflows/cost-optimization", "k1", `{"months":2}`).problem(t); p.Status != http.StatusConflict {
		t.Errorf("same key, other request: got %+v, want 409", p)
	}
	if other := started(t, post("/workflows/cost-optimization", "k2", `{}`)); other == first {
		t.Error("another key gave the same run")
	}
	m.err = fault.New(fault.Unavailable, "Try again.")
	if p := post("/aws/costs/collect", "k3", `{}`).problem(t); p.Status != http.StatusServiceUnavailable {
		t.Errorf("got %+v, want 503", p)
	}
	m.err = nil
	started(t, post("/aws/costs/collect", "k3", `{}`)) // the failure gave the key back
}

func TestStartingRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ path, kind, body, location string }{
		"another cloud":   {"/oracle/costs/collect", "application/json", `{}`, "path.provider"},
		"months":          {"/aws/costs/collect", "application/json", `{"months":99}`, "body.months"},
		"no number":       {"/aws/costs/collect", "application/json", `{"months":"all"}`, "body.months"},
		"unknown member":  {"/aws/costs/collect", "application/json", `{"month":1}`, "body.month"},
		"broken JSON":     {"/aws/costs/collect", "application/json", `{"months":`, "body"},
		"two documents":   {"/aws/costs/collect", "application/json", `{} {}`, "body"},
		"long connection": {"/workflows/cost-optimization", "application/json", `{"connection":"` + strings.Repeat("x", 101) + `"}`, "body.connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call{method: "POST", path: tc.path, role: tenant.Operator, headers: map[string]string{"Content-Type": tc.kind}, body: []byte(tc.body)}.send(t, io.Discard, workflows())
			if p := r.problem(t); p.Status != http.StatusBadRequest || len(p.Errors) == 0 || p.Errors[0].Location != tc.location {
				t.Errorf("got %+v; want 400 that names %s", p, tc.location)
			}
		})
	}
	r := call{method: "POST", path: "/aws/costs/collect", role: tenant.Operator, headers: map[string]string{"Content-Type": "text/plain"}, body: []byte("now")}.send(t, io.Discard, workflows())
	if p := r.problem(t); p.Status != http.StatusUnsupportedMediaType || p.Code != fault.Unsupported {
		t.Errorf("text: got %+v, want 415", p)
	}
}

func TestSummaryIsShown(t *testing.T) {
	t.Parallel()
	r := call{method: "GET", path: "/summary", role: tenant.Viewer}.send(t, io.Discard, workflows())
	if r.status != http.StatusOK || !strings.Contains(string(r.body), `"collect":{"rows":1}`) {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// links plays the upload maker.
type links struct{ key string }

func (l *links) UploadURL(_ context.Context, key string, _ time.Duration) (string, error) {
	l.key = key
	return "https://bucket/" + key + "?signed", nil
}

func TestUploadsAreOfTheirTenant(t *testing.T) {
	t.Parallel()
	l := &links{}
	x := api.Uploads{Staging: l, NewID: func() string { return "u1" }, Now: fixedNow}
	for _, body := range []string{"", "{}"} {
		r := call{method: "POST", path: "/uploads", role: tenant.Operator, headers: map[string]string{"Content-Type": "application/json"}, body: []byte(body)}.send(t, io.Discard, x)
		var out struct {
			Key, URL string
			Expires  time.Time
		}
		if err := json.Unmarshal(r.body, &out); err != nil || r.status != http.StatusCreated || out.Key != l.key || !out.Expires.Equal(fixedNow().Add(time.Hour)) {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if err := ingest.Owned(shop, out.Key); err != nil {
			t.Error(err)
		}
	}
}
