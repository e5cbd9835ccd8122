package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/local/demo"
	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/local/story"
	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// demonstrate tells the story in a throw-away place and checks every figure. Its time stands still but for what is waited
// for, so that it goes the same way every time.
func demonstrate(ctx context.Context, s settings) (err error) {
	s.sandbox = "on" // it is what the demo is about
	dir, err := os.MkdirTemp("", "cost-agent-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user where this runs as root
		return err
	}
	options, err := s.options(dir)
	if err != nil {
		return err
	}
	options.Address, options.Throwaway, options.Sandbox.Still = "127.0.0.1:0", true, true
	running, err := stack.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopping)
		defer cancel()
		err = errors.Join(err, running.Close(closing))
	}()
	d := demonstrationOn(running, options.Progress, os.Stdout)
	if err := d.run(ctx); err != nil {
		return err
	}
	fmt.Println("\n" + d.checks.Summary())
	if d.checks.Failed > 0 {
		return errors.New("the agent and the ground truth do not agree")
	}
	return nil
}

type demonstration struct {
	story.Story

	estate *sandbox.Estate
	checks *demo.Checks
	out    io.Writer
}

func demonstrationOn(s *stack.Stack, progress func(string, ...any), out io.Writer) *demonstration {
	return &demonstration{Story: story.Story{API: callerOf(s), Clock: s.Estate.Clock(), Progress: progress, Poll: poll},
		estate: s.Estate, checks: demo.NewChecks(out), out: out}
}

