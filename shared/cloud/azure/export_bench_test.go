package azure_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// exportedLine has the columns of FOCUS exports that hold most of their bytes.
type exportedLine struct {
	BilledCost, EffectiveCost, ListCost, ContractedCost                      float64
	BillingPeriodStart, BillingPeriodEnd, ChargePeriodStart, ChargePeriodEnd time.Time
	BillingCurrency, ChargeCategory, ChargeDescription, ProviderName         string
	PublisherName, InvoiceIssuerName, ServiceName, ServiceCategory           string
	SubAccountName, ResourceName, ResourceType, PricingCategory, PricingUnit string
	BillingAccountID                                                         string `parquet:"BillingAccountId"`
	SubAccountID                                                             string `parquet:"SubAccountId"`
	RegionID                                                                 string `parquet:"RegionId"`
	ResourceID                                                               string `parquet:"ResourceId"`
	SkuID                                                                    string `parquet:"SkuId"`
	Tags                                                                     string
	PricingQuantity, ConsumedQuantity, ListUnitPrice                         float64
	MeterID                                                                  string `parquet:"x_SkuMeterId"`
	MeterName                                                                string `parquet:"x_SkuMeterName"`
	ResourceGroup                                                            string `parquet:"x_ResourceGroupName"`
}

func exportedLineOf(n int) exportedLine {
	day := september.AddDate(0, 0, n%20)
	c := float64(n%700000) / 1e4
	return exportedLine{
		BilledCost: c, EffectiveCost: c, ListCost: c * 1.25, ContractedCost: c, BillingPeriodStart: september, BillingPeriodEnd: september.AddDate(0, 1, 0), ChargePeriodStart: day, ChargePeriodEnd: day.AddDate(0, 0, 1),
		BillingCurrency: "EUR", ChargeCategory: "Usage", ChargeDescription: "Virtual Machines Dsv5 Series - D2s v5 - EU West", ProviderName: "Microsoft", PublisherName: "Microsoft", InvoiceIssuerName: "Microsoft",
		ServiceName: "Virtual Machines", ServiceCategory: "Compute", SubAccountName: "Portal", ResourceName: fmt.Sprintf("machine-%05d", n%20000), ResourceType: "Virtual machine", PricingCategory: "Standard", PricingUnit: "Hours",
		BillingAccountID: "7310418", SubAccountID: portal, RegionID: "westeurope", SkuID: "DZH318Z0BQ4L",
		ResourceID: fmt.Sprintf("/subscriptions/%s/resourceGroups/RG-%d/providers/Microsoft.Compute/virtualMachines/machine-%05d", portal, n%50, n%20000),
		Tags:       fmt.Sprintf(`{"team":"team-%d","stage":"production"}`, n%40), PricingQuantity: 24, ConsumedQuantity: 24, ListUnitPrice: 0.115,
		MeterID: fmt.Sprintf("11110000-aaaa-4bbb-8ccc-%012d", n%300), MeterName: "D2s v5", ResourceGroup: fmt.Sprintf("rg-%d", n%50),
	}
}

// writeExport writes a file of an export of so many rows, in row groups of a hundred thousand.
func writeExport(b *testing.B, rows int) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "export.parquet")
	file, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	out := parquet.NewGenericWriter[exportedLine](file, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(100_000))
	for n := range rows {
		if _, err := out.Write([]exportedLine{exportedLineOf(n)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkMillionRowsOfAnExport reads a FOCUS export of a million rows in one Parquet file into a staged bill.
func BenchmarkMillionRowsOfAnExport(b *testing.B) {
	const rows, file = 1_000_000, "focus/20260901-20260930/run/part.parquet"
	name := writeExport(b, rows)
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	w := newWorld(b)
	w.blobs(map[string][]byte{"focus/20260901-20260930/run/manifest.json": exportManifest("FocusCost", "2026-09-20T03:00:00Z", rows, map[string]int{file: int(info.Size())})})
	others := w.paths["/bills"]
	w.paths["/bills"] = func(out http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, file) {
			others(out, r)
			return
		}
		r.Header.Set("Range", r.Header.Get("X-Ms-Range"))
		out.Header().Set("ETag", `"1"`)
		http.ServeFile(out, r, name)
	}
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) // forgets the largest size
	b.ResetTimer()
	for b.Loop() {
		if got := stage(b, w, map[string]string{"export_account": w.URL, "export_container": "bills"}); got != rows {
			b.Fatalf("%d rows, want %d", got, rows)
		}
	}
	b.ReportMetric(mostMemory(b), "peak-RSS-MB")
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
