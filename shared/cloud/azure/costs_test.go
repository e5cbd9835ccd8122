package azure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v2"
	costfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v2/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	subfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/fake"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

var september = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// subscriptions makes the world show the subscriptions, after an empty page.
func (w *world) subscriptions(ids ...string) {
	w.servers["Client"] = subfake.NewServerTransport(&subfake.Server{
		NewListPager: func(*armsubscriptions.ClientListOptions) (resp azfake.PagerResponder[armsubscriptions.ClientListResponse]) {
			resp.AddPage(http.StatusOK, armsubscriptions.ClientListResponse{}, nil)
			for _, id := range ids {
				resp.AddPage(http.StatusOK, armsubscriptions.ClientListResponse{SubscriptionListResult: armsubscriptions.SubscriptionListResult{
					Value: []*armsubscriptions.Subscription{{SubscriptionID: ptr(strings.ToUpper(id)), DisplayName: ptr("Meridian " + id[:4]), State: ptr(armsubscriptions.SubscriptionStateEnabled)}},
				}}, nil)
			}
			return resp
		},
		NewListLocationsPager: func(string, *armsubscriptions.ClientListLocationsOptions) (resp azfake.PagerResponder[armsubscriptions.ClientListLocationsResponse]) {
			resp.AddPage(http.StatusOK, armsubscriptions.ClientListLocationsResponse{LocationListResult: armsubscriptions.LocationListResult{
				Value: []*armsubscriptions.Location{{Name: ptr("westeurope")}, {Name: ptr("northeurope")}},
			}}, nil)
			return resp
		},
	})
}

const diskID = "/subscriptions/5f0c2f4e-8a41-4d7e-9c55-2f1a6b7c8d90/resourceGroups/RG-Portal/providers/Microsoft.Compute/disks/portal-01-data"

var columns = []string{"totalCost", "UsageDate", "ResourceId", "ResourceType", "ResourceLocation", "ChargeType", "PublisherType", "ServiceName", "ServiceTier", "Meter", "PricingModel", "BenefitId", "BenefitName", "Tags", "Currency"}

// line is one row as Cost Management writes it.
func line(amount float64, day int, id, typ, place, charge, service, meter, model, benefit, name string, tags []any, currency string) []any {
	return []any{amount, day, id, typ, place, charge, "Azure", service, "tier", meter, model, benefit, name, tags, currency}
}

const (
	vmID        = "/subscriptions/5f0c2f4e-8a41-4d7e-9c55-2f1a6b7c8d90/resourceGroups/rg-portal/providers/Microsoft.Compute/virtualMachines/portal-01"
	reservation = "/providers/Microsoft.Capacity/reservationOrders/aaaa/reservations/bbbb"
	plan        = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/cccc/savingsPlans/dddd"
)

var tags = []any{`"team":"partners"`, `"note":"a \"quoted\": word"`}

func actual() [][]any {
	return [][]any{
		line(2.304, 20260901, vmID, "microsoft.compute/virtualmachines", "EU West", "Usage", "Virtual Machines", "D2s v5", "OnDemand", "", "", tags, "EUR"),
		line(0.1, 20260901, diskID, "microsoft.compute/disks", "EU West", "Usage", "Storage", "P10 LRS Disk", "OnDemand", "", "", nil, "EUR"),
		line(0.2, 20260902, diskID, "microsoft.compute/disks", "EU West", "Usage", "Storage", "P10 LRS Disk", "OnDemand", "", "", nil, "EUR"),
		line(0, 20260902, vmID, "microsoft.compute/virtualmachines", "EU West", "Usage", "Virtual Machines", "D2s v5", "Reservation", reservation, "one D2s", tags, "EUR"),
		line(876.54, 20260901, "", "", "Unassigned", "Purchase", "Virtual Machines", "Reservation D2s v5", "Reservation", reservation, "one D2s", nil, "EUR"),
		line(-120.25, 20260903, "", "", "", "Refund", "Virtual Machines", "Reservation D2s v5", "Reservation", reservation, "one D2s", nil, "EUR"),
		line(1.1, 20260903, vmID, "microsoft.compute/virtualmachines", "EU West", "Usage", "Virtual Machines", "D2s v5 Spot", "Spot", "", "", tags, "EUR"),
		line(0.000001234, 20260903, "", "", "US East 2", "Usage", "Bandwidth", "Data Transfer Out", "OnDemand", "", "", nil, "EUR"),
		line(-0.004, 20260930, "", "", "", "RoundingAdjustment", "", "", "", "", "", nil, "EUR"),
	}
}

