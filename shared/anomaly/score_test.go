package anomaly

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// benchmarkFile opens a file of the benchmark data, which is no part of the project: COST_AGENT_DATA, else beside it.
func benchmarkFile(tb testing.TB, name string) *os.File {
	tb.Helper()
	dir := os.Getenv("COST_AGENT_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		tb.Skipf("the benchmark data is not here (set COST_AGENT_DATA): %v", err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

func table(tb testing.TB, name string) []map[string]string {
	tb.Helper()
	z, err := gzip.NewReader(benchmarkFile(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, h := range rows[0] {
			m[h] = r[i]
		}
		out = append(out, m)
	}
	return out
}

func floats(tb testing.TB, s string) []float64 {
	tb.Helper()
	var out []float64
	for _, f := range strings.Fields(s) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

type label struct {
	Kind   string            `json:"kind"`
	Scope  map[string]string `json:"scope"`
	Start  int               `json:"start"`
	End    int               `json:"end"`
	Impact float64           `json:"impact_usd"`
}

func (l label) scope() cost.Scope {
	names := map[string]cost.Dimension{"provider": cost.Provider, "account": cost.Account, "service": cost.Service, "region": cost.Region}
	s := cost.Scope{}
	for k, v := range l.Scope {
		s[names[k]] = v
	}
	return s
}

// alert is one day on which the detector says that a scope is off.
type alert struct {
	scope cost.Scope
	day   int
	id    int
}

type tally struct {
	found, events, falseRuns int
	delay, top1              int
	missed                   []label
	wrong                    []alert
}

func (t tally) f1() float64 { return 2 * float64(t.found) / float64(t.found+t.events+t.falseRuns) }

// related reports whether one scope lies inside the other.
func related(a, b cost.Scope) bool {
	return len(a) > 0 && (a.Matches(b) || b.Matches(a) || crossing(a, b))
}

// crossing scopes agree on what they share, and share something.
func crossing(a, b cost.Scope) bool {
	shared := 0
	for d, v := range a {
		if w, ok := b[d]; ok {
			if v != w {
				return false
			}
			shared++
		}
	}
	return shared > 0 && shared >= min(len(a), len(b))-1 && shared >= 2
}

func score(labels []label, alerts []alert, same func(a, b cost.Scope) bool) tally {
	t := tally{events: len(labels)}
	for _, l := range labels {
		until := min(l.End, l.Start+6)
		if l.Kind == "ramp" {
			until = l.End
		}
		first := -1
		for _, a := range alerts {
			if a.day >= l.Start && a.day <= until && related(a.scope, l.scope()) && (first < 0 || a.day < alerts[first].day) {
				first = slices.Index(alertDays(alerts), alertKey(a))
			}
		}
		if first < 0 {
			t.missed = append(t.missed, l)
			continue
		}
		t.found++
		t.delay += alerts[first].day - l.Start
		if same(alerts[first].scope, l.scope()) {
			t.top1++
		}
	}
	lastDay := map[int]int{}
	for _, a := range alerts {
		if slices.ContainsFunc(labels, func(l label) bool {
			return related(a.scope, l.scope()) && a.day >= l.Start && a.day <= l.End+2
		}) {
			continue
		}
		if prev, ok := lastDay[a.id]; !ok || a.day > prev+2 {
			t.falseRuns++
			t.wrong = append(t.wrong, a)
		}
		lastDay[a.id] = a.day
	}
	return t
}

func alertKey(a alert) string { return strconv.Itoa(a.id) + "/" + strconv.Itoa(a.day) }

func alertDays(alerts []alert) []string {
	out := make([]string, len(alerts))
	for i, a := range alerts {
		out[i] = alertKey(a)
	}
	return out
}

// alertsOf are the days from detection to the end of each incident, or until its level was accepted as the usual one.
func alertsOf(incidents []Incident, start time.Time, from int) []alert {
	var out []alert
	for n, i := range incidents {
		index := func(t time.Time) int { return int(t.Sub(start) / (24 * time.Hour)) }
		for d := max(from, index(i.Detected)); d < min(index(i.Until), index(i.Start)+acceptAfter); d++ {
			out = append(out, alert{i.Scope, d, n})
		}
	}
	slices.SortStableFunc(out, func(a, b alert) int { return a.day - b.day })
	return out
}

func tenantLeaves(tb testing.TB, name string, day0 time.Time) []cost.Series {
	tb.Helper()
	var out []cost.Series
	for _, r := range table(tb, "cost_synth/"+name+".csv.gz") {
		v := floats(tb, r["values"])
		s := cost.Series{Scope: cost.Scope{cost.Provider: r["provider"], cost.Account: r["account"], cost.Service: r["service"], cost.Region: r["region"]},
			Basis: cost.Effective, Currency: "USD", Start: day0, Values: v, Final: len(v)}
		if i := slices.IndexFunc(out, func(o cost.Series) bool { return o.Scope.String() == s.Scope.String() }); i >= 0 {
			for k := range v {
				out[i].Values[k] += v[k]
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

func TestSyntheticTenants(t *testing.T) {
	var tenants map[string]struct {
		Day0      string  `json:"day0"`
		Days      int     `json:"days"`
		EvalFrom  int     `json:"eval_from"`
		Anomalies []label `json:"anomalies"`
	}
	if err := json.NewDecoder(benchmarkFile(t, "cost_synth/labels.json")).Decode(&tenants); err != nil {
		t.Fatal(err)
	}
	var sum tally
	weeks := 0.0
	var spent time.Duration
	for name, tenant := range tenants {
		day0, err := time.Parse(time.DateOnly, tenant.Day0)
		if err != nil {
			t.Fatal(err)
		}
		leaves := tenantLeaves(t, name, day0)
		began := time.Now()
		incidents := Detect(leaves, Options{})
		spent += time.Since(began)
		same := func(a, b cost.Scope) bool { return leafSet(leaves, a) == leafSet(leaves, b) }
		got := score(tenant.Anomalies, alertsOf(incidents, day0, tenant.EvalFrom), same)
		weeks += float64(tenant.Days-tenant.EvalFrom) / 7
		for _, m := range got.missed {
			t.Logf("%s missed %s %v %d..%d %.0f", name, m.Kind, m.Scope, m.Start, m.End, m.Impact)
		}
		for _, a := range got.wrong {
			t.Logf("%s false %v day %d", name, a.scope, a.day)
		}
		sum.found, sum.events, sum.falseRuns = sum.found+got.found, sum.events+got.events, sum.falseRuns+got.falseRuns
		sum.delay, sum.top1 = sum.delay+got.delay, sum.top1+got.top1
	}
	t.Logf("F1 %.3f: found %d of %d, %d false (%.2f a tenant-week), delay %.1f days, top 1 %.2f, %.2f s a tenant", sum.f1(), sum.found, sum.events,
		sum.falseRuns, float64(sum.falseRuns)/weeks, float64(sum.delay)/float64(sum.found), float64(sum.top1)/float64(sum.found), spent.Seconds()/float64(len(tenants)))
	if sum.f1() < 0.6 || float64(sum.falseRuns)/weeks > 0.5 {
		t.Error("the detector is worse than F1 0.6 at 0.5 false alerts a tenant-week")
	}
}

func leafSet(leaves []cost.Series, s cost.Scope) string {
	var b strings.Builder
	for i, l := range leaves {
		if s.Matches(l.Scope) {
			b.WriteString(strconv.Itoa(i) + ",")
		}
	}
	return b.String()
}

func TestInjectedIntoRealSeries(t *testing.T) {
	var labels map[string][]label
	if err := json.NewDecoder(benchmarkFile(t, "inject_real/labels.json")).Decode(&labels); err != nil {
		t.Fatal(err)
	}
	var sum tally
	for _, r := range table(t, "inject_real/series.csv.gz") {
		start, err := time.Parse(time.DateOnly, r["start"])
		if err != nil {
			t.Fatal(err)
		}
		from, err := strconv.Atoi(r["eval_from"])
		if err != nil {
			t.Fatal(err)
		}
		v := floats(t, r["values"])
		scope := cost.Scope{cost.Provider: r["id"]}
		found := Detect([]cost.Series{{Scope: scope, Basis: cost.Effective, Currency: "USD", Start: start, Values: v, Final: len(v)}}, Options{MinDaily: 1e-9})
		for i := range labels[r["id"]] {
			labels[r["id"]][i].Scope = map[string]string{"provider": r["id"]}
		}
		got := score(labels[r["id"]], alertsOf(found, start, from), func(cost.Scope, cost.Scope) bool { return true })
		sum.found, sum.events, sum.falseRuns, sum.delay = sum.found+got.found, sum.events+got.events, sum.falseRuns+got.falseRuns, sum.delay+got.delay
	}
	t.Logf("F1 %.3f: found %d of %d, %d false, delay %.1f days", sum.f1(), sum.found, sum.events, sum.falseRuns, float64(sum.delay)/float64(sum.found))
}
