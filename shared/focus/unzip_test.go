package focus_test

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
)

// counted is storage that counts how often it is read.
type counted struct {
	io.ReaderAt
	reads *atomic.Int64
}

func (c counted) ReadAt(b []byte, offset int64) (int, error) {
	c.reads.Add(1)
	return c.ReaderAt.ReadAt(b, offset)
}

func TestNothingReadsTheFileAfterClose(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	if err := focustest.WriteCSVGzip(&file, 50_000, 1); err != nil {
		t.Fatal(err)
	}
	var reads atomic.Int64
	r, err := focus.Open(counted{strings.NewReader(file.String()), &reads}, int64(file.Len()), focus.CSVGzip)
	if err != nil {
		t.Fatal(err)
	}
	var row focus.Row
	if rejection, err := r.Next(&row); rejection != nil || err != nil {
		t.Fatal(rejection, err)
	}
	for range 2 { // closing twice is harmless
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	before := reads.Load()
	if whole := int64(file.Len() / (128 << 10)); before > whole {
		t.Errorf("%d reads are the whole file, which is to be unpacked only a few blocks ahead", before)
	}
	for err == nil {
		_, err = r.Next(&row)
	}
	if reads.Load() != before {
		t.Error("the file was read after Close")
	}
}
