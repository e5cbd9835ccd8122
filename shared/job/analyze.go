package job

import (
	"context"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
	"github.com/cost-agent/cost-agent/shared/trend"
)

// SeriesReader reads daily costs.
type SeriesReader interface {
	Series(ctx context.Context, t tenant.ID, q cost.SeriesQuery) ([]cost.Series, error)
}

// AnalysisStore keeps what analyses found.
type AnalysisStore interface {
	// SaveAnalysis writes, in one transaction, what merge makes of the known anomalies of the same analysis, and replaces its
	// forecasts and trends by those given, each only if it is not nil. A nil merge leaves the anomalies.
	SaveAnalysis(ctx context.Context, t tenant.ID, a AnalysisKey, merge func(known []Anomaly) []Anomaly, forecasts []Forecast, trends []Trend) error
	// MadeForecasts reads those stored forecasts of the analysis that were made from one of the contents, by content, as they were
	// before their parts were made to sum up: without Moves.
	MadeForecasts(ctx context.Context, t tenant.ID, a AnalysisKey, contents []string) (map[string]Forecast, error)
}

// AnalysisKey names what an analysis is about; another analysis of the same replaces it.
type AnalysisKey struct {
	Scope string     // canonical; "total" is the whole bill, "total 2026-10-01..2026-11-01" what a period of one's own shows of it
	Basis cost.Basis // the cost that was looked at
}

// AnomalyStatus is where an anomaly stands.
type AnomalyStatus string

// The statuses.
const (
	AnomalyOpen      AnomalyStatus = "open"      // the cost has not come back
	AnomalyEnded     AnomalyStatus = "ended"     // it has
	AnomalyExplained AnomalyStatus = "explained" // an execution of the agent's own lowered the cost, as it should
	AnomalyDismissed AnomalyStatus = "dismissed" // a person expected it, or wants its scope ignored
	AnomalyWithdrawn AnomalyStatus = "withdrawn" // the bill was restated and no longer shows it
)

// Anomaly is an incident as the record keeps it.
type Anomaly struct {
	anomaly.Incident

	Status      AnomalyStatus       `json:"status"`
	Verdict     *Verdict            `json:"verdict,omitempty"`      // by which it stands
	ExplainedBy string              `json:"explained_by,omitempty"` // ID of the execution, if explained
	Analysis    string              `json:"analysis"`               // scope of the analysis that found it: "total" for the whole bill
	Sensitivity anomaly.Sensitivity `json:"sensitivity"`
	Version     string              `json:"version"`  // of the detector
	FoundAt     time.Time           `json:"found_at"` // first
	SeenAt      time.Time           `json:"seen_at"`  // by the last analysis that still found it
}

// Forecast is a forecast as the record keeps it.
type Forecast struct {
	forecast.Forecast

	Level   Level     `json:"level"` // how fine the bill is cut; the forecasts of a level sum to the whole
	Rest    bool      `json:"rest"`  // it is of what the scope holds beside the parts of this level that stand by themselves
	Version string    `json:"version"`
	At      time.Time `json:"at"` // when it was made

	Parameters Parameters `json:"parameters"` // by which it was made

	Content string    `json:"-"` // names all that it follows from
	Moves   []float64 `json:"-"` // by how much each day has yet to move for the parts to sum to the whole; nil: not at all
}

// Parameters are what a forecast was made by, beside the days themselves.
type Parameters struct {
	Horizon  int  `json:"horizon_days"`
	ARIMA    bool `json:"arima"`    // it was among the models; parts under two percent of the bill are forecast without
	Holidays int  `json:"holidays"` // that were known, in the history and ahead
}

// Trend is a trend as the record keeps it.
type Trend struct {
	trend.Trend

	Level   Level     `json:"level"`
	Rest    bool      `json:"rest"`
	Version string    `json:"version"`
	At      time.Time `json:"at"`
}

// AnalysisType is one part of an analysis.
type AnalysisType string

// The types.
const (
	Anomalies AnalysisType = "anomaly"
	Forecasts AnalysisType = "forecast"
	Trends    AnalysisType = "trend"
)

// AnalysisTypes lists them.
var AnalysisTypes = []AnalysisType{Anomalies, Forecasts, Trends}

// Analyze finds anomalies, forecasts and trends in the daily costs of a tenant.
type Analyze struct {
	Series     SeriesReader
	Store      AnalysisStore
	Verdicts   VerdictReader    // what people think of anomalies; nil is nothing
	Executions ExecutionHistory // what the agent itself did; nil explains nothing
	Calendars  Calendars        // the holidays of tenants
	Tags       []string         // keys of the tags that may name the cause of an anomaly, most telling first
	Now        Clock
}

