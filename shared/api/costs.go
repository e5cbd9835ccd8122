package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// CostReader answers questions about the loaded bills.
type CostReader interface {
	Costs(ctx context.Context, t tenant.ID, q cost.Query) ([]cost.Group, error)
	Coverage(ctx context.Context, t tenant.ID) ([]ingest.Coverage, error)
}

// Answers keeps answers for as long as the data they come from is the same. A miss costs time only.
type Answers interface {
	Get(ctx context.Context, t tenant.ID, key string, into any) bool
	Set(ctx context.Context, t tenant.ID, key string, value any, ttl time.Duration)
	// Version changes with the tenant's data; false when it is not known, and then nothing may be kept.
	Version(ctx context.Context, t tenant.ID) (string, bool)
}

// Costs are the operations on bills: bringing them in, and asking what they say.
type Costs struct {
	Reader  CostReader
	Load    job.Load // Inventory is not used
	Answers Answers
	Now     job.Clock
}

const costsTag = "Costs"

// Register adds the operations.
func (x Costs) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "query-costs", Method: http.MethodGet, Path: "/costs", Tags: []string{costsTag},
		Summary:     "Sum costs by any FOCUS dimension",
		Description: "Amounts are exact decimals. Currencies and cost bases are never mixed. The totals count everything that the filters let through, also what the limit leaves out."},
		tenant.Viewer, x.query)
	operation(a, huma.Operation{OperationID: "list-loaded-periods", Method: http.MethodGet, Path: "/costs/periods", Tags: []string{costsTag},
		Summary: "List the loaded bills: connection, billing period, rows, totals"}, tenant.Viewer, x.periods)
	operation(a, huma.Operation{OperationID: "collect-focus", Method: http.MethodPost, Path: "/focus/costs/collect", Tags: []string{costsTag},
		Summary: "Load a FOCUS bill",
		Description: "Takes FOCUS 1.0 to 1.4 as CSV, gzipped CSV or Parquet: as the body or as the file of a form; what is larger is staged with POST /uploads and loaded with POST /imports. " +
			"It replaces every billing period that the file holds; the same file again changes nothing. The report accounts for every row."},
		tenant.Operator, x.collect)
	operation(a, huma.Operation{OperationID: "remove-bills", Method: http.MethodDelete, Path: "/connections/{id}/bills", Tags: []string{costsTag},
		Summary:     "Take all bills that came through a connection out of the record",
		Description: "For what was loaded twice or by mistake. A connection that is read from its cloud has to be removed first. Anomalies, trends and forecasts follow with the next analysis."},
		tenant.Admin, x.remove)
	describeBill(a)
}

type removedOutput struct {
	Body ingest.Removed
}

func (x Costs) remove(ctx context.Context, p tenant.Principal, in *Named) (*removedOutput, error) {
	removed, err := x.Load.Remove(ctx, p.Tenant, in.ID)
	return &removedOutput{removed}, err
}

const (
	answersKept = 5 * time.Minute
	mostGroups  = 4
	mostDays    = 3 * 366
	defaultDays = 30
)

type costsInput struct {
	Start   string   `query:"start" format:"date" doc:"First usage day, UTC: 2026-09-01. 30 days before the end without it."`
	End     string   `query:"end" format:"date" doc:"The day after the last one. Tomorrow without it."`
	GroupBy []string `query:"group_by,explode" maxItems:"4" example:"[\"ServiceName\"]" doc:"FOCUS columns, or Tags/<key>: separated by commas, or one a parameter. At most four."`
	Filter  []string `query:"filter,explode" maxItems:"20" doc:"Dimension:value, as often as needed. Values of one dimension are alternatives. Where a tag key holds a colon, write Tags/key=value."`
	Basis   string   `query:"basis" enum:"billed,effective,list,contracted" default:"effective"`
	Grain   string   `query:"grain" enum:"total,daily,monthly" default:"total"`
	Limit   int      `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"At most so many groups: those that are the most expensive over the whole period, each with all its steps."`
}

type costItem struct {
	Group map[string]string `json:"group" doc:"The values of group_by. An empty value: the bill gives none."`
	Start string            `json:"start" doc:"First day of the step."`
	Cost  cost.Money        `json:"cost"`
	Rows  int64             `json:"rows" doc:"Rows of the bill behind it."`
}

type costTotal struct {
	Cost cost.Money `json:"cost"`
	Rows int64      `json:"rows"`
}

type costAnswer struct {
	Start     string      `json:"start"`
	End       string      `json:"end"`
	Items     []costItem  `json:"items"`
	Totals    []costTotal `json:"totals" doc:"One a currency."`
	Truncated bool        `json:"truncated" doc:"The limit left groups out; they are in the totals."`
}

type costsOutput struct {
	Body costAnswer
}

func (x Costs) query(ctx context.Context, p tenant.Principal, in *costsInput) (*costsOutput, error) {
	q, err := x.parse(in)
	if err != nil {
		return nil, err
	}
	out := &costsOutput{}
	key, known := x.answerKey(ctx, p.Tenant, q)
	if known && x.Answers.Get(ctx, p.Tenant, key, &out.Body) {
		return out, nil
	}
	groups, err := x.Reader.Costs(ctx, p.Tenant, q)
	if err != nil {
		return nil, namedDimension(err, q)
	}
	whole := q
	whole.GroupBy, whole.Grain, whole.Limit = nil, cost.Total, 0
	totals, err := x.Reader.Costs(ctx, p.Tenant, whole)
	if err != nil {
		return nil, namedDimension(err, q)
	}
	out.Body = answer(q, groups, totals)
	if known {
		x.Answers.Set(ctx, p.Tenant, key, out.Body, answersKept)
	}
	return out, nil
}

