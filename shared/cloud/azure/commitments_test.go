package azure_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/consumption/armconsumption"
	consumptionfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/consumption/armconsumption/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v2"
	costfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v2/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/reservations/armreservations"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// wire is a value of the SDK's as it goes over the wire: the module of reservations has no fake server.
func wire(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	capacity    = "/providers/Microsoft.Capacity/reservations"
	orders      = "/providers/Microsoft.Capacity/reservationOrders/"
	plans       = "/providers/Microsoft.BillingBenefits/savingsPlans"
	machinesID  = "/providers/microsoft.capacity/reservationOrders/o-1/reservations/r-1"
	databasesID = "/providers/microsoft.capacity/reservationOrders/o-2/reservations/r-2"
	planID      = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/so-1/savingsPlans/sp-1"
)

var (
	bought  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	expires = bought.AddDate(1, 0, 0)
	month   = cost.Days(time.Date(2026, 8, 21, 0, 0, 0, 0, time.UTC), 30)
)

// commitments makes the world hold two reservations, two that are over, and a savings plan.
func (w *world) commitments(t *testing.T) {
	t.Helper()
	reservation := func(id, kind, sku string, state armreservations.ProvisioningState, plan armreservations.ReservationBillingPlan, end time.Time) string {
		return wire(t, armreservations.ReservationResponse{ID: &id, Location: ptr("westeurope"), SKU: &armreservations.SKUName{Name: &sku}, Properties: &armreservations.Properties{
			DisplayName: ptr("of " + kind), ReservedResourceType: ptr(armreservations.ReservedResourceType(kind)), Quantity: ptr(int32(2)), ProvisioningState: &state, BillingPlan: &plan,
			BenefitStartTime: &bought, ExpiryDate: &end, BillingScopeID: ptr("/subscriptions/" + strings.ToUpper(portal)), Term: ptr(armreservations.ReservationTermP1Y),
		}})
	}
	const succeeded, monthly, upfront = armreservations.ProvisioningStateSucceeded, armreservations.ReservationBillingPlanMonthly, armreservations.ReservationBillingPlanUpfront
	w.pages(capacity,
		reservation(machinesID, "VirtualMachines", "Standard_D2s_v5", succeeded, monthly, expires),
		reservation(databasesID, "SqlDatabases", "SQLDB_GP_Compute_Gen5", succeeded, upfront, expires),
		reservation("/providers/microsoft.capacity/reservationOrders/o-3/reservations/r-3", "VirtualMachines", "x", armreservations.ProvisioningStateCancelled, upfront, expires),
		reservation("/providers/microsoft.capacity/reservationOrders/o-4/reservations/r-4", "VirtualMachines", "x", succeeded, upfront, now.AddDate(0, 0, -30)),
	)
	w.paths[orders] = func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("$expand") != "schedule" {
			t.Errorf("an order was asked for without its payments: %s", r.URL)
		}
		p := &armreservations.ReservationOrderProperties{OriginalQuantity: ptr(int32(4)), DisplayName: ptr("order")}
		if strings.HasSuffix(r.URL.Path, "o-1") { // four, of which two are in this reservation: USD 0.05 an hour each
			p.PlanInformation = &armreservations.ReservationOrderBillingPlanInformation{PricingCurrencyTotal: &armreservations.Price{Amount: ptr(4 * 8760 * 0.05), CurrencyCode: ptr("USD")}}
		}
		fmt.Fprint(out, wire(t, armreservations.ReservationOrderResponse{Properties: p}))
	}
	w.pages(plans, fmt.Sprintf(`{"id":%q,"name":"sp-1","sku":{"name":"Compute_Savings_Plan"},"properties":{"displayName":"half an hour","provisioningState":"Succeeded","term":"P3Y","billingPlan":"P1M",
		"billingScopeId":"/subscriptions/%s","effectiveDateTime":"2026-01-01T00:00:00.1234567Z","expiryDateTime":"2029-01-01T00:00:00Z","commitment":{"grain":"Hourly","currencyCode":"EUR","amount":0.5}}}`, planID, portal))
	w.uses(t)
}