func amortized() [][]any {
	return [][]any{
		line(2.304, 20260901, vmID, "microsoft.compute/virtualmachines", "EU West", "Usage", "Virtual Machines", "D2s v5", "OnDemand", "", "", tags, "EUR"),
		line(0.1, 20260901, diskID, "microsoft.compute/disks", "EU West", "Usage", "Storage", "P10 LRS Disk", "OnDemand", "", "", nil, "EUR"),
		line(0.2, 20260902, diskID, "microsoft.compute/disks", "EU West", "Usage", "Storage", "P10 LRS Disk", "OnDemand", "", "", nil, "EUR"),
		line(1.44, 20260902, vmID, "microsoft.compute/virtualmachines", "EU West", "Usage", "Virtual Machines", "D2s v5", "Reservation", reservation, "one D2s", tags, "EUR"),
		line(0.96, 20260902, "", "", "", "UnusedReservation", "Virtual Machines", "D2s v5", "Reservation", reservation, "one D2s", nil, "EUR"),
		line(0.5, 20260902, "", "", "", "UnusedSavingsPlan", "Virtual Machines", "D2s v5", "SavingsPlan", plan, "half an hour", nil, "EUR"),
		line(1.1, 20260903, vmID, "microsoft.compute/virtualmachines", "EU West", "Usage", "Virtual Machines", "D2s v5 Spot", "Spot", "", "", tags, "EUR"),
		line(0.000001234, 20260903, "", "", "US East 2", "Usage", "Bandwidth", "Data Transfer Out", "OnDemand", "", "", nil, "EUR"),
		line(-0.004, 20260930, "", "", "", "RoundingAdjustment", "", "", "", "", "", nil, "EUR"),
	}
}

// bills makes the world answer cost queries with the rows, perPage at a time.
func (w *world) bills(perPage int, actual, amortized [][]any) {
	w.paged(perPage, false, actual, amortized)
}

// paged is bills, with an empty page before each where that is wanted.
func (w *world) paged(perPage int, empty bool, actual, amortized [][]any) {
	w.servers["QueryClient"] = costfake.NewQueryServerTransport(&costfake.QueryServer{
		Usage: func(ctx context.Context, scope string, q armcostmanagement.QueryDefinition, _ *armcostmanagement.QueryClientUsageOptions) (resp azfake.Responder[armcostmanagement.QueryClientUsageResponse], errResp azfake.ErrorResponder) {
			if q.Dataset == nil || q.TimePeriod == nil || *q.Dataset.Granularity != armcostmanagement.GranularityTypeDaily {
				w.t.Errorf("the query of %s is not daily: %+v", scope, q)
			}
			rows := actual
			if *q.Type == armcostmanagement.ExportTypeAmortizedCost {
				rows = amortized
			}
			n, _ := strconv.Atoi(fmt.Sprint(ctx.Value(linkKey{}))) // of the page
			from, count := n*perPage, perPage
			if empty {
				from, count = n/2*perPage, n%2*perPage // every other page has nothing
			}
			from = min(from, len(rows))
			to := min(from+count, len(rows))
			answer := armcostmanagement.QueryProperties{Rows: rows[from:to]}
			for _, name := range columns {
				answer.Columns = append(answer.Columns, &armcostmanagement.QueryColumn{Name: ptr(name)})
			}
			if to < len(rows) {
				answer.NextLink = ptr(fmt.Sprintf("%s/providers/Microsoft.CostManagement/query?api-version=2021-10-01&$skiptoken=%d", w.link("/"+scope), n+1))
			}
			resp.SetResponse(http.StatusOK, armcostmanagement.QueryClientUsageResponse{QueryResult: armcostmanagement.QueryResult{Properties: &answer}}, nil)
			return resp, errResp
		},
	})
}

func TestCostsBecomeFOCUSRowsOverAllPages(t *testing.T) {
	t.Parallel()
	for _, perPage := range []int{1, 2, 100} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.bills(perPage, actual(), amortized())
		rows, err := rowsOf(t, w.open("s", map[string]string{"billing_account": "7310418"}), september)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "costs.golden", rows)
	}
}

func TestBillsCanBeLoadedWithTheCurrencyOfEachSubscription(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal, erp)
	w.bills(100, [][]any{line(1.5, 20260901, "", "", "", "Usage", "Bandwidth", "Out", "OnDemand", "", "", nil, "EUR")}, nil)
	asked := w.servers["QueryClient"]
	w.before = func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		if strings.Contains(r.URL.Path, erp) {
			w.bills(100, [][]any{line(2.5, 20260901, "", "", "", "Usage", "Bandwidth", "Out", "OnDemand", "", "", nil, "USD")}, nil)
		} else {
			w.servers["QueryClient"] = asked
		}
		return false
	}
	rows, err := rowsOf(t, w.open("s", nil), september)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := focus.NewParquetWriter(&b)
	for i := range rows {
		err = errors.Join(err, out.Write(&rows[i]))
	}
	if err = errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
	in, err := focus.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), focus.Parquet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	got := map[string]string{}
	for range rows {
		var row focus.Row
		if bad, err := in.Next(&row); err != nil || bad != nil {
			t.Fatalf("%+v %v", bad, err)
		}
		got[row.SubAccountID] = row.BilledCost.String() + " " + string(row.BillingCurrency)
	}
	if got[portal] != "1.5 EUR" || got[erp] != "2.5 USD" {
		t.Errorf("got %v", got)
	}
}

