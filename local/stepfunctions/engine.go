// Package stepfunctions runs Amazon States Language state machines (JSONPath) on one machine and speaks the API of AWS Step
// Functions. Where an execution is, is data: a tree of frames that every transition writes together with its history events, so
// that after a crash each execution goes on where it was, and only the task in flight is invoked again.
package stepfunctions

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Function invokes a function by its plain name. A *FunctionError is the function's own failure; any other error means that it
// could not be invoked.
type Function func(ctx context.Context, name string, payload []byte) (result []byte, err error)

// Clock is a source of time.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// Options are what an engine needs.
type Options struct {
	Store  Store
	Invoke Function
	// Object reads an S3 object, for the ItemReader of distributed Maps. Nil: there is none.
	Object func(ctx context.Context, bucket, key string) ([]byte, error)
	// Clock is the time of the executions: what their history says, what Wait states and retriers wait for. Nil is real time.
	Clock Clock
	// Watch measures the timeouts and heartbeats of tasks and executions. It is apart from Clock, because a simulated clock that
	// leaps while somebody waits would time out every task. Nil is real time.
	Watch  Clock
	Logger *slog.Logger // nil discards
	// OnEnd hears of every execution that has ended, as EventBridge does of status changes, but not of those that ended just
	// before the process died. Nil is nobody.
	OnEnd func(ctx context.Context, x Execution)
}

// Engine runs state machines.
type Engine struct {
	store  Store
	invoke Function
	object func(ctx context.Context, bucket, key string) ([]byte, error)
	clock  Clock
	watch  Clock
	log    *slog.Logger
	onEnd  func(ctx context.Context, x Execution)

	base   context.Context // ends when the engine closes
	cancel context.CancelCauseFunc
	work   sync.WaitGroup // every goroutine of the engine

	mu       sync.Mutex
	closing  bool
	machines map[string]*defined
	live     map[string]*run // by ARN
}

// defined is a machine as Define took it.
type defined struct {
	definition []byte // substitutions filled
	machine    *machine
	at         time.Time
}

var errClosing = errors.New("the engine is closing")

// New makes an engine. It runs nothing until Resume or Start is called.
func New(o Options) (*Engine, error) {
	if o.Store == nil || o.Invoke == nil {
		return nil, errors.New("stepfunctions: an engine needs a store and a function to invoke tasks with")
	}
	e := &Engine{
		store: o.Store, invoke: o.Invoke, object: o.Object, clock: o.Clock, watch: o.Watch, log: o.Logger, onEnd: o.OnEnd,
		machines: map[string]*defined{}, live: map[string]*run{},
	}
	if e.clock == nil {
		e.clock = RealTime{}
	}
	if e.watch == nil {
		e.watch = RealTime{}
	}
	if e.object == nil {
		e.object = func(context.Context, string, string) ([]byte, error) {
			return nil, errors.New("there are no objects here")
		}
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	e.base, e.cancel = context.WithCancelCause(context.Background())
	return e, nil
}

// Define adds a machine or replaces it; running executions keep the definition they began with. The ${names} of the definition
// are filled from substitutions. A definition that Lint finds wrong is refused.
func (e *Engine) Define(name string, definition []byte, substitutions map[string]string) error {
	filled, err := substitute(definition, substitutions)
	if err != nil {
		return apiErrorf(invalidDefinition, "State machine %s: %s.", name, err)
	}
	for _, p := range Lint(filled) {
		if !p.Advice {
			return apiErrorf(invalidDefinition, "State machine %s: %s", name, p)
		}
	}
	m, err := parseMachine(filled)
	if err != nil {
		return apiErrorf(invalidDefinition, "State machine %s: %s.", name, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.machines[name] = &defined{definition: filled, machine: m, at: e.clock.Now()}
	return nil
}

// Resume takes up every running execution of the store that this engine does not run yet. Define the machines first: executions
// carry their own definition, but start nested ones by name.
func (e *Engine) Resume(ctx context.Context) error {
	running, err := e.store.List(ctx, Filter{Status: Running})
	if err != nil {
		return err
	}
	for _, x := range running {
		if _, err := e.attach(ctx, x.ARN); err != nil && !errors.Is(err, errNotRunning) {
			return err
		}
	}
	return nil
}

// Close stops the engine: it cancels the tasks in flight and waits for them until ctx ends. Running executions stay so in the
// store, and another engine can resume them.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	e.cancel(errClosing)
	stopped := make(chan struct{})
	go func() {
		e.work.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errNotRunning = errors.New("the execution has ended")

// attach gives the run of a running execution, taking it up from the store when this engine does not have it yet.
func (e *Engine) attach(ctx context.Context, arn string) (*run, error) {
	e.mu.Lock()
	r, ok := e.live[arn]
	e.mu.Unlock()
	if ok {
		return r, nil
	}
	p, err := e.store.Load(ctx, arn)
	if err != nil {
		return nil, err
	}
	if p.Execution.Status != Running {
		return nil, errNotRunning
	}
	return e.launch(p)
}

// launch begins to run an execution from its position, unless the engine already does.
func (e *Engine) launch(p Position) (*run, error) {
	r, err := newRun(e, p)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return nil, errClosing
	}
	if other, ok := e.live[p.Execution.ARN]; ok {
		return other, nil
	}
	e.live[p.Execution.ARN] = r
	e.work.Go(r.main)
	return r, nil
}

// forget drops a run that has come to its end or lost its store.
func (e *Engine) forget(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.live, r.execution.ARN)
}

// background runs work beside the executions unless the engine is closing.
func (e *Engine) background(work func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closing {
		e.work.Go(work)
	}
}

// RealTime is the system's clock.
type RealTime struct{}

// Now is the time, UTC.
func (RealTime) Now() time.Time { return time.Now().UTC() }

// Sleep returns after d, or with the context's error when that ends first.
func (RealTime) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
