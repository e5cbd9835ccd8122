package awslambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// Task is one task of a function: its input and output as JSON.
type Task func(ctx context.Context, input []byte) ([]byte, error)

// TaskOf makes a task of a typed function. Input that is not of the type is refused as Invalid. Members of the input that the
// type does not have are ignored, because "task" is one of them and a state may pass more than a task needs.
func TaskOf[In, Out any](do func(context.Context, In) (Out, error)) Task {
	return func(ctx context.Context, input []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(input, &in); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "The input of this task does not have the form it needs.")
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, err
		}
		answer, err := json.Marshal(out)
		return answer, fault.Wrap(err, fault.Internal, "The result of this task could not be written.")
	}
}

// Tasks is the handler of a function with the given tasks. The member "task" of the event says which one it asks for. A
// failure is reported under its fault code, a panic as Internal, and one at the deadline as Timeout.
func Tasks(log *slog.Logger, tasks map[string]Task) Handler {
	return raw(func(ctx context.Context, event []byte) ([]byte, error) {
		var which struct {
			Task string `json:"task"`
		}
		err := json.Unmarshal(event, &which)
		task, ok := tasks[which.Task]
		switch {
		case err != nil || len(bytes.TrimSpace(event)) == 0:
			err = fault.Wrap(err, fault.Invalid, "The event is not a JSON object.")
		case !ok:
			known := slices.Sorted(maps.Keys(tasks))
			err = fault.Input("task", which.Task, "this function has the tasks %s", strings.Join(known, ", "))
		default:
			var answer []byte
			if answer, err = caught(ctx, task, event); err == nil {
				return answer, nil
			}
		}
		failure := reported(ctx, log, which.Task, err)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, messages.InvokeResponse_Error{Type: Timeout, Message: "The task was not done in the time that it has, so what came of it is not known."}
		}
		return nil, failure
	})
}

// Timeout is the name under which a task is reported that its deadline cut off. It is none of the fault codes, whatever the error
// that the task broke off with: a state machine must not take it for something that a retry mends.
const Timeout = "Timeout"

// caught runs the task and turns a panic into an error, so that state machines see a code instead of a Go type.
func caught(ctx context.Context, task Task, event []byte) (answer []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fault.Wrap(fmt.Errorf("panic: %v\n%s", reason, debug.Stack()), fault.Internal, "The task broke off.")
		}
	}()
	return task(ctx, event)
}
