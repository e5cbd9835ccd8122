package main

import (
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// alert is the day on which the detector reports an incident, and the scopes it names as its cause, best first.
type alert struct {
	causes []cost.Scope
	day    int
}

// tally counts over events and alerts.
type tally struct {
	found, events, falseRuns int
	delay, top1, top3        int
}

func (t *tally) add(o tally) {
	t.found, t.events, t.falseRuns = t.found+o.found, t.events+o.events, t.falseRuns+o.falseRuns
	t.delay, t.top1, t.top3 = t.delay+o.delay, t.top1+o.top1, t.top3+o.top3
}

// measure turns counts into shares. Precision counts an event once, however often it was reported.
func (t *tally) measure() measure {
	m := measure{Events: t.events}
	m.Precision = ratio(t.found, t.found+t.falseRuns)
	m.Recall = ratio(t.found, t.events)
	m.F1 = ratio(2*t.found, t.found+t.events+t.falseRuns)
	m.DaysToDetect = ratio(t.delay, t.found)
	return m
}

func ratio(a, b int) *float64 {
	if b == 0 {
		return nil
	}
	v := float64(a) / float64(b)
	return &v
}

// foundWithin is by how many days after its start an event must be reported.
const foundWithin = 6

// grace is how many days after its end an event still excuses an alert.
const grace = 2

func (l label) foundBy() int {
	if l.Kind == "ramp" {
		return l.End
	}
	return min(l.End, l.Start+foundWithin)
}

// score compares alerts with labels: an event is found by an alert about its scope in time; alerts about no event are false,
// those of one scope with a gap of at most two days being one.
func score(labels []label, alerts []alert, same func(a, b cost.Scope) bool) tally {
	slices.SortStableFunc(alerts, func(a, b alert) int { return a.day - b.day })
	t := tally{events: len(labels)}
	for _, l := range labels {
		at := slices.IndexFunc(alerts, func(a alert) bool {
			return a.day >= l.Start && a.day <= l.foundBy() && related(a.causes[0], l.scope())
		})
		if at < 0 {
			continue
		}
		t.found++
		t.delay += alerts[at].day - l.Start
		rank := slices.IndexFunc(alerts[at].causes, func(s cost.Scope) bool { return same(s, l.scope()) })
		if rank == 0 {
			t.top1++
		}
		if rank >= 0 && rank < 3 {
			t.top3++
		}
	}
	last := map[string]int{}
	for _, a := range alerts {
		if slices.ContainsFunc(labels, func(l label) bool {
			return related(a.causes[0], l.scope()) && a.day >= l.Start && a.day <= l.End+grace
		}) {
			continue
		}
		k := a.causes[0].String()
		if before, ok := last[k]; !ok || a.day > before+2 {
			t.falseRuns++
		}
		last[k] = a.day
	}
	return t
}

// related reports whether two scopes are about the same part of the bill: one lies inside the other, or they differ in one
// dimension that the other does not name. The whole bill is about nothing in particular.
func related(a, b cost.Scope) bool {
	if len(a) == 0 {
		return len(b) == 0
	}
	if a.Matches(b) || b.Matches(a) {
		return true
	}
	shared := 0
	for d, v := range a {
		w, ok := b[d]
		if ok && v != w {
			return false
		}
		if ok {
			shared++
		}
	}
	return shared >= max(2, min(len(a), len(b))-1)
}

// alertsOf takes each incident as reported on the day it was detected.
func alertsOf(incidents []anomaly.Incident, start time.Time, from int) []alert {
	var out []alert
	for _, i := range incidents {
		if day := int(i.Detected.Sub(start) / (24 * time.Hour)); day >= from {
			out = append(out, alert{append([]cost.Scope{i.Scope}, i.Alternatives...), day})
		}
	}
	return out
}
