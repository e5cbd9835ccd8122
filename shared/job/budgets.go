package job

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// JudgedBudget is a budget with how it stood when it was last judged.
type JudgedBudget struct {
	budget.Budget

	Standings []budget.Standing // the latest period first; older ones as they were judged last
	Revision  int64             // counts how often it was written, by people and by judgements
}

// oldAfter is when a judgement is so old that one has to hear of it: analyses follow each other by the day.
const oldAfter = 3 * 24 * time.Hour

// Standing is how the budget stands in the period that holds the moment, and says so where it was judged long before; nil where it has
// not been judged in that period.
func (b JudgedBudget) Standing(now time.Time) *budget.Standing {
	running := b.Cadence.Period(now)
	for _, s := range b.Standings {
		if s.Period != running || b.Status(now) != budget.Running {
			continue
		}
		if now.Sub(s.At) > oldAfter {
			s.Reasons = append(slices.Clone(s.Reasons), "This is how it stood on "+s.At.Format("2 January 2006")+": nothing has been analysed since.")
		}
		return &s
	}
	return nil
}

// BudgetReader reads budgets.
type BudgetReader interface {
	// Budgets lists them by name, each with its latest standings.
	Budgets(ctx context.Context, t tenant.ID, f BudgetFilter) ([]JudgedBudget, error)
	// Budget fails with fault.NotFound when there is none with the id.
	Budget(ctx context.Context, t tenant.ID, id string) (JudgedBudget, error)
	// BudgetAlerts lists the alerts of a budget, the latest raised first.
	BudgetAlerts(ctx context.Context, t tenant.ID, f AlertFilter) ([]budget.Alert, error)
}

// BudgetStore keeps budgets. Each of its writes is one transaction.
type BudgetStore interface {
	BudgetReader

	// CreateBudget stores a new budget with its standings and alerts. It fails with fault.Conflict when the name is taken, or when
	// there are as many budgets as may be.
	CreateBudget(ctx context.Context, t tenant.ID, b JudgedBudget, alerts []budget.Alert, most int) error
	// ReplaceBudget stores a budget, those of its standings that are given, and alerts, in place of what was read at b.Revision. It
	// fails with fault.Drifted when the budget was written since, with fault.NotFound when it was deleted, and with fault.Conflict
	// when another has its name.
	ReplaceBudget(ctx context.Context, t tenant.ID, b JudgedBudget, alerts []budget.Alert) error
	// DeleteBudget removes a budget with its standings and alerts. It fails with fault.NotFound when there is none.
	DeleteBudget(ctx context.Context, t tenant.ID, id string) error
}

// BudgetFilter is a place in the list of budgets.
type BudgetFilter struct {
	AfterName string // with AfterID, the last one of the page before
	AfterID   string
	Limit     int // 0 is no limit
}

// AlertFilter chooses alerts of one budget and the place in their order.
type AlertFilter struct {
	Budget      string
	Period      *cost.Period         // only of this; nil: of all
	Status      []budget.AlertStatus // any of them; empty: all
	AfterRaised time.Time            // with AfterID, the last one of the page before
	AfterID     string
	Limit       int // 0 is no limit
}

// Budgets keeps budgets and judges them. A budget is judged before it is stored, so that it, how it stands and its alerts come into
// the record together.
type Budgets struct {
	Store     BudgetStore
	Series    SeriesReader
	Costs     CostQuery
	Calendars Calendars
	NewID     func() string
	Now       Clock
}

// MostBudgets is how many a tenant may have: each is forecast after every load.
const MostBudgets = 100

// Create stores a new budget. Without thresholds it gets the usual ones; an empty list is none. It fails with fault.Invalid, naming
// the field, for a budget that makes no sense, and with fault.Conflict when the name is taken or there are MostBudgets.
func (x Budgets) Create(ctx context.Context, t tenant.ID, b budget.Budget) (JudgedBudget, error) {
	now := x.Now()
	b, err := completeBudget(b)
	if err != nil {
		return JudgedBudget{}, err
	}
	b.ID, b.Version, b.CreatedAt, b.UpdatedAt = x.NewID(), 1, now, now
	v, err := x.judge(ctx, t, JudgedBudget{Budget: b}, newJudgement(now))
	if err != nil {
		return JudgedBudget{}, err
	}
	return v.JudgedBudget, x.Store.CreateBudget(ctx, t, v.JudgedBudget, v.alerts, MostBudgets)
}

// Update changes a budget that stands at b.Version, and judges it anew. What it is already stays as it is. It fails as Create does,
// with fault.NotFound when there is no such budget, and with fault.Conflict when it stands at another version.
func (x Budgets) Update(ctx context.Context, t tenant.ID, b budget.Budget) (JudgedBudget, error) {
	b, err := completeBudget(b)
	if err != nil {
		return JudgedBudget{}, err
	}
	var out JudgedBudget
	err = x.unhindered(func() error {
		current, err := x.Store.Budget(ctx, t, b.ID)
		if err != nil {
			return err
		}
		if current.Same(b) {
			out = current
			return nil
		}
		if current.Version != b.Version {
			return fault.New(fault.Conflict, "The budget stands at version %d, not %d. Read it again, and change that.", current.Version, b.Version)
		}
		next := JudgedBudget{Budget: b, Revision: current.Revision}
		next.Version, next.CreatedAt, next.UpdatedAt = current.Version+1, current.CreatedAt, x.Now()
		v, err := x.judge(ctx, t, next, newJudgement(next.UpdatedAt))
		if err != nil {
			return err
		}
		if err := x.Store.ReplaceBudget(ctx, t, v.JudgedBudget, v.alerts); err != nil {
			return err
		}
		out, err = x.Store.Budget(ctx, t, b.ID)
		return err
	})
	return out, err
}

// unhindered tries again when somebody else wrote at the same time.
func (x Budgets) unhindered(write func() error) error {
	const attempts = 5
	var err error
	for range attempts {
		if err = write(); fault.CodeOf(err) != fault.Drifted {
			return err
		}
	}
	return fault.Wrap(err, fault.Unavailable, "The budget is being written by others again and again. Try again in a moment.")
}

// completeBudget fills in what is left out, and refuses what makes no sense.
func completeBudget(b budget.Budget) (budget.Budget, error) {
	b.Amount.Basis = cmp.Or(b.Amount.Basis, cost.Effective)
	if b.Filter == nil {
		b.Filter = map[cost.Dimension][]string{}
	}
	if b.Thresholds == nil {
		b.Thresholds = budget.DefaultThresholds()
	}
	return b, b.Check()
}