// AnalyzeInput says what to analyse. The zero values are the whole bill, its effective cost, everything, medium sensitivity
// and the last eighteen months.
type AnalyzeInput struct {
	Tenant      tenant.ID           `json:"tenant"`
	Basis       cost.Basis          `json:"basis,omitempty"`
	Sensitivity anomaly.Sensitivity `json:"sensitivity,omitempty"`
	Types       []AnalysisType      `json:"types,omitempty"`
	Period      *cost.Period        `json:"period,omitempty"` // the history to learn from and to judge
	Filter      cost.Scope          `json:"filter,omitempty"` // a part of the bill, one value a dimension
}

// AnalyzeOutput is the summary of a run.
type AnalyzeOutput struct {
	Analysis    string            `json:"analysis"` // what the results are kept under
	Basis       cost.Basis        `json:"basis"`
	Period      cost.Period       `json:"period"`
	FinalBefore time.Time         `json:"final_before"` // days from here on were not judged
	Series      int               `json:"series"`       // leaves of the cost hierarchy that were read
	Currencies  []cost.Currency   `json:"currencies"`
	Anomalies   *AnomalySummary   `json:"anomalies,omitempty"`
	Forecasts   []ForecastSummary `json:"forecasts,omitempty"`
	Trends      []TrendSummary    `json:"trends,omitempty"`
	Budgets     *BudgetSummary    `json:"budgets,omitempty"` // where they were judged after it
}

// AnomalySummary counts the anomalies after a run.
type AnomalySummary struct {
	Found     int                      `json:"found"`
	New       int                      `json:"new"` // not known before this run
	Open      int                      `json:"open"`
	Explained int                      `json:"explained"` // by the agent's own executions
	Withdrawn int                      `json:"withdrawn"` // by this run
	Severity  map[anomaly.Severity]int `json:"severity"`  // of the open ones
}

// add counts what was followed at another sensitivity.
func (s *AnomalySummary) add(o AnomalySummary) {
	s.Open, s.Explained, s.Withdrawn = s.Open+o.Open, s.Explained+o.Explained, s.Withdrawn+o.Withdrawn
	for severity, n := range o.Severity {
		s.Severity[severity] += n
	}
}

// ForecastSummary is the forecast of the whole in one currency.
type ForecastSummary struct {
	Currency cost.Currency `json:"currency"`
	Model    string        `json:"model"`
	MASE     *float64      `json:"mase"`
	Next30   *forecast.Sum `json:"next_30"`
	Next90   *forecast.Sum `json:"next_90"`
}

// TrendSummary is the trend of the whole in one currency.
type TrendSummary struct {
	Currency cost.Currency `json:"currency"`
	Pattern  trend.Pattern `json:"pattern"`
	Reason   string        `json:"reason"`
	Month    *trend.Rate   `json:"month"` // the last 30 days against the 30 before
}

// leafDimensions cut the bill into the leaves of the hierarchy.
var leafDimensions = []cost.Dimension{cost.Provider, cost.Account, cost.Service, cost.Region}

// Run analyses and stores. Running again over the same bill changes nothing but the times; a later run updates what the
// earlier ones found. It fails with fault.Invalid for an input that cannot be, and with fault.Unprocessable when the tenant
// has no costs in the period.
func (a Analyze) Run(ctx context.Context, in AnalyzeInput) (AnalyzeOutput, error) {
	named := in.Period != nil
	in, err := a.complete(in)
	if err != nil {
		return AnalyzeOutput{}, err
	}
	now := a.Now()
	q := cost.SeriesQuery{Period: *in.Period, Basis: in.Basis, By: leafDimensions, Filter: filterOf(in.Filter), FinalBefore: ingest.FinalBefore(now)}
	leaves, err := a.Series.Series(ctx, in.Tenant, q)
	if err != nil {
		return AnalyzeOutput{}, err
	}
	if len(leaves) == 0 {
		return AnalyzeOutput{}, fault.New(fault.Unprocessable, "There are no costs of %s %s to analyse. Load a bill first, or ask for another part or period.",
			anomaly.Describe(in.Filter), from(*in.Period))
	}
	for i := range leaves { // what the analysis is about belongs to the scope of all that it finds
		for d, v := range in.Filter {
			leaves[i].Scope = leaves[i].Scope.With(d, v)
		}
	}
	out := AnalyzeOutput{
		Analysis: in.name(named), Basis: in.Basis, Period: *in.Period, FinalBefore: q.FinalBefore,
		Series: len(leaves), Currencies: currencies(leaves),
	}
	if err := a.analyse(ctx, in, q, leaves, now, &out); err != nil {
		return AnalyzeOutput{}, err
	}
	return out, nil
}

