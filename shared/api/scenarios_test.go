package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// dreaming notes what it was asked to imagine.
type dreaming struct {
	asked []job.ScenarioInput
	err   error
}

func (x *dreaming) Run(_ context.Context, in job.ScenarioInput) (job.ScenarioOutput, error) {
	x.asked = append(x.asked, in)
	return job.ScenarioOutput{Currency: in.Currency}, x.err
}

func play(t *testing.T, x *dreaming, body string) (int, api.Problem) {
	t.Helper()
	ctx := tenant.NewContext(t.Context(), tenant.Principal{Tenant: analysedTenant, Subject: "v", Role: tenant.Viewer})
	r := httptest.NewRequest(http.MethodPost, "/api/v1/scenarios", strings.NewReader(body)).WithContext(ctx)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	api.New(slog.New(slog.DiscardHandler), api.Scenarios{Imagine: x}).ServeHTTP(w, r)
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Code, p
}

func TestAScenarioIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	x := &dreaming{}
	code, p := play(t, x, `{"scope":{"ServiceProviderName":"AWS"},"currency":"EUR","steps":[
		{"kind":"amount","amount_per_day":"-12.50","from":"2026-12-01","to":"2027-01-01"},
		{"kind":"growth","percent_per_month":-3.5},
		{"kind":"recommendations","status":["open"],"ids":["a"],"over_days":9,"scope":{"RegionId":"eu"}}]}`)
	if code != http.StatusOK || len(x.asked) != 1 {
		t.Fatalf("%d %+v", code, p)
	}
	in := x.asked[0]
	first, second, third := in.Steps[0], in.Steps[1], in.Steps[2]
	if in.Tenant != analysedTenant || in.Scope["ServiceProviderName"] != "AWS" || in.Currency != "EUR" ||
		first.Amount.String() != "-12.5" || first.From.Format("0102") != "1201" || first.To.Format("0102") != "0101" ||
		*second.Percent != -3.5 || second.Amount != nil || third.OverDays != 9 || third.Scope["RegionId"] != "eu" || len(third.IDs) != 1 || third.Status[0] != "open" {
		t.Errorf("asked %+v", in)
	}
	if code, _ := play(t, x, ""); code != http.StatusOK || len(x.asked[1].Steps) != 0 {
		t.Errorf("without a body: %d", code)
	}
}

func TestAWrongStepIsNamed(t *testing.T) {
	t.Parallel()
	for location, body := range map[string]string{
		"body.steps[0].kind":           `{"steps":[{"kind":"magic"}]}`,
		"body.steps[1].amount_per_day": `{"steps":[{"kind":"growth","percent_per_month":1},{"kind":"amount","amount_per_day":"1e9"}]}`,
		"body.steps[0].factor":         `{"steps":[{"kind":"factor","factor":-1}]}`,
		"body.steps[0].from":           `{"steps":[{"kind":"factor","factor":1,"from":"tomorrow"}]}`,
		"body.steps[0].over_days":      `{"steps":[{"kind":"recommendations","over_days":0}]}`,
		"body.steps[0].colour":         `{"steps":[{"kind":"growth","colour":1}]}`,
		"body.currency":                `{"currency":"euro"}`,
	} {
		if code, p := play(t, &dreaming{}, body); code != http.StatusBadRequest || len(p.Errors) == 0 || p.Errors[0].Location != location {
			t.Errorf("%s: %d %+v, want %s", body, code, p, location)
		}
	}
	x := &dreaming{err: fault.Input("steps[0].scope", "ServiceName=S4", "holds no costs in USD")}
	if code, p := play(t, x, `{"steps":[{"kind":"factor","factor":2}]}`); code != http.StatusBadRequest || p.Errors[0].Location != "body.steps[0].scope" {
		t.Errorf("%d %+v", code, p)
	}
}
