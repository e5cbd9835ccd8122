package postgres_test

import (
	"testing"

	"github.com/cost-agent/cost-agent/shared/job"
)

func TestSettingsAreOfOneTenant(t *testing.T) {
	t.Parallel()
	db := open(t)
	if got, err := db.Settings(t.Context(), acme); err != nil || got != (job.Settings{}) {
		t.Errorf("before anything was saved: %+v, %v", got, err)
	}
	for _, want := range []job.Settings{{Country: "DE", Region: "BY"}, {Country: "US"}} {
		if err := db.SaveSettings(t.Context(), acme, want); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Settings(t.Context(), acme); err != nil || got != want {
			t.Errorf("read %+v, %v, want %+v", got, err, want)
		}
	}
	if got, err := db.Settings(t.Context(), other); err != nil || got != (job.Settings{}) {
		t.Errorf("another tenant reads %+v, %v", got, err)
	}
}
