// Package story walks the whole product once on the sandbox estate, as a user would through the API: collect the bills,
// analyse, recommend, approve, execute, let time pass, and read off the bill what was saved.
package story

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/local/client"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// Clock is the estate's time.
type Clock interface {
	Now() time.Time
	Advance(d time.Duration)
}

// Story is told to one agent.
type Story struct {
	API      *client.Client
	Clock    Clock
	Progress func(format string, args ...any)
	// Poll is how often a run is asked how it stands, in real time.
	Poll time.Duration
	// OnExecute is called before each execution and OnExecuted after it; nil is nobody who wants to know.
	OnExecute  func()
	OnExecuted func(api.Execution)
}

// telling is how often long work says how far it is.
const telling = 2 * time.Second

// Watching is how many days pass between the executions and the measuring of what they saved.
const Watching = 21

// Collect has the agent collect, analyse and recommend, and waits until it is done.
func (s Story) Collect(ctx context.Context, what string) error {
	var run Run
	if err := s.API.Post(ctx, "/api/v1/workflows/cost-optimization", nil, struct{}{}, &run); err != nil {
		return err
	}
	began := time.Now()
	s.Progress("%s …", what)
	told := began
	for last := ""; ; {
		var now Run
		if err := s.API.Get(ctx, "/api/v1/runs/"+url.PathEscape(run.ID), nil, &now); err != nil {
			return err
		}
		switch now.Status {
		case "running":
		case "succeeded":
			s.Progress("%s: done (%.1f s)", what, time.Since(began).Seconds())
			return nil
		default:
			return fmt.Errorf("the run %s ended as %s: %s", run.ID, now.Status, now.Reason)
		}
		if time.Since(told) > telling {
			if line := s.loaded(ctx); line != "" && line != last {
				s.Progress("  %s", line)
				told, last = time.Now(), line
			}
		}
		if err := wait(ctx, s.Poll); err != nil {
			return err
		}
	}
}

// Recommendations lists those that are open or approved, best first.
func (s Story) Recommendations(ctx context.Context) ([]recommend.Recommendation, error) {
	return list[recommend.Recommendation](ctx, s, "/api/v1/recommendations", nil)
}

// apps are those whose instances the story makes smaller: one fleet that takes it, and one that breaks.
var apps = []string{"storefront", "checkout"}

