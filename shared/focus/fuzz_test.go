package focus_test

import (
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
)

func FuzzCSV(f *testing.F) {
	f.Add([]byte(csvFile(nil)))
	f.Add([]byte(csvFile(map[string]string{"Tags": `"{""a"":1,""b"":[true]}"`, "x_Extra": `"{""Tags"":""x""}"`, "BilledCost": "-1E-7"})))
	f.Add([]byte(csvFile(map[string]string{"ChargeDescription": "\"two\r\nlines\"", "ProviderName": "NULL", "x_Odd": "1"})))
	f.Add([]byte(csvFile(map[string]string{"ChargeDescription": `"open`}) + csvFile(nil)))
	f.Add([]byte("\xef\xbb\xbf" + strings.ReplaceAll(csvFile(nil), "\n", "\r\n") + "\n\n,"))
	f.Fuzz(func(t *testing.T, content []byte) {
		checkAny(t, content, focus.CSV)
	})
}

func FuzzParquet(f *testing.F) {
	var rows []focus.Row
	for row := range focustest.Rows(3, 1) {
		rows = append(rows, row)
	}
	f.Add(written(f, rows, focus.Parquet))
	f.Add(written(f, nil, focus.Parquet))
	for _, file := range parquetFiles(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		checkAny(t, content, focus.Parquet)
	})
}

// checkAny holds for every content: the only errors are faults of the file, and accepted rows are sound and survive
// being written and read again. That every row is accepted or rejected, read sees to.
func checkAny(t *testing.T, content []byte, format focus.Format) {
	t.Helper()
	rows, rejections, err := read(content, format)
	if err != nil && fault.CodeOf(err) != fault.Unprocessable {
		t.Fatalf("%v", err)
	}
	for _, j := range rejections {
		if j.Reason == "" || j.Row < 1 {
			t.Errorf("%+v gives no reason or row", j)
		}
	}
	for i := range rows {
		r := &rows[i]
		if !r.BillingCurrency.Valid() || !r.BillingPeriod.Start.Before(r.BillingPeriod.End) || !r.ChargePeriod.Start.Before(r.ChargePeriod.End) ||
			r.ServiceName == "" || r.ServiceProviderName == "" || r.BillingAccountID == "" {
			t.Fatalf("row %+v was accepted", r)
		}
	}
	if err != nil || len(rows) == 0 || len(rows) > 100 {
		return
	}
	for format := range writers {
		again, rejections := readAll(t, written(t, rows, format), format)
		if len(again) != len(rows) {
			t.Fatalf("%s: %d of %d rows came back: %+v", format, len(again), len(rows), rejections)
		}
		for i := range rows {
			if diff := difference(&rows[i], &again[i]); diff != "" {
				t.Fatalf("%s: row %d: %s", format, i, diff)
			}
		}
	}
}
