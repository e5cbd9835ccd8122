package aws

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// exported are the settings of a connection whose bill is a data export.
var exported = map[string]string{"export_bucket": "bills", "export_prefix": "focus", "export_name": "daily", "price_list": "off", "commitments": "off", "advice": "off"}

// delivery puts a data export's month into the bucket: each part of the bill in its own file.
type delivery struct {
	t      *testing.T
	client *s3.Client
}

func newDelivery(t *testing.T, c *Collector) delivery {
	t.Helper()
	d := delivery{t, c.bucket()}
	must[*s3.CreateBucketOutput](t)(d.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bills")}))
	return d
}

func (d delivery) put(key string, content []byte) string {
	d.t.Helper()
	must[*s3.PutObjectOutput](d.t)(d.client.PutObject(d.t.Context(), &s3.PutObjectInput{Bucket: aws.String("bills"), Key: &key, Body: bytes.NewReader(content)}))
	return "s3://bills/" + key
}

func (d delivery) manifest(key string, files ...string) {
	d.t.Helper()
	text, err := json.Marshal(map[string]any{"exportArn": "arn:aws:bcm-data-exports:us-east-1:" + main + ":export/daily", "dataFiles": files})
	if err != nil {
		d.t.Fatal(err)
	}
	d.put("focus/daily/metadata/"+key, text)
}

// writer is a writer of FOCUS files.
type writer interface {
	Write(row *focus.Row) error
	Close() error
}

func encoded(t *testing.T, open func(io.Writer) writer, rows ...focus.Row) []byte {
	t.Helper()
	var out bytes.Buffer
	w := open(&out)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func parquetFile(t *testing.T, rows ...focus.Row) []byte {
	t.Helper()
	return encoded(t, func(w io.Writer) writer { return focus.NewParquetWriter(w) }, rows...)
}

func gzipFile(t *testing.T, rows ...focus.Row) []byte {
	t.Helper()
	plain := encoded(t, func(w io.Writer) writer { return focus.NewCSVWriter(w) }, rows...)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(plain)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// someRows are two charges, one of them negative.
func someRows(t *testing.T) []focus.Row {
	t.Helper()
	f := fake{answers: steps(give(page("", span("2026-11-01", "2026-11-02", false, charge([]string{"AWS Lambda", main}, "1.000000001", "1"), charge([]string{"AWS Lambda", main}, "-2", "-2")))))}
	rows, err := rowsOf(t.Context(), collector(t, f.start(t), nil, nil), november)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestADataExportIsReadByItsManifest(t *testing.T) {
	s := moto(t)
	c := collector(t, s.url, nil, exported)
	d, rows := newDelivery(t, c), someRows(t)
	month := "BILLING_PERIOD=2026-11/"
	d.put("focus/daily/data/"+month+"left-over.csv.gz", gzipFile(t, rows...)) // no manifest names it
	d.manifest(month+"daily-Manifest.json",
		d.put("focus/daily/data/"+month+"daily-00001.parquet", parquetFile(t, rows[0])),
		d.put("focus/daily/data/"+month+"daily-00002.csv.gz", gzipFile(t, rows[1])))
	got, err := rowsOf(t.Context(), c, november)
	if err != nil || len(got) != 2 || got[0].BilledCost.String() != "1.000000001" || got[1].BilledCost.String() != "-2" {
		t.Fatalf("%v %+v", err, got)
	}
	if none, err := rowsOf(t.Context(), c, november.AddDate(0, -1, 0)); err != nil || len(none) != 0 {
		t.Errorf("a month without a delivery: %d rows, %v", len(none), err)
	}
	if missing, err := c.Check(t.Context()); err != nil || len(missing) != 0 {
		t.Errorf("%v %v", missing, err)
	}
}

func TestADeliveryThatChangesWhileItIsRead(t *testing.T) {
	s := moto(t)
	c := collector(t, s.url, nil, exported)
	d, rows := newDelivery(t, c), someRows(t)
	key := "billing_period=2026-11/daily-Manifest.json"
	file := d.put("focus/daily/data/a.parquet", parquetFile(t, rows...))
	d.manifest(key, file)
	var err error
	for _, e := range c.Costs(t.Context(), november) {
		if err = e; err == nil {
			d.manifest(key, file, file)
		}
	}
	if fault.CodeOf(err) != fault.Unavailable {
		t.Error(err)
	}
}

func TestExportsThatCannotBeUsed(t *testing.T) {
	s := moto(t)
	c := collector(t, s.url, nil, exported)
	if _, err := rowsOf(t.Context(), c, november); fault.CodeOf(err) != fault.Unprocessable || !strings.Contains(err.Error(), "no bucket bills") {
		t.Errorf("without a bucket: %v", err)
	}
	d, rows := newDelivery(t, c), someRows(t)
	key := "BILLING_PERIOD=2026-11/daily-Manifest.json"
	half := parquetFile(t, rows...)
	cases := map[string]struct {
		files []string
		code  fault.Code
	}{
		"no files":          {nil, fault.Unprocessable},
		"elsewhere":         {[]string{"s3://others/x"}, fault.Unprocessable},
		"not there":         {[]string{"s3://bills/nowhere"}, fault.Unavailable},
		"cut off":           {[]string{d.put("cut", half[:len(half)/2])}, fault.Unprocessable},
		"not FOCUS":         {[]string{d.put("cur", []byte("identity_line_item_id,line_item_unblended_cost\n1,2\n"))}, fault.Unprocessable},
		"a row of no month": {[]string{d.put("row", []byte(strings.Replace(string(encoded(t, func(w io.Writer) writer { return focus.NewCSVWriter(w) }, rows...)), "-2,", "x,", 1)))}, fault.Unprocessable},
	}
	for name, test := range cases {
		d.manifest(key, test.files...)
		if _, err := rowsOf(t.Context(), c, november); fault.CodeOf(err) != test.code {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
	}
}
