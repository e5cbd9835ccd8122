package focus_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
)

// failing is storage that breaks off at an offset.
type failing struct {
	content string
	from    int64
	err     error
}

func (f failing) ReadAt(b []byte, offset int64) (int, error) {
	if offset+int64(len(b)) > f.from {
		return 0, f.err
	}
	return strings.NewReader(f.content).ReadAt(b, offset)
}

func TestStorageThatFailsIsNotTheFilesFault(t *testing.T) {
	t.Parallel()
	var rows []focus.Row
	for row := range focustest.Rows(20_000, 1) {
		rows = append(rows, row)
	}
	content := map[focus.Format]string{focus.CSV: string(written(t, rows, focus.CSV)), focus.Parquet: string(written(t, rows, focus.Parquet))}
	content[focus.CSVGzip] = string(zipped(t, content[focus.CSV]))
	for format, file := range content {
		for name, tt := range map[string]struct {
			err  error
			code fault.Code
		}{
			"foreign error": {errors.New("connection reset"), fault.Unavailable},
			"fault":         {fault.New(fault.NotFound, "It is gone."), fault.NotFound},
		} {
			for _, from := range []int64{0, int64(len(file) / 2)} {
				err := drain(failing{content: file, from: from, err: tt.err}, int64(len(file)))
				if fault.CodeOf(err) != tt.code {
					t.Errorf("%s, %s from %d on: %v, want %s", format, name, from, err, tt.code)
				}
			}
		}
	}
}

func drain(file io.ReaderAt, size int64) error {
	r, err := focus.Open(file, size, "")
	if err != nil {
		return err
	}
	var row focus.Row
	for {
		if _, err := r.Next(&row); err != nil {
			return errors.Join(err, r.Close())
		}
	}
}

func TestErrorStays(t *testing.T) {
	t.Parallel()
	content := csvFile(nil) + line(names, map[string]string{"BillingCurrency": "EUR"}) + line(names, nil)
	r, err := focus.Open(strings.NewReader(content), int64(len(content)), "")
	if err != nil {
		t.Fatal(err)
	}
	var row focus.Row
	for i, want := range []fault.Code{"", fault.Unprocessable, fault.Unprocessable} {
		if _, err := r.Next(&row); err != nil && fault.CodeOf(err) != want || err == nil && want != "" {
			t.Errorf("call %d: %v, want %q", i, err, want)
		}
	}
}
