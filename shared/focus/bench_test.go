package focus_test

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
)

const benchmarkRows = 200_000

func BenchmarkReadCSVGzip(b *testing.B) {
	var file bytes.Buffer
	if err := focustest.WriteCSVGzip(&file, benchmarkRows, 1); err != nil {
		b.Fatal(err)
	}
	benchmarkRead(b, file.Bytes())
}

// BenchmarkReadUnlike reads rows that have nothing in common, for which the reader's memory is of no use.
func BenchmarkReadUnlike(b *testing.B) {
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	w := focus.NewCSVWriter(z)
	n := int64(0)
	for row := range focustest.Rows(benchmarkRows, 1) {
		unlike(&row, n)
		n++
		if err := w.Write(&row); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		b.Fatal(err)
	}
	benchmarkRead(b, file.Bytes())
}

// unlike gives a row values of its own.
func unlike(row *focus.Row, n int64) {
	own := strconv.FormatInt(n, 36)
	for _, text := range []*string{&row.SubAccountID, &row.SubAccountName, &row.ResourceID, &row.ResourceName, &row.ChargeDescription, &row.SkuID, &row.SkuPriceID, &row.InvoiceID} {
		*text += own
	}
	for i, d := range []*decimal.Decimal{&row.BilledCost, &row.EffectiveCost, &row.ListCost, &row.ContractedCost, &row.PricingQuantity.Decimal, &row.ConsumedQuantity.Decimal} {
		*d = decimal.New(n*6+int64(i), -9)
	}
	row.ChargePeriod.Start = row.ChargePeriod.Start.Add(-time.Duration(n) * time.Second)
}

func BenchmarkReadParquet(b *testing.B) {
	var file bytes.Buffer
	w := focus.NewParquetWriter(&file)
	for row := range focustest.Rows(benchmarkRows, 1) {
		if err := w.Write(&row); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	benchmarkRead(b, file.Bytes())
}

func benchmarkRead(b *testing.B, content []byte) {
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		r, err := focus.Open(bytes.NewReader(content), int64(len(content)), "")
		if err != nil {
			b.Fatal(err)
		}
		var row focus.Row
		for err == nil {
			var rejection *focus.Rejection
			if rejection, err = r.Next(&row); rejection != nil {
				b.Fatal(rejection)
			}
		}
		if !errors.Is(err, io.EOF) || r.Rows() != benchmarkRows {
			b.Fatal(r.Rows(), err)
		}
	}
	b.ReportMetric(benchmarkRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
