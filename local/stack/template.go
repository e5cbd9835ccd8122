package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/cost-agent/cost-agent/local/gateway"
	"github.com/cost-agent/cost-agent/local/scheduler"
	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/local/template"
	"github.com/cost-agent/cost-agent/shared/job"
)

// machineARN is how the engine names a machine.
func machineARN(name string) string { return "arn:aws:states:local:000000000000:stateMachine:" + name }

// substitutions are the template's, with what they stand for here: a function's name, or a machine's ARN.
func substitutions(m template.Machine) map[string]string {
	out := map[string]string{}
	for name, target := range m.Substitutions {
		if machine, ok := strings.CutPrefix(target, template.MachinePrefix); ok {
			target = machineARN(machine)
		}
		out[name] = target
	}
	return out
}

func routes(t *template.Template) []gateway.Route {
	var out []gateway.Route
	for _, r := range t.Routes {
		out = append(out, gateway.Route(r))
	}
	return out
}

// schedules are the template's, for the demo tenant.
func schedules(t *template.Template) []scheduler.Schedule {
	var out []scheduler.Schedule
	for _, s := range t.Schedules {
		s.Input = strings.ReplaceAll(s.Input, "${TenantId}", string(Tenant))
		out = append(out, scheduler.Schedule(s))
	}
	return out
}

// startScheduled starts a machine as the schedule of the template does.
func (s *Stack) startScheduled(ctx context.Context, machine, name string, input []byte) error {
	_, err := s.engine.Start(ctx, machine, name, input)
	return err
}

// ended is the template's rule for executions of plans whose state machine did not end well: the rollout function takes care.
func (s *Stack) ended(ctx context.Context, x stepfunctions.Execution) {
	if x.Machine != job.ExecutionMachine || x.Status == stepfunctions.Succeeded {
		return
	}
	if err := s.takeCare(ctx, x); err != nil {
		s.log.Error("an ended execution was not taken care of", "execution", x.ARN, "error", err)
	}
}

// endedBefore takes care of what ended just before an earlier process died. Doing so twice does no harm.
func (s *Stack) endedBefore(ctx context.Context) error {
	for _, status := range []stepfunctions.Status{stepfunctions.Failed, stepfunctions.TimedOut, stepfunctions.Aborted} {
		all, err := s.engine.List(ctx, stepfunctions.Filter{Machine: job.ExecutionMachine, Status: status})
		if err != nil {
			return err
		}
		for _, x := range all {
			s.ended(ctx, x)
		}
	}
	return nil
}

func (s *Stack) takeCare(ctx context.Context, x stepfunctions.Execution) error {
	payload, err := json.Marshal(struct {
		job.EndedInput
		Task string `json:"task"`
	}{job.EndedInput{Status: string(x.Status), Input: string(x.Input)}, "ended"})
	if err != nil {
		return err
	}
	_, err = invoke(ctx, s.functions, "rollout", payload)
	if own, ok := errors.AsType[*stepfunctions.FunctionError](err); ok && own.Type == "NotFound" {
		return nil // it was of a record that is gone
	}
	return err
}

// lines makes a writer of a progress function, a line a call.
func lines(progress func(string, ...any)) io.Writer { return lineWriter{progress} }

type lineWriter struct{ progress func(string, ...any) }

// Write passes on each line.
func (w lineWriter) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if text := strings.TrimSpace(string(line)); text != "" {
			w.progress("%s", text)
		}
	}
	return len(b), nil
}
