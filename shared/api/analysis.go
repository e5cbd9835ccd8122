package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Analyzer runs an analysis.
type Analyzer interface {
	Run(ctx context.Context, in job.AnalyzeInput) (job.AnalyzeOutput, error)
}

// Analysis finds anomalies, forecasts and trends, and shows them.
type Analysis struct {
	Run      Analyzer
	Reader   job.AnalysisReader
	Assess   job.Assess
	Receipts Receipts
}

// Register adds the operations.
func (x Analysis) Register(a huma.API) {
	tags := []string{"Analysis"}
	operation(a, huma.Operation{
		OperationID: "analyze", Method: http.MethodPost, Path: "/analyze", Tags: tags, Summary: "Analyse the daily costs",
		Description: "Finds anomalies, forecasts the coming months and describes the trends of what has been loaded, stores the results and answers their summary. Days that providers are still writing are not judged.",
	}, tenant.Operator, x.analyze)
	operation(a, huma.Operation{
		OperationID: "list-anomalies", Method: http.MethodGet, Path: "/anomalies", Tags: tags, Summary: "List anomalies",
		Description: "The last detected first. Without a status, open and ended ones.",
	}, tenant.Viewer, x.anomalies)
	operation(a, huma.Operation{OperationID: "get-anomaly", Method: http.MethodGet, Path: "/anomalies/{id}", Tags: tags, Summary: "Show an anomaly"}, tenant.Viewer, x.anomaly)
	operation(a, huma.Operation{
		OperationID: "assess-anomaly", Method: http.MethodPost, Path: "/anomalies/{id}/verdict", Tags: tags, Summary: "Say what an anomaly was",
		Description: "The last verdict counts. Later analyses do not tell what lies in an ignored scope, and what was expected must move farther to be told again.",
	}, tenant.Operator, x.assess)
	operation(a, huma.Operation{
		OperationID: "list-forecasts", Method: http.MethodGet, Path: "/forecasts", Tags: tags, Summary: "List forecasts",
		Description: "Of the whole bill, of each provider, account, region, service or leaf, by day, with intervals; one a currency. The forecasts of parts sum to the forecast of the whole.",
	}, tenant.Viewer, x.forecasts)
	operation(a, huma.Operation{
		OperationID: "list-trends", Method: http.MethodGet, Path: "/trends", Tags: tags, Summary: "List trends",
		Description: "Of the whole bill, of each provider, account, region, service or leaf: direction, averages, changes of level, pattern and what drove the last month.",
	}, tenant.Viewer, x.trends)
}

type analyzeInput struct {
	Idempotency

	Body *analyzeBody `required:"false"`
}

type analyzeBody struct {
	Types       []job.AnalysisType  `json:"types,omitempty" uniqueItems:"true" enum:"anomaly,forecast,trend" doc:"What to do; without it, everything."`
	Sensitivity anomaly.Sensitivity `json:"sensitivity,omitempty" enum:"low,medium,high" doc:"How unusual a day must be to be told; medium without it. For a bill of about 150 leaves expect one false alert in eight months at low, one in two months at medium, and one in five weeks at high."`
	Basis       cost.Basis          `json:"basis,omitempty" enum:"billed,effective,list,contracted" doc:"Which cost to look at; effective without it."`
	Filters     cost.Scope          `json:"filters,omitempty" doc:"A part of the bill: FOCUS column, or Tags/<key>, to value. Without it, the whole bill."`
	Period      *analyzedDays       `json:"period,omitempty" doc:"The history to learn from and to judge, at most three years; without it, the last eighteen months. What is found in a period of your own is kept apart, under the name that the answer gives as analysis."`
}

// analyzedDays are a period as people write it.
type analyzedDays struct {
	Start string `json:"start" maxLength:"40" example:"2026-01-01" doc:"The first day. A time of day does not count."`
	End   string `json:"end" maxLength:"40" example:"2026-11-01" doc:"The day after the last one."`
}

