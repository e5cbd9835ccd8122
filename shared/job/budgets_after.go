package job

import (
	"context"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Analysis analyses the daily costs of a tenant; Analyze does.
type Analysis interface {
	Run(ctx context.Context, in AnalyzeInput) (AnalyzeOutput, error)
}

// BudgetJudge judges all budgets of a tenant; Budgets does.
type BudgetJudge interface {
	Judge(ctx context.Context, t tenant.ID) (BudgetSummary, error)
}

// AnalyzeAndJudge is an analysis after which the budgets are judged, so that each load of bills that is followed by one also shows
// in the budgets. An analysis of a part or of a period of its own leaves them.
type AnalyzeAndJudge struct {
	Analysis Analysis
	Budgets  BudgetJudge
}

// Run analyses and judges. Where there are no costs to analyse, the budgets hear of it all the same.
func (x AnalyzeAndJudge) Run(ctx context.Context, in AnalyzeInput) (AnalyzeOutput, error) {
	out, err := x.Analysis.Run(ctx, in)
	if err != nil && fault.CodeOf(err) != fault.Unprocessable || in.Period != nil || len(in.Filter) > 0 {
		return out, err
	}
	summary, failed := x.Budgets.Judge(ctx, in.Tenant)
	if failed != nil {
		return out, failed
	}
	out.Budgets = &summary
	return out, err
}
