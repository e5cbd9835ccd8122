package sandbox

import (
	"maps"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// What a step does, as the change log and Mutations name it.
const (
	stepStop           = "stop"
	stepModify         = "modify"
	stepStart          = "start"
	stepSnapshot       = "snapshot"
	stepDelete         = "delete"
	stepRestore        = "restore"
	stepDeleteSnapshot = "delete-snapshot"
	stepDrift          = "drift" // somebody else's change
)

// takes is how long the cloud works on each.
var takes = map[string]time.Duration{
	stepStop: 40 * time.Second, stepModify: 5 * time.Second, stepStart: 50 * time.Second, stepSnapshot: 90 * time.Second,
	stepDelete: 5 * time.Second, stepRestore: 60 * time.Second, stepDeleteSnapshot: 5 * time.Second,
}

// move is one step of a change between two states, whichever of them is the state before.
type move func(v *view, it *item, c rollout.Command, from, to plan.State) (*step, error)

func forward(m move) func(*view, *item, rollout.Command) (*step, error) {
	return func(v *view, it *item, c rollout.Command) (*step, error) {
		return m(v, it, c, plan.Pick(c.Action, c.Target.Before), wanted(c))
	}
}

func back(m move) func(*view, *item, rollout.Command) (*step, error) {
	return func(v *view, it *item, c rollout.Command) (*step, error) {
		return m(v, it, c, wanted(c), plan.Pick(c.Action, c.Target.Before))
	}
}

// wanted is the state After; what it does not name stays as Before.
func wanted(c rollout.Command) plan.State {
	out := plan.Pick(c.Action, c.Target.Before)
	maps.Copy(out, plan.Pick(c.Action, c.Target.After))
	return out
}

// stateOf is what the action is concerned with, now, and whether the resource exists.
func (v *view) stateOf(it *item, action plan.Action) (plan.State, bool) {
	f, alive := v.formAt(it, v.now)
	return plan.Pick(action, f.attributes(it.ref.Type, it.ref.Cloud)), alive
}

// ownedBy reports whether the last change of the resource was made under the execution.
func (v *view) ownedBy(it *item, execution string) bool {
	past := v.past[it.ref.ID]
	return len(past) > 0 && past[len(past)-1].Execution == execution
}

func set(it *item, name string, values map[string]string) *step {
	return &step{change{Op: opSet, Ref: it.ref, Step: name, Set: values}, takes[name]}
}

// resize stops the instance, changes its size and starts it. Stopped by this execution, with either size, is a state on
// the way; any other state is not ours.
func resize(v *view, it *item, c rollout.Command, from, to plan.State) (*step, error) {
	now, alive := v.stateOf(it, c.Action)
	size, state := now[resource.AttrSize], now[resource.AttrState]
	onTheWay := state == "stopped" && v.ownedBy(it, c.Execution) && (size == from[resource.AttrSize] || size == to[resource.AttrSize])
	switch {
	case !alive:
		return nil, missing(it.ref)
	case now.Equal(to):
		return nil, nil
	case !now.Equal(from) && !onTheWay:
		return nil, drifted(it)
	case size != to[resource.AttrSize] && state == "stopped":
		return set(it, stepModify, map[string]string{resource.AttrSize: to[resource.AttrSize]}), nil
	case state == "stopped":
		return set(it, stepStart, map[string]string{resource.AttrState: "running"}), nil
	}
	return set(it, stepStop, map[string]string{resource.AttrState: "stopped"}), nil
}

// retype changes the volume in one step, while it is in use.
func retype(v *view, it *item, c rollout.Command, from, to plan.State) (*step, error) {
	now, alive := v.stateOf(it, c.Action)
	switch {
	case !alive:
		return nil, missing(it.ref)
	case now.Equal(to):
		return nil, nil
	case !now.Equal(from):
		return nil, drifted(it)
	}
	return set(it, stepModify, maps.Clone(to)), nil
}

func reached(v *view, it *item, c rollout.Command) bool {
	now, alive := v.stateOf(it, c.Action)
	return alive && now.Equal(wanted(c))
}

func plainReceipt(v *view, it *item, c rollout.Command) rollout.Receipt {
	now, _ := v.stateOf(it, c.Action)
	return rollout.Receipt{Ref: it.ref, State: now}
}

func drifted(it *item) error {
	return fault.New(fault.Drifted, "%s is no longer as it was when the plan was made; make a new plan.", it.name)
}

// canResize refuses sizes that the cloud does not have. Vultr cannot make an instance smaller, because its disk would
// have to shrink.
func canResize(it *item, f form, to plan.State) error {
	sizes := instanceSizes[it.ref.Cloud]
	size, known := sizes[to[resource.AttrSize]]
	if !known {
		return fault.New(fault.Unprocessable, "%s has no instance size %q; choose another.", it.ref.Cloud.BillName(), to[resource.AttrSize])
	}
	if it.ref.Cloud == resource.Vultr && size.memory < sizes[f.size].memory {
		return fault.New(fault.Unprocessable, "Vultr cannot make %s smaller; replace it by a new instance.", it.name)
	}
	return nil
}

// canRetype refuses types, and performances of them, that the cloud does not have.
func canRetype(it *item, f form, to plan.State) error {
	name := to[resource.AttrVolumeType]
	d, known := disks[it.ref.Cloud][name]
	if !known {
		return fault.New(fault.Unprocessable, "%s has no volume type %q; choose another.", it.ref.Cloud.BillName(), name)
	}
	iops, mibps := d.performance(f.gib)
	wantIOPS, wantMiBps := atoi(to[resource.AttrIOPS]), atoi(to[resource.AttrThroughput])
	if d.iopsMonth == "" && (wantIOPS != iops || wantMiBps != mibps) {
		return fault.New(fault.Unprocessable, "A %s volume of %d GiB has %d IOPS and %d MiB/s, no others; ask for these.", name, f.gib, iops, mibps)
	}
	if d.iopsMonth != "" && (wantIOPS < iops || wantIOPS > d.most || wantMiBps < mibps || wantMiBps > mostThroughput) {
		return fault.New(fault.Unprocessable, "A %s volume can have %d to %d IOPS and %d to %d MiB/s; ask for that.", name, iops, d.most, mibps, mostThroughput)
	}
	return nil
}

// canAlways is for an action that every cloud can do.
func canAlways(*item, form, plan.State) error { return nil }
