package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/local/story"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// openDir is a folder for the test that PostgreSQL can reach, which runs as another user where the test runs as root.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for at := dir; at != os.TempDir() && at != filepath.Dir(at); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// start brings up a whole system that ends with the test.
func start(t *testing.T) *stack.Stack {
	t.Helper()
	root, err := stack.FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	s, err := stack.Start(t.Context(), stack.Options{Root: root, Dir: openDir(t), Address: "127.0.0.1:0", Throwaway: true,
		Sandbox: sandbox.Options{Still: true}, Progress: t.Logf, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(t.Context()); err != nil && !errors.Is(err, t.Context().Err()) {
			t.Error(err)
		}
	})
	return s
}

// TestTheMainJob goes the whole way once, from bills to proven savings, and then looks at what it left from other sides.
func TestTheMainJob(t *testing.T) {
	s := start(t)
	var page strings.Builder
	d := demonstrationOn(s, t.Logf, &page)
	if err := d.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s\n%s", page.String(), d.checks.Summary())
	if d.checks.Failed > 0 || d.checks.Held < 90 {
		t.Error("the agent and the ground truth do not agree")
	}
	t.Run("another tenant sees and changes none of it", func(t *testing.T) { otherTenant(t, s) })
	t.Run("connections tell how they stand", func(t *testing.T) { standing(t, s) })
	t.Run("a bill from outside", func(t *testing.T) { sampleBill(t, s) })
	t.Run("the levers of the sandbox", func(t *testing.T) { levers(t, s) })
}

// levers turns time and faults by hand.
func levers(t *testing.T, s *stack.Stack) {
	t.Helper()
	before := s.Estate.Clock().Now()
	tests := []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/sandbox/clock", `{"advance_hours": 48}`, http.StatusOK},
		{"POST", "/sandbox/clock", `{"advance_hours": -1}`, http.StatusBadRequest},
		{"POST", "/sandbox/clock", `{"hours": 1}`, http.StatusBadRequest},
		{"POST", "/sandbox/faults", `{"kind": "throttle", "times": 2}`, http.StatusOK},
		{"POST", "/sandbox/faults", `{"kind": "flood"}`, http.StatusBadRequest},
		{"DELETE", "/sandbox/faults", ``, http.StatusNoContent},
		{"GET", "/sandbox/truth", ``, http.StatusOK},
	}
	for _, tt := range tests {
		if status, body := call(t, s.URL+tt.path, tt.method, "", tt.body); status != tt.want {
			t.Errorf("%s %s %s: %d %.200s", tt.method, tt.path, tt.body, status, body)
		}
	}
	if passed := s.Estate.Clock().Now().Sub(before); passed != 48*time.Hour {
		t.Errorf("%s passed, want 48 h", passed)
	}
}

// sampleBill imports a public FOCUS sample by an upload, and sums it up independently.
func sampleBill(t *testing.T, s *stack.Stack) {
	path := filepath.Join(dataDir(), "focus", "focus_sample_1000.csv.gz")
	want, rows := sampleSums(t, path)
	api := callerOf(s)
	var firstRun, secondRun struct {
		Report   ingest.Report `json:"report"`
		Analysed bool          `json:"analysed"`
	}
	if err := api.Import(t.Context(), path, "", &firstRun); err != nil {
		t.Fatal(err)
	}
	first := firstRun.Report
	if !firstRun.Analysed {
		t.Error("the bill was not analysed")
	}
	if first.Accepted+first.Rejected != rows || int(first.Rejected) != len(first.Rejections) || first.Unchanged {
		t.Errorf("%d rows: %d accepted, %d rejected, %d listed", rows, first.Accepted, first.Rejected, len(first.Rejections))
	}
	for name, want := range map[cost.Basis]map[[2]string]*big.Rat{cost.Billed: want[0], cost.Effective: want[1]} {
		compareSums(t, s, name, subtract(t, want, first, path, name))
	}
	before := periods(t, s)
	if err := api.Import(t.Context(), path, "", &secondRun); err != nil {
		t.Fatal(err)
	}
	if second := secondRun.Report; !second.Unchanged || second.Accepted != first.Accepted || !bytes.Equal(before, periods(t, s)) {
		t.Errorf("the same file again changed something: %+v", second)
	}
}

