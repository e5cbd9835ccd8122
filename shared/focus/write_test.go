package focus_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
)

type writer interface {
	Write(row *focus.Row) error
	Close() error
}

var writers = map[focus.Format]func(io.Writer) writer{
	focus.CSV:     func(w io.Writer) writer { return focus.NewCSVWriter(w) },
	focus.Parquet: func(w io.Writer) writer { return focus.NewParquetWriter(w) },
}

// written gives rows as a file.
func written(t testing.TB, rows []focus.Row, format focus.Format) []byte {
	t.Helper()
	var file bytes.Buffer
	w := writers[format](&file)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	var rows []focus.Row
	for row := range focustest.Rows(3000, 1) {
		rows = append(rows, row)
	}
	rows[7].Extra = map[string]string{"x_Note": "two\r\nlines, \"quoted\"", "CapacityReservationId": "cr-1", "Tags": "not json"}
	rows[7].ChargeDescription = " a,\"b\"\r\nc\r"
	for format := range writers {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			got, rejections := readAll(t, written(t, rows, format), format)
			if len(rejections) > 0 || len(got) != len(rows) {
				t.Fatalf("%d rows and %d rejections of %d rows: %+v", len(got), len(rejections), len(rows), rejections)
			}
			for i := range rows {
				if diff := difference(&rows[i], &got[i]); diff != "" {
					t.Fatalf("row %d: %s", i, diff)
				}
			}
		})
	}
}
