package sandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// crashes gives, for every line that the log of the first estate got since it had from lines, an estate that a crash after
// that line leaves.
func crashes(t *testing.T, dir string, from int) []string {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(dir, "changes.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(log, []byte("\n"))
	var out []string
	for n := from; n < len(lines); n++ {
		crashed := t.TempDir()
		if err := os.WriteFile(filepath.Join(crashed, "changes.jsonl"), bytes.Join(lines[:n], nil), 0o600); err != nil {
			t.Fatal(err)
		}
		out = append(out, crashed)
	}
	return out
}

// TestCrashAnywhereIsCompleted dies after every line of the log that an Apply writes, and then applies or reverts.
func TestCrashAnywhereIsCompleted(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			e := open(t, Options{Dir: dir})
			before := e.Snapshot()
			c := e.command(t, d.action, d.name, d.after)
			apply(t, e, c)
			done := e.Snapshot()
			points := crashes(t, dir, 1)
			if len(points) != len(d.apply)+2 { // none, the fence, and every step
				t.Fatalf("%d points to die at", len(points))
			}
			for n, crashed := range points {
				c.Fence = 2 // another run takes over
				again := open(t, Options{Dir: crashed})
				apply(t, again, c)
				if got := steps(again); !reflect.DeepEqual(got, d.apply) {
					t.Errorf("crash %d, then Apply: steps %v, want each once", n, got)
				}
				if !verify(t, again, c) || !sameButAge(again.Snapshot(), done) {
					t.Errorf("crash %d, then Apply: another end", n)
				}
			}
			for n, crashed := range crashes(t, dir, 1) {
				again := open(t, Options{Dir: crashed})
				revert(t, again, c)
				if verify(t, again, c) || !sameAs(again, before, d) {
					t.Errorf("crash %d, then Revert: not as before, after %v", n, steps(again))
				}
			}
		})
	}
}

// sameButAge compares two inventories but for when a new resource was made.
func sameButAge(a, b []resource.Resource) bool {
	for _, all := range [][]resource.Resource{a, b} {
		for i := range all {
			all[i].CreatedAt = nine
		}
	}
	return reflect.DeepEqual(a, b)
}

// TestCrashInRevertIsCompleted dies after every line of a Revert, and then reverts again.
func TestCrashInRevertIsCompleted(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			e := open(t, Options{Dir: dir})
			before := e.Snapshot()
			c := e.command(t, d.action, d.name, d.after)
			apply(t, e, c)
			revert(t, e, c)
			all := append(append([]string{}, d.apply...), d.undo...)
			for n, crashed := range crashes(t, dir, 2+len(d.apply)) {
				again := open(t, Options{Dir: crashed})
				revert(t, again, c)
				if got := steps(again); !reflect.DeepEqual(got, all) {
					t.Errorf("crash %d: steps %v, want %v", n, got, all)
				}
				if !sameAs(again, before, d) {
					t.Errorf("crash %d: not as before", n)
				}
			}
		})
	}
}

func TestTwoRunsAtOnceDoTheWorkOnce(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t, Options{})
			c := e.command(t, d.action, d.name, d.after)
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					if _, err := e.Actor(c.Target.Ref.Cloud).Apply(t.Context(), c); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if got := steps(e); !reflect.DeepEqual(got, d.apply) {
				t.Errorf("eight runs took the steps %v", got)
			}
		})
	}
}

// TestRunThatWasOvertakenStops: while one run waits for the instance to stop, another takes over with a newer token.
func TestRunThatWasOvertakenStops(t *testing.T) {
	t.Parallel()
	e := open(t, Options{Pace: time.Hour}) // only Advance lets anybody go on
	c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
	overtaken, done := make(chan error, 1), make(chan error, 1)
	run := func(fence int64, result chan<- error) {
		c := c
		c.Fence = fence
		_, err := e.Actor(resource.AWS).Apply(t.Context(), c)
		result <- err
	}
	until := func(n int) {
		for len(steps(e)) < n {
			runtime.Gosched()
		}
	}
	go run(1, overtaken)
	until(1)
	go run(2, done)
	until(2)
	for waiting := 2; waiting > 0; {
		select {
		case err := <-done:
			waiting--
			if err != nil {
				t.Errorf("the newer run got %v", err)
			}
		case err := <-overtaken:
			waiting--
			if fault.CodeOf(err) != fault.Conflict {
				t.Errorf("the overtaken run got %v, want Conflict", err)
			}
		default:
			e.clock.Advance(time.Minute)
			runtime.Gosched()
		}
	}
	if got := steps(e); !reflect.DeepEqual(got, []string{"stop", "modify", "start"}) {
		t.Errorf("the steps are %v", got)
	}
}

// TestExecutionsKeepToTheirOwnSnapshots: one died after its snapshot, another takes back and archives the same volume.
func TestExecutionsKeepToTheirOwnSnapshots(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, Options{Dir: dir})
	c := e.command(t, plan.ArchiveVolume, "checkout-data-old", nil)
	apply(t, e, c)
	died := open(t, Options{Dir: crashes(t, dir, 3)[0]})
	if got := steps(died); !reflect.DeepEqual(got, []string{"snapshot"}) {
		t.Fatalf("it died after %v", got)
	}
	c.Execution, c.Fence = "exec-2", 2
	if r := revert(t, died, c); r.Changed {
		t.Errorf("another execution took back %v", steps(died))
	}
	apply(t, died, c)
	if got := steps(died); !reflect.DeepEqual(got, []string{"snapshot", "snapshot", "delete"}) {
		t.Errorf("the steps are %v", got)
	}
}
