package azure

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// The query is sent by hand, through the SDK's pipeline, because its own client drops the links to further pages, knows
// nothing of tags, and reads money as binary floating point.
const (
	queryOperation = "QueryClient.Usage" // as the SDK names it
	queryVersion   = "2021-10-01"        // the one known to give tags beside groups
	rowsPerPage    = "5000"              // the most there may be
)

// table is one page: rows whose columns have names.
type table struct {
	columns map[string]int // lower-case name to place
	rows    [][]any        // text, json.Number or lists of them
}

// Groups by which costs are asked for. Microsoft documents two, yet gives costs by as many as these; commitments are told
// apart by the last three, which some kinds of subscription do not have.
var (
	groups = []string{"ResourceId", "ResourceType", "ResourceLocation", "ChargeType", "PublisherType", "ServiceName", "ServiceTier", "Meter"}
	wide   = append(groups[:len(groups):len(groups)], "PricingModel", "BenefitId", "BenefitName")
)

// query streams the pages of the daily costs of a subscription. A subscription that does not know the groups of commitments
// is asked again without them.
func (c *Collector) query(ctx context.Context, s subscription, kind armcostmanagement.ExportType, days cost.Period) iter.Seq2[table, error] {
	return func(yield func(table, error) bool) {
		what := "the costs of subscription " + s.id
		client, err := arm.NewClient(module, version, c.credential, c.client)
		if err != nil {
			yield(table{}, translate(err, what))
			return
		}
		q := querying{client: client, endpoint: c.endpoint, url: runtime.JoinPaths(c.endpoint, s.scope(), "/providers/Microsoft.CostManagement/query") +
			"?api-version=" + queryVersion + "&%24top=" + rowsPerPage, what: what}
		q.body = question(kind, days, wide)
		first, next, err := q.page(ctx, q.url)
		if fault.CodeOf(err) == fault.Unprocessable {
			q.body = question(kind, days, groups)
			first, next, err = q.page(ctx, q.url)
		}
		q.follow(ctx, first, next, err, yield)
	}
}

// question is the body of a query. Both days of its period belong to it.
func question(kind armcostmanagement.ExportType, days cost.Period, by []string) []byte {
	grouping := make([]map[string]string, len(by))
	for i, name := range by {
		grouping[i] = map[string]string{"type": "Dimension", "name": name}
	}
	body, _ := json.Marshal(map[string]any{ // texts and maps of them always have a JSON form
		"type": kind, "timeframe": armcostmanagement.TimeframeTypeCustom,
		"timePeriod": map[string]string{
			"from": days.Start.UTC().Format(time.RFC3339), "to": days.End.UTC().Add(-time.Second).Format(time.RFC3339),
		},
		"dataset": map[string]any{
			"granularity": armcostmanagement.GranularityTypeDaily,
			"aggregation": map[string]any{"totalCost": map[string]string{"name": "Cost", "function": "Sum"}},
			"grouping":    grouping,
			"include":     []string{"Tags"},
		},
	})
	return body
}

type querying struct {
	client              *arm.Client
	endpoint, url, what string
	body                []byte
}

// follow goes on from the first page. Further pages are asked for like the first: with POST and the same body.
func (q querying) follow(ctx context.Context, page table, next string, err error, yield func(table, error) bool) {
	seen := map[string]bool{q.url: true}
	for {
		if err != nil {
			yield(table{}, err)
			return
		}
		if !yield(page, nil) || next == "" {
			return
		}
		if seen[next] {
			yield(table{}, endless())
			return
		}
		if !sameHost(next, q.endpoint) {
			yield(table{}, fault.New(fault.Unprocessable, "Azure's answer goes on at another host than it was asked at. It was not followed there."))
			return
		}
		seen[next] = true
		page, next, err = q.page(ctx, next)
	}
}

// readings is how often a page is read that arrives broken: the SDK repeats what Azure refuses, not what gets lost on the way.
const readings = 3

func (q querying) page(ctx context.Context, link string) (page table, next string, err error) {
	for range readings {
		page, next, err = q.once(ctx, link)
		if !errors.Is(err, io.ErrUnexpectedEOF) || ctx.Err() != nil {
			break
		}
	}
	return page, next, err
}

func (q querying) once(ctx context.Context, link string) (table, string, error) {
	ctx = context.WithValue(ctx, runtime.CtxAPINameKey{}, queryOperation)
	req, err := runtime.NewRequest(ctx, http.MethodPost, link)
	if err != nil {
		return table{}, "", translate(err, q.what)
	}
	if err := req.SetBody(streaming.NopCloser(bytes.NewReader(q.body)), "application/json"); err != nil {
		return table{}, "", translate(err, q.what)
	}
	resp, err := q.client.Pipeline().Do(req)
	if err != nil {
		return table{}, "", translate(err, q.what)
	}
	defer func() { _ = resp.Body.Close() }() // it has been read whole
	return q.read(resp)
}

func (q querying) read(resp *http.Response) (table, string, error) {
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent:
		return table{}, "", nil
	default:
		return table{}, "", translate(runtime.NewResponseError(resp), q.what)
	}
	var answer struct {
		Properties *struct {
			NextLink string `json:"nextLink"`
			Columns  []struct {
				Name string `json:"name"`
			} `json:"columns"`
			Rows [][]any `json:"rows"`
		} `json:"properties"`
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return table{}, "", translate(err, q.what)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&answer); err != nil || answer.Properties == nil {
		return table{}, "", fault.Wrap(cmp.Or(err, io.ErrUnexpectedEOF), fault.Unavailable, "Azure's answer about %s is not complete; try again in a moment.", q.what)
	}
	t := table{columns: map[string]int{}, rows: answer.Properties.Rows}
	for i, column := range answer.Properties.Columns {
		t.columns[strings.ToLower(column.Name)] = i
	}
	for _, row := range t.rows {
		if len(row) != len(t.columns) {
			return table{}, "", fault.New(fault.Unavailable, "Azure's answer about %s has rows that do not fit its columns; try again in a moment.", q.what)
		}
	}
	return t, answer.Properties.NextLink, nil
}

// text is a cell that is text; empty when there is no such column.
func (t table) text(row []any, name string) string {
	if i, ok := t.columns[strings.ToLower(name)]; ok {
		s, _ := row[i].(string)
		return s
	}
	return ""
}

// number is a cell that is a number, in the first of the columns that there is.
func (t table) number(row []any, names ...string) (json.Number, bool) {
	for _, name := range names {
		if i, ok := t.columns[strings.ToLower(name)]; ok {
			n, ok := row[i].(json.Number)
			return n, ok
		}
	}
	return "", false
}

// texts is a cell that is a list of texts.
func (t table) texts(row []any, name string) []string {
	i, ok := t.columns[strings.ToLower(name)]
	if !ok {
		return nil
	}
	list, _ := row[i].([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
