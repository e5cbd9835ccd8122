package stepfunctions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// run is an execution that this engine runs. Each frame is driven by one goroutine; mu guards all that several of them touch.
type run struct {
	engine *Engine
	whole  *machine
	ctx    context.Context // ends when the execution ends or the engine closes
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when nothing of it runs any more

	mu        sync.Mutex
	execution Execution
	frames    map[string]*Frame
	lastEvent int64
	over      error                    // why no transition is accepted any more
	knocks    map[string]chan struct{} // by frame: an answer or heartbeat came
	items     map[string][]any         // decoded items of the Maps under way, by frame
	broken    map[string]int           // failed branches or iterations, by the frame around them
}

var (
	errEnded = errors.New("the execution has ended")
	errStore = errors.New("the store failed")
)

const (
	storeTimeout = 30 * time.Second
	historyLimit = 25_000 // events
)

func newRun(e *Engine, p Position) (*run, error) {
	m, err := parseMachine(p.Execution.Definition)
	if err != nil {
		return nil, err
	}
	r := &run{
		engine: e, whole: m, execution: p.Execution, lastEvent: p.LastEvent, done: make(chan struct{}),
		frames: map[string]*Frame{}, knocks: map[string]chan struct{}{}, items: map[string][]any{}, broken: map[string]int{},
	}
	for _, f := range p.Frames {
		r.frames[f.Path] = &f
		r.takeUp(&f)
	}
	if r.frames["0"] == nil {
		return nil, fmt.Errorf("execution %s is running but has no position", p.Execution.ARN)
	}
	r.ctx, r.cancel = context.WithCancelCause(e.base)
	return r, nil
}

// takeUp goes on with a frame of the store. A task that was not handed over for good is handed over again, and its time begins
// anew: the invocation died with the engine that made it.
func (r *run) takeUp(f *Frame) {
	if outer, _, ok := f.parent(); ok && f.Phase == broken {
		r.broken[outer]++
	}
	if f.Phase == active && f.Task != nil && !f.Task.Delivered && f.Task.Answer == nil {
		f.Task.begin(r.engine.watch.Now())
	}
}

// main runs the execution until it ends, the engine closes or the store fails.
func (r *run) main() {
	defer close(r.done)
	var watching sync.WaitGroup
	watching.Go(r.expire)
	err := r.drive(r.ctx, r.frames["0"])
	r.cancel(errEnded)
	watching.Wait()
	r.engine.forget(r)
	if errors.Is(err, errStore) {
		r.engine.log.Error("an execution lost its store", "execution", r.execution.ARN, "error", err)
		if !errors.Is(err, ErrConflict) {
			r.engine.background(func() { r.engine.reclaim(r.execution.ARN) })
		}
	}
}

// reclaim takes an execution up again once the store is back. It waits in real time: the database does not follow a
// simulated clock.
func (e *Engine) reclaim(arn string) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		if (RealTime{}).Sleep(e.base, wait) != nil {
			return
		}
		_, err := e.attach(e.base, arn)
		if err == nil || errors.Is(err, errNotRunning) || errors.Is(err, errClosing) {
			return
		}
		e.log.Warn("the store is still away", "execution", arn, "error", err)
	}
}

// expire ends the execution when its TimeoutSeconds are over.
func (r *run) expire() {
	if r.execution.TimeoutAt.IsZero() {
		return
	}
	watch := r.engine.watch
	if watch.Sleep(r.ctx, r.execution.TimeoutAt.Sub(watch.Now())) == nil {
		_ = r.end(r.ctx, TimedOut, &failure{Name: errTimeout}) // it may have ended in the same moment
	}
}

// end closes the execution from outside its states.
func (r *run) end(ctx context.Context, s Status, f *failure) error {
	return r.commit(ctx, func(t *transition) { t.close(s, nil, f) })
}

// drive runs the states of a frame until it has ended. The error says why it stopped before that: the position in the store is
// then as the last transition left it.
func (r *run) drive(ctx context.Context, f *Frame) error {
	for !f.ended() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.step(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// step does what the frame's phase asks for.
func (r *run) step(ctx context.Context, f *Frame) error {
	var st *state
	r.locked(func() { st = r.state(f) })
	switch {
	case st == nil:
		return r.commit(ctx, func(t *transition) { t.finish(f, nil, failed(errRuntime, "There is no state '%s'.", f.State)) })
	case f.Phase == entering:
		return r.commit(ctx, func(t *transition) { t.enter(f, st) })
	case f.Phase == delayed:
		if err := r.sleepUntil(ctx, f.WakeAt); err != nil {
			return err
		}
		return r.commit(ctx, func(t *transition) { t.begin(f, st) })
	case st.Type == typeWait:
		if err := r.sleepUntil(ctx, f.WakeAt); err != nil {
			return err
		}
		return r.commit(ctx, func(t *transition) { t.waited(f, st) })
	case st.Type == typeTask:
		return r.perform(ctx, f, st)
	case f.Source != nil:
		return r.readItems(ctx, f, st)
	}
	return r.fanOut(ctx, f, st)
}

func (r *run) sleepUntil(ctx context.Context, deadline time.Time) error {
	clock := r.engine.clock
	if d := deadline.Sub(clock.Now()); d > 0 {
		if err := clock.Sleep(ctx, d); err != nil {
			return cause(ctx, err)
		}
	}
	return nil
}

// cause prefers why a context was cancelled to the plain error.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// machineOf finds the states that a frame walks through. The caller holds the lock, as for all below that have no own.
func (r *run) machineOf(f *Frame) *machine {
	path, index, ok := f.parent()
	if !ok {
		return r.whole
	}
	outer := r.state(r.frames[path])
	switch {
	case outer == nil:
		return nil
	case outer.Type == typeParallel && index < len(outer.Branches):
		return outer.Branches[index]
	}
	return outer.processor()
}

func (r *run) state(f *Frame) *state {
	if m := r.machineOf(f); m != nil {
		return m.States[f.State]
	}
	return nil
}

// commit makes one transition: work changes frames and adds events, and all of it is written at once. When the store fails, the
// run is over, since memory and store may now differ.
func (r *run) commit(ctx context.Context, work func(t *transition)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over != nil {
		return r.over
	}
	t := &transition{run: r, now: r.engine.now(), touched: map[string]bool{}}
	work(t)
	c := t.change()
	if c.empty() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout) // what was done is kept, also while closing
	defer cancel()
	if err := r.engine.store.Commit(ctx, c); err != nil {
		r.over = fmt.Errorf("%w: %w", errStore, err)
		r.cancel(r.over)
		return r.over
	}
	for _, arn := range t.orphans {
		r.engine.background(func() { r.engine.stopChild(arn) })
	}
	if t.closed {
		r.over = errEnded
		r.cancel(errEnded)
		r.tell(*c.Closed)
	}
	return nil
}

// tell lets whoever wants to know hear that the execution has ended.
func (r *run) tell(x Execution) {
	if heard := r.engine.onEnd; heard != nil {
		r.engine.background(func() { heard(r.engine.base, x) })
	}
}

// locked runs work while no transition is made.
func (r *run) locked(work func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	work()
}
