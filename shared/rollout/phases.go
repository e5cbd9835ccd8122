package rollout

import (
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// What a strategy is unless it is asked to be otherwise, and how long a phase may be watched: at least so long that the samples
// of all extensions together can settle a verdict, for one that cannot be settled is a rollback.
const (
	DefaultWatch = 15 * time.Minute
	LeastWatch   = 3 * time.Minute
	MostWatch    = 24 * time.Hour
)

// DefaultSteps are the cumulative percentages of a gradual rollout.
var DefaultSteps = []int{10, 50, 100}

// NewStrategy fills in the defaults and refuses what makes no sense with fault.Invalid: an unknown mode, steps that do
// not rise to 100, a watch shorter than LeastWatch or longer than MostWatch, a time with a mode other than Scheduled.
func NewStrategy(s Strategy) (Strategy, error) {
	if s.Mode == "" {
		s.Mode = Gradual
	}
	if s.Watch == 0 {
		s.Watch = DefaultWatch
	}
	if len(s.Steps) == 0 {
		s.Steps = slices.Clone(DefaultSteps)
		if s.Mode == Immediate {
			s.Steps = []int{100}
		}
	}
	switch {
	case s.Mode != Immediate && s.Mode != Gradual && s.Mode != Scheduled:
		return s, fault.Input("mode", string(s.Mode), "must be immediate, gradual or scheduled")
	case s.Mode == Scheduled && s.At.IsZero():
		return s, fault.Input("at", "", "is needed in the mode scheduled: the time to begin, as 2026-11-20T22:00:00Z")
	case s.Mode != Scheduled && !s.At.IsZero():
		return s, fault.Input("at", s.At.Format(time.RFC3339), "is for the mode scheduled only")
	case s.Watch < LeastWatch || s.Watch > MostWatch:
		return s, fault.Input("watch_minutes", s.Watch.String(), "must be from 3 to 1440")
	}
	return s, s.checkSteps()
}

func (s Strategy) checkSteps() error {
	if s.Mode == Immediate && !slices.Equal(s.Steps, []int{100}) {
		return fault.Input("steps", "", "must be left out in the mode immediate, which changes all targets at once")
	}
	last := 0
	for _, step := range s.Steps {
		if step <= last || step > 100 {
			return fault.Input("steps", "", "must be rising percentages that end with 100, as [10, 50, 100]")
		}
		last = step
	}
	if last != 100 {
		return fault.Input("steps", "", "must end with 100")
	}
	return nil
}

// Divide cuts the plan into the phases of the strategy, keeping the order of the targets. After a phase at most its
// percentage of the targets has been changed, but every phase changes at least one: steps that would change nothing
// more are merged into the next that does, so one target makes one phase and two make two.
func Divide(p plan.Plan, s Strategy) []Phase {
	var out []Phase
	n, done := len(p.Targets), 0
	for i, step := range s.Steps {
		upTo := max(1, n*step/100)
		if i+1 < len(s.Steps) && max(1, n*s.Steps[i+1]/100) == upTo {
			continue // the next step comes to the same: its percentage is the truer one
		}
		upTo = min(upTo, n)
		if upTo == done {
			continue
		}
		phase := Phase{Number: len(out) + 1, Percent: step}
		for _, t := range p.Targets[done:upTo] {
			phase.Targets = append(phase.Targets, t.Ref)
		}
		out, done = append(out, phase), upTo
	}
	return out
}

// Next is the phase to be carried out: the first that has not been found healthy. It is false when all have been.
func (e Execution) Next() (Phase, bool) {
	for _, p := range e.Phases {
		if p.Verdict != Healthy {
			return p, true
		}
	}
	return Phase{}, false
}

// Phase finds a phase by its number.
func (e Execution) Phase(number int) (Phase, error) {
	for _, p := range e.Phases {
		if p.Number == number {
			return p, nil
		}
	}
	return Phase{}, fault.New(fault.NotFound, "Execution %s has no phase %d.", e.ID, number)
}

// Target finds a target of the plan.
func (e Execution) Target(ref resource.Ref) (plan.Target, error) {
	for _, t := range e.Plan.Targets {
		if t.Ref == ref {
			return t, nil
		}
	}
	return plan.Target{}, fault.New(fault.NotFound, "%s is no target of execution %s.", ref.ID, e.ID)
}

// Open reports whether the execution still has something to do: nobody else may begin another one for the same
// recommendation.
func (s Status) Open() bool { return s == Pending || s == Running || s == Stuck }

// Command is the order to change one target. What the target is watched by is not the actor's business and is left out.
func (e Execution) Command(t plan.Target) Command {
	t.Watch = nil
	return Command{Execution: e.ID, Fence: e.Fence, Action: e.Plan.Action, Target: t}
}

// Commands are the orders of one phase, in the plan's order.
func (e Execution) Commands(p Phase) []Command {
	out := make([]Command, 0, len(p.Targets))
	for _, t := range e.Plan.Targets {
		if slices.Contains(p.Targets, t.Ref) {
			out = append(out, e.Command(t))
		}
	}
	return out
}
