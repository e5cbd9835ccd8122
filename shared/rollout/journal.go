package rollout

import (
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// The journal holds one entry for each (phase, step, target); writing it again changes nothing, so a task that runs twice
// leaves the same journal. Intended stands in it before a change is tried: whatever may have been touched is known.

// Replacement is the receipt handle that names what took the target's place: the volume restored from a snapshot.
const Replacement = "replacement"

// Intents are the entries that must be in the journal before the phase's commands are handed out.
func Intents(e Execution, p Phase, at time.Time) []Entry {
	return entries(e.Commands(p), p.Number, Intended, at)
}

// RevertIntents are the entries that must be in the journal before the commands of a rollback are handed out.
func RevertIntents(e Execution, commands []Command, at time.Time) []Entry {
	out := entries(commands, 0, RevertIntended, at)
	for i := range out {
		out[i].Phase = e.phaseOf(out[i].Ref)
		out[i].Before, out[i].After = out[i].After, out[i].Before
	}
	return out
}

func entries(commands []Command, phase int, step Step, at time.Time) []Entry {
	out := make([]Entry, len(commands))
	for i, c := range commands {
		out[i] = Entry{At: at, Phase: phase, Step: step, Ref: c.Target.Ref, Before: c.Target.Before, After: c.Target.After}
	}
	return out
}

// Outcome is the entry that says what came of an order: Applied, or Reverted with the state that was then read anew.
// A state after reverting that is not the one before the change is refused with fault.Drifted. So is the receipt of a
// target that nobody intended to touch, with fault.Conflict.
func Outcome(e Execution, step Step, ref resource.Ref, r Receipt, captured plan.State, at time.Time) (Entry, error) {
	t, err := e.Target(ref)
	if err != nil {
		return Entry{}, err
	}
	phase := e.phaseOf(ref)
	if _, ok := e.entry(Intended, ref); !ok || phase == 0 {
		return Entry{}, fault.New(fault.Conflict, "Nobody intended to change %s in execution %s.", ref.ID, e.ID)
	}
	out := Entry{At: at, Phase: phase, Step: step, Ref: ref, Before: t.Before, After: r.State, Result: &r}
	if step == Reverted {
		out.Before, out.After = nil, captured
		if diff := differences(ref, t.Before, captured); len(diff) > 0 {
			return Entry{}, fault.New(fault.Drifted, "%s was reverted but is not as it was captured: %s.", ref.ID, diff[0])
		}
	}
	return out, nil
}

// Verifications are the entries for targets that were found as planned. It refuses with fault.Drifted when one was not, or
// was not looked at.
func Verifications(e Execution, verified map[resource.Ref]bool, at time.Time) ([]Entry, error) {
	out := make([]Entry, 0, len(e.Plan.Targets))
	for _, t := range e.Plan.Targets {
		if !verified[t.Ref] {
			return nil, fault.New(fault.Drifted, "%s was changed but is not as planned.", t.Ref.ID)
		}
		out = append(out, Entry{At: at, Phase: e.phaseOf(t.Ref), Step: Verified, Ref: t.Ref, After: t.After})
	}
	return out, nil
}

// Reverts are the orders that undo what was or may have been done: one for each target with an Intended entry and no
// Reverted one, the latest intention first, with what the receipt of its change says undoing needs.
func (e Execution) Reverts() []Command {
	var out []Command
	for _, entry := range slices.Backward(e.ordered()) {
		if entry.Step != Intended {
			continue
		}
		if _, done := e.entry(Reverted, entry.Ref); done {
			continue
		}
		t, err := e.Target(entry.Ref)
		if err != nil {
			continue // only targets are ever intended
		}
		c := e.Command(t)
		if applied, ok := e.entry(Applied, entry.Ref); ok && applied.Result != nil {
			c.Handles = applied.Result.Handles
		}
		out = append(out, c)
	}
	return out
}

// Touched reports whether anything was or may have been changed.
func (e Execution) Touched() bool {
	return slices.ContainsFunc(e.Journal, func(entry Entry) bool { return entry.Step == Intended })
}

// WasStuck reports whether a rollback has failed as a whole: so whatever carried the execution out until then is over.
func (e Execution) WasStuck() bool {
	_, ok := e.entry(Failed, resource.Ref{})
	return ok
}

// Restored refuses, with fault.Conflict, as long as a target that may have been changed was not read back in the state
// that was captured before.
func (e Execution) Restored() error {
	if left := e.Reverts(); len(left) > 0 {
		ref, why := left[0].Target.Ref, ""
		if failed, ok := e.entry(Failed, ref); ok {
			why = ": " + failed.Note
		}
		return fault.New(fault.Conflict, "%d targets are not restored, among them %s%s", len(left), ref.ID, why)
	}
	for _, entry := range e.Journal {
		if entry.Step != Reverted {
			continue
		}
		t, err := e.Target(entry.Ref)
		if err != nil {
			return err
		}
		if !entry.After.Equal(t.Before) {
			return fault.New(fault.Conflict, "%s is not as it was captured.", entry.Ref.ID)
		}
	}
	return nil
}

// Replaced is where the target is to be found after r: itself, or what took its place.
func Replaced(r Receipt, target resource.Ref) resource.Ref {
	if id := r.Handles[Replacement]; id != "" {
		target.ID = id
	}
	return target
}

func (e Execution) ordered() []Entry {
	return slices.SortedStableFunc(slices.Values(e.Journal), func(a, b Entry) int { return int(a.Seq - b.Seq) })
}

func (e Execution) entry(step Step, ref resource.Ref) (Entry, bool) {
	i := slices.IndexFunc(e.Journal, func(entry Entry) bool { return entry.Step == step && entry.Ref == ref })
	if i < 0 {
		return Entry{}, false
	}
	return e.Journal[i], true
}

func (e Execution) phaseOf(ref resource.Ref) int {
	for _, p := range e.Phases {
		if slices.Contains(p.Targets, ref) {
			return p.Number
		}
	}
	return 0
}
