package rollout_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

func ref(id string) resource.Ref {
	return resource.Ref{Cloud: resource.AWS, Account: "1", Region: "r", Type: resource.Instance, ID: id}
}

func planOf(n int) plan.Plan {
	p := plan.Plan{Cloud: resource.AWS, Action: plan.ResizeInstance}
	for i := range n {
		r := ref(fmt.Sprintf("i-%03d", i))
		p.Targets = append(p.Targets, plan.Target{
			Ref: r, Watch: []resource.Ref{r},
			Before: plan.State{"size": "m5.2xlarge", "state": "running"}, After: plan.State{"size": "m5.xlarge", "state": "running"},
		})
	}
	return p
}

func TestPhasesOfGradual(t *testing.T) {
	t.Parallel()
	for targets, want := range map[int][][2]int{ // percent, number of targets
		0:   nil,
		1:   {{100, 1}},
		2:   {{50, 1}, {100, 1}},
		3:   {{50, 1}, {100, 2}},
		4:   {{10, 1}, {50, 1}, {100, 2}},
		10:  {{10, 1}, {50, 4}, {100, 5}},
		19:  {{10, 1}, {50, 8}, {100, 10}},
		200: {{10, 20}, {50, 80}, {100, 100}},
	} {
		var got [][2]int
		for _, p := range rollout.Divide(planOf(targets), rollout.Strategy{Steps: rollout.DefaultSteps}) {
			got = append(got, [2]int{p.Percent, len(p.Targets)})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d targets: %v, want %v", targets, got, want)
		}
	}
	if got := rollout.Divide(planOf(7), rollout.Strategy{Steps: []int{100}}); len(got) != 1 || len(got[0].Targets) != 7 {
		t.Errorf("immediate: %v, want one phase of all", got)
	}
}

func TestPhasesHoldEveryTargetOnceInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfNDistinct(rapid.IntRange(1, 99), 0, 6, rapid.ID[int]).Draw(t, "steps")
		slices.Sort(steps)
		s, err := rollout.NewStrategy(rollout.Strategy{Steps: append(steps, 100)})
		if err != nil {
			t.Fatal(err)
		}
		p := planOf(rapid.IntRange(1, 120).Draw(t, "targets"))
		var got, want []resource.Ref
		for i, phase := range rollout.Divide(p, s) {
			if phase.Number != i+1 || len(phase.Targets) == 0 {
				t.Fatalf("phase %d is number %d with %d targets", i+1, phase.Number, len(phase.Targets))
			}
			got = append(got, phase.Targets...)
			if len(got) > 1 && 100*len(got) > phase.Percent*len(p.Targets) {
				t.Fatalf("%d of %d targets are changed at %d %%", len(got), len(p.Targets), phase.Percent)
			}
		}
		for _, target := range p.Targets {
			want = append(want, target.Ref)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("phases hold %v, the plan %v", got, want)
		}
	})
}

