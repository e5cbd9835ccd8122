package gcp

import (
	"context"
	"crypto/rand"
	_ "embed" // the queries
	"iter"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/api/bigquery/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
)

//go:embed sql/standard.sql
var standardSQL string

//go:embed sql/focus.sql
var focusSQL string

// detailedColumns are those that only the detailed export has.
const detailedColumns = `,
  resource.name AS resource_name,
  resource.global_name AS resource_id,
  CAST(price.effective_price AS NUMERIC) AS effective_price,
  SAFE_CAST(price.pricing_unit_quantity AS NUMERIC) AS pricing_unit_quantity,
  SAFE_CAST(price.tier_start_amount AS NUMERIC) AS tier_start_amount`

// Conditions that narrow a bill down, by the column of each export.
var (
	ofServices = map[kind]string{standard: "service.description", detailed: "service.description", asFOCUS: "ServiceName"}
	ofProjects = map[kind]string{standard: "project.id", detailed: "project.id", asFOCUS: "SubAccountId"}
)

// Rows of an invoice arrive from its first day until after its end: late usage, adjustments and taxes. When an export is
// switched on, Google writes the month before anew too, within days; so its rows can be in partitions of up to a month and
// some days after it ended.
const (
	partitionsBefore = 3 * 24 * time.Hour
	partitionsAfter  = 40 * 24 * time.Hour
)

// billQuery asks for the rows of the invoice of the month that begins at start, of the services and projects that are named, of
// all where none is. The partitions, which decide what is scanned and paid for, are those in which rows of the invoice can be;
// which rows are of it, only the invoice month says.
func billQuery(t table, k kind, start time.Time, services, projects []string) *bigquery.QueryRequest {
	end := start.AddDate(0, 1, 0)
	var q *bigquery.QueryRequest
	switch k {
	case asFOCUS:
		q = newQuery(focusSQL, t, "", timestamp("month_start", start), timestamp("month_end", end))
	default:
		more := ""
		if k == detailed {
			more = detailedColumns
		}
		q = newQuery(standardSQL, t, more, parameter("invoice_month", "STRING", start.Format("200601")),
			timestamp("partitions_from", start.Add(-partitionsBefore)), timestamp("partitions_to", end.Add(partitionsAfter)))
	}
	narrow(q, ofServices[k], "services", services)
	narrow(q, ofProjects[k], "projects", projects)
	return q
}

// narrow takes only rows whose column is one of the values; without values all.
func narrow(q *bigquery.QueryRequest, column, name string, values []string) {
	if len(values) == 0 {
		return
	}
	q.Query = strings.TrimRight(q.Query, "\n") + "\n  AND " + column + " IN UNNEST(@" + name + ")\n"
	list := &bigquery.QueryParameterValue{}
	for _, v := range values {
		list.ArrayValues = append(list.ArrayValues, &bigquery.QueryParameterValue{Value: v})
	}
	q.QueryParameters = append(q.QueryParameters, &bigquery.QueryParameter{
		Name: name, ParameterType: &bigquery.QueryParameterType{Type: "ARRAY", ArrayType: &bigquery.QueryParameterType{Type: "STRING"}}, ParameterValue: list,
	})
}

func newQuery(sql string, t table, more string, parameters ...*bigquery.QueryParameter) *bigquery.QueryRequest {
	standardDialect := false
	return &bigquery.QueryRequest{
		Query:        strings.NewReplacer("{{table}}", t.String(), "{{more}}", more).Replace(sql),
		UseLegacySql: &standardDialect, ParameterMode: "NAMED", QueryParameters: parameters,
		Labels: map[string]string{"application": "cost-agent"},
	}
}

func parameter(name, kind, value string) *bigquery.QueryParameter {
	return &bigquery.QueryParameter{
		Name: name, ParameterType: &bigquery.QueryParameterType{Type: kind},
		ParameterValue: &bigquery.QueryParameterValue{Value: value, ForceSendFields: []string{"Value"}},
	}
}

