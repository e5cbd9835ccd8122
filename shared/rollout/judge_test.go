package rollout_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// course is how one resource does: values before and after the change, with noise relative to them.
type course struct {
	errors, errorsAfter   float64
	latency, latencyAfter float64
	cpu, cpuAfter         float64
}

var (
	fine    = course{0.004, 0.004, 100, 100, 20, 40}
	failing = course{0.004, 0.173, 100, 100, 20, 40}
	slow    = course{0.004, 0.004, 100, 125, 20, 40}
)

const noise = 0.10

// observe makes an hour before and so many minutes after the change. The control comes from the second list.
func observe(rng *rand.Rand, minutes int, changed, control []course) rollout.Observation {
	o := rollout.Observation{Since: noon.Add(3 * time.Minute), Until: noon.Add(time.Duration(3+minutes) * time.Minute)}
	add := func(id string, c course) resource.Ref {
		r := ref(id)
		errors := resource.Usage{Ref: r, Metric: resource.ErrorRate, Every: time.Minute}
		latency := resource.Usage{Ref: r, Metric: resource.LatencyP95, Every: time.Minute}
		cpu := resource.Usage{Ref: r, Metric: resource.CPU, Every: time.Minute}
		for at := noon.Add(-2 * time.Hour); at.Before(o.Until.Add(time.Hour)); at = at.Add(time.Minute) {
			e, l, p := c.errors, c.latency, c.cpu
			switch {
			case !at.Before(o.Since):
				e, l, p = c.errorsAfter, c.latencyAfter, c.cpuAfter
			case !at.Before(noon): // while it is being changed nothing works
				e, l = 1, 5000
			}
			errors.Samples = append(errors.Samples, resource.Sample{At: at, Value: math.Max(0, e*(1+noise*rng.NormFloat64()))})
			latency.Samples = append(latency.Samples, resource.Sample{At: at, Value: l * (1 + noise*rng.NormFloat64())})
			cpu.Samples = append(cpu.Samples, resource.Sample{At: at, Value: math.Min(100, p*(1+noise*rng.NormFloat64()/3))})
		}
		o.Usage = append(o.Usage, errors, latency, cpu)
		return r
	}
	for i, c := range changed {
		o.Changed = append(o.Changed, rollout.Change{Ref: add("changed-"+string(rune('a'+i)), c), At: noon})
	}
	for i, c := range control {
		o.Control = append(o.Control, add("control-"+string(rune('a'+i)), c))
	}
	return o
}

