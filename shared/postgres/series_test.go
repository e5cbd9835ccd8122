package postgres_test

import (
	"math"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
)

func series(t *testing.T, db *postgres.DB, q cost.SeriesQuery) []cost.Series {
	t.Helper()
	all, err := db.Series(t.Context(), acme, q)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// wantValues compares day by day; NaN equals NaN.
func wantValues(t *testing.T, s cost.Series, want ...float64) {
	t.Helper()
	if len(s.Values) != len(want) {
		t.Fatalf("%s has %d days, want %d", s.Scope, len(s.Values), len(want))
	}
	for i, w := range want {
		if got := s.Values[i]; got != w && !(math.IsNaN(got) && math.IsNaN(w)) {
			t.Errorf("%s, %s: %v, want %v", s.Scope, s.Day(i).Format(time.DateOnly), got, w)
		}
	}
}

func TestZeroIsNotUnknown(t *testing.T) {
	t.Parallel()
	db := openAt(t, later)
	fee := charge("AWS", "1", "100", 1)
	fee.ChargeCategory, fee.ChargePeriod = "Purchase", september
	ahead := charge("AWS", "1", "9", 8)
	ahead.ChargeCategory = "Tax"
	idle := charge("AWS", "1", "1", 5)
	idle.ServiceName = "Storage"
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, fee, ahead, idle,
		charge("AWS", "1", "2", 3), charge("AWS", "1", "0.5", 3), charge("Vultr", "v", "7", 4), charge("Vultr", "v", "7", 6)))})
	nan := math.NaN()
	week := cost.Days(september.Start, 8)
	q := cost.SeriesQuery{Period: week, Basis: cost.Billed, By: []cost.Dimension{cost.Provider, cost.Service}, FinalBefore: september.Start.AddDate(0, 0, 3)}

	all := series(t, db, q)
	if len(all) != 3 {
		t.Fatalf("series %v", all)
	}
	wantValues(t, all[0], 100, 0, 2.5, 0, 0, nan, nan, nan) // AWS reached the 5th; the tax lies ahead of its usage
	wantValues(t, all[1], 7, 0, 7, nan, nan)                // Vultr begins on the 4th
	wantValues(t, all[2], 0, 0, 0, 0, 1, nan, nan, nan)
	if all[0].Final != 3 || all[1].Final != 0 || !all[1].Start.Equal(september.Start.AddDate(0, 0, 3)) {
		t.Errorf("final %d and %d, start %s", all[0].Final, all[1].Final, all[1].Start)
	}

	q.By, q.FinalBefore = nil, september.End
	whole := series(t, db, q)
	if len(whole) != 1 || len(whole[0].Scope) != 0 {
		t.Fatalf("series %v", whole)
	}
	wantValues(t, whole[0], 100, 0, 2.5, 7, 1, nan, nan, nan) // a day is known once every provider has reached it
	if whole[0].Final != 5 {
		t.Errorf("final %d; what nobody reported is not final", whole[0].Final)
	}
}

// One account's bill was read this morning, the other's a week ago: what the latter cost since is unknown, not nothing.
func TestWhatAConnectionHasNotReadYetIsUnknown(t *testing.T) {
	t.Parallel()
	db := openAt(t, later)
	load(t, db, acme, ingest.Bill{Connection: "fresh", File: content(csvOf(t, charge("AWS", "1", "1", 1), charge("AWS", "1", "1", 9)))})
	load(t, db, acme, ingest.Bill{Connection: "late", File: content(csvOf(t, charge("AWS", "2", "500", 1), charge("AWS", "2", "500", 2)))})
	q := cost.SeriesQuery{Period: cost.Days(september.Start, 4), Basis: cost.Billed, By: []cost.Dimension{cost.Provider}, FinalBefore: september.End}
	s := series(t, db, q)[0]
	wantValues(t, s, 501, 500, math.NaN(), math.NaN())
	if s.Final != 2 {
		t.Errorf("%d days are final, want the two that both connections have reached", s.Final)
	}
}

// The end of a bill that was written while its days went on stays provisional until it is read again.
func TestWhatWasProvisionalWhenItWasLoadedIsNotFinal(t *testing.T) {
	t.Parallel()
	now := september.Start.AddDate(0, 0, 5).Add(10 * time.Hour) // the 6th
	db := openAt(t, func() time.Time { return now })
	q := cost.SeriesQuery{Period: cost.Days(september.Start, 8), Basis: cost.Billed, FinalBefore: september.End}
	bill := []focus.Row{charge("AWS", "1", "5", 1), charge("AWS", "1", "5", 2), charge("AWS", "1", "5", 3), charge("AWS", "1", "5", 4), charge("AWS", "1", "2", 5)}
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, bill...))})
	if s := series(t, db, q)[0]; s.Final != 3 {
		t.Errorf("read on the 6th, judged a month later: %d days are final, want 3", s.Final)
	}
	now = now.AddDate(0, 0, 20)
	bill[4] = charge("AWS", "1", "5", 5)
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, bill...))})
	if s := series(t, db, q)[0]; s.Final != 5 {
		t.Errorf("read again: %d days are final, want 5", s.Final)
	}
}

// openAt is a record with a clock.
func openAt(t *testing.T, now func() time.Time) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Options{URL: pgtest.URL(t), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.SaveTenant(t.Context(), acme, "tenant"); err != nil {
		t.Fatal(err)
	}
	return db
}

// later is when September's bills have long been written.
func later() time.Time { return september.End.AddDate(0, 1, 0) }

func TestAProviderThatEndedHoldsUpNothing(t *testing.T) {
	t.Parallel()
	db := openAt(t, later)
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, charge("Vultr", "v", "7", 1), charge("AWS", "1", "1", 1), charge("AWS", "1", "1", 20)))})
	s := series(t, db, cost.SeriesQuery{Period: cost.Days(september.Start.AddDate(0, 0, 17), 3)})[0]
	wantValues(t, s, 0, 0, 1)
}

func TestSeriesByResourceAndFilter(t *testing.T) {
	t.Parallel()
	db := openAt(t, later)
	var rows []focus.Row
	for day := 1; day <= 3; day++ {
		row := charge("AWS", "1", "2", day)
		row.ResourceID, row.Tags = "i-1", map[string]string{"team": "a"}
		rows = append(rows, row, charge("AWS", "1", "5", day))
	}
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, rows...))})
	q := cost.SeriesQuery{Period: cost.Days(september.Start, 3), By: []cost.Dimension{cost.Resource}, Filter: map[cost.Dimension][]string{cost.Tag("team"): {"a"}}}
	all := series(t, db, q)
	if len(all) != 1 || all[0].Scope[cost.Resource] != "i-1" || all[0].Basis != cost.Effective {
		t.Fatalf("series %v", all)
	}
	wantValues(t, all[0], 2, 2, 2)
}
