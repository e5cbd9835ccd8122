package plan_test

import (
	"testing"

	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func example() plan.Plan {
	return plan.Plan{Cloud: resource.AWS, Action: plan.ResizeInstance, Targets: []plan.Target{
		{Ref: resource.Ref{Cloud: resource.AWS, ID: "i-1"}, Before: plan.State{"size": "m5.2xlarge", "state": "running"}, After: plan.State{"size": "m5.xlarge", "state": "running"}},
		{Ref: resource.Ref{Cloud: resource.AWS, ID: "i-2"}, Before: plan.State{"size": "m5.2xlarge", "state": "running"}, After: plan.State{"size": "m5.xlarge", "state": "running"}},
	}}
}

func TestHashCoversEverythingThatIsApproved(t *testing.T) {
	t.Parallel()
	want := example().Hash()
	for range 20 { // map order must not matter
		if got := example().Hash(); got != want {
			t.Fatalf("the same plan hashes to %s and %s", want, got)
		}
	}
	for name, change := range map[string]func(*plan.Plan){
		"action":       func(p *plan.Plan) { p.Action = plan.ChangeVolumeType },
		"cloud":        func(p *plan.Plan) { p.Cloud = resource.GCP },
		"a target":     func(p *plan.Plan) { p.Targets[1].Ref.ID = "i-3" },
		"target gone":  func(p *plan.Plan) { p.Targets = p.Targets[:1] },
		"order":        func(p *plan.Plan) { p.Targets[0], p.Targets[1] = p.Targets[1], p.Targets[0] },
		"state before": func(p *plan.Plan) { p.Targets[0].Before["size"] = "m5.4xlarge" },
		"watched":      func(p *plan.Plan) { p.Targets[1].Watch = []resource.Ref{p.Targets[0].Ref} },
		"state after":  func(p *plan.Plan) { p.Targets[0].After["size"] = "m5.large" },
	} {
		p := example()
		change(&p)
		if p.Hash() == want {
			t.Errorf("changing %s did not change the hash", name)
		}
	}
}

func TestStatesAreEqualOnlyWithTheSameAttributes(t *testing.T) {
	t.Parallel()
	s := plan.State{"size": "a"}
	for name, other := range map[string]plan.State{
		"another value": {"size": "b"}, "another key": {"kind": "a"}, "one more": {"size": "a", "kind": ""}, "none": nil,
	} {
		if s.Equal(other) || other.Equal(s) {
			t.Errorf("equal to a state with %s", name)
		}
	}
	if !s.Equal(plan.State{"size": "a"}) {
		t.Error("not equal to itself")
	}
}

func TestPickKeepsExactlyWhatTheActionIsConcernedWith(t *testing.T) {
	t.Parallel()
	all := map[string]string{
		resource.AttrState: "available", resource.AttrSize: "m5.large", resource.AttrVolumeType: "gp2", resource.AttrGiB: "500",
		resource.AttrIOPS: "1500", resource.AttrThroughput: "250", resource.AttrAttachedTo: "", resource.AttrVCPU: "2", resource.AttrOS: "linux",
	}
	for action, want := range map[plan.Action]plan.State{
		plan.ResizeInstance:   {"size": "m5.large", "state": "available"},
		plan.ChangeVolumeType: {"volume_type": "gp2", "iops": "1500", "throughput_mibps": "250"},
		plan.ArchiveVolume: {"state": "available", "attached_to": "", "gib": "500", "volume_type": "gp2", "iops": "1500",
			"throughput_mibps": "250"},
		"dance": {},
	} {
		if got := plan.Pick(action, all); !got.Equal(want) {
			t.Errorf("%s is concerned with %v, want %v", action, got, want)
		}
	}
	if got := plan.Pick(plan.ResizeInstance, map[string]string{"size": "m5.large"}); !got.Equal(plan.State{"size": "m5.large"}) {
		t.Errorf("an attribute that is not there appeared: %v", got)
	}
}
