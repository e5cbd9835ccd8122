package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// shelf keeps recommendations in memory, in the order of the store.
type shelf struct {
	items     []recommend.Recommendation
	rejects   []recommend.Rejected
	outcomes  []learn.Outcome
	learned   []learn.Calibration
	generated []job.RecommendInput
}

func (s *shelf) Recommendations(_ context.Context, _ tenant.ID, f job.RecommendationFilter) ([]recommend.Recommendation, error) {
	var out []recommend.Recommendation
	for _, r := range s.items {
		after := f.AfterScore == nil || r.Score.Total < *f.AfterScore || r.Score.Total == *f.AfterScore && r.ID > f.AfterID
		if after && slices.Contains(f.Status, r.Status) && (f.Rule == "" || f.Rule == r.Rule) && !r.Saving.Monthly.Amount.LessThan(f.MinSaving) && len(out) < f.Limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *shelf) Recommendation(_ context.Context, _ tenant.ID, id string) (recommend.Recommendation, error) {
	for _, r := range s.items {
		if r.ID == id {
			return r, nil
		}
	}
	return recommend.Recommendation{}, fault.New(fault.NotFound, "There is no recommendation %s.", id)
}

func (s *shelf) ChangeRecommendation(_ context.Context, _ tenant.ID, id string, change func(*recommend.Recommendation) error) (recommend.Recommendation, error) {
	for i := range s.items {
		if s.items[i].ID == id {
			return s.items[i], change(&s.items[i])
		}
	}
	return recommend.Recommendation{}, fault.New(fault.NotFound, "There is no recommendation %s.", id)
}

func (s *shelf) Executing(context.Context, tenant.ID, string) ([]rollout.Execution, error) {
	return nil, nil
}

func (s *shelf) SaveGeneration(context.Context, tenant.ID, string, []string, func([]recommend.Recommendation) []recommend.Recommendation, []recommend.Rejected) error {
	return nil
}

func (s *shelf) RejectedRecommendations(_ context.Context, _ tenant.ID, f job.RejectedFilter) ([]recommend.Rejected, error) {
	var out []recommend.Rejected
	for _, r := range s.rejects {
		if r.Ref.ID+"\x00"+r.Rule > f.AfterResource+"\x00"+f.AfterRule && len(out) < f.Limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *shelf) Run(_ context.Context, in job.RecommendInput) (job.RecommendOutput, error) {
	s.generated = append(s.generated, in)
	return job.RecommendOutput{Connections: []string{"main"}, Found: 2}, nil
}

func (s *shelf) Outcomes(context.Context, tenant.ID) ([]learn.Outcome, error) { return s.outcomes, nil }

func (s *shelf) Outcome(_ context.Context, _ tenant.ID, execution string) (learn.Outcome, error) {
	for _, o := range s.outcomes {
		if o.Execution == execution {
			return o, nil
		}
	}
	return learn.Outcome{}, fault.New(fault.NotFound, "No outcome of %s.", execution)
}

func (s *shelf) CalibrationVersions(context.Context, tenant.ID) ([]learn.Calibration, error) {
	return s.learned, nil
}

func usd(amount string) cost.Money {
	return cost.Money{Amount: decimal.RequireFromString(amount), Currency: "USD", Basis: cost.Effective}
}

func stocked() *shelf {
	s := &shelf{}
	for i, saving := range []string{"900", "90", "9"} {
		p := plan.Plan{Cloud: resource.AWS, Action: plan.ResizeInstance, Targets: []plan.Target{{Ref: resource.Ref{ID: "i-" + saving}}}}
		s.items = append(s.items, recommend.Recommendation{ID: "rec-" + saving, Rule: "right-size", Plan: p, PlanHash: p.Hash(), Status: recommend.Open,
			Saving: recommend.Saving{Monthly: usd(saving)}, Score: recommend.Score{Total: float64(90 - 10*i)}})
		s.rejects = append(s.rejects, recommend.Rejected{Rule: "right-size", Ref: resource.Ref{ID: "j-" + string(rune('a'+i))}, Reason: "busy"})
	}
	s.outcomes = []learn.Outcome{{Execution: "one", State: learn.Final, Estimated: usd("10")}, {Execution: "two", State: learn.TooEarly, Estimated: usd("10")}}
	s.learned = []learn.Calibration{{Action: plan.ResizeInstance, Cloud: resource.AWS, Version: 2, SavingsRatio: 0.97}}
	return s
}

// ask sends a request as somebody with the role and decodes the answer.
func (s *shelf) ask(t *testing.T, role tenant.Role, method, path, body string) (int, map[string]any) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) }
	h := api.New(slog.New(slog.DiscardHandler), api.Recommendations{Reader: s, Generate: s, Decide: job.Decide{Store: s, Now: now}}, api.Learning{Reader: s})
	r := httptest.NewRequest(method, api.Base+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r = r.WithContext(tenant.NewContext(r.Context(), tenant.Principal{Tenant: "0a0a0a0a-0000-4000-8000-000000000001", Subject: "anna", Role: role}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s %s gave %q", method, path, w.Body)
	}
	return w.Code, out
}

func ids(t *testing.T, page map[string]any, key string) []string {
	t.Helper()
	var out []string
	for _, item := range page["items"].([]any) {
		out = append(out, item.(map[string]any)[key].(string))
	}
	return out
}

func TestRecommendationsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	s := stocked()
	_, first := s.ask(t, tenant.Viewer, http.MethodGet, "/recommendations?limit=2", "")
	if got := ids(t, first, "id"); !slices.Equal(got, []string{"rec-900", "rec-90"}) {
		t.Errorf("the first page holds %v", got)
	}
	_, second := s.ask(t, tenant.Viewer, http.MethodGet, "/recommendations?limit=2&cursor="+first["next_cursor"].(string), "")
	if got := ids(t, second, "id"); !slices.Equal(got, []string{"rec-9"}) || second["next_cursor"] != nil {
		t.Errorf("the second page holds %v, then %v", got, second["next_cursor"])
	}
	_, dear := s.ask(t, tenant.Viewer, http.MethodGet, "/recommendations?min_saving=50&rule=right-size&status=open&status=approved", "")
	if got := ids(t, dear, "id"); len(got) != 2 {
		t.Errorf("those of 50 and more are %v", got)
	}
	saving := dear["items"].([]any)[0].(map[string]any)["saving"].(map[string]any)["monthly"].(map[string]any)
	if saving["amount"] != "900" || saving["currency"] != "USD" || saving["basis"] != "effective" {
		t.Errorf("money is %v", saving)
	}
	_, rejected := s.ask(t, tenant.Viewer, http.MethodGet, "/recommendations/rejected?limit=1", "")
	_, rest := s.ask(t, tenant.Viewer, http.MethodGet, "/recommendations/rejected?cursor="+rejected["next_cursor"].(string), "")
	if got := ids(t, rest, "reason"); len(got) != 2 {
		t.Errorf("after the first rejected one come %v", got)
	}
}

