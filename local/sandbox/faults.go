package sandbox

import (
	"maps"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	// Unhealthy: targets that an action changes from now on fail requests, Rate of them (default 0.18), and take twice the
	// time, until they are as before again or the fault is cleared. Only what serves traffic shows it.
	Unhealthy FaultKind = "unhealthy"
	// Throttle: the next Times calls (default 1) that act on a target are refused with fault.Throttled before they do
	// anything; with Reads, also those that read the cloud.
	Throttle FaultKind = "throttle"
	// Timeout: the next Times calls of Apply (default 1) that change anything do so, but their caller gets fault.Unavailable.
	Timeout FaultKind = "timeout"
	// Drift: somebody else gives the matching resources the attributes in Set: at once, or with OnApply at the moment when
	// an action is about to begin, for Times targets (default 1).
	Drift FaultKind = "drift"
	// RevertFails: the next Times calls of Revert (default 1) do nothing and fail with Code (default fault.Internal).
	RevertFails FaultKind = "revert-fails"
)

// Fault is something that is made to go wrong. It concerns the resources that all of its criteria match; an empty one
// matches everything.
type Fault struct {
	Kind FaultKind `json:"kind"`

	Cloud  resource.Cloud `json:"cloud,omitempty"`
	RefID  string         `json:"ref_id,omitempty"`
	App    string         `json:"app,omitempty"`    // value of the tag "application"
	Action plan.Action    `json:"action,omitempty"` // under which the target is changed

	Times   int               `json:"times,omitempty"`
	Rate    float64           `json:"rate,omitempty"` // of Unhealthy: error rate, 0..1
	Set     map[string]string `json:"set,omitempty"`  // of Drift: resource.Attr names
	OnApply bool              `json:"on_apply,omitempty"`
	Reads   bool              `json:"reads,omitempty"`
	Code    fault.Code        `json:"code,omitempty"` // of RevertFails
}

// activeFault is an injected fault with what became of it.
type activeFault struct {
	Fault
	id           int
	since, ended time.Time // ended is zero while it goes on
	spent        int
}

// Inject makes a fault happen from now on, over restarts too, and returns its number. A fault that is not described
// completely is refused with fault.Invalid.
func (e *Estate) Inject(f Fault) (id int, err error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	f.Set = maps.Clone(f.Set)
	e.mu.Lock()
	defer e.mu.Unlock()
	var drifting []*item
	if f.Kind == Drift && !f.OnApply {
		if drifting = e.viewLocked().drifting(f); len(drifting) == 0 {
			return 0, fault.New(fault.NotFound, "Nothing that exists matches the fault and can have those attributes; name something else.")
		}
	}
	id = len(e.faults) + 1
	if err := e.record(change{Op: opFault, Fault: &f, FaultID: id}); err != nil {
		return 0, unrecorded(err)
	}
	for _, it := range drifting {
		if err := e.record(change{Op: opSet, Ref: it.ref, Step: stepDrift, Set: f.Set}); err != nil {
			return 0, unrecorded(err)
		}
	}
	return id, nil
}

// drifting lists what a drift at once concerns.
func (v *view) drifting(f Fault) []*item {
	var out []*item
	for _, it := range v.items {
		if _, alive := v.formAt(it, v.now); alive && f.matches(it, "") && it.accepts(f.Set) {
			out = append(out, it)
		}
	}
	return out
}

// ClearFaults ends all faults. What they did stays done.
func (e *Estate) ClearFaults() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return unrecorded(e.record(change{Op: opClear}))
}

func (f Fault) check() error {
	switch f.Kind {
	case Unhealthy, Throttle, Timeout, RevertFails:
	case Drift:
		if len(f.Set) == 0 {
			return fault.Input("set", "", "name the attributes that drift and their new values")
		}
		if !f.OnApply && f.RefID == "" && f.App == "" {
			return fault.Input("ref_id", "", "name the resource or the application that drifts at once")
		}
		for name, value := range f.Set {
			if !settable(name, value) {
				return fault.Input("set."+name, value, "no attribute of that name can have that value")
			}
		}
	default:
		return fault.Input("kind", string(f.Kind), "choose unhealthy, throttle, timeout, drift or revert-fails")
	}
	if f.Times < 0 {
		return fault.Input("times", "", "give a number of at least 1, or leave it out for 1")
	}
	if f.Rate < 0 || f.Rate > 1 {
		return fault.Input("rate", "", "give a share between 0 and 1")
	}
	return nil
}

// matches reports whether the fault concerns the resource under the action.
func (f Fault) matches(it *item, action plan.Action) bool {
	return (f.Cloud == "" || f.Cloud == it.ref.Cloud) && (f.RefID == "" || f.RefID == it.ref.ID) &&
		(f.App == "" || f.App == it.app) && (f.Action == "" || f.Action == action)
}

// left is how often the fault will still happen.
func (f *activeFault) left() int {
	if !f.ended.IsZero() {
		return 0
	}
	return max(1, f.Times) - f.spent
}

// spend finds a fault of the kind that concerns the target and counts that it happens; nil when there is none. The
// caller holds the lock.
func (e *Estate) spend(kind FaultKind, it *item, action plan.Action) (*Fault, error) {
	for _, f := range e.faults {
		if f.Kind != kind || f.left() <= 0 || !f.matches(it, action) || kind == Drift && (!f.OnApply || !it.accepts(f.Set)) {
			continue
		}
		found := f.Fault
		return &found, e.record(change{Op: opSpent, FaultID: f.id})
	}
	return nil, nil
}

// throttled refuses a call that only reads when a fault asks for that.
func (e *Estate) throttled(cloud resource.Cloud) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.faults {
		if f.Kind != Throttle || !f.Reads || f.left() <= 0 || f.Cloud != "" && f.Cloud != cloud {
			continue
		}
		if err := e.record(change{Op: opSpent, FaultID: f.id}); err != nil {
			return unrecorded(err)
		}
		return tooMany()
	}
	return nil
}

func tooMany() error {
	return fault.New(fault.Throttled, "The cloud asks for fewer calls; try again in a moment.")
}
