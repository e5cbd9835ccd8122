package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// executing is the API over a real record, with one approved recommendation and a list instead of a state machine.
type executing struct {
	*testing.T
	handler http.Handler
	rec     recommend.Recommendation
	mu      sync.Mutex
	started []string
	broken  bool
	claimed map[string][2]string
}

const executingTenant tenant.ID = "6f1f9f5e-0000-4000-8000-000000000003"

func newExecuting(t *testing.T) *executing {
	t.Helper()
	db := pgtest.Open(t)
	if err := db.SaveTenant(t.Context(), executingTenant, "tenant"); err != nil {
		t.Fatal(err)
	}
	p := plan.Plan{Cloud: resource.AWS, Action: plan.ResizeInstance}
	for i := range 3 {
		p.Targets = append(p.Targets, plan.Target{
			Ref:    resource.Ref{Cloud: resource.AWS, Type: resource.Instance, ID: fmt.Sprintf("i-%d", i)},
			Before: plan.State{"size": "a"}, After: plan.State{"size": "b"},
		})
	}
	x := &executing{T: t, claimed: map[string][2]string{}}
	x.rec = recommend.Recommendation{ID: "rec-1", Connection: "aws-main", Plan: p, PlanHash: p.Hash(), Status: recommend.Approved,
		Approval: &recommend.Approval{By: "bert", PlanHash: p.Hash()}}
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { now = now.Add(time.Second); return now }
	functions := map[resource.Cloud]string{resource.AWS: "f"}
	x.handler = api.New(slog.New(slog.DiscardHandler), api.Executions{
		Reader: db, Freezer: db, Receipts: x, Now: clock,
		Starter: job.Execute{Store: db, Recommendations: x, Starter: x, Actors: functions, Collectors: functions, Now: clock},
	})
	return x
}

func (x *executing) Recommendation(_ context.Context, _ tenant.ID, id string) (recommend.Recommendation, error) {
	if id != x.rec.ID {
		return recommend.Recommendation{}, fault.New(fault.NotFound, "There is no recommendation %s.", id)
	}
	return x.rec, nil
}

func (x *executing) ChangeRecommendation(ctx context.Context, t tenant.ID, id string, _ func(*recommend.Recommendation) error) (recommend.Recommendation, error) {
	return x.Recommendation(ctx, t, id)
}

func (x *executing) Start(_ context.Context, machine, name string, input any) (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.broken {
		return "", fault.New(fault.Unavailable, "down")
	}
	text, err := json.Marshal(input)
	x.started = append(x.started, machine+" "+name+" "+string(text))
	return name, err
}

func (x *executing) Claim(_ context.Context, _ tenant.ID, operation, key, hash string) ([]byte, error) {
	was, ok := x.claimed[operation+key]
	switch {
	case !ok:
		x.claimed[operation+key] = [2]string{hash}
		return nil, nil
	case was[0] != hash:
		return nil, fault.New(fault.Conflict, "The key was used for another request.")
	}
	return []byte(was[1]), nil
}

func (x *executing) Keep(_ context.Context, _ tenant.ID, operation, key string, answer []byte) error {
	x.claimed[operation+key] = [2]string{x.claimed[operation+key][0], string(answer)}
	return nil
}

func (x *executing) Release(_ context.Context, _ tenant.ID, operation, key string) error {
	delete(x.claimed, operation+key)
	return nil
}

func (x *executing) do(role tenant.Role, method, path, body string, headers ...string) (*httptest.ResponseRecorder, map[string]any) {
	x.Helper()
	ctx := tenant.NewContext(x.Context(), tenant.Principal{Tenant: executingTenant, Subject: "anna", Role: role})
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
	return w, out
}

func (x *executing) body(more string) string {
	return fmt.Sprintf(`{"recommendation_id":"rec-1","plan_hash":"%s"%s}`, x.rec.PlanHash, more)
}

