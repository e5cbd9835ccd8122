package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// PictureGatherer gathers what a picture shows; job.Picture does.
type PictureGatherer interface {
	Run(ctx context.Context, in job.PictureInput) (job.Chart, error)
}

// Charts are pictures of costs.
type Charts struct {
	Gather PictureGatherer
	// Draw gives a picture as SVG. It fails with fault.Unprocessable where there is nothing to see.
	Draw func(job.Chart) ([]byte, error)
}

const svgType = "image/svg+xml"

// Register adds the operations.
func (x Charts) Register(a huma.API) {
	operation(a, picture("chart-forecast", "/forecasts/chart.svg", "Analysis", "Draw a cost with its forecast",
		"The history, the days that are not final yet, the forecast with the intervals of 80 and 95 %, the days on which the level changed, and anomalies, which tell themselves under the pointer. "+
			"Where no forecast is stored, as of a service in one account but all its regions, the history alone."), tenant.Viewer, x.forecast)
	operation(a, picture("chart-trend", "/trends/chart.svg", "Analysis", "Draw a cost with its trend",
		"The history with the mean of the last 30 days, the days on which the level changed, and anomalies."), tenant.Viewer, x.trend)
}

// picture describes an operation that answers with one.
func picture(id, path, tag, summary, description string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{tag}, Summary: summary,
		Description: description + " The entity tag changes when anything in the picture does.",
		Responses: map[string]*huma.Response{
			"200": {Description: "The picture.", Content: map[string]*huma.MediaType{svgType: {Schema: &huma.Schema{Type: huma.TypeString}}}},
			"304": {Description: "The picture is the one that you have."},
		},
	}
}

// ChartQuery says which cost is drawn, and how much of its history.
type ChartQuery struct {
	Provider string        `query:"provider" doc:"Only this ServiceProviderName; without it, the whole bill."`
	Account  string        `query:"account" doc:"Only this SubAccountId."`
	Region   string        `query:"region" doc:"Only this RegionId. Needs the provider where several have a region of this name."`
	Service  string        `query:"service" doc:"Only this ServiceName. Needs the provider where several have a service of this name."`
	Currency cost.Currency `query:"currency" doc:"Needed where the costs have several."`
	Basis    cost.Basis    `query:"basis" enum:"billed,effective,list,contracted" default:"effective"`
	Days     int           `query:"days" minimum:"7" maximum:"1098" default:"120" doc:"Of history, up to today."`
	Known    string        `header:"If-None-Match" doc:"The entity tag of the picture that you have."`
}

type chartForecastInput struct {
	ChartQuery

	Ahead int `query:"ahead" minimum:"1" maximum:"366" default:"90" doc:"Days to come at most."`
}

type chartTrendInput struct {
	ChartQuery
}

type chartOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Tag         string `header:"ETag"`
	Cache       string `header:"Cache-Control"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

func (x Charts) forecast(ctx context.Context, p tenant.Principal, in *chartForecastInput) (*chartOutput, error) {
	return x.draw(ctx, p, in.ChartQuery, job.PictureInput{Ahead: in.Ahead})
}

func (x Charts) trend(ctx context.Context, p tenant.Principal, in *chartTrendInput) (*chartOutput, error) {
	const month = 30
	return x.draw(ctx, p, in.ChartQuery, job.PictureInput{Average: month})
}

func (x Charts) draw(ctx context.Context, p tenant.Principal, of ChartQuery, in job.PictureInput) (*chartOutput, error) {
	if of.Currency != "" && !of.Currency.Valid() {
		return nil, fault.Input("query.currency", string(of.Currency), "is no currency code such as USD")
	}
	in.Tenant, in.Provider, in.Account, in.Region, in.Service = p.Tenant, of.Provider, of.Account, of.Region, of.Service
	in.Currency, in.Basis, in.Days = of.Currency, of.Basis, of.Days
	c, err := x.Gather.Run(ctx, in)
	if err != nil {
		return nil, inQuery(err)
	}
	return drawn(x.Draw, c, of.Known)
}

// drawn answers with a picture, or with nothing where the caller has it.
func drawn(draw func(job.Chart) ([]byte, error), c job.Chart, known string) (*chartOutput, error) {
	svg, err := draw(c)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(svg)
	out := &chartOutput{
		Status: http.StatusOK, ContentType: svgType, Tag: `"` + hex.EncodeToString(sum[:16]) + `"`,
		Cache:  "private, no-cache",                             // ask again each time, and hear that it is the same
		Policy: "default-src 'none'; style-src 'unsafe-inline'", // whatever names a bill holds, nothing in it runs
	}
	if matches(known, out.Tag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Body = svg
	return out, nil
}

// matches compares entity tags as RFC 9110 does for If-None-Match: weakly, any of a list, or all.
func matches(known, tag string) bool {
	for _, one := range strings.Split(known, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == tag || one == "*" {
			return true
		}
	}
	return false
}

// inQuery names the field of an input error as the caller wrote it.
func inQuery(err error) error {
	public := fault.Public(err)
	if public.Code != fault.Invalid || len(public.Fields) != 1 {
		return err
	}
	f := public.Fields[0]
	return fault.Input("query."+f.Name, f.Value, "%s", f.Problem)
}
