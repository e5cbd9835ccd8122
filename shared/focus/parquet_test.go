package focus_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
)

// exported has the types that exports of the clouds use.
type exported struct {
	BillingPeriodStart time.Time         `parquet:",timestamp(millisecond)"`
	BillingPeriodEnd   time.Time         `parquet:",timestamp(nanosecond)"`
	ChargePeriodStart  int32             `parquet:",date"`
	ChargePeriodEnd    string            `parquet:""`
	BilledCost         int64             `parquet:",decimal(4:18)"`
	EffectiveCost      float64           `parquet:""`
	ListCost           [16]byte          `parquet:",decimal(10:38)"`
	ContractedCost     int32             `parquet:",decimal(2:9)"`
	BillingCurrency    string            `parquet:",dict"`
	BillingAccountID   int64             `parquet:"BillingAccountId"`
	ProviderName       *string           `parquet:",optional"`
	ServiceName        string            `parquet:""`
	ServiceCategory    string            `parquet:""`
	ChargeCategory     string            `parquet:""`
	ConsumedQuantity   *float32          `parquet:",optional"`
	Tags               map[string]string `parquet:""`
	Zones              []string          `parquet:"x_Zones,list"`
	Details            struct {
		Size  int32
		Spare bool
	} `parquet:"x_Details"`
}

func export() exported {
	aws, quantity, tenth, fifth := "AWS", float32(0.1), 0.1, 0.2
	e := exported{
		BillingPeriodStart: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), BillingPeriodEnd: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
		ChargePeriodStart: 20700, ChargePeriodEnd: "2026-09-05T00:00Z",
		BilledCost: -12345, EffectiveCost: tenth + fifth, ContractedCost: 150, BillingCurrency: "USD", BillingAccountID: 123456789012, ProviderName: &aws,
		ServiceName: "Amazon EC2", ServiceCategory: "Compute", ChargeCategory: "Usage", ConsumedQuantity: &quantity,
		Tags: map[string]string{"team": "a"}, Zones: []string{"a", "b"},
	}
	for i := range e.ListCost {
		e.ListCost[i] = 0xff // -1 in two's complement
	}
	e.Details.Size = 3
	return e
}

func parquetFiles(t testing.TB) [][]byte {
	t.Helper()
	bare := export()
	bare.ProviderName, bare.Tags, bare.Zones, bare.ConsumedQuantity = nil, nil, nil, nil
	var file bytes.Buffer
	w := parquet.NewGenericWriter[exported](&file, parquet.Compression(&parquet.Snappy))
	if _, err := w.Write([]exported{export(), bare}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return [][]byte{file.Bytes()}
}

func TestParquetOfOthers(t *testing.T) {
	t.Parallel()
	rows, rejections := readAll(t, parquetFiles(t)[0], "")
	if len(rows) != 1 || len(rejections) != 1 {
		t.Fatalf("%d rows, rejections %+v", len(rows), rejections)
	}
	r := rows[0]
	for name, pair := range map[string][2]string{
		"BilledCost": {r.BilledCost.String(), "-1.2345"}, "EffectiveCost": {r.EffectiveCost.String(), "0.30000000000000004"},
		"ListCost": {r.ListCost.String(), "-0.0000000001"}, "ContractedCost": {r.ContractedCost.String(), "1.5"},
		"BillingAccountId": {r.BillingAccountID, "123456789012"}, "ServiceProviderName": {r.ServiceProviderName, "AWS"},
		"ConsumedQuantity": {r.ConsumedQuantity.Decimal.String(), "0.1"}, "Tags": {r.Tags["team"], "a"}, "x_Zones": {r.Extra["x_Zones"], `["a","b"]`},
		"x_Details": {r.Extra["x_Details"], `{"Size":"3","Spare":"false"}`}, "BillingPeriod": {r.BillingPeriod.String(), "2026-09-01..2026-10-01"},
		"ChargePeriod": {r.ChargePeriod.String(), "2026-09-04..2026-09-05"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", name, pair[0], pair[1])
		}
	}
	if j := rejections[0]; j.Row != 2 || j.Column != "ProviderName" || j.Billed.Decimal.String() != "-1.2345" || j.Currency != "USD" {
		t.Errorf("rejection %+v", j)
	}
}

func TestCutParquet(t *testing.T) {
	t.Parallel()
	var rows []focus.Row
	for row := range focustest.Rows(200, 1) {
		rows = append(rows, row)
	}
	file := written(t, rows, focus.Parquet)
	for cut := 4; cut < len(file); cut += 97 {
		if _, _, err := read(file[:cut], ""); fault.CodeOf(err) != fault.Unprocessable {
			t.Fatalf("cut at %d: %v, want Unprocessable", cut, err)
		}
	}
}

// TestDamagedParquet holds for every file: it is read with its rows counted, or it is refused; nothing panics.
func TestDamagedParquet(t *testing.T) {
	t.Parallel()
	var rows []focus.Row
	for row := range focustest.Rows(3, 1) {
		rows = append(rows, row)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, file := range append(parquetFiles(t), written(t, rows, focus.Parquet)) {
		for range 60 {
			damaged := bytes.Clone(file)
			for range 1 + rng.IntN(4) {
				damaged[4+rng.IntN(len(file)-4)] ^= 1 << rng.IntN(8)
			}
			checkAny(t, damaged, focus.Parquet)
		}
	}
}

func TestFooterThatClaimsTooMuch(t *testing.T) {
	t.Parallel()
	file := written(t, nil, focus.Parquet)
	copy(file[len(file)-8:], "\xff\xff\xff\xff")
	if _, _, err := read(file, ""); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("%v, want Unprocessable", err)
	}
}

func TestRowGroupsFollowOneAnother(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := focus.NewParquetWriter(&file)
	const n = 60_000
	sum := decimal.Decimal{}
	for row := range focustest.Rows(n, 3) {
		sum = sum.Add(row.BilledCost)
		if err := w.Write(&row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := focus.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), "")
	if err != nil {
		t.Fatal(err)
	}
	var row focus.Row
	for {
		rejection, err := r.Next(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || rejection != nil {
			t.Fatal(rejection, err)
		}
		sum = sum.Sub(row.BilledCost)
	}
	if r.Rows() != n || !sum.IsZero() {
		t.Errorf("%d rows, and %s of their cost is missing", r.Rows(), sum)
	}
}
