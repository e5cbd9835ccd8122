package focus_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

var names = []string{
	"BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "BilledCost", "EffectiveCost", "ListCost", "ContractedCost",
	"BillingCurrency", "BillingAccountId", "ProviderName", "ServiceName", "ServiceCategory", "ChargeCategory", "ChargeDescription", "PricingQuantity", "Tags",
}

var defaults = map[string]string{
	"BillingPeriodStart": "2026-09-01", "BillingPeriodEnd": "2026-10-01", "ChargePeriodStart": "2026-09-05 00:00:00", "ChargePeriodEnd": "2026-09-05 01:00:00",
	"BilledCost": "1.25", "EffectiveCost": "1.00", "ListCost": "2", "ContractedCost": "1.5", "BillingCurrency": "USD", "BillingAccountId": "77",
	"ProviderName": "AWS", "ServiceName": "Amazon EC2", "ServiceCategory": "Compute", "ChargeCategory": "Usage",
}

// line is a row of the columns with the defaults, changed by cells, which are CSV as they stand.
func line(columns []string, cells map[string]string) string {
	out := make([]string, len(columns))
	for i, name := range columns {
		out[i] = defaults[name]
		if cell, ok := cells[name]; ok {
			out[i] = cell
		}
	}
	return strings.Join(out, ",") + "\n"
}

// csvFile is a file of one row; columns that only cells names come last.
func csvFile(cells map[string]string) string {
	columns := slices.Clone(names)
	for name := range cells {
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	return strings.Join(columns, ",") + "\n" + line(columns, cells)
}

func TestRejectedRows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cells  map[string]string
		column string
		billed string
	}{
		"null amount":             {map[string]string{"ContractedCost": "NULL"}, "ContractedCost", "1.25"},
		"quoted null":             {map[string]string{"ServiceName": `"null"`}, "ServiceName", "1.25"},
		"no provider":             {map[string]string{"ProviderName": ""}, "ProviderName", "1.25"},
		"thousands separator":     {map[string]string{"BilledCost": `"1,250.00"`}, "BilledCost", ""},
		"currency sign":           {map[string]string{"ListCost": "$2"}, "ListCost", "1.25"},
		"number without end":      {map[string]string{"BilledCost": "1e1000000"}, "BilledCost", ""},
		"quantity of words":       {map[string]string{"PricingQuantity": "two"}, "PricingQuantity", "1.25"},
		"unknown charge category": {map[string]string{"ChargeCategory": "Refund"}, "ChargeCategory", "1.25"},
		"currency by name":        {map[string]string{"BillingCurrency": "Dollar"}, "BillingCurrency", "1.25"},
		"no such day":             {map[string]string{"ChargePeriodStart": "2026-02-30"}, "ChargePeriodStart", "1.25"},
		"the year 1900":           {map[string]string{"BillingPeriodStart": "1900-01-01"}, "BillingPeriodStart", "1.25"},
		"empty charge period":     {map[string]string{"ChargePeriodEnd": "2026-09-05"}, "ChargePeriodEnd", "1.25"},
		"billing period reversed": {map[string]string{"BillingPeriodEnd": "2026-08-01"}, "BillingPeriodEnd", "1.25"},
		"NUL":                     {map[string]string{"ChargeDescription": "a\x00b"}, "ChargeDescription", "1.25"},
		"invalid UTF-8":           {map[string]string{"Tags": "a\xffb"}, "Tags", "1.25"},
		"one cell too many":       {map[string]string{"ChargeDescription": "a,b"}, "", ""},
		"open quotation mark":     {map[string]string{"ChargeDescription": `"a`}, "", ""},
		"lone quotation mark":     {map[string]string{"ChargeDescription": `"a"b"`}, "", ""},
		"longer than 1 MiB":       {map[string]string{"ChargeDescription": strings.Repeat("x", 3<<20)}, "", ""},
		"1 MiB behind a quote":    {map[string]string{"ChargeDescription": `"` + strings.Repeat("x", 3<<20) + `"`}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := line(names, nil)
			file := strings.Join(names, ",") + "\n" + good + line(names, tt.cells) + good
			rows, rejections := readAll(t, []byte(file), focus.CSV)
			if len(rows) != 2 || len(rejections) != 1 {
				t.Fatalf("%d rows and %d rejections, want the two good ones and one rejection", len(rows), len(rejections))
			}
			j := rejections[0]
			billed := ""
			if j.Billed.Valid {
				billed = j.Billed.Decimal.String()
			}
			if j.Row != 2 || j.Column != tt.column || billed != tt.billed || j.Reason == "" || len(j.Value) > 90 {
				t.Errorf("%+v, want row 2, column %q, billed %q", j, tt.column, tt.billed)
			}
		})
	}
}

