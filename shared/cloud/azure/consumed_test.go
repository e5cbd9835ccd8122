package azure_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/consumption/armconsumption"
	consumptionfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/consumption/armconsumption/fake"

	"github.com/cost-agent/cost-agent/shared/fault"
)

var usageDay = time.Date(2026, 9, 2, 0, 0, 0, 0, time.UTC)

// legacy is a record of a subscription that pays as it goes.
func legacy(cost float64, kind string, change func(p *armconsumption.LegacyUsageDetailProperties)) armconsumption.UsageDetailClassification {
	p := &armconsumption.LegacyUsageDetailProperties{
		BillingAccountID: ptr("5001"), SubscriptionID: ptr(portal), SubscriptionName: ptr("Portal"), Date: &usageDay, Cost: ptr(cost), BillingCurrency: ptr("EUR"),
		Quantity: ptr(24.0), UnitPrice: ptr(0.096), PayGPrice: ptr(0.115), ResourceID: ptr(vmID), ResourceLocation: ptr("EU West"), ConsumedService: ptr("Microsoft.Compute"),
		MeterDetails: &armconsumption.MeterDetailsResponse{MeterName: ptr("D2s v5"), MeterCategory: ptr("Virtual Machines"), UnitOfMeasure: ptr("1 Hour")},
		ChargeType:   &kind, PricingModel: ptr(armconsumption.PricingModelTypeOnDemand), Frequency: ptr("UsageBased"), Product: ptr("D2s v5 - EU West"),
	}
	if change != nil {
		change(p)
	}
	return &armconsumption.LegacyUsageDetail{Kind: ptr(armconsumption.UsageDetailsKindLegacy), Properties: p, Tags: map[string]*string{"team": ptr("partners")}}
}

// modern is a record of a subscription with a Microsoft Customer Agreement.
func modern(cost float64, kind string) armconsumption.UsageDetailClassification {
	return &armconsumption.ModernUsageDetail{Kind: ptr(armconsumption.UsageDetailsKindModern), Properties: &armconsumption.ModernUsageDetailProperties{
		BillingAccountID: ptr("1111"), BillingProfileID: ptr("ABCD"), SubscriptionGUID: ptr(strings.ToUpper(portal)), SubscriptionName: ptr("Portal"), Date: &usageDay,
		CostInBillingCurrency: ptr(cost), BillingCurrencyCode: ptr("EUR"), PricingCurrencyCode: ptr("USD"), ExchangeRatePricingToBilling: ptr(0.8), Quantity: ptr(2.5), UnitPrice: ptr(0.5), MarketPrice: ptr(0.75),
		PaygCostInBillingCurrency: ptr(1.5), InstanceName: ptr(vmID), ResourceLocationNormalized: ptr("westeurope"), MeterCategory: ptr("Virtual Machines"), MeterName: ptr("D2s v5"),
		UnitOfMeasure: ptr("1 Hour"), ChargeType: &kind, PricingModel: ptr(armconsumption.PricingModelTypeOnDemand), InvoiceID: ptr("G01"), Product: ptr("D2s v5"),
	}}
}

// consumption makes the world have usage details, one a page with an empty page between them.
func (w *world) consumption(records map[string][]armconsumption.UsageDetailClassification) {
	w.servers["UsageDetailsClient"] = consumptionfake.NewUsageDetailsServerTransport(&consumptionfake.UsageDetailsServer{
		NewListPager: func(scope string, o *armconsumption.UsageDetailsClientListOptions) (resp azfake.PagerResponder[armconsumption.UsageDetailsClientListResponse]) {
			if o == nil || o.Metric == nil || o.Expand == nil || *o.Expand != "properties/meterDetails" {
				w.t.Errorf("usage details of %s were asked for with %+v", scope, o)
				return resp
			}
			resp.AddPage(http.StatusOK, armconsumption.UsageDetailsClientListResponse{}, nil)
			for _, r := range records[string(*o.Metric)] {
				resp.AddPage(http.StatusOK, armconsumption.UsageDetailsClientListResponse{}, nil)
				resp.AddPage(http.StatusOK, armconsumption.UsageDetailsClientListResponse{UsageDetailsListResult: armconsumption.UsageDetailsListResult{Value: []armconsumption.UsageDetailClassification{r}}}, nil)
			}
			return resp
		},
	})
}