func TestRecommendationRequestsAreChecked(t *testing.T) {
	t.Parallel()
	hash := stocked().items[0].PlanHash
	for name, tt := range map[string]struct {
		role         tenant.Role
		method, path string
		body         string
		want         int
	}{
		"a viewer generates nothing":     {tenant.Viewer, http.MethodPost, "/recommendations/generate", `{}`, http.StatusForbidden},
		"an operator generates":          {tenant.Operator, http.MethodPost, "/recommendations/generate", `{"min_saving":"12.50"}`, http.StatusOK},
		"a bad minimum":                  {tenant.Operator, http.MethodPost, "/recommendations/generate", `{"min_saving":"much"}`, http.StatusBadRequest},
		"an operator approves nothing":   {tenant.Operator, http.MethodPost, "/recommendations/rec-900/approve", `{"plan_hash":"` + hash + `"}`, http.StatusForbidden},
		"an approver approves":           {tenant.Approver, http.MethodPost, "/recommendations/rec-900/approve", `{"plan_hash":"` + hash + `"}`, http.StatusOK},
		"another plan is not approved":   {tenant.Approver, http.MethodPost, "/recommendations/rec-900/approve", `{"plan_hash":"` + strings.Repeat("0", 64) + `"}`, http.StatusConflict},
		"an approval names a plan":       {tenant.Approver, http.MethodPost, "/recommendations/rec-900/approve", `{}`, http.StatusBadRequest},
		"an unknown one":                 {tenant.Approver, http.MethodPost, "/recommendations/rec-1/approve", `{"plan_hash":"` + hash + `"}`, http.StatusNotFound},
		"a dismissal needs a reason":     {tenant.Operator, http.MethodPost, "/recommendations/rec-900/dismiss", `{"reason":""}`, http.StatusBadRequest},
		"an operator dismisses":          {tenant.Operator, http.MethodPost, "/recommendations/rec-900/dismiss", `{"reason":"needed"}`, http.StatusOK},
		"one is read":                    {tenant.Viewer, http.MethodGet, "/recommendations/rec-9", "", http.StatusOK},
		"an unknown one is not read":     {tenant.Viewer, http.MethodGet, "/recommendations/rec-1", "", http.StatusNotFound},
		"an unknown status":              {tenant.Viewer, http.MethodGet, "/recommendations?status=great", "", http.StatusBadRequest},
		"a cursor of somebody else":      {tenant.Viewer, http.MethodGet, "/recommendations?cursor=abc", "", http.StatusBadRequest},
		"a cursor that is no cursor":     {tenant.Viewer, http.MethodGet, "/recommendations/rejected?cursor=***", "", http.StatusBadRequest},
		"an outcome":                     {tenant.Viewer, http.MethodGet, "/outcomes/one", "", http.StatusOK},
		"an execution without outcome":   {tenant.Viewer, http.MethodGet, "/outcomes/three", "", http.StatusNotFound},
		"an unknown state of an outcome": {tenant.Viewer, http.MethodGet, "/outcomes?state=great", "", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, body := stocked().ask(t, tt.role, tt.method, tt.path, tt.body); got != tt.want {
				t.Errorf("status %d, want %d: %v", got, tt.want, body)
			}
		})
	}
}

