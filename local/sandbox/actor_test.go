package sandbox

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// deed is one action on one resource, with the steps that it takes.
type deed struct {
	action       plan.Action
	name         string
	after        plan.State
	apply, undo  []string
	newlyCreated bool // undoing brings the resource back under a new id
}

func deeds() map[string]deed {
	return map[string]deed{
		"resize on AWS":           {action: plan.ResizeInstance, name: "storefront-01", after: plan.State{"size": "m5.xlarge", "state": "running"}, apply: []string{"stop", "modify", "start"}, undo: []string{"stop", "modify", "start"}},
		"resize on Google Cloud":  {action: plan.ResizeInstance, name: "suggestions-02", after: plan.State{"size": "n2-standard-4", "state": "running"}, apply: []string{"stop", "modify", "start"}, undo: []string{"stop", "modify", "start"}},
		"volume type on AWS":      {action: plan.ChangeVolumeType, name: "events-03-log1", after: retyped("gp3", 3000, 125), apply: []string{"modify"}, undo: []string{"modify"}},
		"volume type on Azure":    {action: plan.ChangeVolumeType, name: "erp-01-data", after: retyped("StandardSSD_LRS", 500, 100), apply: []string{"modify"}, undo: []string{"modify"}},
		"archive on AWS":          {action: plan.ArchiveVolume, name: "checkout-data-old", after: plan.State{"state": plan.Archived}, apply: []string{"snapshot", "delete"}, undo: []string{"restore", "delete-snapshot"}, newlyCreated: true},
		"archive on Google Cloud": {action: plan.ArchiveVolume, name: "import-buffer", after: plan.State{"state": plan.Archived}, apply: []string{"snapshot", "delete"}, undo: []string{"restore", "delete-snapshot"}, newlyCreated: true},
		"archive on Vultr":        {action: plan.ArchiveVolume, name: "edge-logs-old", after: plan.State{"state": plan.Archived}, apply: []string{"snapshot", "delete"}, undo: []string{"restore", "delete-snapshot"}, newlyCreated: true},
	}
}

// steps names the real changes of everything.
func steps(e *Estate) []string {
	var out []string
	for _, m := range e.Mutations(resource.Ref{}) {
		out = append(out, m.Step)
	}
	return out
}

func apply(t testing.TB, e *Estate, c rollout.Command) rollout.Receipt {
	t.Helper()
	r, err := e.Actor(c.Target.Ref.Cloud).Apply(t.Context(), c)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return r
}

func revert(t testing.TB, e *Estate, c rollout.Command) rollout.Receipt {
	t.Helper()
	r, err := e.Actor(c.Target.Ref.Cloud).Revert(t.Context(), c)
	if err != nil {
		t.Fatalf("Revert: %v", err)
	}
	return r
}

func verify(t testing.TB, e *Estate, c rollout.Command) bool {
	t.Helper()
	ok, err := e.Actor(c.Target.Ref.Cloud).Verify(t.Context(), c)
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return ok
}

// sameAs reports whether the estate is as it was, but for the identifier and age of what was made anew.
func sameAs(e *Estate, before []resource.Resource, d deed) bool {
	now := e.Snapshot()
	if !d.newlyCreated {
		return reflect.DeepEqual(now, before)
	}
	strip := func(all []resource.Resource) map[string]resource.Resource {
		out := map[string]resource.Resource{}
		for _, r := range all {
			delete(r.Tags, executionTag)
			delete(r.Tags, restoredTag)
			if r.Name == d.name {
				r.ID, r.CreatedAt = "", e.base.Start
			}
			out[fmt.Sprint(r.Type, r.Name, r.ID)] = r
		}
		return out
	}
	return len(now) == len(before) && reflect.DeepEqual(strip(now), strip(before))
}

func TestActionsAreDoneOnceAndUndone(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t, Options{})
			before := e.Snapshot()
			c := e.command(t, d.action, d.name, d.after)
			if verify(t, e, c) {
				t.Error("verified before it was done")
			}
			first := apply(t, e, c)
			second := apply(t, e, c)
			if !first.Changed || second.Changed || !verify(t, e, c) {
				t.Errorf("applied: changed %t, again %t, verified %t", first.Changed, second.Changed, verify(t, e, c))
			}
			if first.Changed = false; !reflect.DeepEqual(first, second) {
				t.Errorf("receipts %+v and %+v", first, second)
			}
			if got := steps(e); !reflect.DeepEqual(got, d.apply) {
				t.Errorf("took the steps %v, want %v", got, d.apply)
			}
			if !first.State.Equal(d.after) {
				t.Errorf("the receipt says %v, want %v", first.State, d.after)
			}
			undone, again := revert(t, e, c), revert(t, e, c)
			if !undone.Changed || again.Changed || verify(t, e, c) {
				t.Errorf("reverted: changed %t, again %t", undone.Changed, again.Changed)
			}
			if !undone.State.Equal(c.Target.Before) {
				t.Errorf("reverted to %v, want %v", undone.State, c.Target.Before)
			}
			if got := steps(e)[len(d.apply):]; !reflect.DeepEqual(got, d.undo) {
				t.Errorf("went back by %v, want %v", got, d.undo)
			}
			if !sameAs(e, before, d) {
				t.Error("the estate is not as it was before")
			}
		})
	}
}

func TestOlderFenceIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, Options{Dir: dir})
	c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
	c.Fence = 5
	apply(t, e, c)
	c.Fence = 4
	for _, e := range []*Estate{e, open(t, Options{Dir: dir})} {
		if _, err := e.Actor(resource.AWS).Apply(t.Context(), c); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("Apply with an older token: %v", err)
		}
		if _, err := e.Actor(resource.AWS).Revert(t.Context(), c); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("Revert with an older token: %v", err)
		}
		if !verify(t, e, c) {
			t.Error("the refused call changed something")
		}
	}
	c.Fence = 6
	revert(t, e, c)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	unknown := resource.Ref{Cloud: resource.AWS, Account: awsProd, Region: "us-east-1", Type: resource.Instance, ID: "i-none"}
	for name, c := range map[string]struct {
		action plan.Action
		name   string
		after  plan.State
		change func(*rollout.Command)
		want   fault.Code
	}{
		"unknown target":           {plan.ResizeInstance, "storefront-01", resized("m5.xlarge"), func(c *rollout.Command) { c.Target.Ref = unknown }, fault.NotFound},
		"another account's target": {plan.ResizeInstance, "storefront-01", resized("m5.xlarge"), func(c *rollout.Command) { c.Target.Ref.Account = awsDev }, fault.NotFound},
		"unknown action":           {plan.ResizeInstance, "storefront-01", resized("m5.xlarge"), func(c *rollout.Command) { c.Action = "paint" }, fault.Invalid},
		"wrong type":               {plan.ResizeInstance, "storefront-01", resized("m5.xlarge"), func(c *rollout.Command) { c.Action = plan.ChangeVolumeType }, fault.Invalid},
		"unknown size":             {plan.ResizeInstance, "storefront-01", resized("m9.huge"), nil, fault.Unprocessable},
		"smaller on Vultr":         {plan.ResizeInstance, "mirror-01", resized("vc2-4c-8gb"), nil, fault.Unprocessable},
		"other state than planned": {plan.ResizeInstance, "storefront-01", resized("m5.xlarge"), func(c *rollout.Command) { c.Target.Before["size"] = "m5.4xlarge" }, fault.Drifted},
		"stopped by somebody":      {plan.ResizeInstance, "images-01", resized("m5.xlarge"), func(c *rollout.Command) { c.Target.Before["state"] = "stopped" }, fault.Drifted},
		"protected":                {plan.ArchiveVolume, protectedVolume, plan.State{"state": plan.Archived}, nil, fault.Forbidden},
		"volume in use":            {plan.ArchiveVolume, "events-01-log1", plan.State{"state": plan.Archived}, nil, fault.Conflict},
		"unknown volume type":      {plan.ChangeVolumeType, "events-01-log1", retyped("gp9", 3000, 125), nil, fault.Unprocessable},
		"too many IOPS":            {plan.ChangeVolumeType, "events-01-log1", retyped("gp3", 99000, 125), nil, fault.Unprocessable},
		"IOPS that nobody sells":   {plan.ChangeVolumeType, "erp-01-data", retyped("StandardSSD_LRS", 5000, 100), nil, fault.Unprocessable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t, Options{})
			before := e.Snapshot()
			command := e.command(t, c.action, c.name, c.after)
			if c.change != nil {
				c.change(&command)
			}
			_, err := e.Actor(command.Target.Ref.Cloud).Apply(t.Context(), command)
			if got := fault.CodeOf(err); err == nil || got != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if !reflect.DeepEqual(e.Snapshot(), before) || len(e.Mutations(resource.Ref{})) != 0 {
				t.Error("the refused call changed something")
			}
		})
	}
}

func TestCaptureIsWhatAPlanHolds(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	for _, d := range deeds() {
		c := e.command(t, d.action, d.name, d.after)
		want := plan.Pick(d.action, e.named(t, d.name).Attributes)
		if !c.Target.Before.Equal(want) || len(want) != len(plan.Attributes(d.action)) {
			t.Errorf("%s: captured %v, the inventory says %v", d.action, c.Target.Before, want)
		}
	}
}

func TestRevertOfWhatNeverBeganChangesNothing(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		e := open(t, Options{})
		before := e.Snapshot()
		if r := revert(t, e, e.command(t, d.action, d.name, d.after)); r.Changed || !reflect.DeepEqual(e.Snapshot(), before) {
			t.Errorf("%s: changed %t", name, r.Changed)
		}
	}
}

func TestArchivedAndRestoredIsNotArchivedAgain(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	c := e.command(t, plan.ArchiveVolume, "checkout-data-old", nil)
	r := apply(t, e, c)
	snapshot := e.named(t, "checkout-data-old-archive")
	if r.Handles["snapshot"] != snapshot.ID || snapshot.Tags[executionTag] != c.Execution || snapshot.Attributes["gib"] != "1000" {
		t.Errorf("the handles are %v, the snapshot is %+v", r.Handles, snapshot)
	}
	back := revert(t, e, c) // without handles
	if restored := e.named(t, "checkout-data-old"); back.Handles["replacement"] != restored.ID || restored.ID == c.Target.Ref.ID {
		t.Errorf("the handles are %v, the restored volume is %s", back.Handles, restored.ID)
	}
	if _, err := e.Actor(resource.AWS).Apply(t.Context(), c); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("applied after it was reverted: %v", err)
	}
	c.Execution = "exec-2"
	if _, err := e.Actor(resource.AWS).Apply(t.Context(), c); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("another execution archives what is gone: %v", err)
	}
}