func TestAcceptedRows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cells map[string]string
		check func(r *focus.Row) bool
	}{
		"as is": {nil, func(r *focus.Row) bool {
			return r.BilledCost.String() == "1.25" && r.ServiceProviderName == "AWS" && r.Extra == nil && r.Tags == nil
		}},
		"scientific notation":       {map[string]string{"BilledCost": "-1E-7"}, func(r *focus.Row) bool { return r.BilledCost.String() == "-0.0000001" }},
		"null quantity":             {map[string]string{"PricingQuantity": "NULL"}, func(r *focus.Row) bool { return !r.PricingQuantity.Valid }},
		"charge category by case":   {map[string]string{"ChargeCategory": "usage"}, func(r *focus.Row) bool { return r.ChargeCategory == "Usage" }},
		"zone":                      {map[string]string{"ChargePeriodStart": "2026-09-05T02:00:00+02:00"}, func(r *focus.Row) bool { return r.ChargePeriod.Start.Hour() == 0 }},
		"charge before the month":   {map[string]string{"ChargePeriodStart": "2026-07-05"}, func(r *focus.Row) bool { return r.ChargePeriod.Start.Month() == 7 }},
		"line end in a cell":        {map[string]string{"ChargeDescription": "\"a\r\n\"\"b\"\"\""}, func(r *focus.Row) bool { return r.ChargeDescription == "a\r\n\"b\"" }},
		"mark inside a plain cell":  {map[string]string{"ChargeDescription": `5" disk`}, func(r *focus.Row) bool { return r.ChargeDescription == `5" disk` }},
		"tags":                      {map[string]string{"Tags": `"{""a"":""b"",""n"":1.50,""t"":true,""o"":{""x"":1}}"`}, func(r *focus.Row) bool { return fmt.Sprint(r.Tags) == `map[a:b n:1.50 o:{"x":1} t:true]` }},
		"tags without braces":       {map[string]string{"Tags": `"""a"":""b"""`}, func(r *focus.Row) bool { return fmt.Sprint(r.Tags) == "map[a:b]" }},
		"tags as a list":            {map[string]string{"Tags": `"[{""key"":""a"",""value"":""b""}]"`}, func(r *focus.Row) bool { return fmt.Sprint(r.Tags) == "map[a:b]" }},
		"no tags":                   {map[string]string{"Tags": `{}`}, func(r *focus.Row) bool { return r.Tags == nil && r.Extra == nil }},
		"tags that are no JSON":     {map[string]string{"Tags": `team=a`}, func(r *focus.Row) bool { return r.Tags == nil && r.Extra["Tags"] == "team=a" }},
		"tags with a NUL":           {map[string]string{"Tags": `"{""a"":""\u0000""}"`}, func(r *focus.Row) bool { return r.Tags == nil && r.Extra["Tags"] != "" }},
		"other columns":             {map[string]string{"x_Mine": "1", "CapacityReservationId": "cr"}, func(r *focus.Row) bool { return r.Extra["x_Mine"] == "1" && r.Extra["CapacityReservationId"] == "cr" }},
		"other columns without one": {map[string]string{"x_Mine": "NULL"}, func(r *focus.Row) bool { return r.Extra == nil }},
		"both names of 1.3": {map[string]string{"ServiceProviderName": "Amazon", "HostProviderName": "Host", "PublisherName": "Old"}, func(r *focus.Row) bool {
			return r.ServiceProviderName == "Amazon" && r.HostProviderName == "Host" && r.Extra["ProviderName"] == "AWS" && r.Extra["PublisherName"] == "Old"
		}},
		"only the former is filled": {map[string]string{"ServiceProviderName": ""}, func(r *focus.Row) bool { return r.ServiceProviderName == "AWS" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := csvFile(tt.cells)
			for variant, content := range map[string][]byte{
				"plain": []byte(file), "byte order mark": []byte("\xef\xbb\xbf" + file), "no last line end": []byte(strings.TrimSuffix(file, "\n")),
				"names in lower case": lowerHeader(file), "gzip": zipped(t, file), "blank lines": []byte(file + "\n\r\n"),
			} {
				rows, rejections := readAll(t, content, "")
				if len(rows) != 1 || len(rejections) != 0 {
					t.Fatalf("%s: %d rows, rejections %+v", variant, len(rows), rejections)
				}
				if variant != "names in lower case" && !tt.check(&rows[0]) {
					t.Errorf("%s: %+v", variant, rows[0])
				}
			}
		})
	}
}

func TestWindowsLineEnds(t *testing.T) {
	t.Parallel()
	rows, rejections := readAll(t, []byte(strings.ReplaceAll(csvFile(map[string]string{"x_Last": "z"}), "\n", "\r\n")), "")
	if len(rejections) > 0 || len(rows) != 1 || rows[0].Extra["x_Last"] != "z" {
		t.Errorf("%+v %+v", rows, rejections)
	}
}

func lowerHeader(file string) []byte {
	header, rest, _ := strings.Cut(file, "\n")
	return []byte(strings.ToLower(header) + "\n" + rest)
}