func dataDir() string {
	if dir := os.Getenv("COST_AGENT_DATA"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "shared", "data")
}

// sample reads the file with nothing of the agent's own.
func sample(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("skipped: the public FOCUS sample is not at %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(unzipped).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// sampleSums are billed and effective cost by provider and service, of all rows.
func sampleSums(t *testing.T, path string) ([2]map[[2]string]*big.Rat, int64) {
	t.Helper()
	records := sample(t, path)
	at := func(name string) int { return slices.Index(records[0], name) }
	var sums [2]map[[2]string]*big.Rat
	for i, column := range []string{"BilledCost", "EffectiveCost"} {
		sums[i] = map[[2]string]*big.Rat{}
		for _, r := range records[1:] {
			add(t, sums[i], [2]string{r[at("ProviderName")], r[at("ServiceName")]}, r[at(column)], 1)
		}
	}
	return sums, int64(len(records) - 1)
}

func add(t *testing.T, sums map[[2]string]*big.Rat, key [2]string, amount string, sign int64) {
	t.Helper()
	v, ok := new(big.Rat).SetString(amount)
	if !ok {
		t.Fatalf("%q is no number", amount)
	}
	if sums[key] == nil {
		sums[key] = new(big.Rat)
	}
	sums[key].Add(sums[key], v.Mul(v, big.NewRat(sign, 1)))
}

// subtract takes away the rows that the report lists as rejected.
func subtract(t *testing.T, sums map[[2]string]*big.Rat, r ingest.Report, path string, basis cost.Basis) map[[2]string]*big.Rat {
	t.Helper()
	records := sample(t, path)
	at := func(name string) int { return slices.Index(records[0], name) }
	column := map[cost.Basis]string{cost.Billed: "BilledCost", cost.Effective: "EffectiveCost"}[basis]
	gone := map[[2]string]int{}
	for _, bad := range r.Rejections {
		row := records[bad.Row]
		key := [2]string{row[at("ProviderName")], row[at("ServiceName")]}
		add(t, sums, key, row[at(column)], -1)
		gone[key]++
	}
	for key, n := range gone {
		all := 0
		for _, row := range records[1:] {
			if [2]string{row[at("ProviderName")], row[at("ServiceName")]} == key {
				all++
			}
		}
		if all == n {
			delete(sums, key)
		}
	}
	return sums
}

func compareSums(t *testing.T, s *stack.Stack, basis cost.Basis, want map[[2]string]*big.Rat) {
	t.Helper()
	var got story.Groups
	query := url.Values{"group_by": {"ServiceProviderName,ServiceName"}, "basis": {string(basis)}, "limit": {"1000"}, "start": {"2024-09-01"}, "end": {"2024-10-01"}}
	if err := callerOf(s).Get(t.Context(), "/api/v1/costs", query, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Items) != len(want) {
		t.Errorf("%s: %d groups, want %d", basis, len(got.Items), len(want))
	}
	for _, g := range got.Items {
		key := [2]string{g.Group[cost.Provider], g.Group[cost.Service]}
		sum, ok := new(big.Rat).SetString(g.Cost.Amount.String())
		if !ok || want[key] == nil || sum.Cmp(want[key]) != 0 {
			t.Errorf("%s %v: %s, want %v", basis, key, g.Cost.Amount, want[key])
		}
	}
}

func periods(t *testing.T, s *stack.Stack) []byte {
	t.Helper()
	var out json.RawMessage
	if err := callerOf(s).Get(t.Context(), "/api/v1/costs/periods", nil, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
