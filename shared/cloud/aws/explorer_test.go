package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

var update = flag.Bool("update", false, "write the golden files anew")

var november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// rowsOf reads a month to its end or to its first error.
func rowsOf(ctx context.Context, c *Collector, month time.Time) (rows []focus.Row, err error) {
	for row, e := range c.Costs(ctx, month) {
		if e != nil {
			return rows, e
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func golden(t *testing.T, name string, rows []focus.Row) {
	t.Helper()
	var got bytes.Buffer
	w := focus.NewCSVWriter(&got)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs:\n%s", file, got.String())
	}
	if r, err := focus.Open(ingest.Bytes(got.Bytes()), int64(got.Len()), focus.CSV); err != nil {
		t.Error(err)
	} else {
		for range rows {
			var row focus.Row
			if left, err := r.Next(&row); left != nil || err != nil {
				t.Errorf("loading would refuse a row: %+v %v", left, err)
			}
		}
	}
}

// object is a JSON object.
type object = map[string]any

func charge(keys []string, unblendedCost, amortizedCost string) object {
	return object{"Keys": keys, "Metrics": object{
		"UnblendedCost": object{"Amount": unblendedCost, "Unit": "USD"}, "AmortizedCost": object{"Amount": amortizedCost, "Unit": "USD"}}}
}

func span(start, end string, estimated bool, groups ...object) object {
	return object{"TimePeriod": object{"Start": start, "End": end}, "Estimated": estimated, "Groups": groups, "Total": object{}}
}

func page(token string, results ...object) object {
	p := object{"ResultsByTime": results, "DimensionValueAttributes": []object{{"Value": "210987654321", "Attributes": object{"description": "Shop"}}}}
	if token != "" {
		p["NextPageToken"] = token
	}
	return p
}

// pagesOfTwoAccounts is a month of an organisation, in the order in which it is asked for.
func pagesOfTwoAccounts() []object {
	ec2, tax := "Amazon Elastic Compute Cloud - Compute", "Tax"
	return []object{
		page("", span("2026-11-01", "2026-11-11", true,
			charge([]string{"Usage", main}, "30.5", "0"), charge([]string{"Usage", "210987654321"}, "7", "0"),
			charge([]string{"Credit", main}, "-5", "0"), charge([]string{"Tax", main}, "3.1", "0"), charge([]string{"Bundled Discount", main}, "-0.1", "0"))),
		page("", span("2026-11-01", "2026-11-02", false, charge([]string{ec2, main}, "-0.1", "-0.1"))),
		page("", span("2026-11-01", "2026-11-02", false, charge([]string{ec2, main}, "-5", "-5"))),
		page("", span("2026-11-01", "2026-11-02", false, charge([]string{tax, main}, "3.1", "3.1"))),
		page("", span("2026-11-01", "2026-11-02", false, charge([]string{ec2, main}, "10.1234567891", "9.5"), charge([]string{"AWS Lambda", "210987654321"}, "7", "7")),
			span("2026-11-09", "2026-11-10", true, charge([]string{ec2, main}, "20.3765432109", "2.1E1"))),
	}
}

func queue(t *testing.T, s server, pages ...object) {
	t.Helper()
	post(t, s.url+"/moto-api/static/ce/cost-and-usage-results", object{"results": pages})
}

func TestTheBillOfAnOrganisation(t *testing.T) {
	s := moto(t)
	queue(t, s, pagesOfTwoAccounts()...)
	meter := ingest.NewMeter(nil)
	rows, err := rowsOf(t.Context(), collector(t, s.url, meter, nil), november)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "explorer.golden", rows)
	sum := decimal.Zero
	for _, r := range rows {
		sum = sum.Add(r.BilledCost)
	}
	if want := decimal.RequireFromString("35.5"); !sum.Equal(want) {
		t.Errorf("the rows sum up to %s, the bill is %s", sum, want)
	}
	spent := meter.Spent()
	if len(spent) != 1 || spent[0].Units != 5 || spent[0].Amount.String() != "0.05" {
		t.Errorf("spent %+v", spent)
	}
}

func TestOneAccountIsReadByRegion(t *testing.T) {
	s := moto(t)
	queue(t, s, page("", span("2026-11-01", "2026-11-11", true, charge([]string{"Usage", "210987654321"}, "3", "0"))),
		page("", span("2026-11-01", "2026-11-02", false, charge([]string{"AWS Lambda", "eu-west-1"}, "2", "2"), charge([]string{"AWS Support", "NoRegion"}, "1", "1"))))
	rows, err := rowsOf(t.Context(), collector(t, s.url, nil, nil), november)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if r := rows[0]; r.RegionID != "eu-west-1" || r.SubAccountID != "210987654321" || r.SubAccountName != "Shop" {
		t.Errorf("%+v", r)
	}
	if r := rows[1]; r.RegionID != "" || r.SubAccountID != "210987654321" {
		t.Errorf("%+v", r)
	}
}

// TestATagTakesThePlaceOfTheRegion: each account is read by itself, so that no charge is in two rows.
func TestATagTakesThePlaceOfTheRegion(t *testing.T) {
	t.Parallel()
	contents := page("", span("2026-11-01", "2026-11-11", true, charge([]string{"Usage", main}, "3", "0"), charge([]string{"Usage", member}, "2", "0"), charge([]string{"Tax", main}, "1", "0")))
	f := fake{answers: []func(http.ResponseWriter, object){give(contents),
		give(page("", span("2026-11-01", "2026-11-02", false, charge([]string{"Tax", "team$"}, "1", "1")))),
		give(page("", span("2026-11-01", "2026-11-02", false, charge([]string{"AWS Lambda", "team$shop"}, "2", "2"), charge([]string{"AWS Lambda", "team$"}, "1", "1")))),
		give(page("", span("2026-11-01", "2026-11-02", false, charge([]string{"AWS Lambda", "team$a$b"}, "2", "2"))))}}
	rows, err := rowsOf(t.Context(), collector(t, f.start(t), nil, map[string]string{"cost_tag": "team"}), november)
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, want := range []struct{ account, team, billed string }{{main, "", "1"}, {main, "shop", "2"}, {main, "", "1"}, {member, "a$b", "2"}} {
		if r := rows[i]; r.SubAccountID != want.account || r.Tags["team"] != want.team || r.BilledCost.String() != want.billed || r.RegionID != "" || (len(r.Tags) == 1) != (want.team != "") {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
	asked, _ := json.Marshal(f.asked)
	for text, n := range map[string]int{`"Key":"team","Type":"TAG"`: 3, `"Key":"LINKED_ACCOUNT","Values":["` + main + `"]`: 2, `"Key":"LINKED_ACCOUNT","Values":["` + member + `"]`: 1} {
		if found := strings.Count(string(asked), text); found != n {
			t.Errorf("%d of %s, want %d in %s", found, text, n, asked)
		}
	}
	other := fake{answers: []func(http.ResponseWriter, object){give(contents), give(page("", span("2026-11-01", "2026-11-02", false, charge([]string{"Tax", "env$x"}, "1", "1"))))}}
	if _, err := rowsOf(t.Context(), collector(t, other.start(t), nil, map[string]string{"cost_tag": "team"}), november); fault.CodeOf(err) != fault.Unavailable {
		t.Error(err)
	}
}

// fake answers Cost Explorer, STS and Organizations as their wire protocols have it, and notes what was asked.
type fake struct {
	mu      sync.Mutex
	answers []func(http.ResponseWriter, object)
	asked   []object
}

func (f *fake) start(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch {
	case target == "":
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	case strings.HasSuffix(target, "DescribeOrganization"):
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"AWSOrganizationsNotInUseException","Message":"no"}`)
	default:
		var in object
		_ = json.NewDecoder(r.Body).Decode(&in)
		f.mu.Lock()
		f.asked = append(f.asked, in)
		answer := refuse(http.StatusInternalServerError, "NothingLeft")
		if len(f.answers) > 0 {
			answer = f.answers[0]
			if len(f.answers) > 1 {
				f.answers = f.answers[1:]
			}
		}
		f.mu.Unlock()
		answer(w, in)
	}
}

func give(p object) func(http.ResponseWriter, object) {
	return func(w http.ResponseWriter, _ object) { _ = json.NewEncoder(w).Encode(p) }
}

func refuse(status int, code string) func(http.ResponseWriter, object) {
	return func(w http.ResponseWriter, _ object) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":%q,"Message":"refused"}`, code)
	}
}

// steps are answers to one question, the first of them to what the month consists of.
func steps(last ...func(http.ResponseWriter, object)) []func(http.ResponseWriter, object) {
	contents := page("", span("2026-11-01", "2026-11-11", true, charge([]string{"Usage", main}, "3", "0"), charge([]string{"Usage", "2"}, "3", "0")))
	return append([]func(http.ResponseWriter, object){give(contents)}, last...)
}

func TestPagesAreReadToTheEnd(t *testing.T) {
	t.Parallel()
	f := fake{answers: steps(
		refuse(http.StatusBadRequest, "LimitExceededException"), refuse(http.StatusServiceUnavailable, "InternalFailure"),
		give(page("a", span("2026-11-01", "2026-11-02", false, charge([]string{"AWS Lambda", main}, "1", "1")))),
		give(page("b")), // an empty page is no end
		give(page("", span("2026-11-02", "2026-11-03", true, charge([]string{"AWS Lambda", main}, "-2", "-2")))))}
	meter := ingest.NewMeter(nil)
	rows, err := rowsOf(t.Context(), collector(t, f.start(t), meter, map[string]string{"accounts": main + ", 210987654321", "services": "AWS Lambda"}), november)
	if err != nil || len(rows) != 2 || rows[1].Extra["x_Estimated"] != "true" || rows[0].Extra["x_Estimated"] != "" || !rows[1].BilledCost.IsNegative() {
		t.Fatalf("%v %+v", err, rows)
	}
	if units := meter.Spent()[0].Units; units != 4 {
		t.Errorf("metered %d pages, want 4: retries are not charged", units)
	}
	last := f.asked[len(f.asked)-1]
	if last["NextPageToken"] != "b" || last["Granularity"] != "DAILY" || fmt.Sprint(last["TimePeriod"]) != "map[End:2026-11-11 Start:2026-11-01]" {
		t.Errorf("asked %v", last)
	}
	filter, _ := json.Marshal(last["Filter"])
	for _, part := range []string{"RECORD_TYPE", "LINKED_ACCOUNT", "SERVICE", `"And"`} {
		if !strings.Contains(string(filter), part) {
			t.Errorf("the filter %s lacks %s", filter, part)
		}
	}
}

func TestAFailureEndsTheMonth(t *testing.T) {
	t.Parallel()
	again := give(page("a", span("2026-11-01", "2026-11-02", false)))
	cases := map[string]struct {
		answers []func(http.ResponseWriter, object)
		code    fault.Code
		text    string
	}{
		"denied":              {steps(refuse(400, "AccessDeniedException")), fault.Forbidden, "ce:GetCostAndUsage"},
		"expired session":     {steps(refuse(400, "ExpiredTokenException")), fault.Unauthenticated, "session"},
		"bad credentials":     {steps(refuse(400, "UnrecognizedClientException")), fault.Unauthenticated, "credentials"},
		"throttled for long":  {steps(refuse(400, "LimitExceededException")), fault.Throttled, "throttling"},
		"down":                {steps(refuse(503, "ServiceUnavailable")), fault.Unavailable, "did not answer"},
		"no data yet":         {steps(refuse(400, "DataUnavailableException")), fault.Unprocessable, "no data yet"},
		"refused":             {steps(refuse(400, "ValidationException")), fault.Unprocessable, "ValidationException"},
		"the same page again": {steps(again, again, again), fault.Unavailable, "token"},
		"not JSON":            {steps(func(w http.ResponseWriter, _ object) { fmt.Fprint(w, `{"ResultsByTime": [{"Gro`) }), fault.Unavailable, "did not answer"},
		"no number":           {steps(give(page("", span("2026-11-01", "2026-11-02", false, charge([]string{"S", main}, "x", "1"))))), fault.Unavailable, "money"},
		"one key":             {steps(give(page("", span("2026-11-01", "2026-11-02", false, charge([]string{"S"}, "1", "1"))))), fault.Unavailable, "keys"},
		"another month":       {steps(give(page("", span("2026-10-31", "2026-11-01", false, charge([]string{"S", main}, "1", "1"))))), fault.Unavailable, "outside"},
		"no metric":           {steps(give(page("", span("2026-11-01", "2026-11-02", false, object{"Keys": []string{"S", main}})))), fault.Unavailable, "money"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fake{answers: c.answers}
			_, err := rowsOf(t.Context(), collector(t, f.start(t), nil, nil), november)
			if fault.CodeOf(err) != c.code || !strings.Contains(fault.Public(err).Message, c.text) {
				t.Errorf("%v, want %s about %q", err, c.code, c.text)
			}
		})
	}
}

func TestReadingStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	f := fake{answers: steps(give(page("a")), give(page("b")))}
	limit := decimal.RequireFromString("0.02")
	_, err := rowsOf(t.Context(), collector(t, f.start(t), ingest.NewMeter(&limit), nil), november)
	if fault.CodeOf(err) != fault.LimitReached || len(f.asked) != 2 {
		t.Errorf("%v after %d requests", err, len(f.asked))
	}
}

func TestMonthsWithoutDataCostNothing(t *testing.T) {
	t.Parallel()
	f := fake{}
	url := f.start(t)
	for _, month := range []time.Time{november.AddDate(0, 1, 0), november.AddDate(0, -14, 0)} {
		if rows, err := rowsOf(t.Context(), collector(t, url, nil, nil), month); err != nil || len(rows) != 0 || len(f.asked) != 0 {
			t.Errorf("%s: %d rows, %v, %d requests", month, len(rows), err, len(f.asked))
		}
	}
}

func TestAReaderMayStop(t *testing.T) {
	t.Parallel()
	f := fake{answers: steps(give(page("a", span("2026-11-01", "2026-11-02", false, charge([]string{"S", main}, "1", "1"), charge([]string{"T", main}, "1", "1")))))}
	n := 0
	for _, err := range collector(t, f.start(t), nil, nil).Costs(t.Context(), november) {
		if n++; err != nil {
			t.Error(err)
		}
		break
	}
	if n != 1 || len(f.asked) != 2 {
		t.Errorf("%d rows of %d requests", n, len(f.asked))
	}
}

