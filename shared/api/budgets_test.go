package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/chart"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// budgeting is the API of budgets over a real record that holds a bill from 1 June to 8 September 2026: 10 USD a day for EC2, and a
// little more on Mondays, 2 for S3.
type budgeting struct {
	*testing.T
	budgets api.Budgets
	keep    job.Budgets
}

func newBudgeting(t *testing.T) *budgeting {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Options{URL: pgtest.URL(t), Now: fixedNow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.SaveTenant(t.Context(), shop, "Shop"); err != nil {
		t.Fatal(err)
	}
	bill := dailyRows(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 9, 0, 0, 0, 0, time.UTC))
	if _, err := db.Load(t.Context(), shop, ingest.Bill{File: inMemory{strings.NewReader(bill)}}); err != nil {
		t.Fatal(err)
	}
	ids := 0
	keep := job.Budgets{Store: db, Series: db, Costs: db, Now: fixedNow, NewID: func() string { ids++; return fmt.Sprintf("b%d", ids) }}
	return &budgeting{T: t, keep: keep, budgets: api.Budgets{Keep: keep, Record: db, Receipts: &executing{claimed: map[string][2]string{}}, Draw: chart.Draw, Now: fixedNow}}
}

// inMemory is a file of a bill.
type inMemory struct{ *strings.Reader }

// Close does nothing.
func (inMemory) Close() error { return nil }

// dailyRows is a bill with two rows for each day.
func dailyRows(from, to time.Time) string {
	var b strings.Builder
	b.WriteString(focusHeader)
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		month := time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC)
		ec2 := "10"
		if d.Weekday() == time.Monday {
			ec2 = fmt.Sprintf("11.%d", d.Day()%10)
		}
		for service, amount := range map[string]string{"Amazon EC2": ec2, "Amazon S3": "2"} {
			b.WriteString(strings.Join([]string{amount, "1234", "USD", month.Format(time.RFC3339), month.AddDate(0, 1, 0).Format(time.RFC3339),
				d.Format(time.RFC3339), d.AddDate(0, 0, 1).Format(time.RFC3339), "Usage", amount, amount, amount, "AWS", service, "Compute"}, ",") + "\n")
		}
	}
	return b.String()
}

// budgetAnswer is a budget as a caller sees it.
type budgetAnswer struct {
	ID, Name, Status, Reason string
	Version                  int
	Amount                   struct{ Amount, Currency, Basis string }
	Thresholds               []struct{ On string }
	Standing                 *struct {
		Actual   *struct{ Amount string }
		Overrun  *float64 `json:"overrun_probability"`
		Expected *struct{ Mean struct{ Amount string } }
		Reasons  []string
	}
}

func (x *budgeting) do(role tenant.Role, method, path, body string, headers ...string) reply {
	x.Helper()
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		x.Fatal(err)
	}
	sent := map[string]string{"Content-Type": "application/json"}
	for i := 0; i < len(headers); i += 2 {
		sent[headers[i]] = headers[i+1]
	}
	return call{method: method, path: path, query: values, headers: sent, body: []byte(body), role: role}.send(x.T, io.Discard, x.budgets)
}

func (x *budgeting) read(r reply, status int, into any) {
	x.Helper()
	if err := json.Unmarshal(r.body, into); r.status != status || err != nil {
		x.Fatalf("%d %s, want %d", r.status, r.body, status)
	}
}

const compute = `{"name":"Compute","period":"monthly","amount":{"amount":"320.00","currency":"USD"},"filter":{"ServiceName":["Amazon EC2"]}`

