package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// BudgetKeeper makes and changes budgets, and judges them as it does; job.Budgets does.
type BudgetKeeper interface {
	Create(ctx context.Context, t tenant.ID, b budget.Budget) (job.JudgedBudget, error)
	Update(ctx context.Context, t tenant.ID, b budget.Budget) (job.JudgedBudget, error)
	Picture(ctx context.Context, t tenant.ID, id string) (job.Chart, error)
}

// BudgetRecord reads budgets and removes them.
type BudgetRecord interface {
	job.BudgetReader

	DeleteBudget(ctx context.Context, t tenant.ID, id string) error
}

// Budgets are what may be spent, and how that stands.
type Budgets struct {
	Keep     BudgetKeeper
	Record   BudgetRecord
	Receipts Receipts
	// Draw gives a picture as SVG. It fails with fault.Unprocessable where there is nothing to see.
	Draw func(job.Chart) ([]byte, error)
	Now  job.Clock
}

const budgetsTag = "Budgets"

// Register adds the operations.
func (x Budgets) Register(a huma.API) {
	tags := []string{budgetsTag}
	operation(a, huma.Operation{OperationID: "list-budgets", Method: http.MethodGet, Path: "/budgets", Tags: tags,
		Summary: "List budgets by name, with how each stands"}, tenant.Viewer, x.list)
	operation(a, huma.Operation{OperationID: "create-budget", Method: http.MethodPost, Path: "/budgets", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Make a budget",
		Description: "It is judged at once, and again after every analysis of the whole bill: what the bill shows, what the period is expected to end with, the probability that it ends above the amount, and the day on which it passes it. " +
			"What is not known is null, and reasons say why. There may be 100."}, tenant.Operator, x.create)
	operation(a, huma.Operation{OperationID: "get-budget", Method: http.MethodGet, Path: "/budgets/{id}", Tags: tags,
		Summary: "Read one budget, with how it stands and how it ended in the last twelve periods"}, tenant.Viewer, x.get)
	operation(a, huma.Operation{OperationID: "update-budget", Method: http.MethodPut, Path: "/budgets/{id}", Tags: tags,
		Summary:     "Change a budget",
		Description: "Replaces all of it, and judges it anew; alerts of the version before are withdrawn. What it is already changes nothing. 409 when it stands at another version."}, tenant.Operator, x.update)
	operation(a, huma.Operation{OperationID: "delete-budget", Method: http.MethodDelete, Path: "/budgets/{id}", Tags: tags,
		Summary: "Remove a budget with its standings and alerts"}, tenant.Operator, x.remove)
	operation(a, huma.Operation{OperationID: "list-budget-alerts", Method: http.MethodGet, Path: "/budgets/{id}/alerts", Tags: tags,
		Summary:     "List the alerts of a budget, the latest raised first",
		Description: "A threshold raises one alert a period, and one more after the budget was changed."}, tenant.Viewer, x.alerts)
	operation(a, picture("chart-budget", "/budgets/{id}/chart.svg", budgetsTag, "Draw the running period of a budget",
		"The cost up to each day, how it may go on with the courses that four in five and 19 in 20 are within, and the amount."), tenant.Viewer, x.chart)
}

// BudgetBody is what people say of a budget.
type BudgetBody struct {
	Name       string                      `json:"name" minLength:"1" maxLength:"200" example:"Production"`
	Period     budget.Cadence              `json:"period" enum:"monthly,quarterly" doc:"Of the calendar, in UTC."`
	Amount     budgetAmount                `json:"amount" doc:"What may be spent in each period."`
	Filter     map[cost.Dimension][]string `json:"filter,omitempty" doc:"A part of the bill: FOCUS column, or Tags/<key>, to the values that count. Without it, the whole bill."`
	Start      string                      `json:"start,omitempty" format:"date" doc:"First day of the first period. Without it, the budget is in force from when it is made."`
	End        string                      `json:"end,omitempty" format:"date" doc:"The day after the last period. Without it, the budget stays in force."`
	Thresholds []budget.Threshold          `json:"thresholds,omitempty" maxItems:"10" doc:"When to raise an alert. Without it: at 80 and 100 % of the amount on the bill, and when the period is expected to end at 100 %. An empty list raises none."`
}