func TestFailuresHaveACodeAndLoseNothing(t *testing.T) {
	t.Parallel()
	const usage = "QueryClient.Usage"
	answer := func(status int, headers map[string]string, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			for k, v := range headers {
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	refused := `{"error":{"code":"AuthorizationFailed","message":"no"}}`
	storm := map[string]string{"x-ms-ratelimit-microsoft.costmanagement-clienttype-retry-after": "90", "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "7", "Retry-After": "1"}
	cases := map[string]struct {
		answer func(http.ResponseWriter)
		times  int // how often it is answered so; 0: always
		want   fault.Code
		asked  int
	}{
		"403 is forbidden, once":                              {answer: answer(403, nil, refused), want: fault.Forbidden, asked: 1},
		"401 is unauthenticated":                              {answer: answer(401, nil, refused), want: fault.Unauthenticated, asked: 1},
		"a wait longer than a minute is throttled at once":    {answer: answer(429, storm, ""), want: fault.Throttled, asked: 1},
		"a wait that only Cost Management's own header tells": {answer: answer(429, map[string]string{"x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "61"}, ""), want: fault.Throttled, asked: 1},
		"a storm without headers is tried again, in vain":     {answer: answer(429, nil, ""), want: fault.Throttled, asked: 4},
		"Retry-After above the longest wait":                  {answer: answer(429, map[string]string{"Retry-After": "61"}, ""), want: fault.Throttled, asked: 1},
		"5xx for good is unavailable":                         {answer: answer(503, nil, ""), want: fault.Unavailable, asked: 4},
		"5xx twice is overcome":                               {answer: answer(500, nil, ""), times: 2, asked: 4},
		"half a page for good is unavailable":                 {answer: answer(200, nil, `{"properties":{"columns":[{"name":"Cost"}],"rows":[[1`), want: fault.Unavailable, asked: 3},
		"a page that breaks off on the way is read again":     {answer: answer(200, map[string]string{"Content-Length": "5000"}, `{"properties":`), times: 1, asked: 3},
		"rows that do not fit the columns":                    {answer: answer(200, nil, `{"properties":{"columns":[{"name":"Cost"}],"rows":[[1,2]]}}`), want: fault.Unavailable, asked: 1},
		"a cost without currency":                             {answer: answer(200, nil, `{"properties":{"columns":[{"name":"Cost"},{"name":"UsageDate"}],"rows":[[1,20260901]]}}`), want: fault.Unprocessable, asked: 1},
		"another month than asked for":                        {answer: answer(200, nil, `{"properties":{"columns":[{"name":"Cost"},{"name":"UsageDate"},{"name":"Currency"}],"rows":[[1,20260801,"EUR"]]}}`), want: fault.Unprocessable, asked: 1},
		"a link to another host":                              {answer: answer(200, nil, `{"properties":{"nextLink":"https://elsewhere.example/","columns":[],"rows":[]}}`), want: fault.Unprocessable, asked: 1},
		"a question it does not understand, twice":            {answer: answer(400, nil, `{"error":{"code":"BadRequest"}}`), want: fault.Unprocessable, asked: 2},
		"unknown groups are left out":                         {answer: answer(400, nil, `{"error":{"code":"BadRequest"}}`), times: 1, asked: 3},
		"no content is no rows":                               {answer: answer(204, nil, ""), asked: 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.subscriptions(portal)
			w.bills(100, actual(), amortized())
			w.before = func(out http.ResponseWriter, _ *http.Request, operation string) bool {
				if operation != usage || c.times > 0 && w.count(usage) > c.times {
					return false
				}
				c.answer(out)
				return true
			}
			rows, err := rowsOf(t, w.open("s", nil), september)
			if got := fault.CodeOf(err); err != nil && got != c.want || err == nil && c.want != "" {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if n := w.count(usage); n != c.asked {
				t.Errorf("asked %d times, want %d", n, c.asked)
			}
			if c.want != "" && len(rows) > 0 {
				t.Errorf("%d rows of a month that failed", len(rows))
			}
			if c.times > 0 && len(rows) != 11 {
				t.Errorf("%d rows after the failure was overcome, want 11", len(rows))
			}
		})
	}
}

func TestColumnsAreFoundByTheirNamesAndAmountsKeptAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.before = func(out http.ResponseWriter, _ *http.Request, operation string) bool {
		if operation != "QueryClient.Usage" {
			return false
		}
		fmt.Fprint(out, `{"properties":{"columns":[{"name":"CURRENCY"},{"name":"ServiceName"},{"name":"UsageDate"},{"name":"PreTaxCost"},{"name":"ChargeType"}],
			"rows":[["EUR","Storage",2.0260901e+07,0.1000000000000000055511151231257827,"Usage"],["USD","Storage",20260901,1e-9,"Usage"]]}}`)
		return true
	}
	rows, err := rowsOf(t, w.open("s", nil), september)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for i := range rows {
		if !rows[i].ChargePeriod.Start.Equal(september) {
			t.Errorf("a day of %s", rows[i].ChargePeriod)
		}
		got[string(rows[i].BillingCurrency)] = rows[i].BilledCost.String()
	}
	if want := map[string]string{"EUR": "0.1000000000000000055511151231257827", "USD": "0.000000001"}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPagesThatLeadInACircleEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.before = func(out http.ResponseWriter, _ *http.Request, operation string) bool {
		if operation == "QueryClient.Usage" {
			fmt.Fprintf(out, `{"properties":{"nextLink":"%s?page=%d","columns":[],"rows":[]}}`, w.link("/subscriptions/x/query"), w.count(operation)%3)
			return true
		}
		return false
	}
	_, err := rowsOf(t, w.open("s", nil), september)
	if fault.CodeOf(err) != fault.Unavailable || w.count("QueryClient.Usage") > 5 {
		t.Errorf("%v after %d questions", err, w.count("QueryClient.Usage"))
	}
}

func TestEachPageIsAskedForWithTheSameBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.bills(4, actual(), nil)
	bodies := map[string]int{}
	w.before = func(_ http.ResponseWriter, r *http.Request, operation string) bool {
		if operation == "QueryClient.Usage" {
			text, err := io.ReadAll(r.Body)
			if err != nil || r.Method != http.MethodPost {
				t.Errorf("%s: %v", r.Method, err)
			}
			bodies[string(text)]++
			r.Body = io.NopCloser(bytes.NewReader(text))
		}
		return false
	}
	if _, err := rowsOf(t, w.open("s", nil), september); err != nil {
		t.Fatal(err)
	}
	counts := slices.Sorted(maps.Values(bodies))
	if !slices.Equal(counts, []int{1, 3}) {
		t.Errorf("bodies were sent %v times, want one for the amortised costs and three alike for the actual ones", counts)
	}
	for body := range bodies {
		if !strings.Contains(body, `"from":"2026-09-01T00:00:00Z"`) || !strings.Contains(body, `"to":"2026-09-20T23:59:59Z"`) {
			t.Errorf("the days to come are asked for, too: %s", body)
		}
	}
}

func TestMonthsToComeAreNotAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rows, err := rowsOf(t, w.open("s", nil), september.AddDate(0, 1, 0))
	if err != nil || len(rows) != 0 || len(w.asked) != 0 {
		t.Errorf("%d rows, %v, asked %v", len(rows), err, w.asked)
	}
}

func TestSubscriptionsThatAreNamedAndHiddenStopTheBill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.bills(100, actual(), amortized())
	_, err := rowsOf(t, w.open("s", map[string]string{"subscriptions": portal + ", " + erp}), september)
	if fault.CodeOf(err) != fault.Forbidden || !strings.Contains(fault.Public(err).Message, erp) {
		t.Errorf("got %v", err)
	}
	w.subscriptions()
	if _, err = rowsOf(t, w.open("s", nil), september); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("no subscription at all: %v", err)
	}
}

func TestFiltersLeaveOthersOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.bills(100, actual(), amortized())
	rows, err := rowsOf(t, w.open("s", map[string]string{"services": "virtual machines, Managed Disks", "resource_groups": "rg-portal"}), september)
	if err != nil || len(rows) != 5 {
		t.Errorf("%d rows, %v; want the five of the resource group", len(rows), err)
	}
}

func TestCancellationEndsTheStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.bills(1, actual(), amortized())
	ctx, cancel := context.WithCancel(t.Context())
	w.before = func(_ http.ResponseWriter, _ *http.Request, operation string) bool {
		if w.count(operation) == 3 && operation == "QueryClient.Usage" {
			cancel()
		}
		return false
	}
	c := w.open("s", nil)
	for _, err := range c.Costs(ctx, september) {
		if fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	if n := w.count("QueryClient.Usage"); n != 3 {
		t.Errorf("asked %d times, three of them before the end", n)
	}
}