func (p *analyzedDays) read() (*cost.Period, error) {
	if p == nil {
		return nil, nil
	}
	var out cost.Period
	var err error
	if out.Start, err = dayIn("body.period.start", p.Start); err != nil {
		return nil, err
	}
	out.End, err = dayIn("body.period.end", p.End)
	return &out, err
}

// dayIn reads a date, or the day of a moment.
func dayIn(location, text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return cost.Day(at), nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fault.Input(location, text, "is not a date such as 2026-12-01")
	}
	return day, nil
}

type analyzeOutput struct {
	Body job.AnalyzeOutput
}

func (x Analysis) analyze(ctx context.Context, p tenant.Principal, in *analyzeInput) (*analyzeOutput, error) {
	var b analyzeBody
	if in.Body != nil {
		b = *in.Body
	}
	days, err := b.Period.read()
	if err != nil {
		return nil, err
	}
	return once(ctx, x.Receipts, p, "analyze", in.Idempotency, b, func(ctx context.Context) (*analyzeOutput, error) {
		out, err := x.Run.Run(ctx, job.AnalyzeInput{
			Tenant: p.Tenant, Basis: b.Basis, Sensitivity: b.Sensitivity, Types: b.Types, Period: days, Filter: b.Filters,
		})
		return &analyzeOutput{out}, inBody(err, "dimension", "filters")
	})
}

