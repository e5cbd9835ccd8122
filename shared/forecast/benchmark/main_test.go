package main

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

func TestAFolderWithoutSetsIsAnError(t *testing.T) {
	t.Parallel()
	if err := run([]string{"-data", t.TempDir()}, &strings.Builder{}); err == nil {
		t.Error("no error")
	}
}
