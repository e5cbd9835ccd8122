package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/anomaly"
)

// folder writes files, by path, into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// costs are n values as a table writes them, of which those from a day on are larger.
func costs(n, from int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d ", 100+(i*i)%7+map[bool]int{true: 90}[i >= from])
	}
	return b.String()
}

func points(n, from int) string {
	b := strings.Builder{}
	b.WriteString("timestamp,value\n")
	for i := range n {
		fmt.Fprintf(&b, "2014-04-%02d %02d:00:00,%d\n", 1+i/24, i%24, (i*i)%7+map[bool]int{true: 90}[i == from])
	}
	return b.String()
}

func TestOddFoldersAreMeasured(t *testing.T) {
	t.Parallel()
	const bills = "provider,account,service,region,env,values\n"
	synth := `{"t":{"day0":"2024-07-01","days":200,"eval_from":100,"anomalies":[{"kind":"level","scope":{"service":"A"},"start":150,"end":199}]}}`
	two := "aws,1,A,us,prod," + costs(200, 150) + "\naws,1,B,us,prod," + costs(200, 999) + "\n"
	real1 := `{"a":[{"kind":"level","start":150,"end":199}]}`
	windows := `{"x/a.csv":[["2014-04-16 00:00:00","2014-04-17 00:00:00"]],"x/absent.csv":[]}`
	for name, tt := range map[string]struct {
		files map[string]string
		want  string // sets measured
		fails string // part of the error; empty for none
	}{
		"bills only, not compressed": {map[string]string{"cost_synth/labels.json": synth, "cost_synth/t.csv": bills + two}, "cost_synth", ""},
		"a bill with gaps":           {map[string]string{"cost_synth/labels.json": synth, "cost_synth/t.csv": bills + strings.Replace(two, "101 104", "nan NA", 1)}, "cost_synth", ""},
		"a bill without rows":        {map[string]string{"cost_synth/labels.json": synth, "cost_synth/t.csv": bills}, "cost_synth", ""},
		"rows of one leaf that differ": {map[string]string{"cost_synth/labels.json": synth, "cost_synth/t.csv": bills + two + "aws,1,A,us,dev,1 2\n",
			"nab/combined_windows.json": windows, "nab/x/a.csv": points(480, 370)}, "nab", "200 in another"},
		"series only":           {map[string]string{"inject_real/labels.json": real1, "inject_real/series.csv": "id,start,eval_from,values\na,2024-07-01,100," + costs(200, 150) + "\n"}, "inject_real", ""},
		"series of other names": {map[string]string{"inject_real/labels.json": "{}", "inject_real/series.csv": "id,start,eval_from,values\nb,2024-07-01,100," + costs(200, 150) + "\n"}, "inject_real", ""},
		"streams, some absent":  {map[string]string{"nab/combined_windows.json": windows, "nab/x/a.csv": points(480, 370)}, "nab", ""},
		"streams, all absent":   {map[string]string{"nab/combined_windows.json": windows}, "", "none of the files"},
		"streams without labels": {map[string]string{"nab/x/a.csv": points(480, 370), "inject_real/labels.json": real1,
			"inject_real/series.csv": "id,start,eval_from,values\na,2024-07-01,100," + costs(200, 150) + "\n"}, "inject_real", "combined_windows.json"},
		"another table":  {map[string]string{"inject_real/labels.json": real1, "inject_real/series.csv": "id,values\na,1 2\n"}, "", "no column start"},
		"an empty table": {map[string]string{"inject_real/labels.json": real1, "inject_real/series.csv": ""}, "", "empty"},
		"nothing":        {map[string]string{"other/x.csv": "a"}, "", "-data"},
	} {
		var out bytes.Buffer
		err := run(&out, folder(t, tt.files), true, []anomaly.Sensitivity{anomaly.Balanced})
		if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: error %v, want one about %q", name, err, tt.fails)
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil || len(m) != 10 {
				t.Fatalf("%s: %q: %v", name, line, err)
			}
			got = append(got, m["set"].(string))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: measured %v, want %q", name, got, tt.want)
		}
	}
}