type listAnomaliesInput struct {
	Status   []job.AnomalyStatus `query:"status,explode" enum:"open,ended,explained,dismissed,withdrawn" doc:"Any of these; without it, open and ended ones."`
	Severity anomaly.Severity    `query:"severity" enum:"low,medium,high,critical" doc:"At least this one."`
	Provider string              `query:"provider" doc:"ServiceProviderName as the bill writes it."`
	Service  string              `query:"service" doc:"ServiceName as the bill writes it."`
	Account  string              `query:"account" doc:"SubAccountId."`
	Region   string              `query:"region" doc:"RegionId."`
	Since    string              `query:"since" format:"date" doc:"Detected on this day or later."`
	Analysis string              `query:"analysis" doc:"The analysis of a part or a period that found it, as its summary names it; without it, the analysis of the whole bill."`
	Basis    cost.Basis          `query:"basis" enum:"billed,effective,list,contracted" default:"effective"`
	Limit    int                 `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor   string              `query:"cursor" doc:"next_cursor of the page before."`
}

type anomalyPage struct {
	Body struct {
		Items      []job.Anomaly `json:"items"`
		NextCursor *string       `json:"next_cursor" doc:"Null on the last page."`
	}
}

func (x Analysis) anomalies(ctx context.Context, p tenant.Principal, in *listAnomaliesInput) (*anomalyPage, error) {
	f := job.AnomalyFilter{
		Analysis: in.Analysis, Basis: in.Basis, Status: in.Status, Severity: in.Severity,
		Provider: in.Provider, Service: in.Service, Account: in.Account, Region: in.Region, Limit: in.Limit + 1,
	}
	if len(f.Status) == 0 {
		f.Status = []job.AnomalyStatus{job.AnomalyOpen, job.AnomalyEnded}
	}
	var err error
	if in.Since != "" {
		if f.Since, err = time.Parse(time.DateOnly, in.Since); err != nil {
			return nil, fault.Input("query.since", in.Since, "is not a date such as 2026-11-01")
		}
	}
	if in.Cursor != "" {
		day, id, ok := splitMark(in.Cursor)
		if f.AfterDetected, err = time.Parse(time.DateOnly, day); err != nil || !ok {
			return nil, badMark(in.Cursor)
		}
		f.AfterID = id
	}
	found, err := x.Reader.Anomalies(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := &anomalyPage{}
	out.Body.Items = append([]job.Anomaly{}, found[:min(in.Limit, len(found))]...)
	if len(found) > in.Limit {
		last := out.Body.Items[in.Limit-1]
		out.Body.NextCursor = mark(last.Detected.UTC().Format(time.DateOnly), last.ID)
	}
	return out, nil
}

type anomalyInput struct {
	ID string `path:"id" maxLength:"100"`
}

type anomalyOutput struct {
	Body job.Anomaly
}

func (x Analysis) anomaly(ctx context.Context, p tenant.Principal, in *anomalyInput) (*anomalyOutput, error) {
	found, err := x.Reader.Anomaly(ctx, p.Tenant, in.ID)
	return &anomalyOutput{found}, err
}

type assessInput struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Verdict job.Opinion `json:"verdict" enum:"true,expected,ignore" doc:"true: it was one. expected: the cost was meant to move. ignore: nothing in its scope is to be told."`
		Note    string      `json:"note,omitempty" maxLength:"500" doc:"Why, for people."`
	}
}

func (x Analysis) assess(ctx context.Context, p tenant.Principal, in *assessInput) (*anomalyOutput, error) {
	found, err := x.Assess.Run(ctx, job.AssessInput{Tenant: p.Tenant, ID: in.ID, Opinion: in.Body.Verdict, Note: in.Body.Note, By: p.Subject})
	return &anomalyOutput{found}, err
}

type resultsInput struct {
	Scope    job.Level  `query:"scope" enum:"total,provider,account,region,service,leaf" doc:"How fine the bill is cut: an account or a region over all services of its provider, a service over all accounts and regions, a leaf in one account and region. What is too small to stand by itself comes as one item with rest, so that the items of every scope sum to the total. Without it, the widest that the other parameters name."`
	Provider string     `query:"provider" doc:"Only this ServiceProviderName; not with scope total."`
	Account  string     `query:"account" doc:"Only this SubAccountId; with scope account or leaf."`
	Region   string     `query:"region" doc:"Only this RegionId; with scope region or leaf."`
	Service  string     `query:"service" doc:"Only this ServiceName; with scope service or leaf."`
	Analysis string     `query:"analysis" doc:"An analysis of a part or a period, as its summary names it; without it, the one of the whole bill."`
	Basis    cost.Basis `query:"basis" enum:"billed,effective,list,contracted" default:"effective"`
}

func (in *resultsInput) filter() (job.ResultFilter, error) {
	f := job.ResultFilter{
		Analysis: in.Analysis, Basis: in.Basis, Level: in.Scope,
		Provider: in.Provider, Account: in.Account, Region: in.Region, Service: in.Service,
	}
	if f.Level == "" {
		f.Level = f.Widest()
	}
	for _, given := range []struct {
		name, value string
		with        []job.Level
	}{
		{"provider", in.Provider, job.Levels[1:]},
		{"account", in.Account, []job.Level{job.AccountLevel, job.LeafLevel}},
		{"region", in.Region, []job.Level{job.RegionLevel, job.LeafLevel}},
		{"service", in.Service, []job.Level{job.ServiceLevel, job.LeafLevel}},
	} {
		if given.value != "" && !slices.Contains(given.with, f.Level) {
			return f, fault.Input("query."+given.name, given.value, "does not go with scope=%s: that is not cut by it", f.Level)
		}
	}
	return f, nil
}

type forecastPage struct {
	Body struct {
		Items      []job.Forecast `json:"items"`
		NextCursor *string        `json:"next_cursor" doc:"Always null: forecasts come on one page."`
	}
}

func (x Analysis) forecasts(ctx context.Context, p tenant.Principal, in *resultsInput) (*forecastPage, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	found, err := x.Reader.Forecasts(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := &forecastPage{}
	out.Body.Items = append([]job.Forecast{}, found...)
	return out, nil
}

type trendPage struct {
	Body struct {
		Items      []job.Trend `json:"items"`
		NextCursor *string     `json:"next_cursor" doc:"Always null: trends come on one page."`
	}
}

func (x Analysis) trends(ctx context.Context, p tenant.Principal, in *resultsInput) (*trendPage, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	found, err := x.Reader.Trends(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := &trendPage{}
	out.Body.Items = append([]job.Trend{}, found...)
	return out, nil
}
