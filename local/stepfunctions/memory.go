package stepfunctions

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
)

// Memory is a store that lives as long as the process: for tests.
type Memory struct {
	mu         sync.Mutex
	executions map[string]*remembered
}

type remembered struct {
	execution Execution
	frames    map[string][]byte // as JSON, so that nothing is shared with the engine
	events    []Event
}

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{executions: map[string]*remembered{}} }

// Create fulfils Store.
func (m *Memory) Create(_ context.Context, x Execution, root Frame, first Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.executions[x.ARN]; ok {
		return ErrExists
	}
	body, err := json.Marshal(root)
	m.executions[x.ARN] = &remembered{execution: x, frames: map[string][]byte{root.Path: body}, events: []Event{first}}
	return err
}

// Commit fulfils Store.
func (m *Memory) Commit(_ context.Context, c Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.executions[c.ARN]
	switch {
	case !ok:
		return ErrUnknown
	case len(c.Events) > 0 && c.Events[0].ID <= int64(len(r.events)):
		return ErrConflict
	}
	if c.Closed != nil {
		r.execution = *c.Closed
	}
	for _, path := range c.Removed {
		delete(r.frames, path)
	}
	for _, f := range c.Frames {
		body, err := json.Marshal(f)
		if err != nil {
			return err
		}
		r.frames[f.Path] = body
	}
	r.events = append(r.events, c.Events...)
	return nil
}

// Load fulfils Store.
func (m *Memory) Load(_ context.Context, arn string) (Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.executions[arn]
	if !ok {
		return Position{}, ErrUnknown
	}
	p := Position{Execution: r.execution, LastEvent: int64(len(r.events))}
	for _, path := range slices.Sorted(maps.Keys(r.frames)) {
		var f Frame
		if err := json.Unmarshal(r.frames[path], &f); err != nil {
			return Position{}, err
		}
		p.Frames = append(p.Frames, f)
	}
	return p, nil
}

// List fulfils Store.
func (m *Memory) List(_ context.Context, f Filter) ([]Execution, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Execution
	for _, r := range m.executions {
		if x := r.execution; f.selects(x) {
			found = append(found, x)
		}
	}
	slices.SortFunc(found, func(a, b Execution) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.ARN, a.ARN))
	})
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[:f.Limit]
	}
	return found, nil
}

func (f Filter) selects(x Execution) bool {
	if f.Machine != "" && x.Machine != f.Machine || f.Status != "" && x.Status != f.Status {
		return false
	}
	return f.Before.IsZero() || x.Started.Before(f.Before) || x.Started.Equal(f.Before) && x.ARN < f.ARN
}

// Events fulfils Store.
func (m *Memory) Events(_ context.Context, arn string, after int64, limit int) ([]Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.executions[arn]
	if !ok {
		return nil, ErrUnknown
	}
	rest := r.events[min(after, int64(len(r.events))):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}
