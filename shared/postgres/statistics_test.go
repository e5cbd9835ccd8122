package postgres_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/focus"
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
	known := func(table string) (rows float64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), `select reltuples from pg_class where relname = $1`, table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for _, table := range []string{"dictionary", "bills", "cost_daily", "cost_rows_2026_09"} {
		if rows := known(table); rows < 1 {
			t.Errorf("the planner believes that %s has %v rows", table, rows)
		}
	}
	// What is small beside what is there waits for autovacuum, what doubles it does not.
	const september = "cost_rows_2026_09"
	big := ingest.Bill{Connection: "big", File: content(csvOf(t, manyCharges(30_000)...))}
	load(t, db, acme, big)
	before := known(september)
	load(t, db, acme, ingest.Bill{Connection: "small", File: content(csvOf(t, manyCharges(1500)...))})
	if after := known(september); before < 20_000 || after != before {
		t.Errorf("the planner believed in %v rows and after a small load in %v", before, after)
	}
	load(t, db, acme, ingest.Bill{Connection: "as big", File: content(csvOf(t, manyCharges(30_000)...))})
	if after := known(september); after < before+20_000 {
		t.Errorf("the planner believed in %v rows and after a large load in %v", before, after)
	}
}

func manyCharges(n int) []focus.Row {
	rows := make([]focus.Row, n)
	for i := range rows {
		rows[i] = charge("AWS", "1", "1", i%28+1)
	}
	return rows
}