// uses makes the world tell how they are used: three quarters of the first, all of the second, most of the plan.
func (w *world) uses(t *testing.T) {
	t.Helper()
	const filter = "properties/usageDate ge 2026-08-21 AND properties/usageDate le 2026-09-19"
	w.servers["ReservationsSummariesClient"] = consumptionfake.NewReservationsSummariesServerTransport(&consumptionfake.ReservationsSummariesServer{
		NewListByReservationOrderPager: func(order string, grain armconsumption.Datagrain, o *armconsumption.ReservationsSummariesClientListByReservationOrderOptions) (resp azfake.PagerResponder[armconsumption.ReservationsSummariesClientListByReservationOrderResponse]) {
			if grain != armconsumption.DatagrainDailyGrain || o == nil || *o.Filter != filter {
				t.Errorf("summaries of %s were asked for %s with %+v", order, grain, o)
			}
			for i := range 30 {
				used := 48.0
				if order == "o-1" && i%2 == 0 {
					used = 24
				}
				resp.AddPage(http.StatusOK, armconsumption.ReservationsSummariesClientListByReservationOrderResponse{ReservationSummariesListResult: armconsumption.ReservationSummariesListResult{
					Value: []*armconsumption.ReservationSummary{{Properties: &armconsumption.ReservationSummaryProperties{
						ReservationOrderID: &order, ReservationID: ptr(strings.Replace(order, "o", "R", 1)), UsageDate: ptr(month.Start.AddDate(0, 0, i)), ReservedHours: ptr(48.0), UsedHours: &used,
					}}},
				}}, nil)
			}
			return resp
		},
	})
	w.servers["BenefitUtilizationSummariesClient"] = costfake.NewBenefitUtilizationSummariesServerTransport(&costfake.BenefitUtilizationSummariesServer{
		NewListBySavingsPlanOrderPager: func(order string, o *armcostmanagement.BenefitUtilizationSummariesClientListBySavingsPlanOrderOptions) (resp azfake.PagerResponder[armcostmanagement.BenefitUtilizationSummariesClientListBySavingsPlanOrderResponse]) {
			if order != "so-1" || o == nil || *o.Filter != filter || *o.GrainParameter != armcostmanagement.GrainParameterDaily {
				t.Errorf("summaries of %s were asked for with %+v", order, o)
			}
			for i := range 30 {
				resp.AddPage(http.StatusOK, armcostmanagement.BenefitUtilizationSummariesClientListBySavingsPlanOrderResponse{BenefitUtilizationSummariesListResult: armcostmanagement.BenefitUtilizationSummariesListResult{
					Value: []armcostmanagement.BenefitUtilizationSummaryClassification{&armcostmanagement.SavingsPlanUtilizationSummary{
						Kind: ptr(armcostmanagement.BenefitKindSavingsPlan),
						Properties: &armcostmanagement.SavingsPlanUtilizationSummaryProperties{
							BenefitID: ptr("sp-1"), BenefitOrderID: &order, UsageDate: ptr(month.Start.AddDate(0, 0, i)), AvgUtilizationPercentage: ptr(90.0),
						},
					}},
				}}, nil)
			}
			return resp
		},
	})
}

func TestCommitmentsAreReadWithTheirUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commitments(t)
	got, err := w.open("s", nil).Commitments(t.Context(), month)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, h := range got.Held {
		hourly := "unknown"
		if h.Hourly != nil {
			hourly = h.Hourly.String() + " " + string(h.Currency)
		}
		lines = append(lines, fmt.Sprint(h.Type, "|", h.Category, "|", h.ID, "|", h.Account == portal, "|", h.Region, "|", h.Service, "|", h.Size, "|", h.Quantity, "|", h.Unit, "|", hourly, "|", h.Payment, "|", h.Start.Format(time.DateOnly), "|", h.End.Format(time.DateOnly), "|", h.State))
	}
	for _, u := range got.Use {
		unused := "unknown"
		if u.Unused != nil {
			unused = u.Unused.String() + " " + string(u.Currency)
		}
		lines = append(lines, fmt.Sprint(u.Commitment, "|", u.Type, "|", *u.Used, "|", unused, "|", u.Covered == nil, "|", u.Period == month))
	}
	want := []string{
		"Savings Plan|Spend|/providers/microsoft.billingbenefits/savingsplanorders/so-1/savingsplans/sp-1|true||Compute||0.5|EUR/hour|0.5 EUR|no_upfront|2026-01-01|2029-01-01|Succeeded",
		"Reservation|Usage|/providers/microsoft.capacity/reservationorders/o-1/reservations/r-1|true|westeurope|VirtualMachines|Standard_D2s_v5|2|instances|0.1 USD|no_upfront|2026-01-01|2027-01-01|Succeeded",
		"Reservation|Usage|/providers/microsoft.capacity/reservationorders/o-2/reservations/r-2|true|westeurope|SqlDatabases|SQLDB_GP_Compute_Gen5|2|vCPU|unknown|all_upfront|2026-01-01|2027-01-01|Succeeded",
		"/providers/microsoft.billingbenefits/savingsplanorders/so-1/savingsplans/sp-1|Savings Plan|0.9|36 EUR|true|true",
		"/providers/microsoft.capacity/reservationorders/o-1/reservations/r-1|Reservation|0.75|18 USD|true|true", // a quarter of 30 days at 0.1 an hour
		"/providers/microsoft.capacity/reservationorders/o-2/reservations/r-2|Reservation|1|unknown|true|true",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if len(got.Parts) != 5 || !ingest.Whole(got.Parts) {
		t.Errorf("parts %+v", got.Parts)
	}
}