func (d *demonstration) run(ctx context.Context) error {
	truth := d.estate.Truth()
	var changes []demo.Changed
	var before []resource.Resource
	mutations := 0
	d.OnExecute = func() { before, mutations = d.estate.Snapshot(), len(d.estate.Mutations(resource.Ref{})) }
	d.OnExecuted = func(e api.Execution) {
		changes = append(changes, demo.Changed{Execution: e, Before: before, After: d.estate.Snapshot(), Mutations: d.estate.Mutations(resource.Ref{})[mutations:]})
	}
	generated, err := d.Tell(ctx)
	if err != nil {
		return err
	}
	page, err := d.Report(ctx)
	if err != nil {
		return err
	}
	if err := page.Write(d.out); err != nil {
		return err
	}
	fmt.Fprintln(d.out, "\nAgainst the ground truth:")
	d.checks.Recommendations(generated, truth)
	for _, c := range changes {
		if c.Execution.Status == rollout.RolledBack {
			d.checks.RolledBack(c)
		} else {
			d.checks.Completed(c)
		}
	}
	for _, check := range []func(context.Context) error{d.bills, d.anomalies, func(ctx context.Context) error { return d.explained(ctx, changes) }, d.outcomes, d.coming} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// explained looks closer at what the completed executions changed, which is too small a part of its services for the daily analysis to
// tell, and holds the falls that it finds there to be explained.
func (d *demonstration) explained(ctx context.Context, changes []demo.Changed) error {
	for _, c := range changes {
		if c.Execution.Status != rollout.Completed {
			continue
		}
		target := c.Execution.Plan.Targets[0].Ref
		scope := cost.Scope{cost.Tag("application"): byRef(c.After, target).Tags["application"], cost.Account: target.Account}
		var run job.AnalyzeOutput
		body := map[string]any{"types": []job.AnalysisType{job.Anomalies}, "filters": scope}
		if err := d.API.Post(ctx, "/api/v1/analyze", nil, body, &run); err != nil {
			return err
		}
		var page struct {
			Items []job.Anomaly `json:"items"`
		}
		query := url.Values{"analysis": {run.Analysis}, "since": {c.Execution.StartedAt.Format(time.DateOnly)},
			"status": {string(job.AnomalyOpen), string(job.AnomalyEnded), string(job.AnomalyExplained)}}
		if err := d.API.Get(ctx, "/api/v1/anomalies", query, &page); err != nil {
			return err
		}
		d.checks.Explained(c.Execution, page.Items)
	}
	return nil
}

func byRef(all []resource.Resource, ref resource.Ref) resource.Resource {
	for _, r := range all {
		if r.Ref == ref {
			return r
		}
	}
	return resource.Resource{}
}

// bills compares all that was loaded with all that was billed.
func (d *demonstration) bills(ctx context.Context) error {
	truth := d.estate.Truth()
	bills := map[string]demo.Bill{}
	for _, basis := range cost.Bases {
		var sums story.Groups
		query := url.Values{"group_by": {string(cost.Provider)}, "basis": {string(basis)}, "start": {truth.Start.Format(time.DateOnly)},
			"end": {truth.Now.AddDate(0, 1, 0).Format(time.DateOnly)}}
		if err := d.API.Get(ctx, "/api/v1/costs", query, &sums); err != nil {
			return err
		}
		for _, g := range sums.Items {
			name := g.Group[cost.Provider]
			if bills[name].Sums == nil {
				bills[name] = demo.Bill{Rows: g.Rows, Sums: map[cost.Basis]decimal.Decimal{}}
			}
			bills[name].Sums[basis] = bills[name].Sums[basis].Add(g.Cost.Amount)
		}
	}
	d.checks.Bills(bills, truth)
	return nil
}

func (d *demonstration) anomalies(ctx context.Context) error {
	all, err := d.Anomalies(ctx)
	if err != nil {
		return err
	}
	incidents := make([]anomaly.Incident, 0, len(all))
	for _, a := range all {
		incidents = append(incidents, a.Incident)
	}
	d.checks.Anomalies(incidents, d.estate.Truth())
	return nil
}

// outcomes compares what the agent says was saved with what the estate's bills would have been.
func (d *demonstration) outcomes(ctx context.Context) error {
	all, err := d.Outcomes(ctx)
	if err != nil {
		return err
	}
	d.checks.Hold(len(all) == 2, "both executions were measured", "%d were", len(all))
	for _, o := range all {
		var e api.Execution
		if err := d.API.Get(ctx, "/api/v1/execution/"+url.PathEscape(o.Execution), nil, &e); err != nil {
			return err
		}
		refs := make([]resource.Ref, 0, len(e.Plan.Targets))
		for _, t := range e.Plan.Targets {
			refs = append(refs, t.Ref)
		}
		d.checks.Saved(o, d.estate.TrueSaving(refs, o.Period.Start, o.Period.End))
	}
	return nil
}

// coming lets the days come that were forecast, has their bills collected, and looks at how it went.
func (d *demonstration) coming(ctx context.Context) error {
	f, err := d.Forecast(ctx)
	if err != nil {
		return err
	}
	during, err := d.Budgets(ctx)
	if err != nil {
		return err
	}
	period := f.Next30.Period
	d.Clock.Advance(period.End.AddDate(0, 0, 4).Sub(d.Clock.Now()))
	actual, err := d.billed(ctx, period, nil)
	if err != nil {
		return err
	}
	d.checks.Forecast(*f.Next30, actual)
	if err := d.Collect(ctx, "When the days have come that were forecast: collecting their bills"); err != nil {
		return err
	}
	for _, b := range during {
		if err := d.budget(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// budget holds how a budget stood to how its period ended.
func (d *demonstration) budget(ctx context.Context, during story.Budget) error {
	var now struct {
		Filter  map[cost.Dimension][]string `json:"filter"`
		History []budget.Standing           `json:"history"`
	}
	if err := d.API.Get(ctx, "/api/v1/budgets/"+url.PathEscape(during.ID), nil, &now); err != nil {
		return err
	}
	if during.Standing == nil {
		return fmt.Errorf("the budget %s was not judged: %s", during.Name, during.Reason)
	}
	i := slices.IndexFunc(now.History, func(s budget.Standing) bool { return s.Period == during.Standing.Period })
	if i < 0 {
		return fmt.Errorf("the budget %s does not know how %s ended", during.Name, during.Standing.Period)
	}
	actual, err := d.billed(ctx, during.Standing.Period, now.Filter)
	if err != nil {
		return err
	}
	d.checks.Budget(during.Name, *during.Standing, now.History[i], actual)
	return nil
}

// billed is what the estate's own bills say of a period, as far as tags filter it.
func (d *demonstration) billed(ctx context.Context, period cost.Period, filter map[cost.Dimension][]string) (decimal.Decimal, error) {
	sum := decimal.Zero
	counts := func(row focus.Row) bool {
		for dimension, values := range filter {
			key, _ := dimension.TagKey()
			if !slices.Contains(values, row.Tags[key]) {
				return false
			}
		}
		return period.Contains(row.ChargePeriod.Start)
	}
	for _, cloud := range resource.Clouds {
		for _, month := range period.Months() {
			for row, err := range d.estate.Collector(cloud).Costs(ctx, month.Start) {
				if err != nil {
					return sum, err
				}
				if counts(row) {
					sum = sum.Add(row.EffectiveCost)
				}
			}
		}
	}
	return sum, nil
}
