package job

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// ForecastReader reads the forecasts that the last analysis stored.
type ForecastReader interface {
	Forecasts(ctx context.Context, t tenant.ID, f ResultFilter) ([]Forecast, error)
}

// SavingsReader reads what could be saved, and what is being done about it.
type SavingsReader interface {
	Recommendations(ctx context.Context, t tenant.ID, f RecommendationFilter) ([]recommend.Recommendation, error)
	// Recommendation fails with fault.NotFound when there is none with the id.
	Recommendation(ctx context.Context, t tenant.ID, id string) (recommend.Recommendation, error)
	Executing(ctx context.Context, t tenant.ID, connection string) ([]rollout.Execution, error)
}

// Scenario asks what the coming months would cost if. It changes nothing.
type Scenario struct {
	Series    SeriesReader
	Forecasts ForecastReader
	Savings   SavingsReader
	Calendars Calendars
	Now       Clock
}

// ScenarioKind is a kind of step.
type ScenarioKind string

// The kinds.
const (
	GrowthStep          ScenarioKind = "growth"          // a scope grows by so much a month
	FactorStep          ScenarioKind = "factor"          // a scope is multiplied: 2 doubles it, 0 switches it off
	AmountStep          ScenarioKind = "amount"          // so much a day comes to a scope, or goes
	RecommendationsStep ScenarioKind = "recommendations" // recommendations are carried out
)

// ScenarioKinds lists them.
var ScenarioKinds = []ScenarioKind{GrowthStep, FactorStep, AmountStep, RecommendationsStep}

// ScenarioInput says what to imagine. The steps are taken in their order.
type ScenarioInput struct {
	Tenant   tenant.ID
	Scope    cost.Scope    // of the base forecast; empty: the whole bill
	Currency cost.Currency // empty: the only one there is
	Basis    cost.Basis    // empty: effective
	Steps    []ScenarioStep
}

// ScenarioStep is one thing that would be different.
type ScenarioStep struct {
	Kind  ScenarioKind
	Scope cost.Scope // inside that of the base; empty: all of it
	From  time.Time  // the first day; zero: from now on
	To    time.Time  // the day after the last one; zero: for good. Not of recommendations.

	Percent *float64         // of growth: a month
	Factor  *float64         // of factor
	Amount  *decimal.Decimal // of amount: a day, negative for less

	Status   []recommend.Status // of recommendations: which ones; empty: the approved and the open ones
	IDs      []string           // of recommendations: only these; empty: all
	OverDays int                // of recommendations: they are carried out evenly over so many days; 0 and 1 are at once
}

// ScenarioOutput is a base and what the steps make of it.
type ScenarioOutput struct {
	Scope    cost.Scope    `json:"scope"`
	Basis    cost.Basis    `json:"basis"`
	Currency cost.Currency `json:"currency"`
	Base     Forecast      `json:"base"`
	forecast.Scenario

	Effects []ScenarioEffect `json:"effects"` // one a step; with the base they add up to the scenario
}

// ScenarioEffect is what one step adds to what comes before it.
type ScenarioEffect struct {
	Kind    ScenarioKind `json:"kind"`
	Summary string       `json:"summary"` // for people
	forecast.Effect

	Recommendations *CountedSavings `json:"recommendations,omitempty"` // of recommendations
}

const mostSteps = 20

// Run imagines. It fails with fault.Invalid for a step that cannot be, naming it as in "steps[2].factor", and with
// fault.Unprocessable where nothing can be forecast.
func (x Scenario) Run(ctx context.Context, in ScenarioInput) (ScenarioOutput, error) {
	basis, ok := cost.ParseBasis(string(in.Basis))
	if !ok {
		return ScenarioOutput{}, fault.Input("basis", string(in.Basis), "is none of billed, effective, list, contracted")
	}
	if in.Basis = basis; len(in.Steps) > mostSteps {
		return ScenarioOutput{}, fault.Input("steps", "", "are more than %d", mostSteps)
	}
	r, err := x.prepare(ctx, in)
	if err != nil {
		return ScenarioOutput{}, err
	}
	out := ScenarioOutput{Scope: in.Scope, Basis: in.Basis, Currency: r.base.Currency, Base: r.base, Effects: []ScenarioEffect{}}
	steps, changes, err := r.steps(ctx)
	if err != nil {
		return ScenarioOutput{}, err
	}
	parts, err := r.parts(steps)
	if err != nil {
		return ScenarioOutput{}, err
	}
	out.Scenario = forecast.Play(r.base.Forecast, parts, changes)
	for i, e := range out.Scenario.Effects {
		steps[i].effect.Effect = e
		out.Effects = append(out.Effects, steps[i].effect)
	}
	return out, nil
}

