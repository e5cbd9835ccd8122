package story

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/local/report"
	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// Budget is a budget as the API shows it.
type Budget struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Amount   cost.Money        `json:"amount"`
	Standing *budget.Standing  `json:"standing"`
	Reason   string            `json:"reason"`
	History  []budget.Standing `json:"history"`
}

// Budgets lists them.
func (s Story) Budgets(ctx context.Context) ([]Budget, error) {
	return list[Budget](ctx, s, "/api/v1/budgets", nil)
}

// set makes the budgets of the story once the bills are there: for the whole company and for its shop, what each cost in the last
// whole month, to the next hundred.
func (s Story) set(ctx context.Context) error {
	have, err := s.Budgets(ctx)
	if err != nil || len(have) > 0 {
		return err
	}
	last := cost.MonthStart(s.Clock.Now()).AddDate(0, -1, 0)
	for name, filter := range map[string]map[cost.Dimension][]string{
		"Meridian Goods": {}, "Shop": {cost.Tag("application"): {"storefront", "checkout"}},
	} {
		query := url.Values{"start": {last.Format(time.DateOnly)}, "end": {last.AddDate(0, 1, 0).Format(time.DateOnly)}}
		for d, values := range filter {
			for _, v := range values {
				query.Add("filter", string(d)+"="+v)
			}
		}
		var spent Groups
		if err := s.API.Get(ctx, "/api/v1/costs", query, &spent); err != nil {
			return err
		}
		if len(spent.Items) != 1 {
			return fmt.Errorf("the costs for the budget %s came in %d sums, want one", name, len(spent.Items))
		}
		amount := spent.Items[0].Cost
		hundred := decimal.NewFromInt(100)
		amount.Amount = amount.Amount.Div(hundred).Ceil().Mul(hundred)
		if err := s.API.Post(ctx, "/api/v1/budgets", nil, map[string]any{"name": name, "period": budget.Monthly, "amount": amount, "filter": filter}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s Story) budgets(ctx context.Context, r *report.Report) error {
	all, err := s.Budgets(ctx)
	for _, b := range all {
		one := report.Budget{Name: b.Name, Amount: b.Amount, Why: b.Reason}
		if st := b.Standing; st != nil {
			one.End, one.Used, one.Overrun, one.Why = st.Period.End, st.Used, st.Overrun, strings.Join(st.Reasons, " ")
			if st.Expected != nil {
				one.Expected = &st.Expected.Mean
			}
			if st.Break != nil {
				one.Breaks = st.Break.Expected
			}
		}
		r.Budgets = append(r.Budgets, one)
	}
	return err
}
