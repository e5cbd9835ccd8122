package stepfunctions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// Where everything here is said to live.
const (
	region  = "local"
	account = "000000000000"
)

func machineARN(name string) string {
	return "arn:aws:states:" + region + ":" + account + ":stateMachine:" + name
}

func executionARN(machine, name string) string {
	return "arn:aws:states:" + region + ":" + account + ":execution:" + machine + ":" + name
}

// machineName takes the name of a machine from its name or ARN, of any region and account; a version or alias is dropped.
func machineName(arn string) string {
	if _, name, ok := strings.Cut(arn, ":stateMachine:"); ok {
		name, _, _ = strings.Cut(name, ":")
		return name
	}
	return arn
}

// The names of the exceptions of the Step Functions API.
const (
	executionExists    = "ExecutionAlreadyExists"
	executionUnknown   = "ExecutionDoesNotExist"
	machineUnknown     = "StateMachineDoesNotExist"
	invalidName        = "InvalidName"
	invalidInput       = "InvalidExecutionInput"
	invalidOutput      = "InvalidOutput"
	invalidDefinition  = "InvalidDefinition"
	invalidToken       = "InvalidToken"
	taskGone           = "TaskTimedOut"
	validation         = "ValidationException"
	mostNameCharacters = 80
)

// APIError is a refusal by the name that Step Functions gives it.
type APIError struct {
	Name    string
	Message string
}

// Error gives name and message.
func (e *APIError) Error() string { return e.Name + ": " + e.Message }

// Unwrap gives the refusal as a fault.
func (e *APIError) Unwrap() error {
	switch e.Name {
	case executionExists:
		return fault.New(fault.Conflict, "%s", e.Message)
	case executionUnknown, machineUnknown, taskGone:
		return fault.New(fault.NotFound, "%s", e.Message)
	}
	return fault.New(fault.Invalid, "%s", e.Message)
}

func apiErrorf(name, format string, args ...any) *APIError {
	return &APIError{Name: name, Message: fmt.Sprintf(format, args...)}
}

// Start begins an execution and gives its ARN. The name is made up when empty. Starting again with the same name and input while
// the execution runs gives the same ARN; any other repetition is ExecutionAlreadyExists.
func (e *Engine) Start(ctx context.Context, machine, name string, input []byte) (string, error) {
	x, err := e.start(ctx, machine, name, input, "")
	return x.ARN, err
}

var badName = regexp.MustCompile("[\\s<>{}\\[\\]?*\"#%\\\\^|~`$&,;:/\\x00-\\x1f\\x7f-\\x9f]")

func (e *Engine) start(ctx context.Context, machine, name string, input []byte, origin string) (Execution, error) {
	machine = machineName(machine)
	e.mu.Lock()
	d, ok := e.machines[machine]
	e.mu.Unlock()
	if !ok {
		return Execution{}, apiErrorf(machineUnknown, "State Machine Does Not Exist: '%s'", machineARN(machine))
	}
	if name == "" {
		name = uuid.NewString()
	}
	if len(name) > mostNameCharacters || badName.MatchString(name) {
		return Execution{}, apiErrorf(invalidName, "Invalid Name: '%s'", name)
	}
	if len(bytes.TrimSpace(input)) == 0 {
		input = []byte("{}")
	}
	v, err := decode(input)
	if err != nil || len(input) > dataLimit {
		return Execution{}, apiErrorf(invalidInput, "The input must be JSON of at most %d bytes.", dataLimit)
	}
	now := e.now()
	x := Execution{
		ARN: executionARN(machine, name), Machine: machine, Name: name, Status: Running, Input: encode(v),
		Started: now, Definition: d.definition, Origin: origin,
	}
	if s := d.machine.TimeoutSeconds; s > 0 {
		x.TimeoutAt = e.watch.Now().Add(time.Duration(s) * time.Second)
	}
	return e.create(ctx, x, d.machine.StartAt)
}

// now is the time of the executions, as exact as every store keeps it.
func (e *Engine) now() time.Time { return e.clock.Now().UTC().Truncate(time.Microsecond) }

func (e *Engine) create(ctx context.Context, x Execution, startAt string) (Execution, error) {
	root := Frame{Path: "0", State: startAt, Phase: entering, Input: x.Input, LastEvent: 1}
	first := Event{ID: 1, Time: x.Started, Type: "ExecutionStarted", Field: "executionStartedEventDetails", Details: encode(map[string]any{
		"input": string(x.Input), "inputDetails": untruncated(), "roleArn": "arn:aws:iam::" + account + ":role/local",
	})}
	err := e.store.Create(ctx, x, root, first)
	if errors.Is(err, ErrExists) {
		p, err := e.store.Load(ctx, x.ARN)
		if err != nil {
			return Execution{}, err
		}
		old := p.Execution
		mine := x.Origin != "" && old.Origin == x.Origin
		if mine || old.Status == Running && bytes.Equal(old.Input, x.Input) {
			return old, nil
		}
		return Execution{}, apiErrorf(executionExists, "Execution Already Exists: '%s'", x.ARN)
	}
	if err != nil {
		return Execution{}, err
	}
	_, err = e.launch(Position{Execution: x, Frames: []Frame{root}, LastEvent: 1})
	return x, err
}