func TestStrategy(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	good := map[string]rollout.Strategy{
		"nothing said": {}, "immediate": {Mode: rollout.Immediate}, "scheduled": {Mode: rollout.Scheduled, At: at},
		"own steps": {Mode: rollout.Gradual, Steps: []int{25, 100}}, "a day": {Watch: 24 * time.Hour},
	}
	for name, s := range good {
		got, err := rollout.NewStrategy(s)
		if err != nil || got.Mode == "" || got.Watch == 0 || got.Steps[len(got.Steps)-1] != 100 {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	bad := map[string]rollout.Strategy{
		"unknown mode": {Mode: "fast"}, "steps fall": {Steps: []int{50, 10, 100}}, "steps repeat": {Steps: []int{50, 50, 100}},
		"too much": {Steps: []int{50, 110}}, "no end": {Steps: []int{10, 50}}, "nothing first": {Steps: []int{0, 100}},
		"immediate in steps": {Mode: rollout.Immediate, Steps: []int{50, 100}}, "scheduled for no time": {Mode: rollout.Scheduled},
		"time but not scheduled": {Mode: rollout.Gradual, At: at}, "too short": {Watch: 2 * time.Minute}, "too long": {Watch: 25 * time.Hour},
	}
	for name, s := range bad {
		if _, err := rollout.NewStrategy(s); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}

// The least samples that a test needs come together within the extensions, however the watch falls between the measurements.
func TestEveryWatchCanBeJudged(t *testing.T) {
	t.Parallel()
	th := rollout.DefaultThresholds
	for watch := rollout.LeastWatch; watch <= rollout.MostWatch; watch += time.Minute {
		if whole := int(time.Duration(th.Extensions+1)*watch/rollout.Every(watch)) - 1; whole < th.MinSamples {
			t.Errorf("%s: %d samples, and %d are needed", watch, whole, th.MinSamples)
		}
	}
}

func TestRails(t *testing.T) {
	t.Parallel()
	twice := planOf(2)
	twice.Targets[1] = twice.Targets[0]
	for name, c := range map[string]struct {
		err  error
		want fault.Code
	}{
		"as many as allowed":  {rollout.Rails{}.Size(planOf(200)), ""},
		"one more":            {rollout.Rails{}.Size(planOf(201)), fault.TooLarge},
		"own limit":           {rollout.Rails{Targets: 3}.Size(planOf(4)), fault.TooLarge},
		"none":                {rollout.Rails{}.Size(planOf(0)), fault.Invalid},
		"one twice":           {rollout.Rails{}.Size(twice), fault.Invalid},
		"protected":           {rollout.Rails{}.Tags(planOf(3), tags("i-001", "cost-agent:protected", "true")), fault.Forbidden},
		"not protected":       {rollout.Rails{}.Tags(planOf(3), tags("i-001", "cost-agent:protected", "false")), ""},
		"not in the plan":     {rollout.Rails{}.Tags(planOf(3), tags("i-009", "cost-agent:protected", "true")), ""},
		"protected by yes":    {rollout.Rails{}.Tags(planOf(3), tags("i-002", "cost-agent:protected", "yes")), fault.Forbidden},
		"protected by naught": {rollout.Rails{}.Tags(planOf(3), tags("i-002", "cost-agent:protected", "")), fault.Forbidden},
		"not known":           {rollout.Rails{}.Tags(planOf(3), map[resource.Ref]map[string]string{ref("i-001"): nil}), fault.Conflict},
		"frozen":              {rollout.Freeze{Frozen: true, Reason: "sales week"}.Check(), fault.Conflict},
		"not frozen":          {rollout.Freeze{}.Check(), ""},
	} {
		if c.want == "" && c.err != nil || c.want != "" && fault.CodeOf(c.err) != c.want {
			t.Errorf("%s: %v, want %q", name, c.err, c.want)
		}
	}
}

// tags are those of four resources, of which one has any.
func tags(id, key, value string) map[resource.Ref]map[string]string {
	return map[resource.Ref]map[string]string{ref("i-000"): nil, ref("i-001"): nil, ref("i-002"): nil, ref("i-003"): nil, ref(id): {key: value}}
}

func TestOnlyWhatWasApproved(t *testing.T) {
	t.Parallel()
	p := planOf(2)
	e := rollout.Execution{Plan: p, PlanHash: p.Hash()}
	if err := rollout.Approved(e, p.Hash()); err != nil {
		t.Error(err)
	}
	other := planOf(3)
	for name, c := range map[string]struct {
		plan            plan.Plan
		asked, approval string
	}{
		"another plan":      {other, p.Hash(), p.Hash()},
		"another request":   {p, other.Hash(), p.Hash()},
		"another approval":  {p, p.Hash(), other.Hash()},
		"no hash":           {p, "", ""},
		"approval of later": {other, other.Hash(), p.Hash()},
	} {
		if err := rollout.Approved(rollout.Execution{Plan: c.plan, PlanHash: c.asked}, c.approval); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("%s: %v, want Conflict", name, err)
		}
	}
}

func TestDriftIsTold(t *testing.T) {
	t.Parallel()
	p := planOf(3)
	found := []rollout.Captured{
		{Ref: ref("i-000"), State: plan.State{"size": "m5.2xlarge", "state": "running"}},
		{Ref: ref("i-001"), State: plan.State{"size": "m5.4xlarge", "state": "running", "extra": "x"}},
	}
	var got []string
	for _, d := range rollout.Drift(p, found) {
		got = append(got, d.String())
	}
	want := []string{`i-001: extra is "x", approved was ""`, `i-001: size is "m5.4xlarge", approved was "m5.2xlarge"`, "i-002 could not be found"}
	if !slices.Equal(got, want) {
		t.Errorf("Drift = %q, want %q", got, want)
	}
	if err := rollout.Drifted(rollout.Drift(p, found)); fault.CodeOf(err) != fault.Drifted {
		t.Errorf("Drifted = %v", err)
	}
	if err := rollout.Drifted(nil); err != nil {
		t.Errorf("no drift: %v", err)
	}
}