// Tell goes from nothing to measured savings. It gives the recommendations that were there when the first generation was over.
// Told again after it was broken off, it goes on with what has not been done yet.
func (s Story) Tell(ctx context.Context) ([]recommend.Recommendation, error) {
	begun, err := s.resumed(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.Collect(ctx, "Collecting 18 months of bills from four clouds, analysing, recommending"); err != nil {
		return nil, err
	}
	if err := s.set(ctx); err != nil {
		return nil, err
	}
	generated, err := s.Recommendations(ctx)
	if err != nil {
		return nil, err
	}
	for _, app := range apps {
		if _, done := begun[app]; done {
			continue
		}
		r, ok := find(generated, app)
		if !ok {
			return nil, fmt.Errorf("no recommendation to resize %s was made", app)
		}
		if begun[app], err = s.execute(ctx, r); err != nil {
			return nil, err
		}
	}
	last := begun[apps[0]].EndedAt
	for _, at := range begun {
		if at.EndedAt.After(last) {
			last = at.EndedAt
		}
	}
	s.Clock.Advance(last.AddDate(0, 0, Watching).Sub(s.Clock.Now()))
	return generated, s.Collect(ctx, fmt.Sprintf("%d simulated days later: collecting the new bills, measuring what was saved", Watching))
}

// resumed awaits the executions that an earlier telling began, by app.
func (s Story) resumed(ctx context.Context) (map[string]api.Execution, error) {
	all, err := list[api.Execution](ctx, s, "/api/v1/executions", nil)
	if err != nil {
		return nil, err
	}
	begun := map[string]api.Execution{}
	for _, e := range all {
		var of recommend.Recommendation
		if err := s.API.Get(ctx, "/api/v1/recommendations/"+url.PathEscape(e.Recommendation), nil, &of); err != nil {
			return nil, err
		}
		for _, app := range apps {
			if !names(of, app) {
				continue
			}
			s.Progress("Executing since before: %s", of.Title)
			if begun[app], err = s.Await(ctx, e.ID); err != nil {
				return nil, err
			}
		}
	}
	return begun, nil
}

func (s Story) execute(ctx context.Context, r recommend.Recommendation) (api.Execution, error) {
	if s.OnExecute != nil {
		s.OnExecute()
	}
	e, err := s.Execute(ctx, r)
	if err == nil && s.OnExecuted != nil {
		s.OnExecuted(e)
	}
	return e, err
}

func find(all []recommend.Recommendation, app string) (recommend.Recommendation, bool) {
	i := slices.IndexFunc(all, func(r recommend.Recommendation) bool { return names(r, app) })
	if i < 0 {
		return recommend.Recommendation{}, false
	}
	return all[i], true
}

// names reports whether the recommendation makes instances of the app smaller.
func names(r recommend.Recommendation, app string) bool {
	return r.Plan.Action == plan.ResizeInstance && strings.Contains(r.Title, app)
}

// Execute approves the recommendation's plan, has it carried out gradually, and waits for the end.
func (s Story) Execute(ctx context.Context, r recommend.Recommendation) (api.Execution, error) {
	s.Progress("Approved and executing: %s", r.Title)
	id, err := s.Start(ctx, r)
	if err != nil {
		return api.Execution{}, err
	}
	return s.Await(ctx, id)
}

// Start approves the recommendation's plan and begins its execution.
func (s Story) Start(ctx context.Context, r recommend.Recommendation) (string, error) {
	hash := map[string]string{"plan_hash": r.PlanHash}
	if r.Status == recommend.Approved { // by a telling that was broken off here
		return s.begin(ctx, r)
	}
	if err := s.API.Post(ctx, "/api/v1/recommendations/"+url.PathEscape(r.ID)+"/approve", nil, hash, nil); err != nil {
		return "", err
	}
	return s.begin(ctx, r)
}

// begin starts the execution of an approved recommendation.
func (s Story) begin(ctx context.Context, r recommend.Recommendation) (string, error) {
	var started struct {
		ID string `json:"id"`
	}
	err := s.API.Post(ctx, "/api/v1/execution/execute", map[string]string{"Idempotency-Key": r.PlanHash[:32]},
		map[string]string{"recommendation_id": r.ID, "plan_hash": r.PlanHash, "mode": string(rollout.Gradual)}, &started)
	return started.ID, err
}

// Await polls until the execution is over, and tells of each phase as it goes by.
func (s Story) Await(ctx context.Context, id string) (api.Execution, error) {
	for seen := 0; ; {
		var e api.Execution
		if err := s.API.Get(ctx, "/api/v1/execution/"+url.PathEscape(id), nil, &e); err != nil {
			return e, err
		}
		for ; seen < len(e.Phases) && e.Phases[seen].Verdict != "" && e.Phases[seen].Verdict != rollout.Unclear; seen++ {
			s.Progress("  %d %% of the targets changed, watched: %s", e.Phases[seen].Percent, e.Phases[seen].Verdict)
		}
		switch e.Status {
		case rollout.Pending, rollout.Running:
		case rollout.Completed:
			s.Progress("  completed")
			return e, nil
		default:
			s.Progress("  %s: %s", e.Status, e.Reason)
			return e, nil
		}
		if err := wait(ctx, s.Poll); err != nil {
			return e, err
		}
	}
}

// Run is a started workflow.
type Run struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Reason string `json:"reason"`
}

// loaded says how much has come in so far; nothing when that cannot be told, for progress is no reason to fail.
func (s Story) loaded(ctx context.Context) string {
	var loaded page[ingest.Coverage]
	if err := s.API.Get(ctx, "/api/v1/costs/periods", nil, &loaded); err != nil || len(loaded.Items) == 0 {
		return ""
	}
	rows := int64(0)
	for _, p := range loaded.Items {
		rows += p.Rows
	}
	return fmt.Sprintf("%d monthly bills, %d rows", len(loaded.Items), rows)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("stopped while waiting"), ctx.Err())
	}
}
