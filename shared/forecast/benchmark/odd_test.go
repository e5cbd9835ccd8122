package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// measured runs the command on the folder and gives what it printed by set.
func measured(t *testing.T, dir string, args ...string) (map[string]map[string]any, error) {
	t.Helper()
	var out strings.Builder
	err := run(append([]string{"-data", dir, "-json"}, args...), &out)
	sets := map[string]map[string]any{}
	for line := range strings.Lines(out.String()) {
		var set map[string]any
		if err := json.Unmarshal([]byte(line), &set); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		sets[set["set"].(string)] = set
	}
	return sets, err
}

const header = "id,m,mase_m,h,start,train,test\n"

// What is odd about a series is left out of the means that it cannot tell, and of nothing else.
func TestOddSeriesAreMeasured(t *testing.T) {
	t.Parallel()
	saw := strings.Repeat("4 6 ", 20)
	for name, tt := range map[string]struct {
		row  string
		null []string // measures that this series alone cannot tell
	}{
		"gaps":             {"a,1,1,2,,4 nan 4 6 4 NA 4 6 " + saw + ",4 6", nil},
		"gap in the test":  {"a,1,1,2,," + saw + ",4 null", nil},
		"no test":          {"a,1,1,0,," + saw + ",", []string{"mase", "smape", "cov80", "cov95"}},
		"negative":         {"a,7,7,2,2025-01-06," + strings.Repeat("-4 -6 -5 -9 -1 -2 -3 -5 ", 20) + ",-4 -6", nil},
		"zeros":            {"a,12,12,2,1990-01-01," + strings.Repeat("0 ", 60) + ",0 0", []string{"mase"}},
		"constant":         {"a,12,12,2,," + strings.Repeat("5 ", 60) + ",5 6", []string{"mase"}},
		"one value":        {"a,7,7,2,2025-01-06,5,5 6", []string{"mase"}},
		"nothing to learn": {"a,7,7,2,2025-01-06,,5 6", []string{"mase", "smape", "cov80", "cov95"}},
		"no season":        {"a,0,1,2,," + saw + ",4 6", nil},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "odd.csv.gz"), header+tt.row+"\n")
		sets, err := measured(t, dir)
		got := sets["odd"]
		if err != nil || got["n"] != 1.0 || len(got) != 8 {
			t.Errorf("%s: %v, %v", name, got, err)
			continue
		}
		for _, key := range []string{"mase", "smape", "cov80", "cov95"} {
			null := strings.Contains(strings.Join(tt.null, " ")+" ", key+" ")
			if (got[key] == nil) != null {
				t.Errorf("%s: %s is %v", name, key, got[key])
			}
		}
	}
}

func TestOneBrokenSetDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]struct{ name, text, complaint string }{
		"empty":          {"broken.csv.gz", "", "empty"},
		"a short row":    {"broken.csv.gz", header + "a,1,1\n", "row 1"},
		"no number":      {"broken.csv.gz", header + "a,1,1,2,,4 x,4\n", "series a"},
		"no compression": {"broken.csv", header + "a,x,1,2,,4 4,4\n", "series a"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "sound.csv.gz"), header+"a,1,1,2,,"+strings.Repeat("4 6 ", 20)+",4 6\n")
		if err := os.WriteFile(filepath.Join(dir, "notes.md"), []byte("no set"), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file.name, ".gz") {
			write(t, filepath.Join(dir, file.name), file.text)
		} else if err := os.WriteFile(filepath.Join(dir, file.name), []byte(file.text), 0o600); err != nil {
			t.Fatal(err)
		}
		sets, err := measured(t, dir)
		if sets["sound"] == nil || err == nil || !strings.Contains(err.Error(), "broken") || !strings.Contains(err.Error(), file.complaint) {
			t.Errorf("%s: %v, error %v", name, sets, err)
		}
	}
}

func TestASetWithoutSeriesIsMeasuredAsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "none.csv"), []byte(header), 0o600); err != nil {
		t.Fatal(err)
	}
	sets, err := measured(t, dir)
	if got := sets["none"]; err != nil || got["n"] != 0.0 || len(got) != 8 || got["mase"] != nil || got["peak_mb"] != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAFolderWithoutSetsIsAnErrorInJSONToo(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "absent")} {
		if _, err := measured(t, dir); err == nil || !strings.Contains(err.Error(), "-data") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// Neither the order of the series nor that of the columns nor the name of the set steers anything.
func TestOrderAndNamesSteerNothing(t *testing.T) {
	t.Parallel()
	saw := strings.Repeat("4 6 5 9 1 2 3 7 4 5 6 3 8 ", 8)
	a, b := "a,7,7,3,2025-01-06,"+saw+",4 6 6", "b,12,12,4,,"+saw+"4 3,7 3 4 6"
	dir := t.TempDir()
	write(t, filepath.Join(dir, "m4_hourly.csv.gz"), header+a+"\n"+b+"\nc"+a[1:]+"\n")
	write(t, filepath.Join(dir, "other.csv.gz"), header+"c"+a[1:]+"\n"+b+"\n"+a+"\n")
	write(t, filepath.Join(dir, "turned.csv.gz"), "\ufefftest,train,start,h,mase_m,m,id\n4 6 6,"+saw+",2025-01-06,3,7,7,a\n7 3 4 6,"+saw+"4 3,,4,12,12,b\n4 6 6,"+saw+",2025-01-06,3,7,7,c\n")
	sets, err := measured(t, dir)
	if err != nil || len(sets) != 3 {
		t.Fatalf("%v, %v", sets, err)
	}
	for _, other := range []string{"other", "turned"} {
		for _, key := range []string{"n", "mase", "smape", "cov80", "cov95"} {
			if want := sets["m4_hourly"][key]; want == nil || sets[other][key] != want {
				t.Errorf("%s: %s is %v, want %v", other, key, sets[other][key], want)
			}
		}
	}
}

func TestResamplingTellsTheSpread(t *testing.T) {
	t.Parallel()
	same := spreadsOf("even", []scored{{source: "a", mase: 1, cov80: 0.8, cov95: 0.95}, {source: "b", mase: 1, cov80: 0.8, cov95: 0.95}})
	if len(same) != 3 || same[0].low != 1 || same[0].high != 1 {
		t.Errorf("equal series have the spread %+v", same)
	}
	each := make([]scored, 200)
	for i := range each {
		each[i] = scored{source: string(rune('a' + i)), mase: float64(i % 2)}
	}
	// The mean of 200 fair coins has the deviation .035, the difference of two such means .05.
	if got := spreadsOf("coins", each)[0]; got.here != 0.5 || got.low < 0.40 || got.low > 0.44 || got.high < 0.56 || got.high > 0.60 {
		t.Errorf("coins: %+v, want .418 to .582", got)
	}
}
