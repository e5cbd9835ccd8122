package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const shop tenant.ID = "6f1f9f5e-0000-4000-8000-000000000001"

func fixedNow() time.Time { return time.Date(2026, 9, 10, 7, 30, 0, 0, time.UTC) }

// call sends a request the way API Gateway does, and gives the response as the caller would see it.
type call struct {
	method, path string
	query        url.Values
	headers      map[string]string
	body         []byte
	role         tenant.Role // empty: no key
	tenant       tenant.ID   // empty: shop
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

// problem is the answer to a request that failed.
type problem struct {
	Status int        `json:"status"`
	Code   fault.Code `json:"code"`
	Detail string     `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
		Value    string `json:"value"`
	} `json:"errors"`
}

func (c call) send(t *testing.T, log io.Writer, resources ...api.Resource) reply {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	e := events.APIGatewayProxyRequest{
		HTTPMethod: c.method, Path: "/api/v1" + c.path, MultiValueQueryStringParameters: c.query, Headers: c.headers,
		Body: base64.StdEncoding.EncodeToString(c.body), IsBase64Encoded: true,
	}
	if c.role != "" {
		e.RequestContext.Authorizer = map[string]any{"tenant": string(shop), "subject": "test", "role": string(c.role)}
		if c.tenant != "" {
			e.RequestContext.Authorizer["tenant"] = string(c.tenant)
		}
	}
	event, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := awslambda.HTTP(logger, api.New(logger, resources...)).Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var out events.APIGatewayProxyResponse
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatal(err)
	}
	return reply{out.StatusCode, out.MultiValueHeaders, []byte(out.Body)}
}

func (r reply) problem(t *testing.T) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil || p.Status != r.status || r.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("status %d is no problem: %s %s", r.status, r.header.Get("Content-Type"), r.body)
	}
	return p
}

// store plays the record, the staging area and the cache.
type store struct {
	queries  []cost.Query
	err      error
	bill     ingest.Bill
	content  []byte
	kept     map[string][]byte
	version  string
	noCache  bool
	coverage []ingest.Coverage
}

func (s *store) Costs(_ context.Context, _ tenant.ID, q cost.Query) ([]cost.Group, error) {
	s.queries = append(s.queries, q)
	if s.err != nil {
		return nil, s.err
	}
	if len(q.GroupBy) == 0 {
		return []cost.Group{{Start: q.Period.Start, Amount: decimal.RequireFromString("100.10"), Currency: "USD", Rows: 10}}, nil
	}
	return []cost.Group{{Scope: cost.Scope{q.GroupBy[0]: "Amazon EC2"}, Start: q.Period.Start, Amount: decimal.RequireFromString("99.000000000000000001"), Currency: "USD", Rows: 9}}, nil
}

func (s *store) Coverage(context.Context, tenant.ID) ([]ingest.Coverage, error) {
	return s.coverage, s.err
}

func (s *store) Load(_ context.Context, _ tenant.ID, b ingest.Bill) (ingest.Report, error) {
	if s.err != nil {
		return ingest.Report{}, s.err
	}
	text, err := io.ReadAll(io.NewSectionReader(b.File, 0, b.File.Size()))
	s.bill, s.content = b, text
	return ingest.Report{Accepted: 3, Totals: []ingest.Total{{Provider: "AWS", Currency: "USD", Billed: decimal.RequireFromString("0.10")}}}, err
}

func (s *store) RemoveBills(_ context.Context, _ tenant.ID, connection string) (ingest.Removed, error) {
	if connection == "read" {
		return ingest.Removed{}, fault.New(fault.Conflict, "It is still read.")
	}
	return ingest.Removed{Bills: 2, Rows: 7}, s.err
}

func (s *store) Bump(context.Context, tenant.ID) { s.version += "+" }

func (s *store) Get(_ context.Context, _ tenant.ID, key string, into any) bool {
	b, ok := s.kept[key]
	return ok && json.Unmarshal(b, into) == nil
}

func (s *store) Set(_ context.Context, _ tenant.ID, key string, v any, _ time.Duration) {
	if b, err := json.Marshal(v); err == nil {
		s.kept[key] = b
	}
}

func (s *store) Version(context.Context, tenant.ID) (string, bool) { return s.version, !s.noCache }

func costsOf(s *store) api.Costs {
	if s.kept == nil {
		s.kept = map[string][]byte{}
	}
	return api.Costs{Reader: s, Load: job.Load{Record: s, Versions: s}, Answers: s, Now: fixedNow}
}

func TestCostsAnswerExactly(t *testing.T) {
	t.Parallel()
	s := &store{}
	r := call{method: "GET", path: "/costs", role: tenant.Viewer, query: url.Values{
		"start": {"2026-08-01"}, "end": {"2026-09-01"}, "group_by": {"ServiceName,Tags/team"}, "grain": {"monthly"}, "basis": {"billed"}, "limit": {"5"},
		"filter": {"ServiceProviderName:AWS", "ServiceProviderName:Microsoft", "Tags/aws:by=a:b", "RegionId:"},
	}}.send(t, io.Discard, costsOf(s))
	if r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	want := `{"start":"2026-08-01","end":"2026-09-01","items":[{"group":{"ServiceName":"Amazon EC2"},"start":"2026-08-01","cost":{"amount":"99.000000000000000001","currency":"USD","basis":"billed"},"rows":9}],"totals":[{"cost":{"amount":"100.1","currency":"USD","basis":"billed"},"rows":10}],"truncated":true}`
	if got := strings.TrimSpace(string(r.body)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	q := s.queries[0]
	if q.Limit != 5 || q.Grain != cost.Monthly || q.Basis != cost.Billed || len(q.GroupBy) != 2 || len(q.Filter[cost.Provider]) != 2 ||
		q.Filter[cost.Tag("aws:by")][0] != "a:b" || q.Filter[cost.Region][0] != "" || q.Period.Len() != 31 {
		t.Errorf("asked %+v", q)
	}
	if whole := s.queries[1]; whole.Limit != 0 || whole.GroupBy != nil || len(whole.Filter) != 3 {
		t.Errorf("totals asked %+v", whole)
	}
}

func TestDimensionsComeTogetherOrOneByOne(t *testing.T) {
	t.Parallel()
	for _, asked := range [][]string{{"ServiceName,RegionId"}, {"ServiceName", "RegionId"}} {
		s := &store{}
		r := call{method: "GET", path: "/costs", role: tenant.Viewer, query: url.Values{"group_by": asked}}.send(t, io.Discard, costsOf(s))
		if want := []cost.Dimension{cost.Service, cost.Region}; r.status != http.StatusOK || !slices.Equal(s.queries[0].GroupBy, want) {
			t.Errorf("%q: %d, grouped by %v, want %v", asked, r.status, s.queries[0].GroupBy, want)
		}
	}
}

func TestCostsAreAskedOnceUntilDataChanges(t *testing.T) {
	t.Parallel()
	s := &store{}
	x := costsOf(s)
	ask := func() { call{method: "GET", path: "/costs", role: tenant.Viewer}.send(t, io.Discard, x) }
	ask()
	ask()
	if len(s.queries) != 2 {
		t.Errorf("%d queries for two equal questions, want the 2 of the first", len(s.queries))
	}
	s.Bump(t.Context(), shop)
	ask()
	if len(s.queries) != 4 {
		t.Error("new data, old answer")
	}
	s.noCache = true
	ask()
	if len(s.queries) != 6 {
		t.Error("an answer was given although it is not known how old the data is")
	}
}

func TestCostsRefuseWhatTheyCannotMean(t *testing.T) {
	t.Parallel()
	unknown := fault.Input("dimension", "Colour", "is no FOCUS column")
	for name, tc := range map[string]struct {
		query    url.Values
		err      error
		location string
	}{
		"no date":           {url.Values{"start": {"yesterday"}}, nil, "query.start"},
		"impossible date":   {url.Values{"end": {"2026-02-30"}}, nil, "query.end"},
		"nothing in it":     {url.Values{"start": {"2026-09-01"}, "end": {"2026-09-01"}}, nil, "query.end"},
		"a century":         {url.Values{"start": {"1926-09-01"}, "end": {"2026-09-01"}}, nil, "query.start"},
		"basis":             {url.Values{"basis": {"free"}}, nil, "query.basis"},
		"grain":             {url.Values{"grain": {"hourly"}}, nil, "query.grain"},
		"limit zero":        {url.Values{"limit": {"0"}}, nil, "query.limit"},
		"limit no number":   {url.Values{"limit": {"many"}}, nil, "query.limit"},
		"five dimensions":   {url.Values{"group_by": {"A,B,C,D,E"}}, nil, "query.group_by"},
		"twice":             {url.Values{"group_by": {"ServiceName,ServiceName"}}, nil, "query.group_by"},
		"unknown dimension": {url.Values{"group_by": {"Colour"}}, unknown, "query.group_by"},
		"unknown in filter": {url.Values{"filter": {"Colour:red"}}, unknown, "query.filter"},
		"filter form":       {url.Values{"filter": {"AWS"}}, nil, "query.filter"},
		"limit twice":       {url.Values{"limit": {"1", "5"}}, nil, "query.limit"},
		"NUL":               {url.Values{"group_by": {"Tags/a\x00"}}, nil, "query.group_by"},
		"misspelt":          {url.Values{"fitler": {"ServiceName:x"}}, nil, "query.fitler"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call{method: "GET", path: "/costs", role: tenant.Viewer, query: tc.query}.send(t, io.Discard, costsOf(&store{err: tc.err}))
			p := r.problem(t)
			if p.Status != http.StatusBadRequest || p.Code != fault.Invalid || len(p.Errors) == 0 || p.Errors[0].Location != tc.location {
				t.Errorf("got %+v; want 400 that names %s", p, tc.location)
			}
		})
	}
}

func form(t *testing.T, field string, content []byte) (string, []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile(field, "bill.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

func TestABillComesInManyWays(t *testing.T) {
	t.Parallel()
	csv := []byte("BilledCost,BillingPeriodStart\n1,2026-09-01\n")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(csv)
	_ = z.Close()
	formType, formBody := form(t, "file", csv)
	for name, tc := range map[string]struct {
		kind   string
		body   []byte
		format focus.Format
		want   []byte
	}{
		"csv":     {"text/csv; charset=utf-8", csv, focus.CSV, csv},
		"gzip":    {"application/gzip", packed.Bytes(), focus.CSVGzip, packed.Bytes()},
		"parquet": {"application/vnd.apache.parquet", []byte("PAR1"), focus.Parquet, []byte("PAR1")},
		"bytes":   {"application/octet-stream", packed.Bytes(), "", packed.Bytes()},
		"form":    {formType, formBody, "", csv},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store{}
			r := call{method: "POST", path: "/focus/costs/collect", role: tenant.Operator, query: url.Values{"connection": {"main"}},
				headers: map[string]string{"Content-Type": tc.kind}, body: tc.body}.send(t, io.Discard, costsOf(s))
			if r.status != http.StatusOK || !bytes.Equal(s.content, tc.want) || s.bill.Format != tc.format || s.bill.Connection != "main" {
				t.Errorf("%d %s: loaded %q as %q for %q", r.status, r.body, s.content, s.bill.Format, s.bill.Connection)
			}
			if !bytes.Contains(r.body, []byte(`"accepted":3`)) || !bytes.Contains(r.body, []byte(`"billed":"0.1"`)) {
				t.Errorf("report %s", r.body)
			}
		})
	}
}

func TestABillThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	formType, formBody := form(t, "bill", []byte("x"))
	emptyType, emptyBody := form(t, "file", nil)
	cutType, cutBody := form(t, "file", []byte("BilledCost"))
	for name, tc := range map[string]struct {
		kind, coding string
		body         []byte
		err          error
		status       int
		says         string
	}{
		"no media type":      {"", "", []byte("x"), nil, 415, "text/csv"},
		"another media type": {"application/pdf", "", []byte("x"), nil, 415, "multipart/form-data"},
		"packed on the way":  {"text/csv", "gzip", []byte("x"), nil, 415, "without Content-Encoding"},
		"packed as CSV":      {"text/csv", "", []byte("\x1f\x8bx"), nil, 415, "application/gzip"},
		"empty":              {"text/csv", "", nil, nil, 400, "empty"},
		"too large":          {"text/csv", "", bytes.Repeat([]byte("x"), 6<<20+1), nil, 413, "/api/v1/uploads"},
		"no field file":      {formType, "", formBody, nil, 400, "body.file"},
		"empty file":         {emptyType, "", emptyBody, nil, 400, "body.file"},
		"broken form":        {cutType, "", cutBody[:len(cutBody)-30], nil, 400, "malformed"},
		"no boundary":        {"multipart/form-data", "", []byte("x"), nil, 400, "boundary"},
		"JSON":               {"application/json", "", []byte(`{"staged":"x"}`), nil, 415, "/api/v1/imports"},
		"not FOCUS":          {"text/csv", "", []byte("a,b\n"), fault.New(fault.Unprocessable, "The file has no column BilledCost."), 422, "BilledCost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			headers := map[string]string{"Content-Type": tc.kind}
			if tc.coding != "" {
				headers["Content-Encoding"] = tc.coding
			}
			s := &store{err: tc.err}
			r := call{method: "POST", path: "/focus/costs/collect", role: tenant.Operator, headers: headers, body: tc.body}.send(t, io.Discard, costsOf(s))
			if p := r.problem(t); p.Status != tc.status || !strings.Contains(p.Detail, tc.says) {
				t.Errorf("got %+v; want %d that says %q", p, tc.status, tc.says)
			}
			if s.content != nil {
				t.Error("something was loaded")
			}
		})
	}
}

func TestPeriodsListWhatIsLoaded(t *testing.T) {
	t.Parallel()
	s := &store{coverage: []ingest.Coverage{{Connection: "main", Rows: 7}}}
	r := call{method: "GET", path: "/costs/periods", role: tenant.Viewer}.send(t, io.Discard, costsOf(s))
	if r.status != http.StatusOK || !bytes.Contains(r.body, []byte(`"rows":7`)) {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestBillsAreRemovedByAdminsOnly(t *testing.T) {
	t.Parallel()
	s := &store{version: "1"}
	remove := call{method: "DELETE", path: "/connections/old/bills", role: tenant.Admin}
	if r := remove.send(t, io.Discard, costsOf(s)); r.status != http.StatusOK || strings.TrimSpace(string(r.body)) != `{"bills":2,"rows":7}` || s.version != "1+" {
		t.Errorf("%d %s, version %q: what is kept of earlier answers has to go", r.status, r.body, s.version)
	}
	remove.role = tenant.Approver
	if r := remove.send(t, io.Discard, costsOf(s)); r.status != http.StatusForbidden || s.version != "1+" {
		t.Errorf("%d %s", r.status, r.body)
	}
	remove.role, remove.path = tenant.Admin, "/connections/read/bills"
	if r := remove.send(t, io.Discard, costsOf(s)); r.status != http.StatusConflict || s.version != "1+" {
		t.Errorf("%d %s", r.status, r.body)
	}
}
