package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// standing looks at the connections of the estate after the main job, and at one that a person adds and removes again.
func standing(t *testing.T, s *stack.Stack) {
	status := getStatus(t, s, "aws-main")
	bills := 0
	for _, r := range status.Readings {
		if r.Status != ingest.OK {
			t.Errorf("%s of %s: %s %s", r.What, r.Month, r.Status, r.Reason)
		}
		if r.What == ingest.BillReading {
			bills++
		}
	}
	if bills < ingest.FirstPull || len(status.Parts) == 0 {
		t.Errorf("%d bills and %d parts have a status", bills, len(status.Parts))
	}
	if run := tested(t, s, "aws-main"); run.Status != "succeeded" || run.Result.Missing == nil || len(run.Result.Missing) > 0 {
		t.Errorf("the test of the estate: %+v", run)
	}
	const key = "a-key-that-nobody-may-see"
	if code, body := call(t, s.URL+"/api/v1/connections", http.MethodPost, s.Key, `{"id":"mine","cloud":"vultr","name":"Mine","secret":{"key":"`+key+`"}}`); code != http.StatusCreated || strings.Contains(body, key) {
		t.Fatalf("%d %s", code, body)
	}
	// The secret lacks the name that Vultr's collector needs: it is refused before anybody outside is asked.
	if run := tested(t, s, "mine"); run.Status != "failed" || run.Reason == "" || strings.Contains(run.Reason, key) {
		t.Errorf("a secret of another form: %+v", run)
	}
	if code, body := call(t, s.URL+"/api/v1/connections/mine", http.MethodDelete, s.Key, ""); code != http.StatusNoContent {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := call(t, s.URL+"/api/v1/connections/mine/status", http.MethodGet, s.Key, ""); code != http.StatusNotFound {
		t.Errorf("the status of a removed connection: %d", code)
	}
}

func getStatus(t *testing.T, s *stack.Stack, id string) ingest.ConnectionStatus {
	t.Helper()
	var out ingest.ConnectionStatus
	if err := callerOf(s).Get(t.Context(), "/api/v1/connections/"+id+"/status", nil, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// testedRun is what became of the test of a connection.
type testedRun struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
	Result struct {
		Missing []string `json:"missing"`
	} `json:"result"`
}

func tested(t *testing.T, s *stack.Stack, id string) testedRun {
	t.Helper()
	code, body := call(t, s.URL+"/api/v1/connections/"+id+"/test", http.MethodPost, s.Key, "")
	var started struct{ ID string }
	if err := json.Unmarshal([]byte(body), &started); err != nil || code != http.StatusAccepted {
		t.Fatalf("%d %s", code, body)
	}
	look, limit := time.NewTicker(50*time.Millisecond), time.After(time.Minute)
	defer look.Stop()
	for {
		var run testedRun
		if err := callerOf(s).Get(t.Context(), "/api/v1/runs/"+started.ID, nil, &run); err != nil {
			t.Fatal(err)
		}
		if run.Status != "running" {
			return run
		}
		select {
		case <-look.C:
		case <-limit:
			t.Fatal("the test of the connection does not end")
		}
	}
}
