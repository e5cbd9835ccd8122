package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// startChild starts a nested execution for the attempt with this token; started before, it is the same one.
func (r *run) startChild(ctx context.Context, token string, payload map[string]any) (json.RawMessage, string, error) {
	machine, _ := payload["StateMachineArn"].(string)
	name, _ := payload["Name"].(string)
	input, ok := payload["Input"]
	if !ok {
		input = map[string]any{}
	}
	text := encode(input)
	if s, ok := input.(string); ok {
		text = json.RawMessage(s) // a string is taken as the JSON itself
	}
	x, err := r.engine.start(ctx, machine, name, text, token)
	if refused, ok := errors.AsType[*APIError](err); ok {
		return nil, "", &failure{Name: "StepFunctions." + refused.Name + "Exception", Cause: refused.Message}
	}
	if err != nil {
		return nil, "", r.lose(err)
	}
	return encode(map[string]any{"ExecutionArn": x.ARN, "StartDate": stamp(x.Started)}), x.ARN, nil
}

// lose gives the run up because the store failed outside a transition.
func (r *run) lose(err error) error {
	if errors.Is(err, errClosing) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over == nil {
		r.over = fmt.Errorf("%w: %w", errStore, err)
		r.cancel(r.over)
	}
	return r.over
}

// awaitChild waits for a nested execution and gives its description; its failure is the task's.
func (r *run) awaitChild(ctx context.Context, arn, sync string) (json.RawMessage, error) {
	x, err := r.engine.Wait(ctx, arn)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, r.lose(err)
	}
	included := map[string]any{"Included": true}
	d := map[string]any{
		"ExecutionArn": x.ARN, "Name": x.Name, "StateMachineArn": machineARN(x.Machine), "Status": string(x.Status),
		"StartDate": x.Started.UnixMilli(), "StopDate": x.Stopped.UnixMilli(), "InputDetails": included, "OutputDetails": included,
	}
	if sync == ".sync:2" {
		d["Input"] = stored(x.Input)
	} else {
		d["Input"] = string(x.Input)
	}
	if x.Status != Succeeded {
		d["Error"], d["Cause"] = x.Error, x.Cause
		return nil, &failure{Name: errTaskFailed, Cause: string(encode(d))}
	}
	d["Output"] = string(x.Output)
	if sync == ".sync:2" {
		d["Output"] = stored(x.Output)
	}
	return encode(d), nil
}

// Wait waits until an execution has ended and gives it.
func (e *Engine) Wait(ctx context.Context, arn string) (Execution, error) {
	for {
		r, err := e.attach(ctx, arn)
		switch {
		case errors.Is(err, errNotRunning):
			p, err := e.store.Load(ctx, arn)
			return p.Execution, err
		case err != nil:
			return Execution{}, unknown(err, arn)
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return Execution{}, context.Cause(ctx)
		}
		if r.suspended() {
			if err := (RealTime{}).Sleep(ctx, time.Second); err != nil { // until the store is back
				return Execution{}, cause(ctx, err)
			}
		}
	}
}

// suspended tells whether the run stopped before its execution ended.
func (r *run) suspended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !errors.Is(r.over, errEnded)
}

// stopChild stops a nested execution that nobody waits for any more.
func (e *Engine) stopChild(arn string) {
	err := e.Stop(e.base, arn, "", "The execution that waited for this one has ended.")
	if _, refused := errors.AsType[*APIError](err); err != nil && !refused && !errors.Is(err, errClosing) {
		e.log.Warn("a nested execution was left running", "execution", arn, "error", err)
	}
}
