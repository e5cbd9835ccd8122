package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/holidays"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	if err := db.SaveTenant(t.Context(), analysedTenant, "tenant"); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }
	handler := api.New(slog.New(slog.DiscardHandler), api.Settings{Store: db, Holidays: holidays.Book{}, Now: now})
	for _, tt := range []struct {
		role         tenant.Role
		method, body string
		code         int
		want         string // of the answer: its JSON, or the location of its error
	}{
		{tenant.Viewer, "GET", "", 200, `{}`},
		{tenant.Operator, "PUT", `{"country":"DE"}`, 403, ""},
		{tenant.Admin, "PUT", `{"country":"DE","region":"BY"}`, 200, `{"country":"DE","region":"BY"}`},
		{tenant.Viewer, "GET", "", 200, `{"country":"DE","region":"BY"}`},
		{tenant.Admin, "PUT", `{"country":"XX"}`, 400, "body.country"},
		{tenant.Admin, "PUT", `{"country":"DE","region":"CA"}`, 400, "body.region"},
		{tenant.Admin, "PUT", `{"contry":"DE"}`, 400, "body.contry"},
		{tenant.Viewer, "GET", "", 200, `{"country":"DE","region":"BY"}`},
		{tenant.Admin, "PUT", `{}`, 200, `{}`},
	} {
		ctx := tenant.NewContext(t.Context(), tenant.Principal{Tenant: analysedTenant, Subject: "a", Role: tt.role})
		r := httptest.NewRequest(tt.method, "/api/v1/settings", strings.NewReader(tt.body)).WithContext(ctx)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		got := strings.TrimSpace(w.Body.String())
		if w.Code != http.StatusOK {
			var p api.Problem
			if got = ""; json.Unmarshal(w.Body.Bytes(), &p) == nil && len(p.Errors) > 0 {
				got = p.Errors[0].Location
			}
		}
		if w.Code != tt.code || got != tt.want {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.body, w.Code, got, tt.code, tt.want)
		}
	}
}