// imagining is a scenario while it is made.
type imagining struct {
	Scenario

	in       ScenarioInput
	period   cost.Period // the history
	calendar cost.Calendar
	leaves   []cost.Series // of the base's scope and currency, cut as fine as the steps ask; nil where they ask for nothing
	base     Forecast
	counted  map[string]string // recommendations by target, over all steps
}

// prepare finds the base: the stored forecast of the scope, or a fresh one where none is stored.
func (x Scenario) prepare(ctx context.Context, in ScenarioInput) (*imagining, error) {
	now := x.Now()
	r := &imagining{Scenario: x, in: in, counted: map[string]string{}}
	r.period = cost.Period{Start: cost.MonthStart(now).AddDate(0, 1-ingest.FirstPull, 0), End: cost.Day(now)}
	var err error
	ahead := cost.Period{Start: r.period.Start, End: r.period.End.AddDate(0, 0, horizon)}
	if r.calendar, err = x.Calendars.Of(ctx, in.Tenant, ahead); err != nil {
		return nil, err
	}
	by, err := r.dimensions()
	if err != nil {
		return nil, err
	}
	stored, err := r.stored(ctx)
	if err != nil {
		return nil, err
	}
	if len(stored) > 0 && len(by) == 0 {
		r.base, err = chosen(stored, in.Currency)
		return r, err
	}
	if err := r.read(ctx, by); err != nil {
		return nil, err
	}
	if len(stored) > 0 {
		if r.base, err = chosen(stored, in.Currency); err != nil {
			return nil, err
		}
		r.keep(r.base.Currency)
		return r, nil
	}
	return r, r.fresh(now)
}

// stored are the stored forecasts of the base's scope, one a currency.
func (r *imagining) stored(ctx context.Context) ([]Forecast, error) {
	s := r.in.Scope
	f := ResultFilter{Basis: r.in.Basis, Level: LevelOf(s), Provider: s[cost.Provider], Account: s[cost.Account], Region: s[cost.Region], Service: s[cost.Service]}
	if f.Level == "" {
		return nil, nil
	}
	found, err := r.Forecasts.Forecasts(ctx, r.in.Tenant, f)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(f Forecast) bool { return f.Rest || f.Scope.String() != s.String() }), nil
}

// chosen is the forecast in the currency.
func chosen(all []Forecast, c cost.Currency) (Forecast, error) {
	known := make([]string, 0, len(all))
	for _, f := range all {
		if f.Currency != c && (c != "" || len(all) > 1) {
			known = append(known, string(f.Currency))
			continue
		}
		if len(f.Points) == 0 {
			return f, fault.New(fault.Unprocessable, "Nothing can be forecast yet: %s", f.Reason)
		}
		return f, nil
	}
	return Forecast{}, fault.Input("currency", string(c), "has to be one of those that these costs are in: %s", strings.Join(known, ", "))
}

// fresh forecasts the base as an analysis would.
func (r *imagining) fresh(now time.Time) error {
	var all []Forecast
	for _, c := range currencies(r.leaves) {
		mine := slices.DeleteFunc(slices.Clone(r.leaves), func(s cost.Series) bool { return s.Currency != c })
		sum := sumUp(mine, r.in.Scope)
		all = append(all, Forecast{Forecast: r.outlook(sum, horizon, false), Version: forecast.Version, At: now,
			Parameters: parametersOf(sum, horizon, forecast.Options{Calendar: r.calendar})})
	}
	var err error
	if r.base, err = chosen(all, r.in.Currency); err != nil {
		return err
	}
	r.keep(r.base.Currency)
	return nil
}

// keep leaves the other currencies aside.
func (r *imagining) keep(c cost.Currency) {
	r.leaves = slices.DeleteFunc(r.leaves, func(s cost.Series) bool { return s.Currency != c })
}

func (r *imagining) outlook(s cost.Series, days int, fast bool) forecast.Forecast {
	return forecast.DailyWith(s, days, forecast.Options{Calendar: r.calendar, Fast: fast})
}
