package job

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Caught is an error as a state machine catches it.
type Caught struct {
	Error string `json:"Error,omitempty"` //nolint:tagliatelle // Step Functions writes it so
	Cause string `json:"Cause,omitempty"` //nolint:tagliatelle // Step Functions writes it so
}

// mostReason bounds what is kept of a cause, in bytes.
const mostReason = 1000

// Text is the failure for people: the message that a function gave, or what is known of it. Empty when there was none.
func (f Caught) Text() string {
	var body struct {
		Message string `json:"errorMessage"`
	}
	text := f.Cause
	if json.Unmarshal([]byte(f.Cause), &body) == nil && body.Message != "" {
		text = body.Message
	}
	switch {
	case f.Error == "States.Timeout":
		text = "A step did not answer in time, so what came of it is not known."
	case text == "":
		text = f.Error
	}
	if len(text) > mostReason {
		text = text[:mostReason]
		for !utf8.ValidString(text) { // cut in the middle of a character
			text = text[:len(text)-1]
		}
		text += "…"
	}
	return text
}

// FailureInput is an execution with what went wrong.
type FailureInput struct {
	Tenant    tenant.ID `json:"tenant"`
	Execution string    `json:"execution"`
	Error     Caught    `json:"error"`
}

// RollbackOutput is what has to be restored.
type RollbackOutput struct {
	Touched    bool              `json:"touched"` // false: nothing was changed, and it is over
	Actor      string            `json:"actor"`
	Connection string            `json:"connection"`
	Cloud      resource.Cloud    `json:"cloud"`
	Commands   []rollout.Command `json:"commands"`
}

// Rollback hands out the commands that restore what was or may have been changed, once the journal says so. They carry a
// new fencing token, so that a change still in flight is refused from then on. An execution that has changed nothing is
// refused instead, and one that is over only gives back what it may still hold.
func (r Rollout) Rollback(ctx context.Context, in FailureInput) (RollbackOutput, error) {
	e, err := r.Store.Execution(ctx, in.Tenant, in.Execution)
	if err != nil {
		return RollbackOutput{}, err
	}
	switch {
	case !e.Status.Open():
		return RollbackOutput{}, r.settle(ctx, in.Tenant, e)
	case !e.Touched():
		return RollbackOutput{}, r.refuse(ctx, in, e)
	}
	actor, ok := r.Actors[e.Plan.Cloud]
	if !ok {
		return RollbackOutput{}, fault.New(fault.Unprocessable, "No actor for %s is configured, so nothing can be restored there. Add it to ACTORS, then resume the execution.", e.Plan.Cloud)
	}
	if e, err = r.turnBack(ctx, in, e); err != nil {
		return RollbackOutput{}, err
	}
	commands := e.Reverts()
	if err := r.Store.AppendJournal(ctx, in.Tenant, e.ID, rollout.RevertIntents(e, commands, r.Now())...); err != nil {
		return RollbackOutput{}, err
	}
	return RollbackOutput{Touched: true, Actor: actor, Connection: e.Connection, Cloud: e.Plan.Cloud, Commands: commands}, nil
}

// refuse ends an execution that has changed nothing.
func (r Rollout) refuse(ctx context.Context, in FailureInput, e rollout.Execution) error {
	e.Status, e.Reason, e.EndedAt = rollout.Refused, reason(e, in.Error), r.Now()
	if _, err := r.Store.TransitionExecution(ctx, in.Tenant, e, rollout.Pending, rollout.Running, rollout.Stuck); err != nil {
		return err
	}
	return r.unlock(ctx, in.Tenant, e)
}

// turnBack takes the locks under a new fencing token and notes why. The first reason stays: what fails later is a consequence.
func (r Rollout) turnBack(ctx context.Context, in FailureInput, e rollout.Execution) (rollout.Execution, error) {
	fence, err := r.Store.NextFence(ctx)
	if err != nil {
		return e, err
	}
	e.Fence = fence
	if err := r.lock(ctx, in.Tenant, e, lease); err != nil {
		return e, err
	}
	e.Reason, _, _ = strings.Cut(e.Reason, stuckWords)
	if e.Reason == "" {
		e.Reason = reason(e, in.Error)
	}
	from := e.Status
	e.Status, e.EndedAt = rollout.Running, time.Time{}
	done, err := r.Store.TransitionExecution(ctx, in.Tenant, e, from)
	if err == nil && !done {
		err = fault.New(fault.Unavailable, "Execution %s was changed at the same moment; try again.", e.ID)
	}
	return e, err
}

