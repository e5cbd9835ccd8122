package azure_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/consumption/armconsumption"
	consumptionfake "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/consumption/armconsumption/fake"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// august is the month that the conforming worlds bill.
var august = september.AddDate(0, -1, 0)

// biller is a way to the bill of August, as the conformance suite needs it.
type biller struct {
	serve func(w *world, charges []cloudtest.Charge, emptyPages bool)
	calls func(r *http.Request, operation string) bool
	right string // that these calls need, as Check names it
}

const onPortal = " on /subscriptions/" + portal + " (Cost Management Reader)"

// billers are by what the setting "source" calls them.
var billers = map[string]biller{
	"query":   {(*world).billQuery, calling("QueryClient", ""), "Microsoft.CostManagement/query/action" + onPortal},
	"usage":   {(*world).billUsage, calling("UsageDetailsClient", ""), "Microsoft.Consumption/usageDetails/read" + onPortal},
	"details": {(*world).billDetails, reportCalls, "Microsoft.CostManagement/generateCostDetailsReport/action" + onPortal},
	"export": {
		(*world).billExport, func(r *http.Request, _ string) bool { return strings.HasPrefix(r.URL.Path, "/bills") },
		"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read on the container bills (Storage Blob Data Reader)",
	},
}

func reportCalls(r *http.Request, _ string) bool {
	return strings.Contains(r.URL.Path, "/generateCostDetailsReport") || strings.Contains(r.URL.Path, resultsPath) || strings.HasPrefix(r.URL.Path, "/report-files/")
}

// pagedCharges puts charges on pages, an empty one before each where that is wanted.
func pagedCharges(charges []cloudtest.Charge, empty bool) (pages [][]cloudtest.Charge) {
	for page := range slices.Chunk(charges, cloudtest.PageSize) {
		if empty {
			pages = append(pages, nil)
		}
		pages = append(pages, page)
	}
	return pages
}

func chargeType(c cloudtest.Charge) string {
	if c.Credit {
		return "Credit"
	}
	return "Usage"
}

func chargedDisk(c cloudtest.Charge) string {
	if c.Resource == "" {
		return ""
	}
	return "/subscriptions/" + portal + "/resourceGroups/rg/providers/Microsoft.Compute/disks/" + c.Resource
}

func (w *world) billQuery(charges []cloudtest.Charge, empty bool) {
	var rows [][]any
	for i, c := range charges {
		rows = append(rows, line(c.Amount.InexactFloat64(), 20260801+i%31, chargedDisk(c), "", "EU West", chargeType(c), "Storage", "meter", "OnDemand", "", "", nil, "USD"))
	}
	w.paged(cloudtest.PageSize, empty, rows, rows)
}

func (w *world) billUsage(charges []cloudtest.Charge, empty bool) {
	w.servers["UsageDetailsClient"] = consumptionfake.NewUsageDetailsServerTransport(&consumptionfake.UsageDetailsServer{
		NewListPager: func(string, *armconsumption.UsageDetailsClientListOptions) (resp azfake.PagerResponder[armconsumption.UsageDetailsClientListResponse]) {
			for _, page := range append(pagedCharges(charges, empty), nil) { // a pager without pages is an error
				var records []armconsumption.UsageDetailClassification
				for i, c := range page {
					records = append(records, legacy(c.Amount.InexactFloat64(), chargeType(c), func(p *armconsumption.LegacyUsageDetailProperties) {
						p.Date, p.ResourceID = ptr(august.AddDate(0, 0, i)), ptr(chargedDisk(c))
					}))
				}
				resp.AddPage(http.StatusOK, armconsumption.UsageDetailsClientListResponse{UsageDetailsListResult: armconsumption.UsageDetailsListResult{Value: records}}, nil)
			}
			return resp
		},
	})
}

func (w *world) billDetails(charges []cloudtest.Charge, empty bool) {
	w.reports(func(string, string) (files [][]byte) {
		for _, page := range pagedCharges(charges, empty) {
			text := bytes.NewBufferString("Date,SubscriptionId,ResourceId,MeterCategory,ChargeType,PricingModel,CostInBillingCurrency,BillingCurrency\r\n")
			for i, c := range page {
				fmt.Fprintf(text, "08/%02d/2026,%s,%s,Storage,%s,OnDemand,%s,USD\r\n", i+1, portal, chargedDisk(c), chargeType(c), c.Amount)
			}
			files = append(files, text.Bytes())
		}
		return files
	})
}

func (w *world) billExport(charges []cloudtest.Charge, empty bool) {
	const dir = "focus/20260801-20260831/run/"
	blobs := map[string][]byte{}
	var rows []string
	for i, page := range pagedCharges(charges, empty) {
		name := fmt.Sprintf("%spart_%d.parquet", dir, i)
		blobs[name] = exportFile(w.t, i%2 == 0, exported(page)...)
		rows = append(rows, fmt.Sprintf(`{"blobName":%q,"byteCount":%d,"dataRowCount":%d}`, name, len(blobs[name]), len(page)))
	}
	blobs[dir+"manifest.json"] = fmt.Appendf(nil, `{"exportConfig":{"type":"FocusCost"},"runInfo":{"submittedTime":"2026-09-05T03:00:00Z","startDate":"2026-08-01T00:00:00","endDate":"2026-08-31T00:00:00"},"blobs":[%s]}`, strings.Join(rows, ","))
	w.blobs(blobs)
}

func exported(charges []cloudtest.Charge) (rows []focus.Row) {
	for i, c := range charges {
		row := exportRow(1, c.Amount.String())
		row.BillingPeriod, row.ChargePeriod = cost.Month(august), cost.Period{Start: august.AddDate(0, 0, i), End: august.AddDate(0, 0, i).Add(24 * time.Hour)}
		row.ResourceID, row.ChargeCategory = chargedDisk(c), chargeType(c)
		rows = append(rows, row)
	}
	return rows
}
