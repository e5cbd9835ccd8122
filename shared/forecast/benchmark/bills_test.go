package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestBillsAreComparedByLevel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var table bytes.Buffer
	z := gzip.NewWriter(&table)
	fmt.Fprintln(z, "provider,account,service,region,env,values")
	for leaf := range 3 {
		values := make([]string, 330)
		for i := range values {
			values[i] = strconv.Itoa(100 + 10*leaf + (i*i+leaf)%7)
		}
		fmt.Fprintf(z, "aws,1,service-%d,region-%d,prod,%s\n", leaf/2, leaf, strings.Join(values, " "))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tenant.csv.gz"), table.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run([]string{"-bills", dir}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{"level forecasts", "total 3", "provider 3", "service 6", "leaf 9"} {
		if i >= len(lines) || strings.Join(strings.Fields(lines[i])[:2], " ") != want {
			t.Fatalf("%s\nline %d, want %q", out.String(), i, want)
		}
	}
	if err := run([]string{"-bills", t.TempDir()}, &out); err == nil {
		t.Error("a folder without bills is no error")
	}
}
