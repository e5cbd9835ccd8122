package job

import (
	"context"
	"encoding/json"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// CostQuery sums costs.
type CostQuery interface {
	Costs(ctx context.Context, t tenant.ID, q cost.Query) ([]cost.Group, error)
}

// Notes keeps small documents for a while; they may be gone at any time.
type Notes interface {
	Get(ctx context.Context, t tenant.ID, key string, into any) bool
	Set(ctx context.Context, t tenant.ID, key string, value any, ttl time.Duration)
}

// Summary says what a run of the workflow found, and keeps it for the next look.
type Summary struct {
	Costs CostQuery
	Notes Notes
	Now   Clock
}

// SummaryInput is what the steps of the workflow gave. A step that failed has left its failure instead.
type SummaryInput struct {
	Tenant    tenant.ID  `json:"tenant"`
	Run       string     `json:"run"`
	Collect   StepResult `json:"collect"`
	Analyze   StepResult `json:"analyze"`
	Learn     StepResult `json:"learn"`
	Recommend StepResult `json:"recommend"`
}

// StepResult is the output of a step, or its failure.
type StepResult struct {
	Result  json.RawMessage `json:"result,omitempty"`
	Failure *Caught         `json:"failure,omitempty"`
}

// SummaryOutput is what a look at the workflow shows.
type SummaryOutput struct {
	At        time.Time       `json:"at"`
	Run       string          `json:"run,omitempty"` // empty: no run is remembered, only the costs are known
	Period    cost.Period     `json:"period"`        // the last 30 days that are complete
	Costs     []ProviderCost  `json:"costs"`
	Collect   json.RawMessage `json:"collect,omitempty"`
	Analyze   json.RawMessage `json:"analyze,omitempty"`
	Learn     json.RawMessage `json:"learn,omitempty"`
	Recommend json.RawMessage `json:"recommend,omitempty"`
	Problems  []string        `json:"problems"` // steps that failed, and why
}

// ProviderCost is what one provider cost.
type ProviderCost struct {
	Provider string     `json:"provider"`
	Cost     cost.Money `json:"cost"`
}

const (
	summaryKey  = "summary"
	summaryKept = 7 * 24 * time.Hour
	summaryDays = 30
)

// Run sums a run up and keeps it.
func (s Summary) Run(ctx context.Context, in SummaryInput) (SummaryOutput, error) {
	out, err := s.costs(ctx, in.Tenant)
	if err != nil {
		return out, err
	}
	out.Run = in.Run
	for _, step := range []struct {
		name string
		from StepResult
		to   *json.RawMessage
	}{{"Collecting", in.Collect, &out.Collect}, {"Analysing", in.Analyze, &out.Analyze}, {"Learning", in.Learn, &out.Learn}, {"Recommending", in.Recommend, &out.Recommend}} {
		if step.from.Failure != nil {
			out.Problems = append(out.Problems, step.name+" failed: "+innermost(*step.from.Failure).Text())
			continue
		}
		*step.to = step.from.Result
	}
	s.Notes.Set(ctx, in.Tenant, summaryKey, out, summaryKept)
	return out, nil
}

// Last gives the summary of the last run; when none is remembered, what the costs alone tell.
func (s Summary) Last(ctx context.Context, t tenant.ID) (SummaryOutput, error) {
	var out SummaryOutput
	if s.Notes.Get(ctx, t, summaryKey, &out) {
		return out, nil
	}
	return s.costs(ctx, t)
}

func (s Summary) costs(ctx context.Context, t tenant.ID) (SummaryOutput, error) {
	now := s.Now().UTC()
	end := ingest.FinalBefore(now)
	out := SummaryOutput{At: now, Period: cost.Period{Start: end.AddDate(0, 0, -summaryDays), End: end}, Costs: []ProviderCost{}, Problems: []string{}}
	groups, err := s.Costs.Costs(ctx, t, cost.Query{
		Period: out.Period, Basis: cost.Effective, Grain: cost.Total, GroupBy: []cost.Dimension{cost.Provider},
	})
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return out, err
	}
	for _, g := range groups {
		out.Costs = append(out.Costs, ProviderCost{
			Provider: g.Scope[cost.Provider], Cost: cost.Money{Amount: g.Amount, Currency: g.Currency, Basis: cost.Effective},
		})
	}
	return out, nil
}

// innermost finds the failure that a nested state machine failed with: its description is the cause of the outer one.
func innermost(c Caught) Caught {
	var inner Caught
	if json.Unmarshal([]byte(c.Cause), &inner) == nil && inner.Cause != "" {
		return innermost(inner)
	}
	return c
}
