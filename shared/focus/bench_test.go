package focus_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

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
