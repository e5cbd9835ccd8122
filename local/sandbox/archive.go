package sandbox

import (
	"fmt"
	"maps"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// Tags of what an action makes.
const (
	executionTag = "cost-agent:execution"     // under which execution
	volumeTag    = "cost-agent:volume"        // on a snapshot: the volume it holds
	restoredTag  = "cost-agent:restored-from" // on a restored volume: the one that it replaces
)

// Handles in receipts.
const (
	handleSnapshot    = "snapshot"
	handleReplacement = "replacement"
)

// archive makes the snapshot and then deletes the volume.
func archive(v *view, it *item, c rollout.Command) (*step, error) {
	snapshot := v.snapshotOf(it, c)
	now, alive := v.stateOf(it, c.Action)
	switch {
	case !alive && snapshot != nil:
		return nil, nil
	case !alive && v.replacementOf(it, c) != nil:
		return nil, fault.New(fault.Conflict, "%s was archived and restored by this execution; make a new plan.", it.name)
	case !alive:
		return nil, missing(it.ref)
	case now[resource.AttrState] != "available":
		return nil, inUse(it)
	case !now.Equal(plan.Pick(c.Action, c.Target.Before)):
		return nil, drifted(it)
	case snapshot == nil:
		return v.create(it, c, stepSnapshot, resource.Snapshot, it.ref.ID, map[string]string{resource.AttrGiB: now[resource.AttrGiB]}), nil
	}
	return &step{change{Op: opDelete, Ref: it.ref, Step: stepDelete}, takes[stepDelete]}, nil
}

// restore makes the volume anew unless it is still there, and then deletes the snapshot.
func restore(v *view, it *item, c rollout.Command) (*step, error) {
	snapshot := v.snapshotOf(it, c)
	_, alive := v.formAt(it, v.now)
	switch {
	case !alive && v.replacementOf(it, c) == nil && snapshot == nil:
		return nil, fault.New(fault.NotFound, "The snapshot of %s is gone, so it cannot be restored; look for a backup.", it.name)
	case !alive && v.replacementOf(it, c) == nil:
		// Archiving made sure that the last form is the state before.
		as := v.lastForm(it).attributes(resource.Volume, it.ref.Cloud)
		return v.create(it, c, stepRestore, resource.Volume, snapshot.ref.ID, as), nil
	case snapshot != nil:
		return &step{change{Op: opDelete, Ref: snapshot.ref, Step: stepDeleteSnapshot}, takes[stepDeleteSnapshot]}, nil
	}
	return nil, nil
}

// create is the step that makes a snapshot of the volume, or a volume in its place. The identifier follows from the
// estate's history, so that it is repeatable and never used twice.
func (v *view) create(it *item, c rollout.Command, name string, typ resource.Type, from string, attributes map[string]string) *step {
	tags := maps.Clone(it.tags)
	tags[executionTag] = c.Execution
	title := it.name + "-archive"
	if typ == resource.Snapshot {
		tags[volumeTag] = it.ref.ID
	} else {
		tags[restoredTag] = it.ref.ID
		title = it.name
	}
	ref := it.ref
	ref.Type = typ
	ref.ID = resourceID(v.base.Seed, ref.Cloud, ref.Account, ref.Region, typ, fmt.Sprintf("%s-%d", title, len(v.items)))
	return &step{change{Op: opCreate, Ref: ref, Step: name, Created: &created{Name: title, Tags: tags, Attributes: attributes, From: from}}, takes[name]}
}

// snapshotOf finds the snapshot that this execution made of the volume, by its tags, so that a lost handle is no loss;
// nil when there is none any more.
func (v *view) snapshotOf(it *item, c rollout.Command) *item {
	for _, s := range v.items {
		if s.ref.Type != resource.Snapshot || s.tags[volumeTag] != it.ref.ID || s.tags[executionTag] != c.Execution {
			continue
		}
		if _, alive := v.formAt(s, v.now); alive {
			return s
		}
	}
	return nil
}

// replacementOf finds the volume that this execution restored in place of the target.
func (v *view) replacementOf(it *item, c rollout.Command) *item {
	for _, r := range v.items {
		if r.ref.Type != resource.Volume || r.tags[restoredTag] != it.ref.ID || r.tags[executionTag] != c.Execution {
			continue
		}
		if _, alive := v.formAt(r, v.now); alive {
			return r
		}
	}
	return nil
}

func archived(v *view, it *item, c rollout.Command) bool {
	_, alive := v.formAt(it, v.now)
	return !alive && v.snapshotOf(it, c) != nil
}

func archiveReceipt(v *view, it *item, c rollout.Command) rollout.Receipt {
	if r := v.replacementOf(it, c); r != nil {
		state, _ := v.stateOf(r, c.Action)
		return rollout.Receipt{Ref: it.ref, State: state, Handles: map[string]string{handleReplacement: r.ref.ID}}
	}
	if s := v.snapshotOf(it, c); s != nil {
		return rollout.Receipt{Ref: it.ref, State: plan.State{resource.AttrState: plan.Archived}, Handles: map[string]string{handleSnapshot: s.ref.ID}}
	}
	return plainReceipt(v, it, c)
}

func inUse(it *item) error {
	return fault.New(fault.Conflict, "%s is in use; detach it first.", it.name)
}