func TestJudge(t *testing.T) {
	t.Parallel()
	drop := func(metrics ...resource.Metric) func(*rollout.Observation) {
		return func(o *rollout.Observation) {
			for i := range o.Usage {
				for _, m := range metrics {
					if o.Usage[i].Metric == m {
						o.Usage[i].Samples = nil
					}
				}
			}
		}
	}
	for name, c := range map[string]struct {
		changed, control []course
		minutes          int
		edit             func(*rollout.Observation)
		want             rollout.Verdict
		reason           string
	}{
		"all well":                                     {changed: []course{fine, fine}, control: []course{fine}, want: rollout.Healthy},
		"no control left":                              {changed: []course{fine}, want: rollout.Healthy},
		"one of two fails":                             {changed: []course{fine, failing}, control: []course{fine}, want: rollout.Unhealthy, reason: "changed-b: error rate 17."},
		"slower":                                       {changed: []course{slow}, control: []course{fine, fine}, want: rollout.Unhealthy, reason: "changed-a: 95th percentile of latency 12"},
		"failing without control":                      {changed: []course{failing}, want: rollout.Unhealthy},
		"everybody fails":                              {changed: []course{failing}, control: []course{failing, failing, failing}, want: rollout.Healthy},
		"everybody is slower":                          {changed: []course{slow}, control: []course{slow, slow, slow}, want: rollout.Healthy},
		"fails while everybody slows":                  {changed: []course{{0.004, 0.2, 100, 125, 20, 40}}, control: []course{slow, slow, slow}, want: rollout.Unhealthy, reason: "error rate"},
		"the others got better":                        {changed: []course{fine}, control: []course{{0.2, 0.004, 200, 100, 20, 40}, {0.2, 0.004, 200, 100, 20, 40}}, want: rollout.Healthy},
		"always failed":                                {changed: []course{{0.2, 0.2, 100, 100, 20, 40}}, want: rollout.Healthy},
		"4 points are tolerated":                       {changed: []course{{0.01, 0.045, 100, 100, 20, 40}}, want: rollout.Healthy},
		"5 % slower is tolerated":                      {changed: []course{{0.004, 0.004, 100, 104, 20, 40}}, minutes: 60, want: rollout.Healthy},
		"too early":                                    {changed: []course{failing}, minutes: 5, want: rollout.Unclear, reason: "5 after the change"},
		"went dark":                                    {changed: []course{fine}, edit: func(o *rollout.Observation) { o.Since = o.Until }, want: rollout.Unclear, reason: "0 after"},
		"no usage at all":                              {changed: []course{fine}, edit: drop(rollout.HealthMetrics()...), want: rollout.Unclear, reason: "CPU has 0 samples"},
		"serves no requests":                           {changed: []course{fine}, edit: drop(resource.ErrorRate, resource.LatencyP95), want: rollout.Healthy},
		"serves no requests, overloaded":               {changed: []course{{cpu: 50, cpuAfter: 99}}, edit: drop(resource.ErrorRate, resource.LatencyP95), want: rollout.Unhealthy, reason: "CPU 9"},
		"serves no requests, always busy":              {changed: []course{{cpu: 97, cpuAfter: 97}}, control: []course{{cpu: 97, cpuAfter: 97}}, edit: drop(resource.ErrorRate, resource.LatencyP95), want: rollout.Healthy},
		"busy, but serves well":                        {changed: []course{{0.004, 0.004, 100, 100, 50, 99}}, want: rollout.Healthy},
		"only errors reported":                         {changed: []course{fine}, edit: drop(resource.LatencyP95), want: rollout.Healthy},
		"only errors reported, fails":                  {changed: []course{failing}, edit: drop(resource.LatencyP95), want: rollout.Unhealthy},
		"a sample of the change itself is no baseline": {changed: []course{{0.004, 0.064, 100, 100, 20, 40}}, edit: func(o *rollout.Observation) { o.Changed[0].At = noon.Add(30 * time.Second) }, want: rollout.Unhealthy, reason: "expected 0.4 %"},
		"nothing watched":                              {control: []course{failing}, want: rollout.Healthy},
		"unhealthy outweighs unclear":                  {changed: []course{failing}, control: []course{fine}, edit: func(o *rollout.Observation) { o.Changed = append(o.Changed, rollout.Change{Ref: ref("x"), At: noon}) }, want: rollout.Unhealthy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			minutes := c.minutes
			if minutes == 0 {
				minutes = 15
			}
			o := observe(rand.New(rand.NewPCG(1, 2)), minutes, c.changed, c.control)
			if c.edit != nil {
				c.edit(&o)
			}
			got, reasons := rollout.Judge(o, rollout.DefaultThresholds)
			if got != c.want {
				t.Fatalf("%s (%q), want %s", got, reasons, c.want)
			}
			if (got == rollout.Healthy) != (len(reasons) == 0) {
				t.Errorf("%s with reasons %q", got, reasons)
			}
			if !strings.Contains(strings.Join(reasons, "\n"), c.reason) {
				t.Errorf("reasons %q do not say %q", reasons, c.reason)
			}
		})
	}
}

// A burst of errors that a median hides is at least not passed over.
func TestBurstsOfErrorsAreNotHealthy(t *testing.T) {
	t.Parallel()
	o := observe(rand.New(rand.NewPCG(1, 2)), 15, []course{fine}, nil)
	for i, s := range o.Usage[0].Samples {
		if !s.At.Before(o.Since) && i%3 == 0 {
			o.Usage[0].Samples[i].Value = 1
		}
	}
	if got, reasons := rollout.Judge(o, rollout.DefaultThresholds); got != rollout.Unclear {
		t.Errorf("a third of the minutes fails: %s %q, want unclear", got, reasons)
	}
}