func TestExecuteStartsOnce(t *testing.T) {
	t.Parallel()
	x := newExecuting(t)
	w, first := x.do(tenant.Approver, "POST", "/execution/execute", x.body(""), "Idempotency-Key", "k1")
	id := fmt.Sprint(first["id"])
	if w.Code != http.StatusAccepted || first["status"] != "pending" || w.Header().Get("Location") != "/api/v1/execution/"+id {
		t.Fatalf("%d %v %q", w.Code, first, w.Header().Get("Location"))
	}
	want := []string{fmt.Sprintf(`execution %s {"tenant":"%s","execution":"%s"}`, id, executingTenant, id)}
	if _, again := x.do(tenant.Approver, "POST", "/execution/execute", x.body(""), "Idempotency-Key", "k1"); again["id"] != id || !slices.Equal(x.started, want) {
		t.Errorf("sent twice: %v, started %q", again, x.started)
	}
	if w, _ := x.do(tenant.Approver, "POST", "/execution/execute", x.body(`,"dry_run":true`), "Idempotency-Key", "k1"); w.Code != http.StatusConflict {
		t.Errorf("the key for another request: %d", w.Code)
	}
	// The answer to the first request was lost with its receipt: what was created is found again.
	if _, again := x.do(tenant.Approver, "POST", "/execution/execute", x.body(""), "Idempotency-Key", "k2"); again["id"] != id {
		t.Errorf("asked again: %v, want %s", again, id)
	}
	if w, out := x.do(tenant.Approver, "POST", "/execution/execute", x.body(`,"mode":"immediate"`)); w.Code != http.StatusConflict {
		t.Errorf("a second one of the same recommendation: %d %v", w.Code, out)
	}
	w, got := x.do(tenant.Viewer, "GET", "/execution/"+id, "")
	if _, ok := got["journal"].([]any); !ok {
		t.Errorf("an execution that has not begun has the journal %v, want an empty one", got["journal"])
	}
	phases, _ := got["phases"].([]any)
	if w.Code != http.StatusOK || got["mode"] != "gradual" || got["watch_minutes"] != 15.0 || len(phases) != 2 || got["approved_by"] != "bert" || got["requested_by"] != "anna" {
		t.Errorf("%d %v", w.Code, got)
	}
}

func TestExecuteRefuses(t *testing.T) {
	t.Parallel()
	x := newExecuting(t)
	for name, c := range map[string]struct {
		role tenant.Role
		body string
		want int
	}{
		"operators":               {tenant.Operator, x.body(""), http.StatusForbidden},
		"another plan":            {tenant.Approver, strings.Replace(x.body(""), x.rec.PlanHash, strings.Repeat("0", 64), 1), http.StatusConflict},
		"unknown recommendations": {tenant.Approver, strings.Replace(x.body(""), "rec-1", "rec-2", 1), http.StatusNotFound},
		"unknown modes":           {tenant.Approver, x.body(`,"mode":"fast"`), http.StatusBadRequest},
		"steps that fall":         {tenant.Approver, x.body(`,"steps":[50,10,100]`), http.StatusBadRequest},
		"times in the past":       {tenant.Approver, x.body(`,"mode":"scheduled","at":"2026-11-20T08:59:00Z"`), http.StatusBadRequest},
		"times out of reach":      {tenant.Approver, x.body(`,"mode":"scheduled","at":"2028-01-01T00:00:00Z"`), http.StatusBadRequest},
		"no time":                 {tenant.Approver, x.body(`,"mode":"scheduled"`), http.StatusBadRequest},
		"a watch of days":         {tenant.Approver, x.body(`,"watch_minutes":1441`), http.StatusBadRequest},
	} {
		if w, out := x.do(c.role, "POST", "/execution/execute", c.body); w.Code != c.want {
			t.Errorf("%s: %d %v, want %d", name, w.Code, out, c.want)
		}
	}
	if _, out := x.do(tenant.Approver, "POST", "/execution/execute", x.body(`,"steps":[50]`)); !strings.Contains(fmt.Sprint(out["errors"]), "body.steps") {
		t.Errorf("the problem does not name the field: %v", out)
	}
	x.rec.Status = recommend.Open
	if w, out := x.do(tenant.Approver, "POST", "/execution/execute", x.body("")); w.Code != http.StatusConflict {
		t.Errorf("not approved: %d %v", w.Code, out)
	}
	if len(x.started) != 0 {
		t.Errorf("started %q", x.started)
	}
}

