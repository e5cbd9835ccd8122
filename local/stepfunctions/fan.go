package stepfunctions

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// branch begins a Parallel state: every branch gets its frame.
func (t *transition) branch(f *Frame, st *state, s scope) *failure {
	f.Fan = &fan{Count: len(st.Branches)}
	t.event(f, "ParallelStateStarted", "", nil)
	for i, b := range st.Branches {
		t.open(f, i, b, s.document)
	}
	return nil
}

// open makes the frame of a branch or an iteration.
func (t *transition) open(f *Frame, index int, m *machine, input any) *Frame {
	child := &Frame{
		Path: f.child(index), State: m.StartAt, Phase: entering, Input: encode(input), Variables: f.Variables, LastEvent: f.LastEvent,
	}
	t.run.frames[child.Path] = child
	t.touched[child.Path] = true
	return child
}

// iterate begins a Map state; its iterations get their frames when their turn comes.
func (t *transition) iterate(f *Frame, st *state, s scope) *failure {
	if st.ItemReader != nil {
		var fail *failure
		f.Source, fail = s.source(st)
		return fail
	}
	reference := st.ItemsPath
	if reference == "" {
		reference = "$"
	}
	v, _ := s.find(reference)
	items, ok := v.([]any)
	if !ok {
		return failed(errRuntime, "The ItemsPath '%s' of the state '%s' must give an array, not %s.", reference, f.State, encode(v))
	}
	return t.beginIterations(f, st, s, items)
}

func (t *transition) beginIterations(f *Frame, st *state, s scope, items []any) *failure {
	begun, fail := s.limits(st, len(items))
	if fail != nil {
		return fail
	}
	begun.Items = encode(items)
	delete(t.run.items, f.Path)
	f.Fan, f.Source = begun, nil
	t.event(f, "MapStateStarted", "mapStateStartedEventDetails", map[string]any{"length": len(items)})
	return nil
}

// limits reads how many iterations may run at a time and how many may fail.
func (s scope) limits(st *state, count int) (*fan, *failure) {
	concurrency, fail := s.limit(&st.MaxConcurrency, st.MaxConcurrencyPath)
	if fail != nil {
		return nil, fail
	}
	limits := &fan{Count: count, Concurrency: int(*concurrency)}
	if limits.ToleratedCount, fail = s.limit(st.ToleratedFailureCount, st.ToleratedFailureCountPath); fail != nil {
		return nil, fail
	}
	limits.ToleratedPercentage = st.ToleratedFailurePercentage
	if path := st.ToleratedFailurePercentagePath; path != "" {
		v, _ := s.find(path)
		n, ok := asFloat(v)
		if !ok || n < 0 || n > 100 {
			return nil, failed(errRuntime, "The path '%s' must give a percentage, not %s.", path, encode(v))
		}
		limits.ToleratedPercentage = &n
	}
	if st.distributed() && limits.ToleratedPercentage == nil && limits.ToleratedCount == nil {
		limits.ToleratedCount = new(int64)
	}
	return limits, nil
}

func (s scope) limit(plain *int64, path string) (*int64, *failure) {
	if path == "" {
		return plain, nil
	}
	v, _ := s.find(path)
	n, ok := v.(int64)
	if !ok || n < 0 {
		return nil, failed(errRuntime, "The path '%s' must give a whole number, not %s.", path, encode(v))
	}
	return &n, nil
}

var errSibling = errors.New("a sibling failed")

