package azure_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/advisor/armadvisor"
	advisorfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/advisor/armadvisor/fake"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

var checked = time.Date(2026, 9, 18, 6, 0, 0, 0, time.UTC)

// recommended is one of Advisor's recommendations, with what it adds in pairs of names and values.
func recommended(name, kind, resourceID string, extended ...string) *armadvisor.ResourceRecommendationBase {
	more := map[string]*string{}
	for i := 0; i < len(extended); i += 2 {
		more[extended[i]] = &extended[i+1]
	}
	return &armadvisor.ResourceRecommendationBase{ID: ptr(resourceID + "/providers/Microsoft.Advisor/recommendations/" + name), Name: &name, Properties: &armadvisor.RecommendationProperties{
		Category: ptr(armadvisor.CategoryCost), ImpactedField: &kind, LastUpdated: &checked, RecommendationTypeID: ptr("e10b1381"), ExtendedProperties: more,
		ShortDescription: &armadvisor.ShortDescription{Problem: ptr("It is hardly used."), Solution: ptr("Use less.")}, ResourceMetadata: &armadvisor.ResourceMetadata{ResourceID: &resourceID},
	}}
}

// advises makes the world recommend things, one a page after an empty one.
func (w *world) advises() {
	w.servers["RecommendationsClient"] = advisorfake.NewRecommendationsServerTransport(&advisorfake.RecommendationsServer{
		NewListPager: func(o *armadvisor.RecommendationsClientListOptions) (resp azfake.PagerResponder[armadvisor.RecommendationsClientListResponse]) {
			if o == nil || o.Filter == nil || *o.Filter != "Category eq 'Cost'" {
				w.t.Errorf("recommendations of all kinds were asked for: %+v", o)
			}
			resp.AddPage(http.StatusOK, armadvisor.RecommendationsClientListResponse{}, nil)
			for _, r := range []*armadvisor.ResourceRecommendationBase{
				recommended("a", "Microsoft.Compute/virtualMachines", vmID, "recommendationType", "SkuChange", "currentSku", "Standard_D4s_v5", "targetSku", "Standard_D2s_v5", "regionId", "West Europe", "savingsAmount", "99", "annualSavingsAmount", "840.6", "savingsCurrency", "EUR"),
				recommended("b", "Microsoft.Compute/disks", diskID, "savingsAmount", "21.68", "savingsCurrency", "USD"),
				recommended("c", "Microsoft.Subscriptions/subscriptions", "/subscriptions/"+portal, "recommendationSubCategory", "Reservations", "displaySKU", "Standard_D2a_v4", "annualSavingsAmount", "1591"),
			} {
				resp.AddPage(http.StatusOK, armadvisor.RecommendationsClientListResponse{ResourceRecommendationBaseListResult: armadvisor.ResourceRecommendationBaseListResult{Value: []*armadvisor.ResourceRecommendationBase{r}}}, nil)
			}
			return resp
		},
	})
}

func TestAdviceSaysWhatAMonthWouldSave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.advises()
	got, err := w.open("s", nil).Advice(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, a := range got.Given {
		saving := "unknown"
		if a.Saving != nil {
			saving = a.Saving.String() + " " + string(a.Currency)
		}
		lines = append(lines, fmt.Sprint(a.Type, "|", a.Region, "|", a.ID[strings.LastIndex(a.ID, "/")+1:], "|", a.Source, "|", a.Kind, "|", a.Current, "|", a.Advised, "|", saving, "|", a.Text, "|", a.At.Equal(checked)))
		if a.Account != portal || a.Cloud != resource.Azure || a.Advice != strings.ToLower(a.Advice) || a.ID != strings.ToLower(a.ID) {
			t.Errorf("%+v", a)
		}
	}
	want := []string{
		"instance|westeurope|portal-01|Advisor|SkuChange|Standard_D4s_v5|Standard_D2s_v5|70.05 EUR|Use less.|true", // a twelfth of the year
		"volume||portal-01-data|Advisor|e10b1381|||21.68 USD|Use less.|true",
		"||" + portal + "|Advisor|Reservations||Standard_D2a_v4|unknown|Use less.|true", // without a currency an amount says nothing
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for name, c := range map[string]struct {
		settings map[string]string
		want     int
	}{
		"another region":     {map[string]string{"regions": "northeurope"}, 2}, // those that name none stay
		"the resource group": {map[string]string{"resource_groups": "rg-portal"}, 2},
	} {
		if got, err := w.open("s", c.settings).Advice(t.Context()); err != nil || len(got.Given) != c.want {
			t.Errorf("%s: %d, %v; want %d", name, len(got.Given), err, c.want)
		}
	}
}

func TestAdviceThatMayNotBeReadIsAPart(t *testing.T) {
	t.Parallel()
	for status, c := range map[int]struct {
		want ingest.Status
		err  fault.Code
	}{403: {want: ingest.Denied}, 503: {want: ingest.Failed}, 429: {err: fault.Throttled}} {
		w := newWorld(t)
		w.subscriptions(portal, erp)
		w.advises()
		w.before = func(out http.ResponseWriter, r *http.Request, operation string) bool {
			if !strings.HasPrefix(operation, "RecommendationsClient") || !strings.Contains(r.URL.Path, erp) {
				return false
			}
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(status)
			fmt.Fprint(out, `{"error":{"code":"AuthorizationFailed","message":"no"}}`)
			return true
		}
		got, err := w.open("s", nil).Advice(t.Context())
		if c.err != "" || err != nil {
			if fault.CodeOf(err) != c.err {
				t.Errorf("%d: %v, want %q", status, err, c.err)
			}
			continue
		}
		if len(got.Given) != 3 || len(got.Parts) != 2 {
			t.Fatalf("%d: %d given, parts %+v", status, len(got.Given), got.Parts)
		}
		for _, p := range got.Parts {
			if want := map[string]ingest.Status{portal: ingest.OK, erp: c.want}[p.Account]; p.Status != want || p.Service != "Microsoft.Advisor/recommendations" {
				t.Errorf("%d: %+v, want %s", status, p, want)
			}
		}
	}
}