func answer(q cost.Query, groups, totals []cost.Group) costAnswer {
	out := costAnswer{Start: q.Period.Start.Format(time.DateOnly), End: q.Period.End.Format(time.DateOnly), Items: []costItem{}, Totals: []costTotal{}}
	shown, all := int64(0), int64(0)
	for _, g := range groups {
		item := costItem{Group: map[string]string{}, Start: g.Start.Format(time.DateOnly), Rows: g.Rows, Cost: cost.Money{Amount: g.Amount, Currency: g.Currency, Basis: q.Basis}}
		for d, v := range g.Scope {
			item.Group[string(d)] = v
		}
		out.Items = append(out.Items, item)
		shown += g.Rows
	}
	for _, g := range totals {
		out.Totals = append(out.Totals, costTotal{Cost: cost.Money{Amount: g.Amount, Currency: g.Currency, Basis: q.Basis}, Rows: g.Rows})
		all += g.Rows
	}
	out.Truncated = shown < all
	return out
}

func (x Costs) answerKey(ctx context.Context, t tenant.ID, q cost.Query) (string, bool) {
	version, ok := x.Answers.Version(ctx, t)
	text, err := json.Marshal(q) //nolint:musttag // only for its hash; maps are written in the order of their keys
	sum := sha256.Sum256(text)
	return "costs:" + version + ":" + hex.EncodeToString(sum[:16]), ok && err == nil
}

func (x Costs) parse(in *costsInput) (cost.Query, error) {
	q := cost.Query{Basis: cost.Basis(in.Basis), Grain: cost.Grain(in.Grain), Limit: in.Limit, Filter: map[cost.Dimension][]string{}}
	var err error
	if q.Period, err = period(in.Start, in.End, x.Now()); err != nil {
		return q, err
	}
	for _, d := range strings.FieldsFunc(strings.Join(in.GroupBy, ","), func(r rune) bool { return r == ',' }) {
		if slices.Contains(q.GroupBy, cost.Dimension(d)) {
			return q, fault.Input("query.group_by", d, "names the same dimension twice")
		}
		q.GroupBy = append(q.GroupBy, cost.Dimension(d))
	}
	if len(q.GroupBy) > mostGroups {
		return q, fault.Input("query.group_by", strings.Join(in.GroupBy, ","), "takes at most %d dimensions", mostGroups)
	}
	for _, f := range in.Filter {
		d, v, ok := dimensionValue(f)
		if !ok {
			return q, fault.Input("query.filter", f, "has the form Dimension:value, as in ServiceProviderName:AWS")
		}
		q.Filter[d] = append(q.Filter[d], v)
	}
	for _, values := range q.Filter {
		slices.Sort(values) // the same question in another order is the same question
	}
	return q, nil
}

// dimensionValue splits a filter. A tag's key may hold colons, so an equals sign goes first there.
func dimensionValue(f string) (cost.Dimension, string, bool) {
	separator := ":"
	if _, isTag := cost.Dimension(f).TagKey(); isTag && strings.Contains(f, "=") {
		separator = "="
	}
	d, v, ok := strings.Cut(f, separator)
	return cost.Dimension(d), v, ok && d != ""
}

// period reads two dates; the end is exclusive.
func period(start, end string, now time.Time) (cost.Period, error) {
	p := cost.Period{End: cost.Day(now).AddDate(0, 0, 1)}
	var err error
	if end != "" {
		if p.End, err = time.Parse(time.DateOnly, end); err != nil {
			return p, fault.Input("query.end", end, "is not a date such as 2026-09-30")
		}
	}
	p.Start = p.End.AddDate(0, 0, -defaultDays)
	if start != "" {
		if p.Start, err = time.Parse(time.DateOnly, start); err != nil {
			return p, fault.Input("query.start", start, "is not a date such as 2026-09-01")
		}
	}
	switch {
	case !p.Start.Before(p.End):
		return p, fault.Input("query.end", end, "has to be after the start, for the end itself does not count")
	case p.Len() > mostDays:
		return p, fault.Input("query.start", start, "is more than three years before the end")
	}
	return p, nil
}

// namedDimension gives a dimension that the record does not know the name of the parameter it came in.
func namedDimension(err error, q cost.Query) error {
	public := fault.Public(err)
	if public.Code != fault.Invalid || len(public.Fields) != 1 || public.Fields[0].Name != "dimension" {
		return err
	}
	f := public.Fields[0]
	name := "query.filter"
	if slices.Contains(q.GroupBy, cost.Dimension(f.Value)) {
		name = "query.group_by"
	}
	return fault.Input(name, f.Value, "%s", f.Problem)
}

type periodsOutput struct {
	Body struct {
		Items []ingest.Coverage `json:"items"`
	}
}

func (x Costs) periods(ctx context.Context, p tenant.Principal, _ *struct{}) (*periodsOutput, error) {
	items, err := x.Reader.Coverage(ctx, p.Tenant)
	out := &periodsOutput{}
	out.Body.Items = items
	if items == nil {
		out.Body.Items = []ingest.Coverage{}
	}
	return out, err
}