func reserved(p *armconsumption.LegacyUsageDetailProperties) {
	p.PricingModel, p.ReservationID, p.ReservationName = ptr(armconsumption.PricingModelTypeReservation), ptr(reservation), ptr("one D2s")
}

var usageRecords = map[string][]armconsumption.UsageDetailClassification{
	"ActualCost": {
		legacy(2.304, "Usage", nil), legacy(0, "Usage", reserved), legacy(876.54, "Purchase", reserved), legacy(-1.5, "Refund", nil),
		modern(1.2345678901, "Usage"),
	},
	"AmortizedCost": {
		legacy(2.304, "Usage", nil), legacy(1.44, "Usage", reserved), legacy(0.96, "UnusedReservation", reserved), legacy(-1.5, "Refund", nil),
		modern(1.2345678901, "Usage"),
	},
}

func TestUsageDetailsBecomeFOCUSRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.consumption(usageRecords)
	rows, err := rowsOf(t, w.open("s", map[string]string{"source": "usage"}), september)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "usage.golden", rows)
}

func TestUsageDetailsAreAskedForByDaysInBothWays(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"where filters are known": http.StatusOK, "where they are refused": http.StatusBadRequest} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.consumption(nil)
		var asked []string
		w.before = func(out http.ResponseWriter, r *http.Request, operation string) bool {
			if operation != "UsageDetailsClient.NewListPager" {
				return false
			}
			q := r.URL.Query()
			asked = append(asked, q.Get("$filter"))
			if q.Get("startDate") != "2026-09-01" || q.Get("endDate") != "2026-09-20" || !strings.HasSuffix(r.URL.Path, portal+"/providers/Microsoft.Consumption/usageDetails") {
				t.Errorf("%s: asked for %s", name, r.URL)
			}
			if q.Get("$filter") != "" && status != http.StatusOK {
				out.WriteHeader(status)
				fmt.Fprint(out, `{"error":{"code":"BadRequest"}}`)
				return true
			}
			return false
		}
		rows, err := rowsOf(t, w.open("s", map[string]string{"source": "usage"}), september)
		const filter = "properties/usageStart ge '2026-09-01' and properties/usageEnd le '2026-09-20'"
		want := []string{filter, filter}
		if status != http.StatusOK {
			want = []string{filter, "", filter, ""}
		}
		if err != nil || len(rows) != 0 || strings.Join(asked, "|") != strings.Join(want, "|") {
			t.Errorf("%s: %d rows, %v, asked %q", name, len(rows), err, asked)
		}
	}
}

func TestUsageDetailsThatFailSaySo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		status int
		want   fault.Code
	}{
		"denied":                    {`{"error":{"code":"AuthorizationFailed"}}`, 403, fault.Forbidden},
		"refused in both ways":      {`{"error":{"code":"BadRequest"}}`, 400, fault.Unprocessable},
		"half an answer":            {`{"value":[{"properties":{"cost":`, 200, fault.Unavailable},
		"a link to another host":    {`{"value":[],"nextLink":"https://elsewhere.example/"}`, 200, fault.Unprocessable},
		"a record without a cost":   {`{"value":[{"properties":{"date":"2026-09-02T00:00:00Z","billingCurrency":"EUR"}}]}`, 200, fault.Unprocessable},
		"a record of another month": {`{"value":[{"properties":{"date":"2026-08-02T00:00:00Z","billingCurrency":"EUR","cost":1}}]}`, 200, fault.Unprocessable},
	} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.estate()
		w.before = func(out http.ResponseWriter, _ *http.Request, operation string) bool {
			if operation != "UsageDetailsClient.NewListPager" {
				return false
			}
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(c.status)
			fmt.Fprint(out, c.answer)
			return true
		}
		collector := w.open("s", map[string]string{"source": "usage"})
		if rows, err := rowsOf(t, collector, september); fault.CodeOf(err) != c.want || len(rows) > 0 {
			t.Errorf("%s: %d rows, %v; want %s", name, len(rows), err, c.want)
		}
		if missing, err := collector.Check(context.WithoutCancel(t.Context())); c.want == fault.Forbidden && (err != nil || len(missing) != 1 || !strings.HasPrefix(missing[0], "Microsoft.Consumption/usageDetails/read on /subscriptions/")) {
			t.Errorf("%s: missing %q, %v", name, missing, err)
		}
	}
}

func TestUsageDetailsThatLeadInACircleEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.before = func(out http.ResponseWriter, r *http.Request, operation string) bool {
		if operation != "UsageDetailsClient.NewListPager" {
			return false
		}
		fmt.Fprintf(out, `{"value":[],"nextLink":%q}`, w.link(r.URL.Path+"?page="+strconv.Itoa(w.count(operation)%2)))
		return w.count(operation) < 10 // by then it goes on for ever
	}
	if _, err := rowsOf(t, w.open("s", map[string]string{"source": "usage"}), september); fault.CodeOf(err) != fault.Unavailable || w.count("UsageDetailsClient.NewListPager") > 4 {
		t.Errorf("%v after %d questions", err, w.count("UsageDetailsClient.NewListPager"))
	}
}

// Azure prices many units in blocks, and writes how many in front of their name.
func TestQuantitiesArePricedByTheBlock(t *testing.T) {
	t.Parallel()
	for unit, want := range map[string]string{
		"1 Hour": "30 at 0.5 is 15 (Hour)", "100 Hours": "0.3 at 0.5 is 0.15 (Hours)", "10K": "0.003 at 0.5 is 0.0015 ()", "1M Operations": "0.00003 at 0.5 is 0.000015 (Operations)",
		"1B": "0.00000003 at 0.5 is 0.000000015 ()", "1 GB/Month": "30 at 0.5 is 15 (GB/Month)", "1/Month": "30 at 0.5 is 15 (Month)", "1.5 GB": "20 at 0.5 is 10 (GB)", "Hours": "30 at 0.5 is 15 (Hours)",
		"100 KB": "0.3 at 0.5 is 0.15 (KB)", "0 Hours": "unknown at 0.5 is 7 (Hours)", "": "unknown at 0.5 is 7 ()",
	} {
		w := newWorld(t)
		w.subscriptions(portal)
		w.consumption(map[string][]armconsumption.UsageDetailClassification{"ActualCost": {legacy(7, "Usage", func(p *armconsumption.LegacyUsageDetailProperties) {
			p.Quantity, p.UnitPrice, p.MeterDetails.UnitOfMeasure = ptr(30.0), ptr(0.5), &unit
		})}})
		rows, err := rowsOf(t, w.open("s", map[string]string{"source": "usage"}), september)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%s: %d rows, %v", unit, len(rows), err)
		}
		quantity := "unknown"
		if rows[0].PricingQuantity.Valid {
			quantity = rows[0].PricingQuantity.Decimal.String()
		}
		if got := fmt.Sprintf("%s at %s is %s (%s)", quantity, rows[0].ContractedUnitPrice.Decimal, rows[0].ContractedCost, rows[0].ConsumedUnit); got != want {
			t.Errorf("%q: %s, want %s", unit, got, want)
		}
	}
}

func TestMoneyOfUsageDetailsIsExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	const amount = "1234567890.12345678901234567"
	w.before = func(out http.ResponseWriter, r *http.Request, operation string) bool {
		if operation != "UsageDetailsClient.NewListPager" {
			return false
		}
		list := ""
		if r.URL.Query().Get("metric") == "ActualCost" {
			list = `{"properties":{"date":"2026-09-02T00:00:00Z","billingCurrency":"EUR","chargeType":"Usage","cost":` + amount + `}}`
		}
		fmt.Fprintf(out, `{"value":[%s]}`, list)
		return true
	}
	rows, err := rowsOf(t, w.open("s", map[string]string{"source": "usage"}), september)
	if err != nil || len(rows) != 1 || rows[0].BilledCost.String() != amount {
		t.Errorf("%v %v", rows, err)
	}
}
