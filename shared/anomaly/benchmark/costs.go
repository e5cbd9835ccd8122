package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// tenants measures whole bills: cost_synth/labels.json and one table of leaves a tenant.
func tenants(dir string, sensitivity anomaly.Sensitivity) (measure, error) {
	var labels map[string]struct {
		Day0      string  `json:"day0"`
		Days      int     `json:"days"`
		EvalFrom  int     `json:"eval_from"`
		Anomalies []label `json:"anomalies"`
	}
	if err := document(filepath.Join(dir, "labels.json"), &labels); err != nil {
		return measure{}, err
	}
	var all tally
	weeks := 0.0
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		tenant := labels[name]
		day0, err := time.Parse(time.DateOnly, tenant.Day0)
		if err != nil {
			return measure{}, err
		}
		leaves, err := leavesOf(filepath.Join(dir, name+".csv.gz"), day0)
		if err != nil {
			return measure{}, err
		}
		same := func(a, b cost.Scope) bool { return slices.Equal(matching(leaves, a), matching(leaves, b)) }
		alerts := alertsOf(anomaly.Detect(leaves, anomaly.Options{Sensitivity: sensitivity}), day0, tenant.EvalFrom)
		all.add(score(tenant.Anomalies, alerts, same))
		weeks += float64(tenant.Days-tenant.EvalFrom) / 7
	}
	m := all.measure()
	m.RootTop1, m.RootTop3 = ratio(all.top1, all.found), ratio(all.top3, all.found)
	if weeks > 0 {
		rate := float64(all.falseRuns) / weeks
		m.FalsePerTenantWeek = &rate
	}
	return m, nil
}

// leavesOf reads a tenant's leaves. The detector cuts a bill by provider, account, service and region, so lines that differ
// only otherwise are added up.
func leavesOf(path string, day0 time.Time) ([]cost.Series, error) {
	rows, err := table(path, "provider", "account", "service", "region", "values")
	if err != nil {
		return nil, err
	}
	var out []cost.Series
	at := map[string]int{}
	for _, r := range rows {
		v, err := numbers(r["values"])
		if err != nil {
			return nil, err
		}
		s := daily(day0, v)
		for column, d := range dimensions {
			s.Scope[d] = r[column]
		}
		k := s.Scope.String()
		if i, ok := at[k]; ok {
			if len(v) != len(out[i].Values) {
				return nil, fmt.Errorf("%s: %s has %d values in one row and %d in another", path, s.Scope, len(v), len(out[i].Values))
			}
			for t := range v {
				out[i].Values[t] += v[t]
			}
			continue
		}
		at[k] = len(out)
		out = append(out, s)
	}
	return out, nil
}

func daily(start time.Time, v []float64) cost.Series {
	return cost.Series{Scope: cost.Scope{}, Basis: cost.Effective, Currency: "USD", Start: start, Values: v, Final: len(v)}
}

// matching are the leaves that a scope covers: two names of the same leaves are the same scope.
func matching(leaves []cost.Series, s cost.Scope) []int {
	var out []int
	for i, l := range leaves {
		if s.Matches(l.Scope) {
			out = append(out, i)
		}
	}
	return out
}

// singles measures series that stand alone: inject_real/labels.json and series.csv.gz. Their unit is none of money, so there is no
// least amount.
func singles(dir string, sensitivity anomaly.Sensitivity) (measure, error) {
	var labels map[string][]label
	if err := document(filepath.Join(dir, "labels.json"), &labels); err != nil {
		return measure{}, err
	}
	rows, err := table(filepath.Join(dir, "series.csv.gz"), "id", "start", "eval_from", "values")
	if err != nil {
		return measure{}, err
	}
	var all tally
	for _, r := range rows {
		start, err := time.Parse(time.DateOnly, r["start"])
		if err != nil {
			return measure{}, err
		}
		from, err := strconv.Atoi(r["eval_from"])
		if err != nil {
			return measure{}, err
		}
		v, err := numbers(r["values"])
		if err != nil {
			return measure{}, err
		}
		found := anomaly.Detect([]cost.Series{daily(start, v)}, anomaly.Options{Sensitivity: sensitivity, MinDaily: 1e-9})
		all.add(score(labels[r["id"]], alertsOf(found, start, from), func(cost.Scope, cost.Scope) bool { return true }))
	}
	return all.measure(), nil
}