func TestApprovalIsSignedByTheCaller(t *testing.T) {
	t.Parallel()
	s := stocked()
	s.ask(t, tenant.Approver, http.MethodPost, "/recommendations/rec-900/approve", `{"plan_hash":"`+s.items[0].PlanHash+`"}`)
	if a := s.items[0].Approval; a == nil || a.By != "anna" || a.PlanHash != s.items[0].PlanHash {
		t.Errorf("the approval is %+v", a)
	}
}

func TestGenerationGetsWhatWasAsked(t *testing.T) {
	t.Parallel()
	s := stocked()
	code, out := s.ask(t, tenant.Operator, http.MethodPost, "/recommendations/generate", `{"connection":"aws-main","rules":["right-size"],"min_saving":"12.50"}`)
	if code != http.StatusOK || out["found"] != 2.0 || len(s.generated) != 1 {
		t.Fatalf("status %d, %v", code, out)
	}
	in := s.generated[0]
	if in.Connection != "aws-main" || !slices.Equal(in.Rules, []string{"right-size"}) || !in.MinSaving.Equal(decimal.RequireFromString("12.5")) {
		t.Errorf("generated with %+v", in)
	}
}

func TestOutcomesAndCalibrationsAreListed(t *testing.T) {
	t.Parallel()
	s := stocked()
	_, all := s.ask(t, tenant.Viewer, http.MethodGet, "/outcomes", "")
	_, final := s.ask(t, tenant.Viewer, http.MethodGet, "/outcomes?state=final", "")
	if got := ids(t, all, "execution"); len(got) != 2 {
		t.Errorf("outcomes are %v", got)
	}
	if got := ids(t, final, "execution"); !slices.Equal(got, []string{"one"}) {
		t.Errorf("final outcomes are %v", got)
	}
	_, learned := s.ask(t, tenant.Viewer, http.MethodGet, "/calibrations", "")
	if item := learned["items"].([]any)[0].(map[string]any); item["version"] != 2.0 || item["savings_ratio"] != 0.97 {
		t.Errorf("calibration %v", item)
	}
}
