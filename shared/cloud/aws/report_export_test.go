package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// TestAReportIsReadByItsManifest: a delivery of two files, of which one has the usage and the other what takes it off again.
func TestAReportIsReadByItsManifest(t *testing.T) {
	s := moto(t)
	c := collector(t, s.url, nil, exported)
	d, month := newDelivery(t, c), aMonth()
	data := "focus/daily/data/BILLING_PERIOD=2026-11/"
	d.put(data+"stale.csv.gz", csvReport(t, all, month...)) // no manifest names it
	d.manifest("BILLING_PERIOD=2026-11/daily-Manifest.json",
		d.put(data+"daily-00001.csv.gz", csvReport(t, all, month[:4]...)), d.put(data+"daily-00002.snappy.parquet", parquetReport(t, month[4:]...)))
	rows, err := rowsOf(t.Context(), c, november)
	if err != nil || len(rows) != len(month) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if billed, effective := totals(rows); billed.String() != "693.47" || effective.String() != "121.57" {
		t.Errorf("billed %s, effective %s", billed, effective)
	}
	golden(t, "report.golden", rows)
	half := parquetReport(t, month...)
	d.manifest("BILLING_PERIOD=2026-11/daily-Manifest.json", d.put(data+"daily-00001.parquet", half[:len(half)/2]))
	if _, err := rowsOf(t.Context(), c, november); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("half a file: %v", err)
	}
}

// TestALegacyReportIsReadByItsManifest: its manifest lies elsewhere, and names keys without their bucket.
func TestALegacyReportIsReadByItsManifest(t *testing.T) {
	s := moto(t)
	c := collector(t, s.url, nil, exported)
	d, folder := newDelivery(t, c), "focus/daily/20261101-20261201/"
	put := func(manifest string, keys ...string) {
		text, err := json.Marshal(object{"assemblyId": "a", "bucket": "bills", "reportKeys": keys})
		if err != nil {
			t.Fatal(err)
		}
		d.put(folder+manifest, text)
	}
	d.put(folder+"b/daily-1.csv.gz", csvReport(t, legacy, aMonth()...))
	put("b/daily-Manifest.json", folder+"b/daily-1.csv.gz")
	put("daily-Manifest.json", folder+"b/daily-1.csv.gz")
	rows, err := rowsOf(t.Context(), c, november)
	if err != nil || len(rows) != len(aMonth()) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if billed, _ := totals(rows); billed.String() != "693.47" {
		t.Errorf("billed %s", billed)
	}
	if i := slices.IndexFunc(rows, func(r focus.Row) bool { return strings.HasPrefix(r.ResourceID, "arn:aws:rds") }); i < 0 || rows[i].ServiceName != "Amazon Relational Database Service" {
		t.Error("without a product column the code names the service")
	}
}
