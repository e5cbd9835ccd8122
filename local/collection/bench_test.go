package collection_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// The goals of a collection.
const (
	goalTook   = 60 * time.Second
	goalMemory = 128 // MB of a process that reads a cloud
)

// BenchmarkHundredConnections collects two months of 25 connections of each cloud, 5,000 rows each: planned, read by the functions
// as they are deployed through the clouds' SDKs, staged, loaded and summed up. It fails when a row or a cent differs from what the
// clouds have, and where a goal is missed.
func BenchmarkHundredConnections(b *testing.B) {
	const each, rows = 25, 2500
	for b.Loop() {
		w := open(b, each, rows)
		before := ownTime(b)
		collected, took, err := w.collect(b.Context(), "first")
		if err != nil {
			b.Fatal(err)
		}
		own := ownTime(b) - before
		w.check(b, collected.Problems)
		all := float64(len(w.of) * rows * len(w.months()))
		b.ReportMetric(took.Seconds(), "s")
		b.ReportMetric(all/took.Seconds(), "rows/s")
		if took > goalTook {
			b.Errorf("it took %s, promised are %s", took, goalTook)
		}
		for _, c := range resource.Clouds {
			f := w.collectors[collectorOf(c)]
			memory, processes := f.mostMemory()
			b.ReportMetric(memory, string(c)+"-peak-MB")
			b.Logf("%s: %d processes, %.0f MB at most, %.1f s of processors", f.name, processes, memory, f.processorTime().Seconds())
			if memory >= goalMemory {
				b.Errorf("a process of %s took %.0f MB, promised are less than %d", f.name, memory, goalMemory)
			}
		}
		b.Logf("this process, with the load function, the engine, S3 and the fakes: %.1f s of processors", own.Seconds())
		w.report(b)
		_, again, err := w.collect(b.Context(), "again")
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(again.Seconds(), "s-unchanged")
	}
}

// The functions bring what the clouds have, row for row: what the benchmark measures, small enough for every test run.
func TestDeployedCollectorsBringWholeBills(t *testing.T) {
	t.Parallel()
	w := open(t, 1, 50)
	collected, _, err := w.collect(t.Context(), "first")
	if err != nil {
		t.Fatal(err)
	}
	w.check(t, collected.Problems)
	if collected.Rows != int64(2*50*len(resource.Clouds)) || collected.Changed != 2*len(resource.Clouds) {
		t.Errorf("%+v", collected)
	}
	again, _, err := w.collect(t.Context(), "again")
	if err != nil || again.Unchanged != 2*len(resource.Clouds) || again.Changed != 0 {
		t.Errorf("the same bills again: %+v %v", again, err)
	}
	w.check(t, again.Problems)
}

// check compares the record with what the clouds have.
func (w *world) check(tb testing.TB, problems []string) {
	tb.Helper()
	for _, p := range problems {
		tb.Error(p)
	}
	loaded := map[string][]string{}
	for _, row := range w.charges(tb) {
		loaded[row.Connection] = append(loaded[row.Connection], row.Amount)
	}
	for _, a := range w.of {
		want, got := w.expected(a), loaded[a.ID]
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			tb.Errorf("%s has %d rows instead of %d, or others", a.ID, len(got), len(want))
		}
	}
	if len(loaded) != len(w.of) {
		tb.Errorf("%d connections have rows", len(loaded))
	}
}

type charge struct{ Connection, Amount string }

// charges are all rows of the record.
func (w *world) charges(tb testing.TB) []charge {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), w.url)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close(tb.Context()) }()
	if _, err := conn.Exec(tb.Context(), "select set_config('app.tenant_id', $1, false)", string(tenantID)); err != nil {
		tb.Fatal(err)
	}
	rows, err := conn.Query(tb.Context(), `select b.connection_id, trim_scale(r.billed_cost)::text from cost_rows r join bills b on b.id = r.bill_id`)
	if err != nil {
		tb.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[charge])
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// report tells where the time went, of all calls together, which go on several at a time.
func (w *world) report(tb testing.TB) {
	tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for call, took := range w.took {
		lines = append(lines, call+" "+took.Round(10*time.Millisecond).String())
	}
	slices.Sort(lines)
	tb.Log("all calls together: " + strings.Join(lines, ", "))
}

// ownTime is what this process has used of the processors.
func ownTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
