package stepfunctions

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/pgtest"
)

func TestStores(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) Store{
		"memory": func(*testing.T) Store { return NewMemory() },
		"postgres": func(t *testing.T) Store {
			pool := pgtest.Pool(t)
			for range 2 { // opening again changes nothing
				if _, err := OpenPostgres(t.Context(), pool); err != nil {
					t.Fatal(err)
				}
			}
			store, err := OpenPostgres(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}
			return store
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storeKeepsItsPromises(t, open(t))
		})
	}
}

func sample(name string, after time.Duration) (Execution, Frame, Event) {
	x := Execution{
		ARN: executionARN("m", name), Machine: "m", Name: name, Status: Running, Started: began.Add(after),
		Input: json.RawMessage(`{"nul":"a\u0000b"}`), Definition: json.RawMessage(`{}`),
	}
	root := Frame{Path: "0", State: "A", Phase: entering, Input: x.Input, LastEvent: 1}
	return x, root, Event{ID: 1, Time: x.Started, Type: "ExecutionStarted"}
}

func storeKeepsItsPromises(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	if _, err := s.Load(ctx, "none"); !errors.Is(err, ErrUnknown) {
		t.Errorf("loading nothing: %v", err)
	}
	if _, err := s.Events(ctx, "none", 0, 1); !errors.Is(err, ErrUnknown) {
		t.Errorf("events of nothing: %v", err)
	}
	x, root, first := sample("a", 0)
	if err := s.Create(ctx, x, root, first); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(ctx, x, root, first); !errors.Is(err, ErrExists) {
		t.Errorf("creating twice: %v", err)
	}
	root.Phase, root.Fan, root.LastEvent = active, &fan{Count: 2}, 2
	inner := Frame{
		Path: "0/1", State: "B", Phase: delayed, Input: json.RawMessage(`1`), Variables: json.RawMessage(`{"v":1}`), Entered: began, Retries: []int64{2},
		WakeAt: began.Add(time.Minute), LastEvent: 2, Failure: &failure{Name: "E", Cause: "nul \x00 and 'quotes'"},
		Task: &attempt{Token: "t", Payload: json.RawMessage(`{}`), TimeoutAt: began, Heartbeat: time.Second, Delivered: true, Answer: &answer{Output: json.RawMessage(`1`)}},
	}
	other := Frame{Path: "0/0", State: "C", Phase: done, Input: json.RawMessage(`1`), Result: json.RawMessage(`[1]`), LastEvent: 2}
	second := Event{ID: 2, Previous: 1, Time: began, Type: "ParallelStateEntered", Field: "stateEnteredEventDetails", Details: json.RawMessage(`{"name":"A"}`)}
	change := Change{ARN: x.ARN, Frames: []Frame{root, inner, other}, Events: []Event{second}}
	if err := s.Commit(ctx, change); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, change); !errors.Is(err, ErrConflict) {
		t.Errorf("the same event twice: %v", err)
	}
	at, err := s.Load(ctx, x.ARN)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Position{Execution: x, Frames: []Frame{root, other, inner}, LastEvent: 2}); !reflect.DeepEqual(at, want) {
		t.Errorf("loaded\n%+v\nwant\n%+v", at, want)
	}
	if err := s.Commit(ctx, Change{ARN: x.ARN, Removed: []string{"0/0"}}); err != nil {
		t.Fatal(err)
	}
	if at, err = s.Load(ctx, x.ARN); err != nil || len(at.Frames) != 2 {
		t.Errorf("after removing one of three frames there are %d, %v", len(at.Frames), err)
	}
	closed := x
	closed.Status, closed.Stopped, closed.Output = Succeeded, began.Add(time.Hour), json.RawMessage(`null`)
	end := Change{ARN: x.ARN, Closed: &closed, Removed: []string{"0", "0/1"}, Events: []Event{{ID: 3, Previous: 2, Time: began, Type: "ExecutionSucceeded"}}}
	if err := s.Commit(ctx, end); err != nil {
		t.Fatal(err)
	}
	if at, err = s.Load(ctx, x.ARN); err != nil || len(at.Frames) != 0 || at.LastEvent != 3 || !reflect.DeepEqual(at.Execution, closed) {
		t.Errorf("closed is %+v, %v", at, err)
	}
	if events, err := s.Events(ctx, x.ARN, 1, 1); err != nil || !reflect.DeepEqual(events, []Event{second}) {
		t.Errorf("events after 1: %+v, %v", events, err)
	}
	if events, err := s.Events(ctx, x.ARN, 3, 9); err != nil || len(events) != 0 {
		t.Errorf("events after the last: %+v, %v", events, err)
	}
	storeLists(t, s)
}

func storeLists(t *testing.T, s Store) {
	t.Helper()
	for name, after := range map[string]time.Duration{"b": time.Second, "c": time.Second, "d": 2 * time.Second} {
		x, root, first := sample(name, after)
		if err := s.Create(t.Context(), x, root, first); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, "[d c b a]"},
		{Filter{Limit: 2}, "[d c]"},
		{Filter{Before: began.Add(time.Second), ARN: executionARN("m", "c")}, "[b a]"},
		{Filter{Status: Running, Machine: "m"}, "[d c b]"},
		{Filter{Status: Succeeded}, "[a]"},
		{Filter{Machine: "other"}, "[]"},
	} {
		found, err := s.List(t.Context(), c.filter)
		names := []string{}
		for _, x := range found {
			names = append(names, x.Name)
		}
		if err != nil || fmt.Sprint(names) != c.want {
			t.Errorf("%+v selects %v, %v, want %s", c.filter, names, err, c.want)
		}
	}
}
