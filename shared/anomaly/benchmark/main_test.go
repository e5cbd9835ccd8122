package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

func dataDir(t *testing.T, set string) string {
	t.Helper()
	dir := os.Getenv("COST_AGENT_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	dir = filepath.Join(dir, set)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the benchmark data is not here (set COST_AGENT_DATA): %v", err)
	}
	return dir
}

// More sensitivity finds no less, and the rate of false alerts stays below what the documentation states.
func TestBillsReachTheTargets(t *testing.T) {
	t.Parallel()
	dir := dataDir(t, "cost_synth")
	least := 0.0
	for _, tt := range []struct {
		at        anomaly.Sensitivity
		f1, false float64
	}{{anomaly.Coarse, 0.80, 0.1}, {anomaly.Balanced, 0.80, 0.2}, {anomaly.Fine, 0.70, 0.3}} {
		m, err := tenants(dir, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if *m.F1 < tt.f1 || *m.FalsePerTenantWeek > tt.false || *m.RootTop1 < 0.7 || *m.RootTop3 < 0.9 {
			t.Errorf("%s: F1 %.3f, %.2f false alerts a tenant-week, root %.2f and %.2f", tt.at, *m.F1, *m.FalsePerTenantWeek, *m.RootTop1, *m.RootTop3)
		}
		if *m.Recall < least {
			t.Errorf("%s: recall %.3f, less than the sensitivity before", tt.at, *m.Recall)
		}
		least = *m.Recall
	}
}

func TestSingleSeriesReachTheTarget(t *testing.T) {
	t.Parallel()
	dir := dataDir(t, "inject_real")
	least := 0.0
	for _, tt := range []struct {
		at anomaly.Sensitivity
		f1 float64
	}{{anomaly.Coarse, 0.4}, {anomaly.Balanced, 0.65}, {anomaly.Fine, 0.57}} {
		m, err := singles(dir, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if *m.F1 < tt.f1 || *m.Recall < least {
			t.Errorf("%s: F1 %.3f, recall %.3f", tt.at, *m.F1, *m.Recall)
		}
		least = *m.Recall
	}
}

func TestEventsAndFalseRuns(t *testing.T) {
	t.Parallel()
	in := func(service string) []cost.Scope { return []cost.Scope{{cost.Service: service}} }
	labels := []label{
		{Kind: "level", In: map[string]string{"service": "A"}, Start: 10, End: 30},
		{Kind: "ramp", In: map[string]string{"service": "B"}, Start: 10, End: 30},
	}
	for name, tt := range map[string]struct {
		alerts []alert
		want   tally
	}{
		"in time":                  {[]alert{{in("A"), 16}}, tally{found: 1, delay: 6, top1: 1, top3: 1}},
		"too late, yet no error":   {[]alert{{in("A"), 17}}, tally{}},
		"a ramp has until it ends": {[]alert{{in("B"), 29}}, tally{found: 1, delay: 19, top1: 1, top3: 1}},
		"grace after the end":      {[]alert{{in("A"), 32}}, tally{}},
		"one run with a gap":       {[]alert{{in("A"), 50}, {in("A"), 52}}, tally{falseRuns: 1}},
		"two runs":                 {[]alert{{in("A"), 50}, {in("A"), 53}}, tally{falseRuns: 2}},
		"another scope":            {[]alert{{in("C"), 12}}, tally{falseRuns: 1}},
		"the second guess": {
			[]alert{{[]cost.Scope{{cost.Service: "A", cost.Region: "x"}, {cost.Service: "A"}}, 10}}, tally{found: 1, top3: 1},
		},
	} {
		tt.want.events = 2
		got := score(labels, tt.alerts, func(a, b cost.Scope) bool { return a.String() == b.String() })
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestNABScore(t *testing.T) {
	t.Parallel()
	windows := []span{{400, 499}}
	for name, tt := range map[string]struct {
		alarms []int
		want   float64
	}{
		"a miss":                         {nil, -1},
		"the first point":                {[]int{400, 450}, 1},
		"the last point":                 {[]int{499}, scaledSigmoid(-0.01) / scaledSigmoid(-1)},
		"long before":                    {[]int{300}, -1 - 0.11},
		"just after":                     {[]int{500}, -1 + 0.11*scaledSigmoid(1.0/99)},
		"long after":                     {[]int{900}, -1 - 0.11},
		"in the part that is not scored": {[]int{10, 149}, -1},
	} {
		if got := nabScore(tt.alarms, windows, 1000); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %.4f, want %.4f", name, got, tt.want)
		}
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := printJSON(&b, []measure{{Set: "nab", Events: 3}}); err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for _, k := range strings.Fields("set events precision recall f1 false_per_tenant_week days_to_detect root_top1 root_top3 nab_standard") {
		if _, ok := line[k]; !ok {
			t.Errorf("%s is missing", k)
		}
	}
	if line["f1"] != nil {
		t.Errorf("f1 of nothing is %v, want null", line["f1"])
	}
	if err := run(&b, t.TempDir(), true, []anomaly.Sensitivity{anomaly.Balanced}); err == nil {
		t.Error("an empty folder is no error")
	}
}
