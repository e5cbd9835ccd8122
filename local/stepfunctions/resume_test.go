package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cost-agent/cost-agent/shared/pgtest"
)

// journey goes through every kind of state that keeps a position. Each of its tasks has an id of its own, so that the test can
// count how often it was invoked.
const journey = `{"StartAt": "First", "States": {
	"First": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "ResultPath": "$.first", "ResultSelector": {"v.$": "$.Payload"},
		"Parameters": {"FunctionName": "f", "Payload": {"id": "first"}}, "Assign": {"kept": "yes"}, "Next": "Pause"},
	"Pause": {"Type": "Wait", "Seconds": 60, "Next": "Fan"},
	"Fan": {"Type": "Parallel", "ResultPath": "$.fan", "Next": "Flaky", "Branches": [
		{"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "End": true,
			"ItemSelector": {"id.$": "States.Format('item-{}', $$.Map.Item.Value)"},
			"ItemProcessor": {"StartAt": "Work", "States": {
				"Work": {"Type": "Task", "Resource": "arn:aws:lambda:local:000000000000:function:f", "Next": "Rest"},
				"Rest": {"Type": "Wait", "Seconds": 5, "End": true}}}}}},
		{"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": true,
			"Parameters": {"FunctionName": "f", "Payload": {"id": "ask", "token.$": "$$.Task.Token"}}}}},
		{"StartAt": "Nest", "States": {"Nest": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": true,
			"Parameters": {"StateMachineArn": "arn:aws:states:local:000000000000:stateMachine:nested", "Input": {"id": "nested"}},
			"OutputPath": "$.Output"}}},
		{"StartAt": "Far", "States": {"Far": {"Type": "Map", "MaxConcurrency": 1, "End": true,
			"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}, "Parameters": {"Bucket": "b", "Key": "k"}},
			"ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Away", "States": {
				"Away": {"Type": "Task", "Resource": "arn:aws:lambda:local:000000000000:function:f", "End": true}}}}}}]},
	"Flaky": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "ResultPath": "$.flaky", "ResultSelector": {"v.$": "$.Payload"},
		"Parameters": {"FunctionName": "flaky", "Payload": {"id.$": "States.Format('flaky-{}', $$.State.RetryCount)"}},
		"Retry": [{"ErrorEquals": ["Again"], "MaxAttempts": 2}], "Next": "Bad"},
	"Bad": {"Type": "Task", "Resource": "arn:aws:lambda:local:000000000000:function:bad", "Parameters": {"id": "bad"},
		"Catch": [{"ErrorEquals": ["Broken"], "ResultPath": "$.caught", "Next": "Last"}], "Next": "Last"},
	"Last": {"Type": "Pass", "Parameters": {"all.$": "$", "kept.$": "$kept"}, "End": true}}}`

// afar are the items of its distributed Map.
var afar = objects{"b/k": json.RawMessage(`[{"id": "far-1"}, {"id": "far-2"}]`)}

const journeyInput = `{"items": ["a", "b", "c"]}`

const nested = `{"StartAt": "Inner", "States": {
	"Inner": {"Type": "Task", "Resource": "arn:aws:lambda:local:000000000000:function:f", "End": true}}}`

// workshop is the functions of the journey. It lives longer than the engines and counts invocations by the id they carry.
type workshop struct {
	mu     sync.Mutex
	begun  map[string]int
	engine atomic.Pointer[Engine] // whom the asked one answers
}

func (w *workshop) invoke(ctx context.Context, name string, payload []byte) ([]byte, error) {
	var in struct {
		ID    string `json:"id"`
		Token string `json:"token"`
	}
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.begun[in.ID]++
	w.mu.Unlock()
	switch {
	case name == "flaky" && in.ID != "flaky-2":
		return nil, &FunctionError{Type: "Again", Message: in.ID}
	case name == "bad":
		return nil, &FunctionError{Type: "Broken", Message: "always"}
	case in.Token != "":
		if e := w.engine.Load(); e != nil {
			// An engine whose store is gone cannot take it: then the task is delivered again and answers again.
			_ = e.SendTaskSuccess(ctx, in.Token, []byte(`"approved"`))
		}
	}
	return []byte(fmt.Sprintf(`{"did": %q}`, in.ID)), nil
}

