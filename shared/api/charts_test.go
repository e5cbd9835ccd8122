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

// drawing notes what was asked for, and draws its number of days.
type drawing struct {
	asked []job.PictureInput
	err   error
}

func (x *drawing) Run(_ context.Context, in job.PictureInput) (job.Chart, error) {
	x.asked = append(x.asked, in)
	return job.Chart{Average: in.Average, Forecast: &job.Forecast{}}, x.err
}

func (x *drawing) get(t *testing.T, role tenant.Role, path, known string) *httptest.ResponseRecorder {
	t.Helper()
	draw := func(c job.Chart) ([]byte, error) {
		return []byte("<svg>" + strings.Repeat(".", c.Average) + "</svg>"), nil
	}
	ctx := tenant.NewContext(t.Context(), tenant.Principal{Tenant: analysedTenant, Subject: "v", Role: role})
	r := httptest.NewRequest(http.MethodGet, "/api/v1"+path, nil).WithContext(ctx)
	r.Header.Set("Accept", "image/svg+xml,*/*")
	if known != "" {
		r.Header.Set("If-None-Match", known)
	}
	w := httptest.NewRecorder()
	api.New(slog.New(slog.DiscardHandler), api.Charts{Gather: x, Draw: draw}).ServeHTTP(w, r)
	return w
}

func TestPicturesAreServedAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	x := &drawing{}
	w := x.get(t, tenant.Viewer, "/forecasts/chart.svg?provider=AWS&account=12&region=eu-west-1&service=Amazon+S3&currency=USD&basis=billed&days=30&ahead=60", "")
	h := w.Header()
	if w.Code != http.StatusOK || h.Get("Content-Type") != "image/svg+xml" || w.Body.String() != "<svg></svg>" ||
		!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Cache-Control") != "private, no-cache" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v %s", w.Code, h, w.Body)
	}
	want := job.PictureInput{Tenant: analysedTenant, Basis: "billed", Provider: "AWS", Account: "12", Region: "eu-west-1", Service: "Amazon S3", Currency: "USD", Days: 30, Ahead: 60}
	if len(x.asked) != 1 || x.asked[0] != want {
		t.Errorf("asked %+v", x.asked)
	}
	if x.get(t, tenant.Viewer, "/trends/chart.svg", ""); x.asked[1] != (job.PictureInput{Tenant: analysedTenant, Basis: "effective", Days: 120, Average: 30}) {
		t.Errorf("asked %+v", x.asked[1])
	}
}

func TestAPictureThatIsKnownIsNotSentAgain(t *testing.T) {
	t.Parallel()
	x := &drawing{}
	tag := x.get(t, tenant.Viewer, "/forecasts/chart.svg", "").Header().Get("ETag")
	for known, want := range map[string]int{
		tag: http.StatusNotModified, `"other", W/` + tag: http.StatusNotModified, "*": http.StatusNotModified, `"other"`: http.StatusOK, tag[1:]: http.StatusOK,
	} {
		w := x.get(t, tenant.Viewer, "/forecasts/chart.svg", known)
		if w.Code != want || w.Header().Get("ETag") != tag || (w.Code == http.StatusNotModified) != (w.Body.Len() == 0) {
			t.Errorf("%s: %d %s %q", known, w.Code, w.Header().Get("ETag"), w.Body)
		}
	}
	if w := x.get(t, tenant.Viewer, "/trends/chart.svg", tag); w.Code != http.StatusOK {
		t.Errorf("another picture: %d", w.Code)
	}
}

func TestPicturesThatCannotBe(t *testing.T) {
	t.Parallel()
	for path, location := range map[string]string{
		"/forecasts/chart.svg?days=1": "query.days", "/trends/chart.svg?ahead=9": "query.ahead", "/trends/chart.svg?currency=euro": "query.currency",
		"/forecasts/chart.svg?basis=net": "query.basis",
	} {
		w := (&drawing{}).get(t, tenant.Viewer, path, "")
		var p api.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusBadRequest || len(p.Errors) == 0 || p.Errors[0].Location != location {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	x := &drawing{err: fault.Input("currency", "", "has to be given")}
	if w := x.get(t, tenant.Viewer, "/forecasts/chart.svg", ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "query.currency") ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := x.get(t, "nobody", "/forecasts/chart.svg", ""); w.Code != http.StatusForbidden && w.Code != http.StatusUnauthorized {
		t.Errorf("without a role: %d", w.Code)
	}
}