// fanOut runs the branches or iterations of a state that have not ended yet, and then ends the state.
func (r *run) fanOut(ctx context.Context, f *Frame, st *state) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, max(1, limitOr(f.Fan.Concurrency, f.Fan.Count)))
	var all sync.WaitGroup
	var mu sync.Mutex
	var stopped error
	for i := range f.Fan.Count {
		select {
		case slots <- struct{}{}:
		case <-inner.Done():
		}
		if inner.Err() != nil || r.lost(f) {
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			err := r.inside(inner, f, st, i)
			switch {
			case err == nil && r.lost(f):
				cancel(errSibling)
			case err != nil && !errors.Is(err, errSibling):
				mu.Lock()
				stopped = err
				mu.Unlock()
				cancel(err)
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil && stopped == nil {
		stopped = context.Cause(ctx)
	}
	if stopped != nil {
		return stopped
	}
	return r.commit(ctx, func(t *transition) { t.join(f, st) })
}

func limitOr(limit, otherwise int) int {
	if limit > 0 {
		return limit
	}
	return otherwise
}

// inside drives one branch or iteration, opening its frame first where there is none.
func (r *run) inside(ctx context.Context, f *Frame, st *state, index int) error {
	var child *Frame
	r.locked(func() { child = r.frames[f.child(index)] })
	if child == nil {
		if err := r.commit(ctx, func(t *transition) { child = t.openIteration(f, st, index) }); err != nil {
			return err
		}
	}
	return r.drive(ctx, child)
}

// openIteration makes an iteration's frame with what ItemSelector makes of its item.
func (t *transition) openIteration(f *Frame, st *state, index int) *Frame {
	child := t.open(f, index, st.processor(), t.run.itemsOf(f)[index])
	t.event(child, "MapIterationStarted", "mapIterationStartedEventDetails", map[string]any{"name": f.State, "index": index})
	selector := st.selector()
	if !selector.set {
		return child
	}
	s := t.scope(f)
	effective, fail := s.filter("InputPath", st.InputPath, s.document)
	if fail == nil {
		s = scope{document: effective, variables: s.variables, context: func() any {
			c := t.context(child)
			c["State"] = t.context(f)["State"] // the state is still the Map
			return c
		}}
		var input any
		if input, fail = s.payload(selector.value); fail == nil {
			child.Input = encode(input)
		}
	}
	if fail == nil && len(child.Input) > dataLimit {
		fail = tooLarge("ItemSelector", f.State)
	}
	if fail != nil {
		t.finish(child, nil, fail)
	}
	return child
}

// lost tells whether so many branches or iterations failed that the state does.
func (r *run) lost(f *Frame) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.Fan == nil {
		return true // the execution has ended
	}
	return f.Fan.exceeded(r.broken[f.Path])
}

// exceeded compares failures with the thresholds; without one, none is tolerated.
func (n *fan) exceeded(failures int) bool {
	if n.ToleratedCount == nil && n.ToleratedPercentage == nil {
		return failures > 0
	}
	return n.ToleratedCount != nil && int64(failures) > *n.ToleratedCount ||
		n.ToleratedPercentage != nil && float64(failures)*100 > *n.ToleratedPercentage*float64(n.Count)
}

// failures lists the failed branches or iterations of a frame, the first to fail first.
func (r *run) failures(f *Frame) []*Frame {
	var failures []*Frame
	for i := range f.Fan.Count {
		if child, ok := r.frames[f.child(i)]; ok && child.Phase == broken {
			failures = append(failures, child)
		}
	}
	slices.SortStableFunc(failures, func(a, b *Frame) int { return int(a.LastEvent - b.LastEvent) })
	return failures
}

// join ends a Parallel or Map state: by the list of the results, or by the failure of its branches.
func (t *transition) join(f *Frame, st *state) {
	failures := t.run.failures(f)
	results := []any{}
	var fail *failure
	switch {
	case !f.Fan.exceeded(len(failures)):
		for i := range f.Fan.Count {
			if child := t.run.frames[f.child(i)]; child.Phase == done {
				results = append(results, stored(child.Result))
			}
		}
	case f.Fan.ToleratedCount == nil && f.Fan.ToleratedPercentage == nil:
		fail = failures[0].Failure
	default:
		fail = failed(errTolerance, "%d of %d iterations failed, more than the state '%s' tolerates.", len(failures), f.Fan.Count, f.State)
	}
	t.drop(f)
	if fail == nil {
		t.event(f, st.Type+"StateSucceeded", "", nil)
		fail = t.exit(f, st, results)
	} else {
		t.event(f, st.Type+"StateFailed", "", nil)
	}
	if fail != nil {
		t.fail(f, st, fail)
	}
}

// drop removes everything inside a frame.
func (t *transition) drop(f *Frame) {
	for path, inner := range t.run.frames {
		if len(path) > len(f.Path) && path[:len(f.Path)+1] == f.Path+"/" {
			t.abandon(inner)
			t.removed = append(t.removed, path)
			delete(t.run.frames, path)
			delete(t.run.items, path)
			delete(t.run.broken, path)
		}
	}
	delete(t.run.items, f.Path)
	delete(t.run.broken, f.Path)
	f.Fan, f.Source = nil, nil
}