// mortal is a store that fails for good once it has made some writes; lost tells whether the write that failed was made all the
// same, as when only its acknowledgement is lost.
type mortal struct {
	Store
	left int64
	lost bool
	n    atomic.Int64
	dead chan struct{}
	once sync.Once
}

var errKilled = errors.New("killed")

func (m *mortal) use(write func() error) error {
	n := m.n.Add(1)
	if n <= m.left {
		return write()
	}
	if n == m.left+1 && m.lost {
		if err := write(); err != nil {
			return err
		}
	}
	m.once.Do(func() { close(m.dead) })
	return errKilled
}

func (m *mortal) Create(ctx context.Context, x Execution, root Frame, first Event) error {
	return m.use(func() error { return m.Store.Create(ctx, x, root, first) })
}

func (m *mortal) Commit(ctx context.Context, c Change) error {
	return m.use(func() error { return m.Store.Commit(ctx, c) })
}

func travel(t *testing.T, store Store, w *workshop) *Engine {
	t.Helper()
	e, err := New(Options{Store: store, Invoke: w.invoke, Object: afar.read, Clock: newLeaping()})
	if err != nil {
		t.Fatal(err)
	}
	define(t, e, "journey", journey)
	define(t, e, "nested", nested)
	w.engine.Store(e)
	return e
}

func TestAKilledExecutionGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("acknowledgement lost %v", lost), func(t *testing.T) {
			t.Parallel()
			killEverywhere(t, lost, func(testing.TB) Store { return NewMemory() }, 1)
		})
	}
}

func TestAKilledExecutionGoesOnWhereItWasInPostgres(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	const every = 7 // a sample: the memory store has them all
	killEverywhere(t, false, func(t testing.TB) Store {
		if _, err := pool.Exec(t.Context(), `drop schema if exists stepfunctions cascade`); err != nil {
			t.Fatal(err)
		}
		store, err := OpenPostgres(t.Context(), pool)
		if err != nil {
			t.Fatal(err)
		}
		return store
	}, every)
}

// killEverywhere runs the journey once undisturbed, and then again and again, killing the engine after ever more writes.
func killEverywhere(t *testing.T, lost bool, open func(testing.TB) Store, every int64) {
	t.Helper()
	want, writes := uninterrupted(t, open(t))
	for left := int64(1); left < writes; left += every {
		store := open(t)
		w := &workshop{begun: map[string]int{}}
		dying := &mortal{Store: store, left: left, lost: lost, dead: make(chan struct{})}
		first := travel(t, dying, w)
		if _, err := first.Start(t.Context(), "journey", "one", []byte(journeyInput)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-dying.dead:
		case <-t.Context().Done():
			t.Fatalf("after %d writes: the engine never died", left)
		}
		if err := first.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		completed := completedTasks(t, store)
		before := w.counts()

		second := travel(t, store, w)
		if err := second.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		x := finish(t, second, executionARN("journey", "one"))
		if x.Status != Succeeded || string(x.Output) != want {
			t.Fatalf("after %d writes: %s %s %s\n%s\nwant\n%s", left, x.Status, x.Error, x.Cause, x.Output, want)
		}
		after := w.counts()
		for id, n := range after {
			if n > 2 || completed[id] && n != before[id] {
				t.Errorf("after %d writes: %s was invoked %d times, %d before the end of the first engine, completed then: %v", left, id, n, before[id], completed[id])
			}
		}
		checkHistory(t, second, x.ARN)
		if err := second.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *workshop) counts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := map[string]int{}
	for id, n := range w.begun {
		counts[id] = n
	}
	return counts
}