type budgetAmount struct {
	Amount   string        `json:"amount" maxLength:"20" example:"2500.00"`
	Currency cost.Currency `json:"currency" example:"USD" doc:"Costs in other currencies are not counted."`
	Basis    cost.Basis    `json:"basis,omitempty" enum:"billed,effective,list,contracted" doc:"Which cost is counted; effective without it."`
}

func (b BudgetBody) read() (budget.Budget, error) {
	out := budget.Budget{Name: b.Name, Cadence: b.Period, Filter: b.Filter, Thresholds: b.Thresholds}
	amount, err := optionalAmount("body.amount.amount", b.Amount.Amount)
	if err != nil {
		return out, err
	}
	if amount == nil {
		return out, fault.Input("body.amount.amount", "", "is no amount such as 25 or 12.50")
	}
	out.Amount = cost.Money{Amount: *amount, Currency: b.Amount.Currency, Basis: b.Amount.Basis}
	if out.Start, err = dateIn("body.start", b.Start); err != nil {
		return out, err
	}
	out.End, err = dateIn("body.end", b.End)
	return out, err
}

// inBudget names the fields of an input error as the body has them.
func inBudget(err error) error {
	return inBody(err, "amount", "amount.amount", "currency", "amount.currency", "basis", "amount.basis")
}

// budgetView is a budget as it is shown. It can be sent back with PUT, without what the record adds.
type budgetView struct {
	ID         string                      `json:"id"`
	Name       string                      `json:"name"`
	Period     budget.Cadence              `json:"period"`
	Amount     cost.Money                  `json:"amount"`
	Filter     map[cost.Dimension][]string `json:"filter"`
	Start      *string                     `json:"start"`
	End        *string                     `json:"end"`
	Thresholds []budget.Threshold          `json:"thresholds"`
	Version    int                         `json:"version" doc:"Counts the changes; name it in the next one."`
	CreatedAt  time.Time                   `json:"created_at"`
	UpdatedAt  time.Time                   `json:"updated_at"`
	Status     budget.Status               `json:"status" enum:"upcoming,running,ended"`
	Standing   *budget.Standing            `json:"standing" doc:"How the running period stands. Null: it has not been judged, and reason says why."`
	Reason     string                      `json:"reason,omitempty" doc:"Why there is no standing."`
	History    []budget.Standing           `json:"history,omitempty" doc:"How the periods before stood when they were last judged, the latest first; of one budget only."`
}

func (x Budgets) view(b job.JudgedBudget) budgetView {
	now := x.Now()
	v := budgetView{
		ID: b.ID, Name: b.Name, Period: b.Cadence, Amount: b.Amount, Filter: b.Filter, Start: dayOf(b.Start), End: dayOf(b.End), Thresholds: b.Thresholds,
		Version: b.Version, CreatedAt: b.CreatedAt, UpdatedAt: b.UpdatedAt, Status: b.Status(now), Standing: b.Standing(now),
	}
	switch {
	case v.Standing != nil:
	case v.Status == budget.Running:
		v.Reason = "The running period has not been judged yet; the next analysis does, or POST /api/v1/analyze."
	case v.Status == budget.Upcoming:
		v.Reason = "Its first period has not begun."
	default:
		v.Reason = "Its last period is over; history tells how it ended."
	}
	return v
}

// whole is the view with the standings of other periods.
func (x Budgets) whole(b job.JudgedBudget) budgetView {
	v := x.view(b)
	for _, s := range b.Standings {
		if v.Standing == nil || s.Period != v.Standing.Period {
			v.History = append(v.History, s)
		}
	}
	return v
}

// dayOf is a date; nil for the zero time.
func dayOf(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.Format(time.DateOnly)
	return &text
}

type listBudgetsInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before."`
}

type budgetPage struct {
	Body struct {
		Items      []budgetView `json:"items"`
		NextCursor *string      `json:"next_cursor" doc:"Null on the last page."`
	}
}

