package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// promises plays the store of five commitments and five pieces of advice.
type promises struct{ tenants []tenant.ID }

func (s *promises) Commitments(_ context.Context, t tenant.ID, f job.CommitmentFilter) ([]job.HeldCommitment, error) {
	s.tenants = append(s.tenants, t)
	hourly := decimal.RequireFromString("1.29")
	var out []job.HeldCommitment
	for i := range 5 {
		c := job.HeldCommitment{Connection: "main", Commitment: resource.Commitment{ID: fmt.Sprint("sp-", i), Hourly: &hourly}}
		if c.ID > f.AfterID && len(out) < f.Limit {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *promises) CommitmentTypes(context.Context, tenant.ID, string) ([]job.CommitmentTypeUse, error) {
	return nil, nil
}

func (s *promises) Advice(_ context.Context, t tenant.ID, f job.AdviceFilter) ([]job.GivenAdvice, error) {
	s.tenants = append(s.tenants, t)
	var out []job.GivenAdvice
	for i := range 5 {
		a := job.GivenAdvice{Connection: "main", Advice: resource.Advice{Source: "Advisor", Advice: fmt.Sprint("a-", i)}, Ours: []job.OwnRecommendation{}}
		if (f.AfterSource == "" || f.AfterSource == "Advisor" && a.Advice.Advice > f.AfterID) && len(out) < f.Limit {
			out = append(out, a)
		}
	}
	return out, nil
}

func TestCommitmentsAndAdviceComeInPages(t *testing.T) {
	t.Parallel()
	s := &promises{}
	h := api.New(slog.New(slog.DiscardHandler), api.Commitments{Reader: s}, api.Advice{Reader: s})
	get := func(path string) (int, map[string]any) {
		ctx := tenant.NewContext(t.Context(), tenant.Principal{Tenant: shop, Subject: "anna", Role: tenant.Viewer})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1"+path, nil))
		var out map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatalf("%s: %s", path, w.Body)
		}
		return w.Code, out
	}
	for path, id := range map[string]string{"/commitments": "id", "/advice": "advice"} {
		var seen []any
		cursor := ""
		for range 4 {
			code, out := get(path + "?limit=2" + cursor)
			if code != http.StatusOK {
				t.Fatalf("%s: %d %v", path, code, out)
			}
			for _, i := range items(out) {
				seen = append(seen, i[id])
			}
			next, more := out["next_cursor"].(string)
			if !more {
				break
			}
			cursor = "&cursor=" + next
		}
		if len(seen) != 5 || seen[0] == seen[4] || seen[2] == seen[1] {
			t.Errorf("%s: %v, want each of five once", path, seen)
		}
		if code, _ := get(path + "?cursor=made-up"); code != http.StatusBadRequest {
			t.Errorf("%s with a made-up cursor: %d", path, code)
		}
	}
	for _, of := range s.tenants {
		if of != shop {
			t.Errorf("asked for what %s has", of)
		}
	}
	if _, out := get("/commitments?limit=1"); fmt.Sprint(items(out)[0]["hourly"]) != "1.29" || items(out)[0]["use"] != nil || out["types"] == nil {
		t.Errorf("a commitment: %v", out)
	}
}