// Noise of 10 % alone makes no fleet unhealthy, and seldom unclear; harm is found nearly always.
func TestJudgeUnderNoise(t *testing.T) {
	t.Parallel()
	const fleets = 400
	rng := rand.New(rand.NewPCG(3, 4))
	count := func(c course) map[rollout.Verdict]int {
		out := map[rollout.Verdict]int{}
		for range fleets {
			v, _ := rollout.Judge(observe(rng, 15, []course{c, fine, fine}, []course{fine, fine, fine, fine}), rollout.DefaultThresholds)
			out[v]++
		}
		return out
	}
	if got := count(fine); got[rollout.Unhealthy] != 0 || got[rollout.Unclear] > fleets/20 {
		t.Errorf("nothing is wrong: %v", got)
	}
	if got := count(failing); got[rollout.Unhealthy] < fleets {
		t.Errorf("17 %% of the requests fail: %v", got)
	}
	if got := count(slow); got[rollout.Unhealthy] < fleets*8/10 || got[rollout.Healthy] > 0 {
		t.Errorf("25 %% slower: %v", got)
	}
}

// More harm never makes a better verdict.
func TestJudgeIsMonotone(t *testing.T) {
	t.Parallel()
	rank := map[rollout.Verdict]int{rollout.Healthy: 0, rollout.Unclear: 1, rollout.Unhealthy: 2}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		less := rapid.Float64Range(0, 0.5).Draw(t, "errors")
		more := less + rapid.Float64Range(0, 0.5).Draw(t, "more errors")
		judge := func(errors float64) rollout.Verdict {
			o := observe(rand.New(rand.NewPCG(seed, 1)), 15, []course{{0.004, errors, 100, 100, 20, 40}}, []course{fine, fine})
			v, _ := rollout.Judge(o, rollout.DefaultThresholds)
			return v
		}
		if a, b := judge(less), judge(more); rank[b] < rank[a] {
			t.Fatalf("error rate %.3f is %s, %.3f is %s", less, a, more, b)
		}
	})
}

func TestObservationComparesChangedWithUnchanged(t *testing.T) {
	t.Parallel()
	e := executionOf(10)
	shared := ref("shared")
	e.Plan.Targets[0].Watch = append(e.Plan.Targets[0].Watch, shared)
	e.Plan.Targets[9].Watch = []resource.Ref{shared}
	e.Plan.Targets[8].Watch = nil
	journal(&e, rollout.Intents(e, e.Phases[0], noon)...)
	journal(&e, rollout.Intents(e, e.Phases[1], noon.Add(time.Hour))...)
	p := e.Phases[1]
	p.AppliedAt = noon.Add(70 * time.Minute)
	o := rollout.Observe(e, p, noon.Add(90*time.Minute))
	at := map[string]time.Time{}
	for _, c := range o.Changed {
		at[c.Ref.ID] = c.At
	}
	if len(at) != 6 || !at["shared"].Equal(noon) || !at["i-000"].Equal(noon) || !at["i-004"].Equal(noon.Add(time.Hour)) {
		t.Errorf("changed: %v", at)
	}
	if len(o.Control) != 3 || !o.Since.Equal(p.AppliedAt) || !o.From().Equal(noon.Add(-rollout.Baseline)) || len(o.Refs()) != 9 {
		t.Errorf("control %v, since %v, from %v, %d refs", o.Control, o.Since, o.From(), len(o.Refs()))
	}
}

func TestEveryWatchHasEnoughSamples(t *testing.T) {
	t.Parallel()
	for watch, want := range map[time.Duration]time.Duration{
		5 * time.Minute: time.Minute, 15 * time.Minute: time.Minute, 30 * time.Minute: 3 * time.Minute, 24 * time.Hour: 5 * time.Minute,
	} {
		if got := rollout.Every(watch); got != want {
			t.Errorf("Every(%s) = %s, want %s", watch, got, want)
		}
	}
}