func TestABudgetFromBeginningToEnd(t *testing.T) {
	t.Parallel()
	x := newBudgeting(t)
	var made, again, read budgetAnswer
	x.read(x.do(tenant.Operator, "POST", "/budgets", compute+`}`, "Idempotency-Key", "k"), http.StatusCreated, &made)
	if made.Version != 1 || made.Status != "running" || made.Amount.Basis != "effective" || len(made.Thresholds) != 3 || made.Standing == nil {
		t.Fatalf("%+v", made)
	}
	// Eight days of 10, one of them a Monday of 11.7.
	s := made.Standing
	if s.Actual == nil || s.Actual.Amount != "81.7" || s.Expected == nil || !strings.HasPrefix(s.Expected.Mean.Amount, "30") || s.Overrun == nil || *s.Overrun > 0.2 {
		t.Errorf("stands %+v", s)
	}
	x.read(x.do(tenant.Operator, "POST", "/budgets", compute+`}`, "Idempotency-Key", "k"), http.StatusCreated, &again)
	if again.ID != made.ID {
		t.Error("the same request made a second budget")
	}
	change := strings.Replace(compute, "320.00", "50", 1) + `,"version":1}`
	x.read(x.do(tenant.Operator, "PUT", "/budgets/"+made.ID, change), http.StatusOK, &read)
	if read.Version != 2 || read.Standing.Overrun == nil || *read.Standing.Overrun != 1 {
		t.Errorf("after the change: %+v", read.Standing)
	}
	x.read(x.do(tenant.Operator, "PUT", "/budgets/"+made.ID, change), http.StatusOK, &read) // the answer was lost, and it is sent again
	if read.Version != 2 {
		t.Errorf("the same change again made version %d", read.Version)
	}
	var alerts struct {
		Items []struct {
			ID, Status, Message string
			Version             int
		}
		NextCursor *string `json:"next_cursor"`
	}
	seen := map[string]bool{}
	for path := "/budgets/" + made.ID + "/alerts?limit=2"; ; {
		x.read(x.do(tenant.Viewer, "GET", path, ""), http.StatusOK, &alerts)
		for _, a := range alerts.Items {
			seen[a.ID] = a.Status == "raised" && a.Version == 2 && a.Message != ""
		}
		if alerts.NextCursor == nil {
			break
		}
		path = "/budgets/" + made.ID + "/alerts?limit=2&cursor=" + *alerts.NextCursor
	}
	if len(seen) != 3 || !seen["2026-09-01/v2/actual/80"] || !seen["2026-09-01/v2/actual/100"] || !seen["2026-09-01/v2/forecast/100"] {
		t.Errorf("alerts %v", seen)
	}
	picture := x.do(tenant.Viewer, "GET", "/budgets/"+made.ID+"/chart.svg", "")
	if picture.status != http.StatusOK || !strings.Contains(string(picture.body), "budget of 50.00 USD") || picture.header.Get("ETag") == "" {
		t.Errorf("the picture: %d %.300s", picture.status, picture.body)
	}
	if same := x.do(tenant.Viewer, "GET", "/budgets/"+made.ID+"/chart.svg", "", "If-None-Match", picture.header.Get("ETag")); same.status != http.StatusNotModified {
		t.Errorf("the same picture again: %d", same.status)
	}
	if r := x.do(tenant.Operator, "DELETE", "/budgets/"+made.ID, ""); r.status != http.StatusNoContent {
		t.Errorf("%d %s", r.status, r.body)
	}
	for _, path := range []string{"", "/alerts", "/chart.svg"} {
		if r := x.do(tenant.Viewer, "GET", "/budgets/"+made.ID+path, ""); r.status != http.StatusNotFound {
			t.Errorf("after it was deleted: %d %s", r.status, r.body)
		}
	}
}

