package main

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPrintsTheScoresOfEachSet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "flat.csv.gz"), "id,m,mase_m,h,start,train,test\na,1,1,2,,"+strings.Repeat("4 6 ", 20)+",4 6\n")
	write(t, filepath.Join(dir, "other.csv.gz"), "set,method,mase\nflat,naive,1\n")
	var out strings.Builder
	if err := run([]string{"-data", dir, "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	for _, key := range []string{"set", "n", "mase", "smape", "cov80", "cov95", "sec_per_series", "peak_mb"} {
		if _, ok := got[key]; !ok || len(got) != 8 {
			t.Errorf("key %s is missing, or there are others: %v", key, got)
		}
	}
	// What alternates without noise is foretold, where the naive forecast is wrong by 2.
	if mase, ok := got["mase"].(float64); !ok || mase > 0.05 || got["n"] != 1.0 || got["set"] != "flat" {
		t.Errorf("%v", got)
	}
}

func TestNaiveErrorBySeason(t *testing.T) {
	t.Parallel()
	if got := naiveError([]float64{1, 2, 4, 4}, 2); got != 2.5 {
		t.Errorf("%g, want the mean of 3 and 2", got)
	}
}

func TestCalendarIsReadByTheLine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "calendar.csv")
	for text, ok := range map[string]bool{"2026-12-25,Christmas Day\n2027-01-01,New Year's Day\n": true, "Christmas Day,2026-12-25\n": false, "2026-12-25\n": false} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := readCalendar(file)
		if (err == nil) != ok || ok && c.Name(time.Date(2026, 12, 25, 0, 0, 0, 0, time.UTC)) != "Christmas Day" {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
	if c, err := readCalendar(""); c != nil || err != nil {
		t.Errorf("no file: %v, %v", c, err)
	}
}

func TestAFolderWithoutSetsIsAnError(t *testing.T) {
	t.Parallel()
	if err := run([]string{"-data", t.TempDir()}, &strings.Builder{}); err == nil {
		t.Error("no error")
	}
}

// What is kept is seen; what is thrown away at once is not.
func TestHighestSeesWhatIsKept(t *testing.T) {
	keep := func(n int) func() {
		return func() {
			kept := make([][]byte, 0, n)
			for range 200 {
				block := make([]byte, 1<<16)
				if len(kept) < n {
					kept = append(kept, block)
				}
				runtime.GC() // counts what is kept
			}
			runtime.KeepAlive(kept)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	const block = 1 << 16
	if all, few := highest(keep(200)), highest(keep(10)); all < 150*block || few > 100*block {
		t.Errorf("200 blocks kept: %.0f blocks seen; 10 kept: %.0f seen", all/block, few/block)
	}
}
