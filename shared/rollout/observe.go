package rollout

import (
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// Observe says what is to be compared when the phase is judged: every watched resource of a target that may have been
// changed by then, against the watched resources of all other targets. A resource that a changed and an unchanged target
// share counts as changed.
func Observe(e Execution, p Phase, until time.Time) Observation {
	o := Observation{Since: p.AppliedAt, Until: until}
	at := map[resource.Ref]time.Time{}
	for _, entry := range e.ordered() {
		if entry.Step != Intended {
			continue
		}
		t, err := e.Target(entry.Ref)
		if err != nil {
			continue // only targets are ever intended
		}
		for _, w := range t.Watch {
			if first, ok := at[w]; !ok || entry.At.Before(first) {
				at[w] = entry.At
			}
		}
	}
	for _, ref := range Watched(e) {
		if t, changed := at[ref]; changed {
			o.Changed = append(o.Changed, Change{Ref: ref, At: t})
		} else {
			o.Control = append(o.Control, ref)
		}
	}
	return o
}

// Refs lists all resources of which an observation needs usage. Without a changed one it needs none.
func (o Observation) Refs() []resource.Ref {
	if len(o.Changed) == 0 {
		return nil
	}
	out := make([]resource.Ref, 0, len(o.Changed)+len(o.Control))
	for _, c := range o.Changed {
		out = append(out, c.Ref)
	}
	return append(out, o.Control...)
}

// From is when the usage that an observation needs begins.
func (o Observation) From() time.Time {
	from := o.Since
	for _, c := range o.Changed {
		if c.At.Before(from) {
			from = c.At
		}
	}
	return from.Add(-Baseline)
}

// Every is the resolution that gives a watch of this length enough samples: a tenth of it, in whole minutes up to five.
func Every(watch time.Duration) time.Duration {
	return min(max((watch/10).Truncate(time.Minute), time.Minute), 5*time.Minute)
}

// Watched lists the resources that any target of the plan is watched by, each once, in the plan's order.
func Watched(e Execution) []resource.Ref {
	var out []resource.Ref
	for _, t := range e.Plan.Targets {
		for _, w := range t.Watch {
			if !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}
