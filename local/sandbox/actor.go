package sandbox

import (
	"context"
	"maps"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// protectedTag keeps its resource from being changed.
const protectedTag = "cost-agent:protected"

// actor changes one cloud of the estate. Each action is a walk: from the state that is there follows the next step, until
// none is left. So a call that is repeated, or that takes over after a crash, goes on where the last one stopped.
type actor struct {
	e     *Estate
	cloud resource.Cloud
}

// way is how one action is done.
type way struct {
	typ resource.Type
	// can refuses a state that the cloud cannot bring about.
	can func(it *item, f form, to plan.State) error
	// apply and revert tell the next step, nil when the work is done.
	apply, revert func(v *view, it *item, c rollout.Command) (*step, error)
	// done tells whether the state After is reached.
	done func(v *view, it *item, c rollout.Command) bool
	// receipt tells what is left behind.
	receipt func(v *view, it *item, c rollout.Command) rollout.Receipt
}

// step is one change and the time the cloud takes for it.
type step struct {
	change change
	takes  time.Duration
}

func ways(action plan.Action) (way, bool) {
	switch action {
	case plan.ResizeInstance:
		return way{resource.Instance, canResize, forward(resize), back(resize), reached, plainReceipt}, true
	case plan.ChangeVolumeType:
		return way{resource.Volume, canRetype, forward(retype), back(retype), reached, plainReceipt}, true
	case plan.ArchiveVolume:
		return way{resource.Volume, canAlways, archive, restore, archived, archiveReceipt}, true
	}
	return way{}, false
}

// Capture implements rollout.Actor.
func (a actor) Capture(ctx context.Context, action plan.Action, ref resource.Ref) (plan.State, error) {
	c := rollout.Command{Action: action, Target: plan.Target{Ref: ref}}
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	_, it, err := a.enter(ctx, c)
	if err != nil {
		return nil, err
	}
	v := a.e.viewLocked()
	state, alive := v.stateOf(it, action)
	if !alive {
		return nil, missing(ref)
	}
	return state, nil
}

// Apply implements rollout.Actor.
func (a actor) Apply(ctx context.Context, c rollout.Command) (rollout.Receipt, error) {
	w, it, err := a.beginApply(ctx, c)
	if err != nil {
		return rollout.Receipt{}, err
	}
	changed, err := a.walk(ctx, c, it, w.apply)
	if err != nil {
		return rollout.Receipt{}, err
	}
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	if changed {
		lost, err := a.e.spend(Timeout, it, c.Action)
		if err != nil {
			return rollout.Receipt{}, unrecorded(err)
		}
		if lost != nil {
			return rollout.Receipt{}, fault.New(fault.Unavailable, "The cloud did not answer in time; try again.")
		}
	}
	r := w.receipt(a.e.viewLocked(), it, c)
	r.Changed = changed
	return r, nil
}

// Verify implements rollout.Actor.
func (a actor) Verify(ctx context.Context, c rollout.Command) (bool, error) {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	w, it, err := a.enter(ctx, c)
	if err != nil {
		return false, err
	}
	return w.done(a.e.viewLocked(), it, c), nil
}

// Revert implements rollout.Actor.
func (a actor) Revert(ctx context.Context, c rollout.Command) (rollout.Receipt, error) {
	w, it, err := a.beginRevert(ctx, c)
	if err != nil {
		return rollout.Receipt{}, err
	}
	changed, err := a.walk(ctx, c, it, w.revert)
	if err != nil {
		return rollout.Receipt{}, err
	}
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	r := w.receipt(a.e.viewLocked(), it, c)
	r.Changed = changed
	return r, nil
}

// beginApply checks everything that needs no step, and lets a waiting drift happen.
func (a actor) beginApply(ctx context.Context, c rollout.Command) (way, *item, error) {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	w, it, err := a.enter(ctx, c)
	if err != nil {
		return w, it, err
	}
	if err := a.fence(it, c.Fence); err != nil {
		return w, it, err
	}
	if it.tags[protectedTag] == "true" {
		return w, it, fault.New(fault.Forbidden, "%s is protected by its tag %s; remove the tag to change it.", it.name, protectedTag)
	}
	v := a.e.viewLocked()
	if f, alive := v.formAt(it, v.now); alive {
		if err := w.can(it, f, wanted(c)); err != nil {
			return w, it, err
		}
	}
	if state, alive := v.stateOf(it, c.Action); alive && state.Equal(plan.Pick(c.Action, c.Target.Before)) {
		drift, err := a.e.spend(Drift, it, c.Action)
		if err != nil {
			return w, it, unrecorded(err)
		}
		if drift != nil {
			err := a.e.record(change{Op: opSet, Ref: it.ref, Step: stepDrift, Set: maps.Clone(drift.Set)})
			return w, it, unrecorded(err)
		}
	}
	return w, it, nil
}

// beginRevert is beginApply for the way back. A protected target was never changed, and one that was may be restored.
func (a actor) beginRevert(ctx context.Context, c rollout.Command) (way, *item, error) {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	w, it, err := a.enter(ctx, c)
	if err != nil {
		return w, it, err
	}
	if err := a.fence(it, c.Fence); err != nil {
		return w, it, err
	}
	v := a.e.viewLocked()
	if f, alive := v.formAt(it, v.now); alive {
		if err := w.can(it, f, plan.Pick(c.Action, c.Target.Before)); err != nil {
			return w, it, err
		}
	}
	failure, err := a.e.spend(RevertFails, it, c.Action)
	if err != nil {
		return w, it, unrecorded(err)
	}
	if failure == nil {
		return w, it, nil
	}
	code := failure.Code
	if code == "" {
		code = fault.Internal
	}
	return w, it, fault.New(code, "The cloud could not restore %s; resume the rollback when it can.", it.name)
}

// enter finds the way and the target of a call that the cloud lets in. The caller holds the lock.
func (a actor) enter(ctx context.Context, c rollout.Command) (way, *item, error) {
	if err := ctx.Err(); err != nil {
		return way{}, nil, fault.Wrap(err, fault.Unavailable, "The call was given up before the cloud answered; try again.")
	}
	w, known := ways(c.Action)
	if !known {
		return way{}, nil, fault.Input("action", string(c.Action), "this cloud does not know the action")
	}
	ref := c.Target.Ref
	it := a.e.byID[ref.ID]
	if it == nil || it.ref != ref || ref.Cloud != a.cloud {
		return way{}, nil, missing(ref)
	}
	if ref.Type != w.typ {
		return way{}, nil, fault.Input("target.ref.type", string(ref.Type), "%s changes a %s", c.Action, w.typ)
	}
	slow, err := a.e.spend(Throttle, it, c.Action)
	if err != nil {
		return way{}, nil, unrecorded(err)
	}
	if slow != nil {
		return way{}, nil, tooMany()
	}
	return w, it, nil
}

// fence refuses a token that is older than one seen for the target. The caller holds the lock.
func (a actor) fence(it *item, token int64) error {
	seen := a.e.fences[it.ref.ID]
	if token < seen {
		return fault.New(fault.Conflict, "A newer run has taken over %s; this one must stop.", it.name)
	}
	if token == seen {
		return nil
	}
	return unrecorded(a.e.record(change{Op: opFence, Ref: it.ref, Fence: token}))
}

// walk takes step after step until next knows none. Every step is recorded before the next is decided. A run that took
// over meanwhile stops this one.
func (a actor) walk(ctx context.Context, c rollout.Command, it *item, next func(*view, *item, rollout.Command) (*step, error)) (changed bool, err error) {
	for {
		s, err := a.take(c, it, next)
		if err != nil || s == nil {
			return changed, err
		}
		changed = true
		if err := a.e.clock.Sleep(ctx, s.takes); err != nil {
			return changed, fault.Wrap(err, fault.Unavailable, "The call was given up before the cloud was done; try again.")
		}
	}
}

func (a actor) take(c rollout.Command, it *item, next func(*view, *item, rollout.Command) (*step, error)) (*step, error) {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	if err := a.fence(it, c.Fence); err != nil {
		return nil, err
	}
	s, err := next(a.e.viewLocked(), it, c)
	if err != nil || s == nil {
		return nil, err
	}
	s.change.Execution, s.change.Action = c.Execution, c.Action
	return s, unrecorded(a.e.record(s.change))
}

func missing(ref resource.Ref) error {
	return fault.New(fault.NotFound, "There is no %s %s in account %s; collect the inventory again.", ref.Type, ref.ID, ref.Account)
}

func unrecorded(err error) error {
	return fault.Wrap(err, fault.Internal, "The sandbox could not record a change.")
}