func (x Budgets) list(ctx context.Context, p tenant.Principal, in *listBudgetsInput) (*budgetPage, error) {
	f := job.BudgetFilter{Limit: in.Limit + 1}
	if in.Cursor != "" {
		var ok bool
		if f.AfterName, f.AfterID, ok = splitMark(in.Cursor); !ok || f.AfterID == "" || !plain(f.AfterName+f.AfterID) {
			return nil, badMark(in.Cursor)
		}
	}
	found, err := x.Record.Budgets(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := &budgetPage{}
	out.Body.Items = []budgetView{}
	for _, b := range found[:min(in.Limit, len(found))] {
		out.Body.Items = append(out.Body.Items, x.view(b))
	}
	if len(found) > in.Limit {
		last := found[in.Limit-1]
		out.Body.NextCursor = mark(last.Name, last.ID)
	}
	return out, nil
}

type createBudgetInput struct {
	Idempotency

	Body BudgetBody
}

type budgetOutput struct {
	Body budgetView
}

func (x Budgets) create(ctx context.Context, p tenant.Principal, in *createBudgetInput) (*budgetOutput, error) {
	b, err := in.Body.read()
	if err != nil {
		return nil, err
	}
	return once(ctx, x.Receipts, p, "create-budget", in.Idempotency, in.Body, func(ctx context.Context) (*budgetOutput, error) {
		made, err := x.Keep.Create(ctx, p.Tenant, b)
		return &budgetOutput{x.whole(made)}, inBudget(err)
	})
}

// BudgetNamed is the input of what is about one budget.
type BudgetNamed struct {
	ID string `path:"id" maxLength:"100"`
}

func (x Budgets) get(ctx context.Context, p tenant.Principal, in *BudgetNamed) (*budgetOutput, error) {
	b, err := x.Record.Budget(ctx, p.Tenant, in.ID)
	return &budgetOutput{x.whole(b)}, err
}

type updateBudgetInput struct {
	BudgetNamed

	Body struct {
		BudgetBody

		Version int `json:"version" minimum:"1" doc:"That of the budget that you read."`
	}
}

func (x Budgets) update(ctx context.Context, p tenant.Principal, in *updateBudgetInput) (*budgetOutput, error) {
	b, err := in.Body.read()
	if err != nil {
		return nil, err
	}
	b.ID, b.Version = in.ID, in.Body.Version
	changed, err := x.Keep.Update(ctx, p.Tenant, b)
	return &budgetOutput{x.whole(changed)}, inBudget(err)
}

func (x Budgets) remove(ctx context.Context, p tenant.Principal, in *BudgetNamed) (*struct{}, error) {
	return &struct{}{}, x.Record.DeleteBudget(ctx, p.Tenant, in.ID)
}

type chartBudgetInput struct {
	BudgetNamed

	Known string `header:"If-None-Match" doc:"The entity tag of the picture that you have."`
}

func (x Budgets) chart(ctx context.Context, p tenant.Principal, in *chartBudgetInput) (*chartOutput, error) {
	c, err := x.Keep.Picture(ctx, p.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	return drawn(x.Draw, c, in.Known)
}

type listBudgetAlertsInput struct {
	BudgetNamed

	Status []budget.AlertStatus `query:"status,explode" enum:"raised,withdrawn" doc:"Any of these; without it, all."`
	Limit  int                  `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string               `query:"cursor" doc:"next_cursor of the page before."`
}

type budgetAlertPage struct {
	Body struct {
		Items      []budget.Alert `json:"items"`
		NextCursor *string        `json:"next_cursor" doc:"Null on the last page."`
	}
}

func (x Budgets) alerts(ctx context.Context, p tenant.Principal, in *listBudgetAlertsInput) (*budgetAlertPage, error) {
	f := job.AlertFilter{Budget: in.ID, Status: in.Status, Limit: in.Limit + 1}
	if in.Cursor != "" {
		raised, id, ok := splitMark(in.Cursor)
		var err error
		if f.AfterRaised, err = time.Parse(time.RFC3339Nano, raised); err != nil || !ok || !plain(id) {
			return nil, badMark(in.Cursor)
		}
		f.AfterID = id
	}
	if _, err := x.Record.Budget(ctx, p.Tenant, in.ID); err != nil { // a list of nothing would hide that there is none
		return nil, err
	}
	found, err := x.Record.BudgetAlerts(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := &budgetAlertPage{}
	out.Body.Items = append([]budget.Alert{}, found[:min(in.Limit, len(found))]...)
	if len(found) > in.Limit {
		last := out.Body.Items[in.Limit-1]
		out.Body.NextCursor = mark(last.RaisedAt.UTC().Format(time.RFC3339Nano), last.ID)
	}
	return out, nil
}
