package azure_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/focus"
)

// lines writes a report of so many rows of 60 columns, as long as Azure's, while it is read.
type lines struct {
	left, n int
	row     func(n int) string
	rest    []byte
}

func (l *lines) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		if l.left == 0 {
			return 0, io.EOF
		}
		l.left--
		l.rest = []byte(l.row(l.n))
		l.n++
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

const reportHeader = "Date,SubscriptionId,SubscriptionName,ResourceGroup,ResourceLocation,ProductName,MeterCategory,MeterSubCategory,MeterId,MeterName,UnitOfMeasure,Quantity,UnitPrice,PayGPrice,CostInBillingCurrency,BillingCurrencyCode,BillingAccountId,ChargeType,PricingModel,Frequency,ResourceId,Tags,AdditionalInfo,CostCenter,PublisherType,benefitId\r\n"

// reportRow is a row of a machine or disk of 20,000 in a month, with tags and more information as they come.
func reportRow(n int) string {
	return fmt.Sprintf("09/%02d/2026,%s,Portal,rg-%d,EU West,Virtual Machines Dsv5 Series - D2s v5 - EU West,Virtual Machines,Dsv5 Series,11110000-aaaa-4bbb-8ccc-%012d,D2s v5,1 Hour,24,0.096,0.115,%d.%06d,EUR,7310418,Usage,OnDemand,UsageBased,"+
		"/subscriptions/%s/resourceGroups/RG-%d/providers/Microsoft.Compute/virtualMachines/machine-%05d,\"\"\"team\"\": \"\"team-%d\"\",\"\"stage\"\": \"\"production\"\"\",\"{\"\"ServiceType\"\":\"\"Standard_D2s_v5\"\",\"\"VMName\"\":\"\"machine-%05d\"\",\"\"VCPUs\"\":2,\"\"padding\"\":\"\"%s\"\"}\",CC-%d,Azure,\r\n",
		n%20+1, portal, n%50, n%300, n%7, n%1000000, portal, n%50, n%20000, n%40, n%20000, strings.Repeat("x", 300), n%9)
}

// longReports makes the world have reports of so many rows: all in the actual costs, a tenth in the amortised ones.
func (w *world) longReports(n int) {
	p := w.reports(func(string, string) [][]byte { return [][]byte{nil} })
	p.told = func(answer map[string]any) {
		delete(answer["manifest"].(map[string]any)["blobs"].([]map[string]any)[0], "byteCount")
	}
	p.serve = func(out http.ResponseWriter, r *http.Request, _ []byte) {
		out.Header().Set("ETag", `"1"`)
		rows := n
		if strings.Contains(r.URL.Path, "/AmortizedCost/") {
			rows = n / 10
		}
		_, _ = io.WriteString(out, reportHeader)
		_, _ = io.Copy(out, &lines{left: rows, row: reportRow})
	}
}

// BenchmarkMillionRowsOfCostDetails reads a month of cost details of a million rows, about a gigabyte of CSV, alone and into a
// staged bill. It gives the most memory that the process had resident meanwhile, the fake Azure's included.
func BenchmarkMillionRowsOfCostDetails(b *testing.B) {
	const rows = 1_000_000
	for name, read := range map[string]func(b *testing.B, w *world, settings map[string]string) int{"read": count, "staged": stage} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			w.subscriptions(portal)
			w.longReports(rows)
			debug.FreeOSMemory()
			_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) // forgets the largest size
			for b.Loop() {
				if got := read(b, w, map[string]string{"source": "details"}); got != rows {
					b.Fatalf("%d rows, want %d", got, rows)
				}
			}
			b.ReportMetric(mostMemory(b), "peak-RSS-MB")
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// count reads the bill of September and keeps nothing of it.
func count(b *testing.B, w *world, settings map[string]string) (rows int) {
	b.Helper()
	for _, err := range w.open("s", settings).Costs(b.Context(), september) {
		if err != nil {
			b.Fatal(err)
		}
		rows++
	}
	return rows
}

// BenchmarkMonthOfConnection collects 31 days of one connection of 5,000 rows from the query, and from cost details.
func BenchmarkMonthOfConnection(b *testing.B) {
	var bill [][]any
	for n := range 5000 {
		id := fmt.Sprintf("/subscriptions/%s/resourceGroups/rg/providers/Microsoft.Compute/disks/disk-%d", portal, n/20)
		bill = append(bill, line(float64(n)/100, 20260901+n%20, id, "microsoft.compute/disks", "EU West", "Usage", "Storage", "P10 LRS Disk", "OnDemand", "", "", tags, "EUR"))
	}
	for _, source := range []string{"query", "details"} {
		b.Run(source, func(b *testing.B) {
			for b.Loop() {
				w := newWorld(b)
				w.subscriptions(portal)
				w.bills(1000, bill, bill)
				w.longReports(5000)
				if got := stage(b, w, map[string]string{"source": source}); got != 5000 {
					b.Fatalf("%d rows, want 5000", got)
				}
			}
		})
	}
}

// stage writes the bill of September as collection does.
func stage(b *testing.B, w *world, settings map[string]string) (rows int) {
	b.Helper()
	out := focus.NewParquetWriter(io.Discard)
	for row, err := range w.open("s", settings).Costs(b.Context(), september) {
		if err != nil {
			b.Fatal(err)
		}
		if err := out.Write(&row); err != nil {
			b.Fatal(err)
		}
		rows++
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	return rows
}

// mostMemory is the largest resident size of the process since it was last forgotten, in MB.
func mostMemory(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("only Linux tells")
	}
	_, most, _ := strings.Cut(string(text), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(most)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1000
}
