package sandbox

import (
	"maps"
	"time"

	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// view is the estate at one moment, which later changes leave as it is.
type view struct {
	base   beginning
	now    time.Time
	items  []*item
	past   map[string][]change
	faults []activeFault
	meters []meter
}

func (e *Estate) view() *view {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.viewLocked()
}

func (e *Estate) viewLocked() *view {
	v := &view{base: e.base, now: e.clock.Now(), items: e.items[:len(e.items):len(e.items)], past: maps.Clone(e.past), meters: e.meters}
	for _, f := range e.faults {
		v.faults = append(v.faults, *f)
	}
	return v
}

// span is a time during which a resource kept its form.
type span struct {
	form     form
	from, to time.Time
	reshaped time.Time   // when it got its size or volume type; zero: it was born with them
	by       plan.Action // that reshaped it
}

// spans cuts the part of [from, to) in which the resource existed at its changes.
func (v *view) spans(it *item, from, to time.Time) []span {
	from = later(from, it.born)
	if !it.gone.IsZero() && it.gone.Before(to) {
		to = it.gone
	}
	var out []span
	s := span{form: it.form, from: from, to: to}
	for _, c := range v.past[it.ref.ID] {
		if !c.At.Before(to) {
			break
		}
		if c.At.After(s.from) {
			done := s
			done.to = c.At
			out = append(out, done)
			s.from = c.At
		}
		if c.Op == opDelete {
			return out
		}
		s.form = s.form.apply(c.Set)
		if c.reshapes() {
			s.reshaped, s.by = c.At, c.Action
		}
	}
	if s.from.Before(to) {
		out = append(out, s)
	}
	return out
}

// reshapes reports whether the change sets what decides how a resource performs.
func (c change) reshapes() bool {
	_, size := c.Set[resource.AttrSize]
	_, volumeType := c.Set[resource.AttrVolumeType]
	return size || volumeType
}

// formAt is the resource's form at t, and whether it exists then. An instance that its schedule has stopped shows so.
func (v *view) formAt(it *item, t time.Time) (form, bool) {
	spans := v.spans(it, t, t.Add(1))
	if len(spans) == 0 {
		return form{}, false
	}
	f := spans[len(spans)-1].form
	if it.ref.Type == resource.Instance && f.state == "running" && !it.runs.on(t) {
		f.state = "stopped"
	}
	return f, true
}

// on reports whether the schedule runs at t.
func (s schedule) on(t time.Time) bool {
	switch s {
	case workdays:
		return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && t.Hour() >= 8 && t.Hour() < 20
	case monthly:
		return t.Day() <= 2
	}
	return true
}

// find gives the resource of the reference, whether it still exists or not; nil when there never was one.
func (v *view) find(ref resource.Ref) *item {
	for _, it := range v.items {
		if it.ref == ref {
			return it
		}
	}
	return nil
}

// lastForm is the form at the end of what the estate knows of the resource.
func (v *view) lastForm(it *item) form {
	f := it.form
	for _, c := range v.past[it.ref.ID] {
		f = f.apply(c.Set)
	}
	return f
}