func TestCommitmentsThatMayNotBeReadAreParts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path   string // what is refused
		status int
		part   string
		want   ingest.Status
		held   int
		use    int
		err    fault.Code
	}{
		"reservations":              {capacity, 403, "Microsoft.Capacity/reservations", ingest.Denied, 1, 1, ""},
		"the prices of orders":      {orders, 403, "Microsoft.Capacity/reservationOrders", ingest.Denied, 3, 3, ""},
		"the use of reservations":   {"/providers/Microsoft.Capacity/reservationorders/", 403, "Microsoft.Consumption/reservationSummaries", ingest.Denied, 3, 1, ""},
		"savings plans":             {plans, 404, "Microsoft.BillingBenefits/savingsPlans", ingest.Failed, 2, 2, ""},
		"the use of savings plans":  {"/providers/Microsoft.BillingBenefits/savingsPlanOrders/", 403, "Microsoft.CostManagement/benefitUtilizationSummaries", ingest.Denied, 3, 2, ""},
		"reservations for a moment": {capacity, 503, "Microsoft.Capacity/reservations", ingest.Failed, 1, 1, ""},
		"anything for longer":       {capacity, 429, "", "", 0, 0, fault.Throttled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.commitments(t)
			w.before = func(out http.ResponseWriter, r *http.Request, _ string) bool {
				if r.URL.Path != c.path && (!strings.HasSuffix(c.path, "/") || !strings.HasPrefix(r.URL.Path, c.path)) {
					return false
				}
				out.Header().Set("Content-Type", "application/json")
				out.WriteHeader(c.status)
				fmt.Fprint(out, `{"error":{"code":"AuthorizationFailed","message":"no"}}`)
				return true
			}
			got, err := w.open("s", nil).Commitments(t.Context(), month)
			if c.err != "" || err != nil {
				if fault.CodeOf(err) != c.err {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			}
			for _, p := range got.Parts {
				want := ingest.OK
				if p.Service == c.part {
					want = c.want
				}
				if p.Status != want || (p.Reason == "") != (want == ingest.OK) {
					t.Errorf("%+v, want %s", p, want)
				}
			}
			if len(got.Held) != c.held || len(got.Use) != c.use {
				t.Errorf("%d held with the use of %d, want %d and %d", len(got.Held), len(got.Use), c.held, c.use)
			}
		})
	}
}

func TestCommitmentsAreThoseOfTheSubscriptionsThatAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commitments(t)
	elsewhere := func(more string) string {
		return fmt.Sprintf(`{"id":"/providers/x/savingsPlanOrders/so-1/savingsPlans/sp-9","properties":{"provisioningState":"Succeeded","billingScopeId":"/subscriptions/%s"%s,
			"commitment":{"grain":"Hourly","currencyCode":"EUR","amount":0.5}}}`, portal, more)
	}
	for name, c := range map[string]struct {
		plan string
		want int
	}{
		"paid by another one":                        {elsewhere(""), 0},
		"paid by another one, and applied to ours":   {elsewhere(`,"appliedScopeProperties":{"subscriptionId":"/subscriptions/` + strings.ToUpper(erp) + `"}`), 1},
		"applied to a resource group of ours":        {elsewhere(`,"appliedScopeProperties":{"resourceGroupId":"/subscriptions/` + erp + `/resourcegroups/rg"}`), 1},
		"applied to ours as reservations are":        {elsewhere(`,"appliedScopes":["/subscriptions/` + erp + `"]`), 1},
		"ours, and without a word of when it is due": {strings.ReplaceAll(elsewhere(""), portal, erp), 1},
		"ours, and over":                             {strings.ReplaceAll(elsewhere(`,"expiryDate":"2026-09-20"`), portal, erp), 0},
	} {
		w.pages(plans, c.plan)
		got, err := w.open("s", map[string]string{"subscriptions": erp}).Commitments(t.Context(), month)
		if err != nil || len(got.Held) != c.want || !ingest.Whole(got.Parts) {
			t.Errorf("%s: %+v, %v, want %d", name, got, err, c.want)
		}
	}
	if _, err := w.open("s", nil).Commitments(t.Context(), cost.Period{Start: month.Start.Add(time.Hour), End: month.End}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("part of a day: %v", err)
	}
}

