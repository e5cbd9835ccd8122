package azure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
)

func TestCostDetailsBecomeFOCUSRows(t *testing.T) {
	t.Parallel()
	for _, agreement := range []string{"ea", "mca"} {
		for _, files := range []int{1, 3} {
			w := newWorld(t)
			w.subscriptions(portal)
			w.reports(written(t, agreement, files))
			rows, err := rowsOf(t, w.details(nil), september)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "details-"+agreement+".golden", rows)
		}
	}
}

func TestBilledCostsAddUpToTheInvoiceAndEffectiveCostsToTheAmortisedReport(t *testing.T) {
	t.Parallel()
	for agreement, want := range map[string][2]string{"ea": {"809.41266790066666666667", "55.52266790066666666667"}, "mca": {"22.82", "22.82"}} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.reports(written(t, agreement, 1))
		rows, err := rowsOf(t, w.details(nil), september)
		if err != nil {
			t.Fatal(err)
		}
		var billed, effective decimal.Decimal
		for i := range rows {
			billed, effective = billed.Add(rows[i].BilledCost), effective.Add(rows[i].EffectiveCost)
		}
		if !billed.Equal(decimal.RequireFromString(want[0])) || !effective.Equal(decimal.RequireFromString(want[1])) {
			t.Errorf("%s: billed %s and effective %s, want %v", agreement, billed, effective, want)
		}
	}
}

func TestReportsAreOrderedForBothViewsOfEachPlaceAndDaysThatHaveBegun(t *testing.T) {
	t.Parallel()
	const scope = "/providers/Microsoft.Billing/billingAccounts/7310418"
	for name, c := range map[string]struct {
		settings map[string]string
		want     []string
	}{
		"each subscription": {nil, []string{"/subscriptions/" + portal, "/subscriptions/" + erp}},
		"a billing account": {map[string]string{"billing_scope": scope}, []string{scope}},
	} {
		w := newWorld(t)
		w.subscriptions(portal, erp)
		p := w.reports(func(string, string) [][]byte { return nil })
		rows, err := rowsOf(t, w.details(c.settings), september)
		if err != nil || len(rows) != 0 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
		var want []string
		for _, s := range c.want {
			want = append(want, s+" ActualCost 2026-09-01 2026-09-20", s+" AmortizedCost 2026-09-01 2026-09-20")
		}
		if !slices.Equal(p.ordered, want) {
			t.Errorf("%s: ordered %q, want %q", name, p.ordered, want)
		}
		if rows, err := rowsOf(t, w.details(c.settings), september.AddDate(0, 1, 0)); err != nil || len(rows) != 0 || len(p.ordered) != len(want) {
			t.Errorf("%s: a month to come: %d rows, %v, ordered %q", name, len(rows), err, p.ordered)
		}
	}
}

func TestFiltersOfCostDetails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings map[string]string
		want     int
	}{
		"all":                                 {nil, 10},
		"services":                            {map[string]string{"services": "virtual machines"}, 6},
		"resource groups":                     {map[string]string{"resource_groups": "rg-portal"}, 4},
		"another one":                         {map[string]string{"resource_groups": "rg-erp"}, 0},
		"a subscription of a billing account": {map[string]string{"billing_scope": "/providers/Microsoft.Billing/billingAccounts/7310418", "subscriptions": portal}, 8},
	} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.reports(written(t, "ea", 1))
		if rows, err := rowsOf(t, w.details(c.settings), september); err != nil || len(rows) != c.want {
			t.Errorf("%s: %d rows, %v; want %d", name, len(rows), err, c.want)
		}
	}
}

func answering(status int) func(*reports) {
	return func(p *reports) {
		p.serve = func(out http.ResponseWriter, _ *http.Request, _ []byte) { out.WriteHeader(status) }
	}
}