// reason is why the execution turned back: what failed, or what was unhealthy.
func reason(e rollout.Execution, f Caught) string {
	if text := f.Text(); text != "" {
		return text
	}
	for _, p := range e.Phases {
		if p.Verdict == rollout.Unhealthy {
			return fmt.Sprintf("Phase %d (%d %%) was unhealthy: %s.", p.Number, p.Percent, strings.Join(p.Reasons, "; "))
		}
	}
	return "It was rolled back on request."
}

// Restored ends a rollback after which every target was read back as captured. It refuses with fault.Conflict as long as
// one was not.
func (r Rollout) Restored(ctx context.Context, in ExecutionInput) (Empty, error) {
	e, err := r.Store.Execution(ctx, in.Tenant, in.Execution)
	if err != nil {
		return Empty{}, err
	}
	if e.Status == rollout.RolledBack {
		return Empty{}, r.settle(ctx, in.Tenant, e)
	}
	if err := e.Restored(); err != nil {
		return Empty{}, err
	}
	e.Status, e.EndedAt = rollout.RolledBack, r.Now()
	switch done, err := r.Store.TransitionExecution(ctx, in.Tenant, e, rollout.Running); {
	case err != nil:
		return Empty{}, err
	case !done:
		return Empty{}, fault.New(fault.Conflict, "Execution %s is no longer running, so it cannot be ended.", e.ID)
	}
	return Empty{}, r.settle(ctx, in.Tenant, e)
}

// Stuck notes that restoring failed. The locks stay with the execution, so that nothing else touches the targets until
// somebody has looked and the execution was resumed. An execution that is over stays as it is.
func (r Rollout) Stuck(ctx context.Context, in FailureInput) (Empty, error) {
	e, err := r.Store.Execution(ctx, in.Tenant, in.Execution)
	if err != nil || !e.Status.Open() {
		return Empty{}, err
	}
	return Empty{}, r.stuck(ctx, in.Tenant, e, in.Error.Text())
}

func (r Rollout) stuck(ctx context.Context, t tenant.ID, e rollout.Execution, failure string) error {
	entry := rollout.Entry{At: r.Now(), Step: rollout.Failed, Note: failure}
	if err := r.Store.AppendJournal(ctx, t, e.ID, entry); err != nil {
		return err
	}
	e.Reason = stuckReason(e.Reason, failure)
	e.Status, e.EndedAt = rollout.Stuck, r.Now()
	if _, err := r.Store.TransitionExecution(ctx, t, e, rollout.Pending, rollout.Running, rollout.Stuck); err != nil {
		return err
	}
	return r.lock(ctx, t, e, stuckLease)
}

const stuckWords = " Restoring failed: "

func stuckReason(first, failure string) string {
	first, _, _ = strings.Cut(first, stuckWords)
	return first + stuckWords + failure
}

// EndedInput says that a state machine's execution ended without an answer: failed, timed out or aborted.
type EndedInput struct {
	Status string `json:"status"` // as Step Functions says it
	Input  string `json:"input"`  // what the machine was started with, as JSON
}

// Ended takes care of an execution whose state machine was ended from outside, or by an error that it cannot catch: one that
// may have changed something is stuck and can be resumed, one that has not is refused. One that is neither pending nor
// running has been taken care of.
func (r Rollout) Ended(ctx context.Context, in EndedInput) (Empty, error) {
	var of machineInput
	if err := json.Unmarshal([]byte(in.Input), &of); err != nil {
		return Empty{}, fault.Wrap(err, fault.Invalid, "The input of the state machine cannot be read.")
	}
	e, err := r.Store.Execution(ctx, of.Tenant, of.Execution)
	if err != nil || e.Status != rollout.Pending && e.Status != rollout.Running {
		return Empty{}, err
	}
	if !of.Resume && e.WasStuck() {
		return Empty{}, nil // the event comes again, or late, while a resumed machine is at work
	}
	end := Caught{Error: in.Status, Cause: "Its state machine ended as " + in.Status + "."}
	if !e.Touched() {
		return Empty{}, r.refuse(ctx, FailureInput{Tenant: of.Tenant, Execution: of.Execution, Error: end}, e)
	}
	failure := end.Text()
	if e.Reason == "" { // it was on its way: that it was ended is why it will be rolled back
		e.Reason, failure = failure, "It was not begun."
	}
	return Empty{}, r.stuck(ctx, of.Tenant, e, failure)
}
