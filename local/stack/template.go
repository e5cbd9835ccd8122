package stack

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/cost-agent/cost-agent/local/gateway"
	"github.com/cost-agent/cost-agent/local/scheduler"
	"github.com/cost-agent/cost-agent/local/template"
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

func schedules(t *template.Template) []scheduler.Schedule {
	var out []scheduler.Schedule
	for _, s := range t.Schedules {
		out = append(out, scheduler.Schedule(s))
	}
	return out
}

// startScheduled starts a machine as the schedule of the template does.
func (s *Stack) startScheduled(ctx context.Context, machine, name string, input []byte) error {
	_, err := s.engine.Start(ctx, machine, name, input)
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