func TestReportsThatAreNotWholeAreNotRead(t *testing.T) {
	t.Parallel()
	ea := func(change func(string) string) func(*world) *reports {
		return func(w *world) *reports {
			files := written(w.t, "ea", 1)
			return w.reports(func(scope, metric string) [][]byte {
				return [][]byte{[]byte(change(string(files(scope, metric)[0])))}
			})
		}
	}
	whole := ea(func(s string) string { return s })
	for name, c := range map[string]struct {
		make func(*world) *reports
		with func(*reports)
		want fault.Code
	}{
		"a file that ends early":       {whole, func(p *reports) { p.serve = half }, fault.Unavailable},
		"a file that cannot be opened": {whole, answering(403), fault.Forbidden},
		"a file that is gone":          {whole, answering(404), fault.NotFound},
		"a file that cannot be reached": {whole, func(p *reports) {
			p.serve = func(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }
		}, fault.Unavailable},
		"a report that fails":          {whole, func(p *reports) { p.told = func(a map[string]any) { a["status"] = "Failed" } }, fault.Unavailable},
		"a report without a manifest":  {whole, func(p *reports) { p.told = func(a map[string]any) { delete(a, "manifest") } }, fault.Unavailable},
		"a report with a file missing": {whole, func(p *reports) { p.told = func(a map[string]any) { a["manifest"].(map[string]any)["blobCount"] = 2 } }, fault.Unavailable},
		"a row without an amount":      {ea(func(s string) string { return strings.Replace(s, ",2.304,", ",,", 1) }), nil, fault.Unprocessable},
		"a row without a currency":     {ea(func(s string) string { return strings.Replace(s, ",EUR,", ",,", 1) }), nil, fault.Unprocessable},
		"a row without a day":          {ea(func(s string) string { return strings.Replace(s, "09/01/2026", "yesterday", 1) }), nil, fault.Unprocessable},
		"a row of another month":       {ea(func(s string) string { return strings.Replace(s, "09/01/2026", "08/31/2026", 1) }), nil, fault.Unprocessable},
		"a row with a cell too few":    {ea(func(s string) string { return strings.Replace(s, ",2.304,", ",", 1) }), nil, fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.subscriptions(portal)
			p := c.make(w)
			if c.with != nil {
				c.with(p)
			}
			_, err := rowsOf(t, w.details(nil), september)
			if fault.CodeOf(err) != c.want || err != nil && strings.Contains(err.Error(), "open-sesame") {
				t.Errorf("got %v, want %s without what opens the file", err, c.want)
			}
		})
	}
}

func TestFilesThatBreakOffOnTheWayAreReadOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	p := w.reports(written(t, "ea", 1))
	var ranges []string
	p.serve = func(out http.ResponseWriter, r *http.Request, file []byte) {
		from := 0
		part := r.Header.Get("X-Ms-Range")
		if p.mu.Lock(); part != "" {
			ranges = append(ranges, part)
			_, _ = fmt.Sscanf(part, "bytes=%d-", &from)
		}
		p.mu.Unlock()
		rest := file[from:]
		out.Header().Set("ETag", `"1"`)
		out.Header().Set("Content-Length", strconv.Itoa(len(rest)))
		if from > 0 {
			out.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(file)-1, len(file)))
			out.WriteHeader(http.StatusPartialContent)
		} else {
			rest = rest[:len(rest)/2]
		}
		_, _ = io.Copy(out, bytes.NewReader(rest))
	}
	rows, err := rowsOf(t, w.details(nil), september)
	if err != nil || len(ranges) != 2 {
		t.Fatalf("%d rows, %v, read on %q", len(rows), err, ranges)
	}
	golden(t, "details-ea.golden", rows)
}

func TestOrderingReportsIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		header string
		want   fault.Code
	}{
		"denied":                    {403, "", fault.Forbidden},
		"an agreement without them": {422, "", fault.Unprocessable},
		"throttled for longer":      {429, "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after", fault.Throttled},
		"throttled for ever":        {429, "", fault.Throttled},
		"not at the moment":         {503, "", fault.Unavailable},
	} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.estate()
		w.reports(written(t, "ea", 1))
		w.before = func(out http.ResponseWriter, _ *http.Request, operation string) bool {
			if !strings.HasPrefix(operation, "GenerateCostDetailsReportClient") {
				return false
			}
			if c.header != "" {
				out.Header().Set(c.header, "3000")
			}
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(c.status)
			fmt.Fprint(out, `{"error":{"code":"Refused","message":"no"}}`)
			return true
		}
		if _, err := rowsOf(t, w.details(nil), september); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		missing, err := w.details(nil).Check(t.Context())
		wantMissing := c.want == fault.Forbidden
		if found := strings.Contains(strings.Join(missing, ""), "Microsoft.CostManagement/generateCostDetailsReport/action on /subscriptions/"+portal+" (Cost Management Reader)"); found != wantMissing || (err != nil) == wantMissing {
			t.Errorf("%s: missing %q, %v", name, missing, err)
		}
	}
}

func TestWaitingForAReportEndsWithTheContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	p := w.reports(written(t, "ea", 1))
	p.polls = 1 << 30
	ctx, cancel := context.WithCancel(t.Context())
	w.before = func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		if strings.Contains(r.URL.Path, resultsPath) {
			cancel()
		}
		return false
	}
	for _, err := range w.details(nil).Costs(ctx, september) {
		if fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}
