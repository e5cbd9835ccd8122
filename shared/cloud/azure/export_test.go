package azure_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// exportRow is one row of an export of September.
func exportRow(day int, amount string) focus.Row {
	a := decimal.RequireFromString(amount)
	return focus.Row{
		BillingPeriod: cost.Month(september), ChargePeriod: cost.Days(september.AddDate(0, 0, day-1), 1), BilledCost: a, EffectiveCost: a, ListCost: a, ContractedCost: a,
		BillingCurrency: "EUR", BillingAccountID: "7310418", SubAccountID: portal, ServiceProviderName: "Microsoft", HostProviderName: "Microsoft", InvoiceIssuerName: "Microsoft",
		ServiceName: "Virtual Machines", ServiceCategory: "Compute", ChargeCategory: "Usage", Tags: map[string]string{}, Extra: map[string]string{},
	}
}

func exportFile(t testing.TB, parquet bool, rows ...focus.Row) []byte {
	t.Helper()
	var b bytes.Buffer
	var w interface {
		Write(row *focus.Row) error
		Close() error
	} = focus.NewCSVWriter(&b)
	if parquet {
		w = focus.NewParquetWriter(&b)
	}
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// blobs makes the world have a container "bills" with the blobs, listed one a page.
func (w *world) blobs(content map[string][]byte) {
	names := make([]string, 0, len(content))
	for name := range content {
		names = append(names, name)
	}
	slices.Sort(names)
	w.paths["/bills"] = func(out http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer azure-token" {
			w.t.Error("a blob was asked for without a token")
		}
		if r.URL.Query().Get("comp") == "list" {
			listBlobs(out, r, names)
			return
		}
		text, ok := content[strings.TrimPrefix(r.URL.Path, "/bills/")]
		if !ok {
			out.Header().Set("X-Ms-Error-Code", "BlobNotFound")
			out.WriteHeader(http.StatusNotFound)
			return
		}
		if part := r.Header.Get("X-Ms-Range"); part != "" {
			r.Header.Set("Range", part)
		}
		out.Header().Set("ETag", `"1"`)
		out.Header().Set("Last-Modified", "Tue, 01 Sep 2026 00:00:00 GMT")
		http.ServeContent(out, r, "", time.Time{}, bytes.NewReader(text))
	}
}

func listBlobs(out http.ResponseWriter, r *http.Request, names []string) {
	type blob struct {
		Name string `xml:"Name"`
	}
	type result struct {
		XMLName xml.Name `xml:"EnumerationResults"`
		Blobs   []blob   `xml:"Blobs>Blob"`
		Next    string   `xml:"NextMarker"`
	}
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasPrefix(n, r.URL.Query().Get("prefix")) })
	from := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("marker"), &from)
	answer := result{}
	if from < len(names) {
		answer.Blobs = []blob{{names[from]}}
	}
	if from+1 < len(names) {
		answer.Next = strconv.Itoa(from + 1)
	}
	out.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(out).Encode(answer)
}

func exportManifest(kind, submitted string, rows int, blobs map[string]int) []byte {
	var list []string
	for name, size := range blobs {
		list = append(list, fmt.Sprintf(`{"blobName":%q,"byteCount":%d,"dataRowCount":%d}`, name, size, rows))
	}
	slices.Sort(list)
	return []byte("\xef\xbb\xbf" + fmt.Sprintf(`{"manifestVersion":"2024-04-01","exportConfig":{"exportName":"focus","type":%q,"dataVersion":"1.0"},
		"runInfo":{"submittedTime":%q,"runId":"x","startDate":"2026-09-01T00:00:00","endDate":"2026-09-30T00:00:00"},"blobs":[%s]}`, kind, submitted, strings.Join(list, ",")))
}