func timestamp(name string, t time.Time) *bigquery.QueryParameter {
	return parameter(name, "TIMESTAMP", t.UTC().Format("2006-01-02 15:04:05+00:00"))
}

// BigQuery's list price is 6.25 USD a TiB scanned, and a query pays for at least 10 MB of every table, whole megabytes
// (cloud.google.com/bigquery/pricing). A view may stand for more than one table.
var perByte = decimal.RequireFromString("6.25").DivRound(decimal.NewFromInt(1<<40), 30)

const (
	megabyte     = 1 << 20
	leastBytes   = 10 * megabyte
	tablesOfView = 4
)

// bytesBilled is what a query that scans so many bytes pays for.
func bytesBilled(scanned int64, k kind) int64 {
	least := int64(leastBytes)
	if k == asFOCUS {
		least *= tablesOfView
	}
	return max((scanned+megabyte-1)/megabyte*megabyte, least)
}

const (
	pageRows = 2000             // some megabytes: a page is held twice, as it came and as it was read
	patience = 20 * time.Second // that one request waits for a query to end
)

// scanned asks what a query would scan, which costs nothing and fails where the query would.
func (c *Collector) scanned(ctx context.Context, q *bigquery.QueryRequest) (int64, error) {
	dry := *q
	dry.DryRun = true
	answer, err := c.bigquery.Jobs.Query(c.settings.jobs, &dry).Context(ctx).Do()
	if err != nil {
		return 0, translate(err, "the billing export "+c.settings.table.String())
	}
	return answer.TotalBytesProcessed, nil
}

// page is a piece of a result.
type page struct {
	schema   *bigquery.TableSchema
	rows     []*bigquery.TableRow
	token    string
	complete bool
	job      *bigquery.JobReference
}

// run asks a query and gives its result page by page. What it will cost is asked and metered first, and BigQuery holds it to
// that.
func (c *Collector) run(ctx context.Context, q *bigquery.QueryRequest, k kind) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		p, err := c.begin(ctx, q, k)
		for {
			if err != nil {
				yield(page{}, translate(err, "the billing export "+c.settings.table.String()))
				return
			}
			if p.complete && (!yield(p, nil) || p.token == "") {
				return
			}
			p, err = c.next(ctx, p)
		}
	}
}

func (c *Collector) begin(ctx context.Context, q *bigquery.QueryRequest, k kind) (page, error) {
	scanned, err := c.scanned(ctx, q)
	if err != nil {
		return page{}, err
	}
	most := bytesBilled(scanned, k)
	if err := c.meter.Spend("BigQuery bytes", most, perByte); err != nil {
		return page{}, err
	}
	paid := *q
	paid.MaximumBytesBilled, paid.MaxResults, paid.TimeoutMs, paid.RequestId = most, pageRows, patience.Milliseconds(), rand.Text()
	a, err := c.bigquery.Jobs.Query(c.settings.jobs, &paid).Context(ctx).Do()
	if err != nil {
		return page{}, err
	}
	return page{a.Schema, a.Rows, a.PageToken, a.JobComplete, a.JobReference}, nil
}

// next asks for the page after p, or once more for the first when the query was still running.
func (c *Collector) next(ctx context.Context, p page) (page, error) {
	if p.job == nil {
		return page{}, fault.New(fault.Unavailable, "BigQuery's answer names no job to read on from; try again in a moment.")
	}
	call := c.bigquery.Jobs.GetQueryResults(p.job.ProjectId, p.job.JobId).Location(p.job.Location).MaxResults(pageRows).TimeoutMs(patience.Milliseconds())
	if p.token != "" {
		call = call.PageToken(p.token)
	}
	a, err := call.Context(ctx).Do()
	if err != nil {
		return page{}, err
	}
	if p.token != "" && a.PageToken == p.token {
		return page{}, fault.New(fault.Unavailable, "BigQuery gave the same page twice; try again in a moment.")
	}
	if a.JobReference == nil {
		a.JobReference = p.job
	}
	if a.Schema == nil {
		a.Schema = p.schema
	}
	return page{a.Schema, a.Rows, a.PageToken, a.JobComplete, a.JobReference}, nil
}