func TestBudgetsAreListedByName(t *testing.T) {
	t.Parallel()
	x := newBudgeting(t)
	for _, name := range []string{"c", "B", "a", "d", "Ä"} {
		r := x.do(tenant.Operator, "POST", "/budgets", `{"name":"`+name+`","period":"quarterly","amount":{"amount":"900","currency":"USD"}}`)
		if r.status != http.StatusCreated {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	var names []string
	for path := "/budgets?limit=2"; ; {
		var page struct {
			Items      []budgetAnswer
			NextCursor *string `json:"next_cursor"`
		}
		x.read(x.do(tenant.Viewer, "GET", path, ""), http.StatusOK, &page)
		for _, b := range page.Items {
			names = append(names, b.Name)
			if b.Standing == nil || b.Standing.Overrun == nil {
				t.Errorf("%s stands %+v", b.Name, b.Standing)
			}
		}
		if page.NextCursor == nil {
			break
		}
		path = "/budgets?limit=2&cursor=" + *page.NextCursor
	}
	if got := strings.Join(names, ""); got != "BacdÄ" {
		t.Errorf("listed %s", got)
	}
}

func TestWhatIsNoBudgetIsRefusedByItsField(t *testing.T) {
	t.Parallel()
	x := newBudgeting(t)
	if r := x.do(tenant.Operator, "POST", "/budgets", compute+`}`); r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	body := func(old, replacement string) string {
		return strings.Replace(strings.Replace(compute, "Compute", "Other", 1)+`}`, old, replacement, 1)
	}
	for name, tt := range map[string]struct {
		method, path, body string
		role               tenant.Role
		status             int
		location           string
	}{
		"a viewer":            {"POST", "", body("", ""), tenant.Viewer, 403, ""},
		"a viewer deletes":    {"DELETE", "/b1", "", tenant.Viewer, 403, ""},
		"no amount":           {"POST", "", body("320.00", ""), tenant.Operator, 400, "body.amount.amount"},
		"zero":                {"POST", "", body("320.00", "0"), tenant.Operator, 400, "body.amount.amount"},
		"negative":            {"POST", "", body("320.00", "-1"), tenant.Operator, 400, "body.amount.amount"},
		"a number":            {"POST", "", body(`"320.00"`, "320"), tenant.Operator, 400, "body.amount.amount"},
		"currency":            {"POST", "", body("USD", "usd"), tenant.Operator, 400, "body.amount.currency"},
		"basis":               {"POST", "", body(`"USD"`, `"USD","basis":"net"`), tenant.Operator, 400, "body.amount.basis"},
		"no name":             {"POST", "", body("Other", " "), tenant.Operator, 400, "body.name"},
		"weekly":              {"POST", "", body("monthly", "weekly"), tenant.Operator, 400, "body.period"},
		"a mid-month start":   {"POST", "", body("}", `},"start":"2026-09-15"`), tenant.Operator, 400, "body.start"},
		"no date":             {"POST", "", body(`"filter"`, `"end":"soon","filter"`), tenant.Operator, 400, "body.end"},
		"unknown dimension":   {"POST", "", body("ServiceName", "Colour"), tenant.Operator, 400, "body.filter.Colour"},
		"filter of nothing":   {"POST", "", body(`"Amazon EC2"`, ""), tenant.Operator, 400, "body.filter.ServiceName"},
		"threshold":           {"POST", "", body(`"filter"`, `"thresholds":[{"on":"actual","percent":0}],"filter"`), tenant.Operator, 400, "body.thresholds[0].percent"},
		"misspelt":            {"POST", "", body(`"filter"`, `"filters"`), tenant.Operator, 400, "body.filters"},
		"a name that is used": {"POST", "", compute + `}`, tenant.Operator, 409, ""},
		"no version":          {"PUT", "/b1", compute + `}`, tenant.Operator, 400, "body.version"},
		"an old version":      {"PUT", "/b1", body("}", `},"version":7`), tenant.Operator, 409, ""},
		"one that is not":     {"PUT", "/b9", body("}", `},"version":1`), tenant.Operator, 404, ""},
		"deleting that":       {"DELETE", "/b9", "", tenant.Operator, 404, ""},
		"a cursor":            {"GET", "?cursor=x", "", tenant.Viewer, 400, "query.cursor"},
		"a cursor of alerts":  {"GET", "/b1/alerts?cursor=x", "", tenant.Viewer, 400, "query.cursor"},
	} {
		r := x.do(tt.role, tt.method, "/budgets"+tt.path, tt.body)
		p := r.problem(t)
		location := ""
		if len(p.Errors) > 0 {
			location = p.Errors[0].Location
		}
		if p.Status != tt.status || location != tt.location {
			t.Errorf("%s: %d %+v, want %d %s", name, p.Status, p, tt.status, tt.location)
		}
	}
}
