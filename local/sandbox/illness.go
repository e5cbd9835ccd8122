package sandbox

import (
	"math"
	"time"
)

// harm is what requests suffer.
type harm struct {
	errors float64 // share of requests that fail on top of the usual
	slower float64 // factor on the latency
}

// onset is how long it takes from a change until its harm is felt in full.
const onset = 3 * time.Minute

// Above these shares of processor and memory an instance is overloaded, percent.
const (
	cpuLimit    = 92
	memoryLimit = 95
)

// illness tells what the requests of an instance suffer, and why:
//   - a fragile fleet made smaller fails 15 to 20 % of them, though its processors are idle;
//   - an instance without enough processor or memory, 12 %;
//   - one whose volume is slower than it asks for, 6 %;
//   - a fault, what it says.
func (g *gauge) illness(it *item) func(span, time.Time) harm {
	fragile := 0.15 + 0.05*uniform(hashOf(g.v.base.Seed, it.ref.ID, "fragile"), 0)
	type drive struct {
		it    *item
		spans []span
	}
	var drives []drive
	for _, disk := range g.attached[it.ref.ID] {
		drives = append(drives, drive{disk, g.v.spans(disk, g.v.base.Start, g.v.now)})
	}
	return func(s span, t time.Time) harm {
		out := harm{slower: 1}
		if it.fragile && it.ratio(s.form, func(z size) float64 { return float64(z.vcpu) }) > 1 {
			out.worse(fragile, t.Sub(s.reshaped))
		}
		if it.form.size != s.form.size && (it.cpu(s.form, 1) > cpuLimit || it.memory(s.form, 1) > memoryLimit) {
			out.worse(0.12, t.Sub(s.reshaped))
		}
		g.faulty(&out, it, s, t)
		for _, d := range drives {
			ds, found := spanAt(d.spans, t)
			if !found {
				continue
			}
			if float64(ds.form.iops) < d.it.load.iops && !ds.reshaped.IsZero() {
				out.worse(0.06, t.Sub(ds.reshaped))
			}
			g.faulty(&out, d.it, ds, t)
		}
		return out
	}
}

// faulty adds the harm of the injected faults that concern a change of the resource.
func (g *gauge) faulty(out *harm, it *item, s span, t time.Time) {
	if s.reshaped.IsZero() || it.asBorn(s.form) {
		return
	}
	for i := range g.v.faults {
		f := &g.v.faults[i]
		if f.Kind != Unhealthy || s.reshaped.Before(f.since) || !f.ended.IsZero() && !t.Before(f.ended) || !f.matches(it, s.by) {
			continue
		}
		rate := f.Rate
		if rate == 0 {
			rate = 0.18
		}
		out.worse(rate, t.Sub(s.reshaped))
	}
}

// asBorn reports whether the form performs as the resource was born.
func (it *item) asBorn(f form) bool {
	return f.size == it.form.size && f.volumeType == it.form.volumeType && f.iops == it.form.iops && f.mibps == it.form.mibps
}

// worse adds a harm that began so long ago. The greatest harm counts, not the sum.
func (h *harm) worse(errors float64, since time.Duration) {
	felt := math.Min(1, math.Max(0, float64(since)/float64(onset)))
	h.errors = math.Max(h.errors, errors*felt)
	h.slower = math.Max(h.slower, 1+1.1*felt)
}

// spanAt finds the span that holds t.
func spanAt(spans []span, t time.Time) (span, bool) {
	for _, s := range spans {
		if !t.Before(s.from) && t.Before(s.to) {
			return s, true
		}
	}
	return span{}, false
}