// uninterrupted gives the output of the journey and the number of writes it takes.
func uninterrupted(t *testing.T, store Store) (string, int64) {
	t.Helper()
	w := &workshop{begun: map[string]int{}}
	counting := &mortal{Store: store, left: 1 << 40, dead: make(chan struct{})}
	e := travel(t, counting, w)
	arn, err := e.Start(t.Context(), "journey", "one", []byte(journeyInput))
	if err != nil {
		t.Fatal(err)
	}
	x := finish(t, e, arn)
	if x.Status != Succeeded {
		t.Fatalf("the journey fails undisturbed: %s %s", x.Error, x.Cause)
	}
	for id, n := range w.counts() {
		if n != 1 {
			t.Errorf("undisturbed, %s was invoked %d times", id, n)
		}
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return string(x.Output), counting.n.Load()
}

// completedTasks lists the ids of the attempts that the history of the store says have ended.
func completedTasks(t *testing.T, store Store) map[string]bool {
	t.Helper()
	ended := map[string]bool{}
	executions, err := store.List(t.Context(), Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range executions {
		events, err := store.Events(t.Context(), x.ARN, 0, historyLimit)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range events {
			var d struct {
				Output string `json:"output"`
				Cause  string `json:"cause"`
			}
			var id struct {
				Payload struct {
					Did string `json:"did"`
				} `json:"Payload"`
				Did          string `json:"did"`
				ErrorMessage string `json:"errorMessage"`
			}
			if json.Unmarshal(ev.Details, &d) == nil && json.Unmarshal([]byte(d.Output+d.Cause), &id) == nil && ev.StateName() == "" {
				ended[id.Payload.Did+id.Did+id.ErrorMessage] = true
			}
		}
	}
	delete(ended, "")
	return ended
}

// checkHistory holds that ids are without gaps and that every event follows one before it.
func checkHistory(t *testing.T, e *Engine, arn string) {
	t.Helper()
	events, err := e.History(t.Context(), arn, 0, historyLimit)
	if err != nil {
		t.Fatal(err)
	}
	for i, ev := range events {
		if ev.ID != int64(i+1) || ev.Previous >= ev.ID {
			t.Errorf("event %d has id %d and follows %d", i+1, ev.ID, ev.Previous)
		}
	}
}

func TestClosingLeavesTheTaskInFlightToBeRunAgain(t *testing.T) {
	t.Parallel()
	store := NewMemory()
	begun := make(chan struct{})
	first, err := New(Options{Store: store, Invoke: func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	define(t, first, "nested", nested)
	arn, err := first.Start(t.Context(), "nested", "", []byte(`{"n": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x, err := first.Describe(t.Context(), arn); err != nil || x.Status != Running {
		t.Fatalf("after closing it is %s, %v", x.Status, err)
	}
	if _, err := first.Start(t.Context(), "nested", "late", nil); !errors.Is(err, errClosing) {
		t.Errorf("a closed engine starts: %v", err)
	}
	second := newEngine(t, Options{Store: store}) // it needs no definition: the execution has its own
	if err := second.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x := finish(t, second, arn); string(x.Output) != `{"n":1}` {
		t.Errorf("%s %s", x.Status, x.Output)
	}
}

func TestAnAnswerComesToAnExecutionThatNobodyRuns(t *testing.T) {
	t.Parallel()
	store := NewMemory()
	ask, got := tokens()
	first, err := New(Options{Store: store, Invoke: ask, Clock: newLeaping()})
	if err != nil {
		t.Fatal(err)
	}
	define(t, first, "approval", approval)
	arn, err := first.Start(t.Context(), "approval", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	token := <-got
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := newEngine(t, Options{Store: store, Invoke: ask})
	if err := second.SendTaskSuccess(t.Context(), token, []byte(`"late"`)); err != nil {
		t.Fatal(err)
	}
	if x := finish(t, second, arn); string(x.Output) != `"late"` {
		t.Errorf("%s %s", x.Status, x.Output)
	}
}

func TestTwoEnginesOnOneExecutionDoNotBothMoveIt(t *testing.T) {
	t.Parallel()
	store := NewMemory()
	ask, got := tokens()
	first := newEngine(t, Options{Store: store, Invoke: ask})
	define(t, first, "approval", approval)
	arn, err := first.Start(t.Context(), "approval", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	token := <-got
	for len(got) == 0 { // until the first engine has handed the task over, the second one does so again
		events, err := store.Events(t.Context(), arn, 4, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) > 0 {
			break
		}
	}
	second := newEngine(t, Options{Store: store, Invoke: ask})
	if err := second.SendTaskSuccess(t.Context(), token, []byte(`1`)); err != nil {
		t.Fatal(err)
	}
	finish(t, second, arn)
	if err := first.Stop(t.Context(), arn, "", ""); !errors.Is(err, ErrConflict) {
		t.Errorf("the first engine moved what the second had ended: %v", err)
	}
}