func TestCancellingEndsTheMonth(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f := fake{answers: steps(func(http.ResponseWriter, object) { cancel() })}
	if _, err := rowsOf(ctx, collector(t, f.start(t), nil, nil), november); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "given up") {
		t.Error(err)
	}
}

func TestRecordTypesAreFOCUSCategories(t *testing.T) {
	t.Parallel()
	for recordType, want := range map[string]string{
		"Usage": "Usage", "DiscountedUsage": "Usage", "SavingsPlanCoveredUsage": "Usage", "SavingsPlanNegation": "Adjustment",
		"SavingsPlanRecurringFee": "Purchase", "RIFee": "Purchase", "Recurring reservation fee": "Purchase", "Tax": "Tax", "Credit": "Credit", "Refund": "Adjustment",
		"Enterprise Discount Program Discount": "Adjustment", "Support fee": "Purchase",
	} {
		if got := kindOf(recordType).category; got != want {
			t.Errorf("%s is %s, want %s", recordType, got, want)
		}
	}
	if kindOf("Refund").class != "Correction" {
		t.Error("a refund corrects")
	}
}

func TestServicesHaveCategories(t *testing.T) {
	t.Parallel()
	valid := []string{"AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools", "Identity", "Integration",
		"Internet of Things", "Management and Governance", "Networking", "Other", "Security", "Storage"}
	for _, c := range categories {
		if !slices.Contains(valid, c.category) {
			t.Errorf("%s is no category of FOCUS", c.category)
		}
	}
	for service, want := range map[string]string{
		"EC2 - Other": "Compute", "Amazon Relational Database Service": "Databases", "AmazonCloudWatch": "Management and Governance",
		"Amazon Simple Storage Service": "Storage", "Amazon EC2 Container Registry (ECR)": "Compute", "Nobody Knows": "Other", "Tax": "Other",
	} {
		if got := categoryOf(service); got != want {
			t.Errorf("%s is %s, want %s", service, got, want)
		}
	}
}