func zipped(t testing.TB, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, part := range parts {
		z := gzip.NewWriter(&out)
		if _, err := z.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestGzipOfSeveralMembers(t *testing.T) {
	t.Parallel()
	file := csvFile(nil)
	if rows, _ := readAll(t, zipped(t, file[:40], file[40:], line(names, nil)), focus.CSVGzip); len(rows) != 2 {
		t.Errorf("%d rows, want 2", len(rows))
	}
}

func TestUnusableFiles(t *testing.T) {
	t.Parallel()
	good := csvFile(nil)
	header := strings.Join(names, ",") + "\n"
	whole := zipped(t, header, strings.Repeat(line(names, nil), 5000))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 0xff // in the checksum
	tests := map[string]struct {
		content []byte
		says    []string
	}{
		"empty":                 {nil, []string{"empty"}},
		"blank":                 {[]byte("\n \r\n"), []string{"empty"}},
		"gzip of nothing":       {zipped(t, ""), []string{"empty"}},
		"HTML":                  {[]byte("<!DOCTYPE html><html>"), []string{"HTML"}},
		"JSON":                  {[]byte("[{\"BilledCost\": 1}]"), []string{"JSON"}},
		"gzip of JSON":          {zipped(t, "{}"), []string{"JSON"}},
		"workbook":              {[]byte("PK\x03\x04rest"), []string{"ZIP"}},
		"binary":                {[]byte("\x00\x01\x02"), []string{"binary"}},
		"UTF-16":                {[]byte("\xff\xfeB\x00i\x00"), []string{"UTF-16"}},
		"another CSV":           {[]byte("date,amount\n2026-01-01,1\n"), []string{"not a FOCUS file"}},
		"semicolons":            {[]byte(strings.ReplaceAll(good, ",", ";")), []string{"semicolons"}},
		"quoted semicolons":     {[]byte(`"` + strings.ReplaceAll(strings.TrimSpace(header), ",", `";"`) + "\"\n"), []string{"semicolons"}},
		"tabs":                  {[]byte(strings.ReplaceAll(good, ",", "\t")), []string{"tabs"}},
		"missing columns":       {[]byte(strings.NewReplacer("ListCost", "x_A", "ProviderName", "x_B").Replace(good)), []string{"ListCost", "ServiceProviderName (or ProviderName)"}},
		"column twice":          {[]byte("BilledCost," + good), []string{"BilledCost", "twice"}},
		"column twice by case":  {[]byte("billedcost," + good), []string{"BilledCost", "billedcost"}},
		"cut gzip":              {whole[:len(whole)-20], []string{"gzip"}},
		"gzip without checksum": {flipped, []string{"gzip"}},
		"trailing garbage":      {append(bytes.Clone(whole), "garbage"...), []string{"gzip"}},
		"two currencies":        {[]byte(good + line(names, map[string]string{"BillingCurrency": "EUR"})), []string{"USD", "EUR", "77"}},
		"cut Parquet":           {[]byte("PAR1\x15\x04"), []string{"Parquet"}},
		"endless line":          {[]byte(header + strings.Repeat("x", maxWaste+4<<20)), []string{"damaged"}},
		"gzip bomb":             {zipped(t, header, strings.Repeat("x", maxWaste+4<<20)), []string{"damaged"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := read(tt.content, "")
			if fault.CodeOf(err) != fault.Unprocessable {
				t.Fatalf("%v, want Unprocessable", err)
			}
			for _, word := range tt.says {
				if message := fault.Public(err).Message; !strings.Contains(message, word) {
					t.Errorf("%q does not say %q", message, word)
				}
			}
		})
	}
}

const maxWaste = 64 << 20

func TestAccountsMayDifferInCurrency(t *testing.T) {
	t.Parallel()
	file := csvFile(nil) + line(names, map[string]string{"BillingCurrency": "EUR", "BillingAccountId": "78"})
	if rows, rejections := readAll(t, []byte(file), ""); len(rows) != 2 || len(rejections) != 0 {
		t.Errorf("%d rows, rejections %+v", len(rows), rejections)
	}
}

func TestAnnouncedFormatMustBeTheRealOne(t *testing.T) {
	t.Parallel()
	if _, _, err := read([]byte(csvFile(nil)), focus.Parquet); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("%v, want Unprocessable", err)
	}
}

// TestFileCutInTheMiddle holds for every place at which an upload can break off.
func TestFileCutInTheMiddle(t *testing.T) {
	t.Parallel()
	file := csvFile(map[string]string{"ChargeDescription": "\"a \"\"b\"\", c\"", "Tags": "\"{\"\"a\"\":\"\"b\"\"}\"", "x_Last": "1"})
	start := strings.IndexByte(file, '\n') + 1
	for cut := start + 1; cut < len(file)-2; cut++ {
		rows, rejections := readAll(t, []byte(file[:cut]), focus.CSV)
		if len(rejections) != 1 || len(rows) != 0 {
			t.Fatalf("cut at %q: %d rows, %d rejections", file[start:cut], len(rows), len(rejections))
		}
	}
}