func TestTheNewestCompleteRunOfTheExportIsTheBill(t *testing.T) {
	t.Parallel()
	const dir = "costs/focus/20260901-20260930/"
	csv, parquet := exportFile(t, false, exportRow(1, "1.01"), exportRow(2, "2.02")), exportFile(t, true, exportRow(3, "-0.50"), exportRow(4, "4.04"))
	old := exportFile(t, false, exportRow(1, "99"))
	blobs := map[string][]byte{
		dir + "run-a/part_0_0001.csv": old,
		dir + "run-a/manifest.json":   exportManifest("FocusCost", "2026-09-19T03:00:00Z", 1, map[string]int{dir + "run-a/part_0_0001.csv": len(old)}),
		dir + "run-b/part_0_0001.csv": csv, dir + "run-b/part_1_0001.parquet": parquet,
		dir + "run-b/manifest.json":               exportManifest("FocusCost", "2026-09-20T03:00:00Z", 2, map[string]int{"bills/" + dir + "run-b/part_0_0001.csv": len(csv), dir + "run-b/part_1_0001.parquet": len(parquet)}),
		dir + "run-c/part_0_0001.csv":             old, // still being written: there is no manifest
		"costs/actual/20260901-20260930/r/m.json": old, // another export
		"costs/focus/20260801-20260831/r/x.csv":   old, // another month
		dir + "run-d/manifest.json":               exportManifest("ActualCost", "2026-09-21T03:00:00Z", 1, nil),
	}
	w := newWorld(t)
	w.blobs(blobs)
	c := w.open("s", map[string]string{"export_account": w.URL, "export_container": "bills", "export_prefix": "costs/focus"})
	rows, err := rowsOf(t, c, september)
	if err != nil || len(rows) != 4 || !rows[2].BilledCost.Add(rows[3].BilledCost).Add(rows[0].BilledCost).Add(rows[1].BilledCost).Equal(decimal.RequireFromString("6.57")) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	for range c.Costs(t.Context(), september) {
		break // a stream that went on would panic
	}
	if rows, err := rowsOf(t, c, september.AddDate(0, -3, 0)); err != nil || len(rows) != 0 {
		t.Errorf("a month that was never exported: %d rows, %v", len(rows), err)
	}
	if len(w.asked) != 0 {
		for _, o := range w.asked {
			if strings.HasPrefix(o, "QueryClient") {
				t.Error("Cost Management was asked as well")
			}
		}
	}
}

func TestExportsThatAreNotWholeAreNotRead(t *testing.T) {
	t.Parallel()
	const name = "focus/20260901-20260930/r/part.csv"
	whole := exportFile(t, false, exportRow(1, "1.01"), exportRow(2, "2.02"))
	bad := bytes.Replace(whole, []byte("1.01"), []byte("oops"), 1)
	cases := map[string]struct {
		file       []byte
		rows, size int
		want       fault.Code
	}{
		"a file shorter than its manifest says": {whole[:len(whole)-20], 2, len(whole), fault.Unavailable},
		"rows that are missing":                 {whole, 3, len(whole), fault.Unavailable},
		"a row that cannot be used":             {bad, 2, len(bad), fault.Unprocessable},
		"something else than FOCUS":             {[]byte("a,b\n1,2\n"), 1, 8, fault.Unprocessable},
		"a file that is gone":                   {nil, 2, 10, fault.NotFound},
	}
	for title, c := range cases {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			blobs := map[string][]byte{"focus/20260901-20260930/r/manifest.json": exportManifest("FocusCost", "2026-09-20T03:00:00Z", c.rows, map[string]int{name: c.size})}
			if c.file != nil {
				blobs[name] = c.file
			}
			w.blobs(blobs)
			_, err := rowsOf(t, w.open("s", map[string]string{"export_account": w.URL, "export_container": "bills"}), september)
			if fault.CodeOf(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestCheckOfAnExportNamesTheRightToItsContainer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.estate()
	w.blobs(nil)
	c := w.open("s", map[string]string{"export_account": w.URL, "export_container": "bills"})
	if missing, err := c.Check(t.Context()); err != nil || len(missing) != 0 {
		t.Errorf("%v %v", missing, err)
	}
	w.paths["/bills"] = func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("X-Ms-Error-Code", "AuthorizationPermissionMismatch")
		out.WriteHeader(http.StatusForbidden)
	}
	if missing, err := c.Check(t.Context()); err != nil || len(missing) != 1 || !strings.Contains(missing[0], "Storage Blob Data Reader") {
		t.Errorf("%v %v", missing, err)
	}
}
