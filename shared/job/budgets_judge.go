package job

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// BudgetSummary counts budgets after they were judged.
type BudgetSummary struct {
	Judged  int `json:"judged"`
	Unknown int `json:"unknown"` // of them, how many nobody can tell the end of
	Reached int `json:"reached"` // of them, how many have reached a threshold in their running period
	Raised  int `json:"raised"`  // alerts that were not known before
}

// Judge judges all budgets of a tenant by what the bills show now, and raises alerts. Doing so again changes nothing but the times.
func (x Budgets) Judge(ctx context.Context, t tenant.ID) (BudgetSummary, error) {
	var out BudgetSummary
	all, err := x.Store.Budgets(ctx, t, BudgetFilter{})
	if err != nil {
		return out, err
	}
	how := newJudgement(x.Now())
	for _, b := range all {
		err := x.unhindered(func() error {
			v, err := x.judge(ctx, t, b, how)
			if err != nil {
				return err
			}
			err = x.Store.ReplaceBudget(ctx, t, v.JudgedBudget, v.alerts)
			switch {
			case err == nil:
				out.count(v, how.now)
			case fault.CodeOf(err) == fault.Drifted: // perhaps by a judgement that knows of a later bill
				how = newJudgement(x.Now())
				again, gone := x.Store.Budget(ctx, t, b.ID)
				if gone != nil {
					return gone
				}
				b = again
			}
			return err
		})
		if err != nil && fault.CodeOf(err) != fault.NotFound { // it was deleted meanwhile
			return out, err
		}
	}
	return out, nil
}

func (s *BudgetSummary) count(v verdict, now time.Time) {
	s.Judged++
	s.Raised += v.raised
	standing := v.Standing(now)
	if standing == nil {
		return
	}
	if standing.Expected == nil {
		s.Unknown++
	}
	if slices.ContainsFunc(standing.Reached, func(r budget.Reached) bool { return r.Reached != nil && *r.Reached }) {
		s.Reached++
	}
}

// judgement is one time of judging, in which budgets of the same costs share what is known of these.
type judgement struct {
	now  time.Time
	seen map[string]budget.Evidence
}

func newJudgement(now time.Time) judgement {
	return judgement{now: now, seen: map[string]budget.Evidence{}}
}

// verdict is a budget as it stands in the periods that are to be judged, with the alerts of these periods.
type verdict struct {
	JudgedBudget

	alerts []budget.Alert
	raised int // of them, how many are new
}

// judge judges the periods of a budget and stores nothing.
func (x Budgets) judge(ctx context.Context, t tenant.ID, b JudgedBudget, how judgement) (verdict, error) {
	v := verdict{JudgedBudget: b}
	v.Standings = nil
	e, err := x.known(ctx, t, b.Budget, how)
	if err != nil {
		return v, err
	}
	for _, p := range b.Periods(how.now) {
		s := budget.Evaluate(b.Budget, p, e)
		known, err := x.alertsOf(ctx, t, b, p)
		if err != nil {
			return v, err
		}
		alerts, raised := budget.Merge(b.Budget, s, known)
		v.alerts, v.raised = append(v.alerts, alerts...), v.raised+raised
		v.Standings = slices.Insert(v.Standings, 0, s)
	}
	return v, nil
}

// alertsOf are those that were raised in a period; there are none of a budget that is not stored yet.
func (x Budgets) alertsOf(ctx context.Context, t tenant.ID, b JudgedBudget, p cost.Period) ([]budget.Alert, error) {
	if b.Revision == 0 {
		return nil, nil
	}
	return x.Store.BudgetAlerts(ctx, t, AlertFilter{Budget: b.ID, Period: &p})
}

func (x Budgets) known(ctx context.Context, t tenant.ID, b budget.Budget, how judgement) (budget.Evidence, error) {
	key := fmt.Sprintf("%s/%s/%s/%v", b.Amount.Currency, b.Amount.Basis, b.Cadence, b.Filter) // maps print in the order of their keys
	if e, ok := how.seen[key]; ok {
		return e, nil
	}
	e, err := x.evidence(ctx, t, b, how.now)
	if err == nil {
		how.seen[key] = e
	}
	return e, namedFilter(err)
}

// namedFilter gives a dimension that the record does not know the name of the input it came in.
func namedFilter(err error) error {
	public := fault.Public(err)
	if public.Code != fault.Invalid || len(public.Fields) != 1 || public.Fields[0].Name != "dimension" {
		return err
	}
	f := public.Fields[0]
	return fault.Input("filter."+f.Value, f.Value, "%s", f.Problem)
}

// codesOf joins currencies for people.
func codesOf(all []cost.Currency) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}