func (a Analyze) analyse(ctx context.Context, in AnalyzeInput, q cost.SeriesQuery, leaves []cost.Series, now time.Time, out *AnalyzeOutput) error {
	calendar, err := a.Calendars.Of(ctx, in.Tenant, cost.Period{Start: in.Period.Start, End: in.Period.End.AddDate(0, 0, horizon)})
	if err != nil {
		return err
	}
	key := AnalysisKey{out.Analysis, in.Basis}
	var merge func([]Anomaly) []Anomaly
	if slices.Contains(in.Types, Anomalies) {
		if merge, err = a.anomalies(ctx, in, q, leaves, calendar, now, out); err != nil {
			return err
		}
	}
	var forecasts []Forecast
	var trends []Trend
	branches := branchesOf(leaves, in.Filter)
	if slices.Contains(in.Types, Forecasts) {
		if forecasts, err = a.outlook(ctx, in.Tenant, key, branches, calendar, now); err != nil {
			return err
		}
		for _, f := range forecasts {
			if f.Level == WholeLevel {
				w := f.Moved(f.Moves)
				out.Forecasts = append(out.Forecasts, ForecastSummary{w.Currency, w.Model, w.MASE, w.Next30, w.Next90})
			}
		}
	}
	if slices.Contains(in.Types, Trends) {
		if trends, err = movement(ctx, branches, now); err != nil {
			return err
		}
		for _, t := range trends {
			if t.Level == WholeLevel {
				out.Trends = append(out.Trends, TrendSummary{t.Currency, t.Pattern, t.Reason, t.Change.Month})
			}
		}
	}
	return a.Store.SaveAnalysis(ctx, in.Tenant, key, merge, forecasts, trends)
}

// anomalies finds them, and says how to bring them together with the known ones.
func (a Analyze) anomalies(ctx context.Context, in AnalyzeInput, q cost.SeriesQuery, leaves []cost.Series, calendar cost.Calendar, now time.Time, out *AnalyzeOutput) (func([]Anomaly) []Anomaly, error) {
	verdicts, err := a.verdicts(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	options := anomaly.Options{Sensitivity: in.Sensitivity, Expected: expectedScopes(verdicts), Calendar: calendar}
	found, err := a.detect(ctx, in, q, leaves, options)
	if err != nil {
		return nil, err
	}
	executions, err := a.executions(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	fleets, err := a.fleets(ctx, in, q, found, executions)
	if err != nil {
		return nil, err
	}
	out.Anomalies = &AnomalySummary{}
	return func(known []Anomaly) []Anomaly {
		all := evidence{verdicts, executions, fleets}
		merged, summary := mergeAnomalies(known, found, all, in, out.Analysis, now)
		for _, theirs := range followed(known, found, in) {
			more, s := follow(theirs, leaves, options, all, in, out.Analysis, now)
			merged = append(merged, more...)
			summary.add(s)
		}
		*out.Anomalies = summary
		return merged
	}, nil
}

// complete checks the input and fills in what it leaves out.
func (a Analyze) complete(in AnalyzeInput) (AnalyzeInput, error) {
	basis, ok := cost.ParseBasis(string(in.Basis))
	if !ok {
		return in, fault.Input("basis", string(in.Basis), "is none of billed, effective, list, contracted")
	}
	sensitivity, ok := anomaly.ParseSensitivity(string(in.Sensitivity))
	if !ok {
		return in, fault.Input("sensitivity", string(in.Sensitivity), "is none of low, medium, high")
	}
	in.Basis, in.Sensitivity = basis, sensitivity
	if len(in.Types) == 0 {
		in.Types = AnalysisTypes
	}
	for _, t := range in.Types {
		if !slices.Contains(AnalysisTypes, t) {
			return in, fault.Input("types", string(t), "is none of anomaly, forecast, trend")
		}
	}
	if in.Period == nil {
		now := a.Now()
		in.Period = &cost.Period{Start: cost.MonthStart(now).AddDate(0, 1-ingest.FirstPull, 0), End: cost.Day(now)}
	}
	in.Period = &cost.Period{Start: cost.Day(in.Period.Start), End: cost.Day(in.Period.End)}
	const most = 3 * 366
	if n := in.Period.Len(); n < 1 || n > most {
		return in, fault.Input("period", in.Period.String(), "is not between one day and three years")
	}
	return in, nil
}

// from tells a period by its first and last day.
func from(p cost.Period) string {
	return "from " + p.Start.Format(time.DateOnly) + " to " + p.End.AddDate(0, 0, -1).Format(time.DateOnly)
}

// name is what the results are kept under. Those of a period that the caller chose stand beside the results that everybody
// looks at, and never replace them: a forecast from two days is none of the bill.
func (in AnalyzeInput) name(periodChosen bool) string {
	if periodChosen {
		return in.Filter.String() + " " + in.Period.String()
	}
	return in.Filter.String()
}

func filterOf(s cost.Scope) map[cost.Dimension][]string {
	if len(s) == 0 {
		return nil
	}
	out := map[cost.Dimension][]string{}
	for d, v := range s {
		out[d] = []string{v}
	}
	return out
}

func currencies(leaves []cost.Series) []cost.Currency {
	var out []cost.Currency
	for _, s := range leaves {
		out = append(out, s.Currency)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