func TestFreeze(t *testing.T) {
	t.Parallel()
	x := newExecuting(t)
	if w, _ := x.do(tenant.Approver, "PUT", "/execution/freeze", `{"frozen":true}`); w.Code != http.StatusForbidden {
		t.Errorf("an approver freezes: %d", w.Code)
	}
	if _, got := x.do(tenant.Viewer, "GET", "/execution/freeze", ""); got["frozen"] != false {
		t.Errorf("never set: %v", got)
	}
	x.do(tenant.Admin, "PUT", "/execution/freeze", `{"frozen":true,"reason":"sales week"}`)
	if _, got := x.do(tenant.Viewer, "GET", "/execution/freeze", ""); got["frozen"] != true || got["reason"] != "sales week" || got["by"] != "anna" || !strings.HasPrefix(fmt.Sprint(got["at"]), "2026-11-20T09:") {
		t.Errorf("set: %v", got)
	}
	if w, out := x.do(tenant.Approver, "POST", "/execution/execute", x.body("")); w.Code != http.StatusConflict || !strings.Contains(fmt.Sprint(out["detail"]), "sales week") {
		t.Errorf("frozen: %d %v", w.Code, out)
	}
	x.do(tenant.Admin, "PUT", "/execution/freeze", `{"frozen":false}`)
	if w, out := x.do(tenant.Approver, "POST", "/execution/execute", x.body("")); w.Code != http.StatusAccepted {
		t.Errorf("lifted: %d %v", w.Code, out)
	}
}

func TestExecutionThatCannotBeStartedIsRefusedAndListed(t *testing.T) {
	t.Parallel()
	x := newExecuting(t)
	x.broken = true
	for range 3 {
		if w, out := x.do(tenant.Approver, "POST", "/execution/execute", x.body(""), "Idempotency-Key", "k"); w.Code != http.StatusServiceUnavailable {
			t.Fatalf("%d %v", w.Code, out)
		}
	}
	x.broken = false
	if w, out := x.do(tenant.Approver, "POST", "/execution/execute", x.body(""), "Idempotency-Key", "k"); w.Code != http.StatusAccepted {
		t.Fatalf("%d %v", w.Code, out)
	}
	var statuses, ids []string
	cursor := ""
	for range 5 {
		_, out := x.do(tenant.Viewer, "GET", "/executions?limit=3"+cursor, "")
		items, _ := out["items"].([]any)
		for _, i := range items {
			item, _ := i.(map[string]any)
			statuses, ids = append(statuses, fmt.Sprint(item["status"])), append(ids, fmt.Sprint(item["id"]))
		}
		next, more := out["next_cursor"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	if want := []string{"pending", "refused", "refused", "refused"}; !slices.Equal(statuses, want) {
		t.Errorf("listed %v, want %v", statuses, want)
	}
	if w, _ := x.do(tenant.Approver, "POST", "/execution/"+ids[0]+"/resume", ""); w.Code != http.StatusConflict {
		t.Errorf("resuming what is not stuck: %d", w.Code)
	}
	if w, _ := x.do(tenant.Viewer, "GET", "/executions?cursor=nonsense", ""); w.Code != http.StatusBadRequest {
		t.Errorf("a made-up cursor: %d", w.Code)
	}
	if w, _ := x.do(tenant.Viewer, "GET", "/execution/6f1f9f5e-0000-4000-8000-00000000ffff", ""); w.Code != http.StatusNotFound {
		t.Errorf("an unknown execution: %d", w.Code)
	}
}
