package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Imagining plays scenarios; job.Scenario does.
type Imagining interface {
	Run(ctx context.Context, in job.ScenarioInput) (job.ScenarioOutput, error)
}

// Scenarios tell what the coming months would cost if.
type Scenarios struct {
	Imagine Imagining
}

// Register adds the operation.
func (x Scenarios) Register(a huma.API) {
	operation(a, huma.Operation{
		OperationID: "play-scenario", Method: http.MethodPost, Path: "/scenarios", Tags: []string{"Analysis"}, Summary: "Say what the coming months would cost if",
		Description: "Takes the forecast of a scope and applies the steps in their order: growth, a factor (2 doubles, 0 switches off), money a day that comes or goes, recommendations carried out. " +
			"Nothing is stored. Without steps the answer is the forecast itself. What each step adds is told apart; the base and the steps add up to the scenario. " +
			"No saving counts twice, and none is larger than the cost it lowers.",
	}, tenant.Viewer, x.play)
}

type scenarioInput struct {
	Body *scenarioBody `required:"false"`
}

type scenarioBody struct {
	Scope    cost.Scope     `json:"scope,omitempty" doc:"What is forecast: FOCUS column, or Tags/<key>, to value. Without it, the whole bill."`
	Currency cost.Currency  `json:"currency,omitempty" doc:"Needed where the bill has several."`
	Basis    cost.Basis     `json:"basis,omitempty" enum:"billed,effective,list,contracted" doc:"Effective without it; recommendations need effective."`
	Steps    []scenarioStep `json:"steps,omitempty" maxItems:"20" doc:"What would be different, in the order in which it is applied: what grows takes what came before along."`
}

type scenarioStep struct {
	Kind  job.ScenarioKind `json:"kind" enum:"growth,factor,amount,recommendations"`
	Scope cost.Scope       `json:"scope,omitempty" doc:"What the step is about, inside the scope of the scenario. Without it, all of that. The steps together may name four dimensions beside it, three with recommendations."`
	From  string           `json:"from,omitempty" format:"date" doc:"The first day. Without it, or before the forecast begins, the first day of the forecast."`
	To    string           `json:"to,omitempty" format:"date" doc:"The day after the last one. Without it, for good. Growth that ends stays at what it has reached."`

	Percent *float64 `json:"percent_per_month,omitempty" doc:"Of growth: so many percent a month, compounding by the day. Negative shrinks."`
	Factor  *float64 `json:"factor,omitempty" minimum:"0" maximum:"1000" doc:"Of factor."`
	Amount  string   `json:"amount_per_day,omitempty" maxLength:"20" example:"-12.50" doc:"Of amount: in the scenario's currency. Negative takes away, at most what is there."`

	Status   []recommend.Status `json:"status,omitempty" enum:"approved,open" uniqueItems:"true" doc:"Of recommendations: only those that stand so. Without it, approved and open ones."`
	IDs      []string           `json:"ids,omitempty" maxItems:"200" doc:"Of recommendations: only these. Without it, all."`
	OverDays int                `json:"over_days,omitempty" minimum:"1" maximum:"366" doc:"Of recommendations: carried out evenly over so many days. Without it, at once."`
}

type scenarioOutput struct {
	Body job.ScenarioOutput
}

func (x Scenarios) play(ctx context.Context, p tenant.Principal, in *scenarioInput) (*scenarioOutput, error) {
	var b scenarioBody
	if in.Body != nil {
		b = *in.Body
	}
	ask := job.ScenarioInput{Tenant: p.Tenant, Scope: b.Scope, Currency: b.Currency, Basis: b.Basis}
	if b.Currency != "" && !b.Currency.Valid() {
		return nil, fault.Input("body.currency", string(b.Currency), "is no currency code such as USD")
	}
	for i, s := range b.Steps {
		next, err := s.read(fmt.Sprintf("body.steps[%d].", i))
		if err != nil {
			return nil, err
		}
		ask.Steps = append(ask.Steps, next)
	}
	out, err := x.Imagine.Run(ctx, ask)
	return &scenarioOutput{out}, inBody(err)
}

// read reads the texts of a step, whose fields are at the location.
func (s scenarioStep) read(at string) (job.ScenarioStep, error) {
	out := job.ScenarioStep{Kind: s.Kind, Scope: s.Scope, Percent: s.Percent, Factor: s.Factor, Status: s.Status, IDs: s.IDs, OverDays: s.OverDays}
	size, negative := strings.CutPrefix(s.Amount, "-")
	amount, err := optionalAmount(at+"amount_per_day", size)
	if err != nil {
		return out, err
	}
	if amount != nil && negative {
		*amount = amount.Neg()
	}
	out.Amount = amount
	if out.From, err = dateIn(at+"from", s.From); err != nil {
		return out, err
	}
	out.To, err = dateIn(at+"to", s.To)
	return out, err
}

// dateIn reads a date; the empty text is the zero time.
func dateIn(location, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fault.Input(location, text, "is not a date such as 2026-12-01")
	}
	return day, nil
}
