package rollout_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func executionOf(n int) rollout.Execution {
	p := planOf(n)
	return rollout.Execution{ID: "e", Fence: 7, Plan: p, PlanHash: p.Hash(), Phases: rollout.Divide(p, rollout.Strategy{Steps: rollout.DefaultSteps})}
}

// journal appends as the store does.
func journal(e *rollout.Execution, entries ...rollout.Entry) {
	for _, n := range entries {
		n.Seq = int64(len(e.Journal) + 1)
		e.Journal = append(e.Journal, n)
	}
}

func TestRevertsUndoWhatMayHaveBeenDoneLatestFirst(t *testing.T) {
	t.Parallel()
	e := executionOf(10)
	if e.Touched() || len(e.Reverts()) != 0 {
		t.Fatal("nothing has been touched yet")
	}
	journal(&e, rollout.Intents(e, e.Phases[0], noon)...)
	journal(&e, rollout.Intents(e, e.Phases[1], noon)...)
	snapshot := map[string]string{"snapshot": "snap-1"}
	applied, err := rollout.Outcome(e, rollout.Applied, ref("i-002"), rollout.Receipt{Handles: snapshot}, nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	journal(&e, applied)
	reverted, err := rollout.Outcome(e, rollout.Reverted, ref("i-003"), rollout.Receipt{}, e.Plan.Targets[3].Before, noon)
	if err != nil {
		t.Fatal(err)
	}
	journal(&e, reverted)

	var got []string
	for _, c := range e.Reverts() {
		got = append(got, c.Target.Ref.ID)
		if want := c.Target.Ref.ID == "i-002"; (c.Handles["snapshot"] == "snap-1") != want {
			t.Errorf("%s has handles %v", c.Target.Ref.ID, c.Handles)
		}
		if c.Fence != 7 || c.Execution != "e" || c.Target.Watch != nil {
			t.Errorf("command %+v", c)
		}
	}
	if want := []string{"i-004", "i-002", "i-001", "i-000"}; !slices.Equal(got, want) {
		t.Errorf("reverts %v, want %v", got, want)
	}
	if err := e.Restored(); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("restored with four to go: %v", err)
	}
}

func TestOutcomeIsSeenNotBelieved(t *testing.T) {
	t.Parallel()
	e := executionOf(2)
	if _, err := rollout.Outcome(e, rollout.Applied, ref("i-000"), rollout.Receipt{}, nil, noon); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a change nobody intended: %v", err)
	}
	journal(&e, rollout.Intents(e, e.Phases[0], noon)...)
	if _, err := rollout.Outcome(e, rollout.Applied, ref("i-999"), rollout.Receipt{}, nil, noon); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("no target: %v", err)
	}
	for name, state := range map[string]plan.State{"after": e.Plan.Targets[0].After, "stopped": {"size": "m5.2xlarge", "state": "stopped"}, "unread": nil} {
		claims := rollout.Receipt{Changed: true, State: e.Plan.Targets[0].Before}
		if _, err := rollout.Outcome(e, rollout.Reverted, ref("i-000"), claims, state, noon); fault.CodeOf(err) != fault.Drifted {
			t.Errorf("read back %s: %v, want Drifted", name, err)
		}
	}
}

func TestVerificationNeedsEveryTarget(t *testing.T) {
	t.Parallel()
	e := executionOf(2)
	if got, err := rollout.Verifications(e, map[resource.Ref]bool{ref("i-000"): true, ref("i-001"): true}, noon); err != nil || len(got) != 2 || got[1].Phase != 2 {
		t.Errorf("all verified: %v %v", got, err)
	}
	for name, v := range map[string]map[resource.Ref]bool{"one not": {ref("i-000"): true, ref("i-001"): false}, "one missing": {ref("i-001"): true}} {
		if _, err := rollout.Verifications(e, v, noon); fault.CodeOf(err) != fault.Drifted {
			t.Errorf("%s: %v, want Drifted", name, err)
		}
	}
}

func TestReplacedTargetIsFoundUnderItsNewName(t *testing.T) {
	t.Parallel()
	if got := rollout.Replaced(rollout.Receipt{Handles: map[string]string{rollout.Replacement: "vol-2"}}, ref("vol-1")); got != ref("vol-2") {
		t.Errorf("Replaced = %v", got)
	}
	if got := rollout.Replaced(rollout.Receipt{}, ref("vol-1")); got != ref("vol-1") {
		t.Errorf("not replaced = %v", got)
	}
}

// Whatever was done before something failed, reverting what Reverts names restores everything that was intended.
func TestRevertingTheRestAlwaysRestores(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := executionOf(rapid.IntRange(1, 40).Draw(t, "targets"))
		begun := rapid.IntRange(0, len(e.Phases)).Draw(t, "phases")
		for _, p := range e.Phases[:begun] {
			journal(&e, rollout.Intents(e, p, noon)...)
		}
		for rounds := rapid.IntRange(0, 3).Draw(t, "interrupted rollbacks"); rounds > 0; rounds-- {
			left := e.Reverts()
			for _, c := range left[:rapid.IntRange(0, len(left)).Draw(t, "restored")] {
				revert(t, &e, c)
			}
		}
		for _, c := range e.Reverts() {
			revert(t, &e, c)
		}
		if err := e.Restored(); err != nil {
			t.Fatal(err)
		}
		intended, reverted := 0, map[resource.Ref]int{}
		for _, n := range e.Journal {
			switch n.Step {
			case rollout.Intended:
				intended++
			case rollout.Reverted:
				reverted[n.Ref]++
			}
		}
		if intended != len(reverted) {
			t.Fatalf("%d intended, %d reverted", intended, len(reverted))
		}
	})
}

func revert(t *rapid.T, e *rollout.Execution, c rollout.Command) {
	n, err := rollout.Outcome(*e, rollout.Reverted, c.Target.Ref, rollout.Receipt{}, c.Target.Before, noon)
	if err != nil {
		t.Fatal(err)
	}
	journal(e, n)
}
