package focus_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/cost-agent/cost-agent/shared/focus"
)

func sample(t *testing.T) []byte {
	t.Helper()
	root := os.Getenv("COST_AGENT_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	content, err := os.ReadFile(filepath.Join(root, "focus", "focus_sample_1000.csv.gz"))
	if err != nil {
		t.Skip("the FOCUS sample is not here; COST_AGENT_DATA names the folder of the benchmark data")
	}
	return content
}

type billedEffective struct{ billed, effective *big.Rat }

func add(sums map[string]billedEffective, key, billed, effective string) {
	s, ok := sums[key]
	if !ok {
		s = billedEffective{new(big.Rat), new(big.Rat)}
		sums[key] = s
	}
	for to, text := range map[*big.Rat]string{s.billed: billed, s.effective: effective} {
		if v, ok := new(big.Rat).SetString(text); ok {
			to.Add(to, v)
		}
	}
}

// TestSampleSums compares with sums made without this package: by provider and service, to the last decimal.
func TestSampleSums(t *testing.T) {
	t.Parallel()
	content := sample(t)
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range records[0] {
		at[name] = i
	}
	want, lacking := map[string]billedEffective{}, 0
	for _, r := range records[1:] {
		if r[at["ContractedCost"]] == "NULL" { // mandatory and never null, says FOCUS
			lacking++
			continue
		}
		add(want, r[at["ProviderName"]]+"/"+r[at["ServiceName"]], r[at["BilledCost"]], r[at["EffectiveCost"]])
	}

	rows, rejections := readAll(t, content, "")
	if len(rejections) != lacking || len(rows)+lacking != len(records)-1 {
		t.Fatalf("%d accepted and %d rejected, want all but %d of %d", len(rows), len(rejections), lacking, len(records)-1)
	}
	for _, j := range rejections {
		if j.Column != "ContractedCost" || !j.Billed.Valid || j.Currency != "USD" {
			t.Errorf("rejection %+v", j)
		}
	}
	got := map[string]billedEffective{}
	for i := range rows {
		add(got, rows[i].ServiceProviderName+"/"+rows[i].ServiceName, rows[i].BilledCost.String(), rows[i].EffectiveCost.String())
	}
	if len(got) != len(want) {
		t.Errorf("%d services, want %d", len(got), len(want))
	}
	for key, w := range want {
		if g, ok := got[key]; !ok || g.billed.Cmp(w.billed) != 0 || g.effective.Cmp(w.effective) != 0 {
			t.Errorf("%s: %v, want %v", key, g, w)
		}
	}
}

// readAll reads a file that must be usable as a whole.
func readAll(t testing.TB, content []byte, format focus.Format) ([]focus.Row, []*focus.Rejection) {
	t.Helper()
	rows, rejections, err := read(content, format)
	if err != nil {
		t.Fatal(err)
	}
	return rows, rejections
}

func read(content []byte, format focus.Format) (rows []focus.Row, rejections []*focus.Rejection, err error) {
	r, err := focus.Open(bytes.NewReader(content), int64(len(content)), format)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = firstOf(err, r.Close()) }()
	for {
		var row focus.Row
		rejection, err := r.Next(&row)
		switch {
		case errors.Is(err, io.EOF):
			if int64(len(rows)+len(rejections)) != r.Rows() {
				panic("accepted and rejected rows are not all rows")
			}
			return rows, rejections, nil
		case err != nil:
			return rows, rejections, err
		case rejection != nil:
			rejections = append(rejections, rejection)
		default:
			rows = append(rows, row)
		}
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
