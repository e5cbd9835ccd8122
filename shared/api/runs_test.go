package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const (
	staged    = `{"staged":"` + string(shop) + `/uploads/u1/bill"}`
	runReport = `{"report":{"accepted":3},"analysed":true}`
)

// ending lets the import run of m end after so many pauses, and counts how long was waited.
func ending(x *api.Workflows, m *machines, after int) *time.Duration {
	waited, pauses := new(time.Duration), 0
	x.Pause = func(_ context.Context, d time.Duration) error {
		*waited += d
		if pauses++; pauses != after {
			return nil
		}
		run := m.runs["import/run-1"]
		run.Status, run.EndedAt, run.Output = "SUCCEEDED", fixedNow().Add(time.Minute), json.RawMessage(runReport)
		m.runs["import/run-1"] = run
		return nil
	}
	return waited
}

func importing(prefer, body string) call {
	return call{method: "POST", path: "/imports", role: tenant.Operator, headers: map[string]string{"Content-Type": "application/json", "Prefer": prefer}, body: []byte(body)}
}

func TestWhoPrefersToWaitGetsTheResultWhenTheRunEndsInTime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		prefer, applied string
		endsAfter       int // pauses
		status          int
		waited          time.Duration
	}{
		"at once":           {"", "", 1, http.StatusAccepted, 0},
		"in time":           {"respond-async, wait=10; x=y", "wait=10", 2, http.StatusOK, 300 * time.Millisecond},
		"too late":          {"wait=3", "wait=3", 0, http.StatusAccepted, 3 * time.Second},
		"longer than may":   {"Wait = 500", "wait=20", 0, http.StatusAccepted, 20 * time.Second},
		"no time":           {"wait=soon", "", 1, http.StatusAccepted, 0},
		"a time before now": {"wait=-1", "", 1, http.StatusAccepted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := workflows()
			m, _ := x.Machines.(*machines)
			waited := ending(&x, m, tc.endsAfter)
			r := importing(tc.prefer, staged).send(t, io.Discard, x)
			if r.status != tc.status || r.header.Get("Preference-Applied") != tc.applied || *waited != tc.waited || r.header.Get("Location") != "/api/v1/runs/import.run-1" {
				t.Errorf("%d after %s, applied %q: %s", r.status, *waited, r.header.Get("Preference-Applied"), r.body)
			}
			if strings.Contains(string(r.body), `"accepted":3`) != (tc.status == http.StatusOK) {
				t.Errorf("%d %s", r.status, r.body)
			}
			if got := string(m.runs["import/run-1"].Input); got != `{"tenant":"`+string(shop)+`","connection":"","key":"`+string(shop)+`/uploads/u1/bill"}` {
				t.Errorf("started with %s", got)
			}
		})
	}
}

func TestARunThatFailsWhileOneWaitsSaysWhy(t *testing.T) {
	t.Parallel()
	x := workflows()
	m, _ := x.Machines.(*machines)
	x.Pause = func(context.Context, time.Duration) error {
		m.runs["import/run-1"] = job.Run{Machine: "import", Name: "run-1", Status: "FAILED", EndedAt: fixedNow(), Error: "Unprocessable", Cause: `{"errorMessage":"The file has no column BilledCost."}`}
		return nil
	}
	r := importing("wait=5", staged).send(t, io.Discard, x)
	if r.status != http.StatusOK || !strings.Contains(string(r.body), `"status":"failed","reason":"The file has no column BilledCost."`) {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// The run has been started, so that a caller who goes away, or a look that fails, must not make a failure of it.
func TestWaitingNeverFailsAStart(t *testing.T) {
	t.Parallel()
	x := workflows()
	x.Pause = func(context.Context, time.Duration) error { return errors.New("the request was given up") }
	if r := importing("wait=5", staged).send(t, io.Discard, x); r.status != http.StatusAccepted {
		t.Errorf("%d %s", r.status, r.body)
	}
	m, _ := x.Machines.(*machines)
	x.Pause = func(context.Context, time.Duration) error { clear(m.runs); return nil }
	if r := importing("wait=5", staged).send(t, io.Discard, x); r.status != http.StatusAccepted {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestOnlyOwnUploadsAreImported(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body   string
		status int
	}{
		"another's":    {`{"staged":"6f1f9f5e-0000-4000-8000-000000000002/uploads/1/bill"}`, http.StatusNotFound},
		"a way around": {`{"staged":"` + string(shop) + `/../6f1f9f5e-0000-4000-8000-000000000002/uploads/1/bill"}`, http.StatusNotFound},
		"none":         {`{}`, http.StatusBadRequest},
		"other member": {`{"staged":"` + string(shop) + `/u","key":"x"}`, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := workflows()
			m, _ := x.Machines.(*machines)
			if p := importing("", tc.body).send(t, io.Discard, x).problem(t); p.Status != tc.status || m.starts != 0 {
				t.Errorf("got %+v and %d runs, want %d and none", p, m.starts, tc.status)
			}
		})
	}
}