// Describe gives an execution.
func (e *Engine) Describe(ctx context.Context, arn string) (Execution, error) {
	p, err := e.store.Load(ctx, arn)
	return p.Execution, unknown(err, arn)
}

func unknown(err error, arn string) error {
	if errors.Is(err, ErrUnknown) {
		return apiErrorf(executionUnknown, "Execution Does Not Exist: '%s'", arn)
	}
	return err
}

// History gives the events of an execution whose id is greater than after, at most limit.
func (e *Engine) History(ctx context.Context, arn string, after int64, limit int) ([]Event, error) {
	events, err := e.store.Events(ctx, arn, after, limit)
	return events, unknown(err, arn)
}

// List gives the executions that the filter selects, the latest first.
func (e *Engine) List(ctx context.Context, f Filter) ([]Execution, error) {
	f.Machine = machineName(f.Machine)
	e.mu.Lock()
	_, ok := e.machines[f.Machine]
	e.mu.Unlock()
	if f.Machine != "" && !ok {
		return nil, apiErrorf(machineUnknown, "State Machine Does Not Exist: '%s'", machineARN(f.Machine))
	}
	return e.store.List(ctx, f)
}

// Stop aborts an execution. One that has ended stays as it is.
func (e *Engine) Stop(ctx context.Context, arn, name, cause string) error {
	r, err := e.attach(ctx, arn)
	if errors.Is(err, errNotRunning) {
		return nil
	}
	if err != nil {
		return unknown(err, arn)
	}
	if err := r.end(ctx, Aborted, &failure{Name: name, Cause: cause}); !errors.Is(err, errEnded) {
		return err
	}
	return nil
}

// SendTaskSuccess answers a task by its token. The output is JSON.
func (e *Engine) SendTaskSuccess(ctx context.Context, token string, output []byte) error {
	v, err := decode(output)
	if err != nil {
		return apiErrorf(invalidOutput, "Invalid Output: it is not JSON.")
	}
	return e.answer(ctx, token, func(a *attempt) { a.Answer = &answer{Output: encode(v)} })
}

// SendTaskFailure fails a task by its token.
func (e *Engine) SendTaskFailure(ctx context.Context, token, name, cause string) error {
	return e.answer(ctx, token, func(a *attempt) { a.Answer = &answer{Failure: &failure{Name: name, Cause: cause}} })
}

// SendTaskHeartbeat tells that a task is still at work.
func (e *Engine) SendTaskHeartbeat(ctx context.Context, token string) error {
	return e.answer(ctx, token, func(a *attempt) {
		if a.Heartbeat > 0 {
			a.HeartbeatAt = e.watch.Now().Add(a.Heartbeat)
		}
	})
}

// answer changes the attempt that a token names and lets its frame know.
func (e *Engine) answer(ctx context.Context, token string, change func(a *attempt)) error {
	arn, path, ok := readToken(token)
	if !ok {
		return apiErrorf(invalidToken, "Invalid Token: 'Invalid token'")
	}
	gone := apiErrorf(taskGone, "Task Timed Out: 'Provided task does not exist anymore'")
	r, err := e.attach(ctx, arn)
	switch {
	case errors.Is(err, errNotRunning):
		return gone
	case errors.Is(err, ErrUnknown):
		return apiErrorf(invalidToken, "Invalid Token: 'Invalid token'")
	case err != nil:
		return err
	}
	found := false
	err = r.commit(ctx, func(t *transition) {
		f := r.frames[path]
		if f == nil || f.Phase != active || f.Task == nil || f.Task.Token != token || f.Task.Answer != nil {
			return
		}
		found = true
		change(f.Task)
		t.touched[path] = true
		select {
		case r.knock(path) <- struct{}{}:
		default:
		}
	})
	if errors.Is(err, errEnded) || err == nil && !found {
		return gone
	}
	return err
}

// Machine is a state machine as Define took it.
type Machine struct {
	ARN        string
	Name       string
	Definition json.RawMessage // substitutions filled
	Defined    time.Time
}

// Machine gives a machine by its name or ARN.
func (e *Engine) Machine(name string) (Machine, error) {
	name = machineName(name)
	e.mu.Lock()
	defer e.mu.Unlock()
	d, ok := e.machines[name]
	if !ok {
		return Machine{}, apiErrorf(machineUnknown, "State Machine Does Not Exist: '%s'", machineARN(name))
	}
	return Machine{ARN: machineARN(name), Name: name, Definition: d.definition, Defined: d.at}, nil
}

// Machines lists the machines by name.
func (e *Engine) Machines() []Machine {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Machine
	for _, name := range slices.Sorted(maps.Keys(e.machines)) {
		d := e.machines[name]
		all = append(all, Machine{ARN: machineARN(name), Name: name, Definition: d.definition, Defined: d.at})
	}
	return all
}
