package postgres_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/focus/focustest"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
)

// Without statistics the planner joined tens of thousands of sums to the dictionary by nested loops, for minutes.
func TestThePlannerKnowsALargeLoadAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.SaveTenant(t.Context(), acme, "Acme"); err != nil {
		t.Fatal(err)
	}
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, slices.Collect(focustest.Rows(2000, 5))...))})
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, table := range []string{"dictionary", "bills", "cost_daily", "cost_rows_2026_09"} {
		var rows float64
		if err := conn.QueryRow(t.Context(), `select reltuples from pg_class where relname = $1`, table).Scan(&rows); err != nil || rows < 1 {
			t.Errorf("the planner believes that %s has %v rows, %v", table, rows, err)
		}
	}
}