func TestPricesAndUseOfCommitmentsAreKnownOrUnknown(t *testing.T) {
	t.Parallel()
	const total = `"pricingCurrencyTotal":{"currencyCode":"USD","amount":8760}`
	order := func(plan string) string {
		return `{"properties":{"originalQuantity":2,"planInformation":` + plan + `}}`
	}
	held := func(more string) string {
		return `{"id":"` + machinesID + `","location":"westeurope","properties":{"provisioningState":"Succeeded","billingPlan":"Monthly","billingScopeId":"/subscriptions/` + portal +
			`","benefitStartTime":"2026-01-01T00:00:00Z","expiryDate":"2027-01-01"` + more + `}}`
	}
	use := func(hours string) string {
		return `{"value":[{"properties":{"reservationId":"r-1","usageDate":"2026-08-21T00:00:00Z","reservedHours":24,"usedHours":` + hours + `}}]}`
	}
	for name, c := range map[string]struct {
		held, order, use string
		hourly, unused   string
		used             int
		part             ingest.Status
	}{
		"half of an order":         {held(`,"quantity":1`), order(`{` + total + `}`), use("12"), "0.5", "6", 1, ingest.OK},
		"more than was promised":   {held(`,"quantity":1`), order(`{` + total + `}`), use("24.0001"), "0.5", "0", 1, ingest.OK},
		"without a quantity":       {held(``), order(`{` + total + `}`), use("12"), "", "", 1, ingest.OK},
		"without a price":          {held(`,"quantity":1`), order(`null`), use("12"), "", "", 1, ingest.OK},
		"a price in no currency":   {held(`,"quantity":1`), order(`{"pricingCurrencyTotal":{"amount":8760}}`), use("12"), "", "", 1, ingest.OK},
		"use without hours":        {held(`,"quantity":1`), order(`{` + total + `}`), use("null"), "0.5", "", 0, ingest.Failed},
		"use of another month":     {held(`,"quantity":1`), order(`{` + total + `}`), strings.Replace(use("12"), "08-21", "09-20", 1), "0.5", "", 0, ingest.OK},
		"half an answer about use": {held(`,"quantity":1`), order(`{` + total + `}`), use("12")[:40], "0.5", "", 0, ingest.Failed},
	} {
		w := newWorld(t)
		w.pages(capacity, c.held)
		w.pages(plans)
		w.paths[orders] = func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, c.order) }
		w.paths["/providers/Microsoft.Capacity/reservationorders/"] = func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, c.use) }
		got, err := w.open("s", nil).Commitments(t.Context(), month)
		if err != nil || len(got.Held) != 1 || len(got.Use) != c.used {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		hourly, unused := "", ""
		if h := got.Held[0].Hourly; h != nil {
			hourly = h.String()
		}
		if c.used > 0 && got.Use[0].Unused != nil {
			unused = got.Use[0].Unused.String()
		}
		if hourly != c.hourly || unused != c.unused {
			t.Errorf("%s: %q an hour of which %q were not used, want %q and %q", name, hourly, unused, c.hourly, c.unused)
		}
		for _, p := range got.Parts {
			if want := map[bool]ingest.Status{true: c.part, false: ingest.OK}[p.Service == "Microsoft.Consumption/reservationSummaries"]; p.Status != want {
				t.Errorf("%s: %+v, want %s", name, p, want)
			}
		}
	}
}

func TestOrdersAreAskedForOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commitments(t)
	both := func(id string) string {
		return fmt.Sprintf(`{"id":%q,"properties":{"quantity":2,"provisioningState":"Succeeded","billingPlan":"Monthly","benefitStartTime":"2026-01-01T00:00:00Z","expiryDate":"2027-01-01"}}`, id)
	}
	w.pages(capacity, both(machinesID), both(strings.Replace(machinesID, "r-1", "r-9", 1)))
	got, err := w.open("s", nil).Commitments(t.Context(), month)
	if err != nil || len(got.Held) != 3 {
		t.Fatal(err, got)
	}
	for operation, pages := range map[string]int{"ReservationOrderClient.Get": 1, "ReservationsSummariesClient.NewListByReservationOrderPager": 30} {
		if n := w.count(operation); n != pages {
			t.Errorf("%s was called %d times for the %d pages of one order", operation, n, pages)
		}
	}
}
