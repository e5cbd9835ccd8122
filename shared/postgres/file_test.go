package postgres_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const (
	acme  = tenant.ID("0a0a0a0a-0000-4000-8000-000000000001")
	other = tenant.ID("0b0b0b0b-0000-4000-8000-000000000002")
)

// file is a bill in memory.
type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

func content(b []byte) ingest.Object { return file{bytes.NewReader(b)} }

// csvOf writes rows as a bill.
func csvOf(t testing.TB, rows ...focus.Row) []byte {
	t.Helper()
	var out bytes.Buffer
	w := focus.NewCSVWriter(&out)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// open gives a database with two tenants.
func open(t testing.TB) *postgres.DB {
	t.Helper()
	db := pgtest.Open(t)
	for id, name := range map[tenant.ID]string{acme: "Acme", other: "Other"} {
		if err := db.SaveTenant(t.Context(), id, name); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func load(t testing.TB, db *postgres.DB, owner tenant.ID, bill ingest.Bill) ingest.Report {
	t.Helper()
	report, err := db.Load(t.Context(), owner, bill)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// sample is the public FOCUS sample, where the benchmark data is at hand.
func sample(t testing.TB) []byte {
	t.Helper()
	root := os.Getenv("COST_AGENT_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	text, err := os.ReadFile(filepath.Join(root, "focus", "focus_sample_1000.csv.gz"))
	if err != nil {
		t.Skip("the FOCUS sample is not here; set COST_AGENT_DATA")
	}
	return text
}
