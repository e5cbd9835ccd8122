package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
)

// leaping is a clock on which every sleep takes no time and moves the clock on.
type leaping struct {
	mu  sync.Mutex
	now time.Time
}

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newLeaping() *leaping { return &leaping{now: began} }

func (c *leaping) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *leaping) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// reply is what a scripted function answers to one call.
type reply struct {
	Result  json.RawMessage `json:"result,omitempty"`
	Error   string          `json:"error,omitempty"`
	Message string          `json:"message,omitempty"`
}

// script answers calls of functions in order; the last reply repeats. Without a reply a function echoes its payload.
type script struct {
	mu      sync.Mutex
	replies map[string][]reply
	calls   map[string][]string // payloads by function
}

func newScript(replies map[string][]reply) *script {
	return &script{replies: replies, calls: map[string][]string{}}
}

func (s *script) invoke(_ context.Context, name string, payload []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.calls[name])
	s.calls[name] = append(s.calls[name], string(payload))
	replies := s.replies[name]
	if len(replies) == 0 {
		return payload, nil
	}
	r := replies[min(n, len(replies)-1)]
	if r.Error != "" {
		return nil, &FunctionError{Type: r.Error, Message: r.Message}
	}
	return r.Result, nil
}

// objects play S3, by "bucket/key".
type objects map[string]json.RawMessage

func (o objects) read(_ context.Context, bucket, key string) ([]byte, error) {
	text, ok := o[bucket+"/"+key]
	if !ok {
		return nil, errors.New("there is no such object")
	}
	return text, nil
}

func newEngine(t *testing.T, o Options) *Engine {
	t.Helper()
	if o.Store == nil {
		o.Store = NewMemory()
	}
	if o.Invoke == nil {
		o.Invoke = newScript(nil).invoke
	}
	if o.Clock == nil {
		o.Clock = newLeaping()
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// finish waits for an execution to end.
func finish(t *testing.T, e *Engine, arn string) Execution {
	t.Helper()
	x, err := e.Wait(t.Context(), arn)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// visited lists the states that an execution entered, in order.
func visited(t *testing.T, e *Engine, arn string) []string {
	t.Helper()
	events, err := e.History(t.Context(), arn, 0, historyLimit+10)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, ev := range events {
		if ev.Field == "stateEnteredEventDetails" {
			names = append(names, ev.StateName())
		}
	}
	return names
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }
