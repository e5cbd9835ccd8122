package cloudtest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// Run checks the subject. It must not be called from a parallel test, for it looks at all goroutines.
func Run(t *testing.T, s Subject) {
	t.Helper()
	checks := []struct {
		name  string
		check func(*testing.T, Subject, World)
	}{
		{"the bill in good health is valid", healthyBill},
		{"pages lose and double nothing", pages},
		{"empty pages end nothing", emptyPages},
		{"a bill without charges has no rows", emptyBill},
		{"restated months are read anew", restated},
		{"throttling is waited out, then told", throttled},
		{"failures have their code", failures},
		{"half an answer is a failure", half},
		{"reading twice gives the same", twice},
		{"stopping early is allowed", stopped},
		{"the inventory is valid", inventory},
		{"a refused part says nothing about what exists", denied},
		{"missing rights are named", revoked},
		{"usage is evenly spaced and ordered", usage},
		{"refused metrics are told, and nothing is made up", usageDenied},
		{"commitments are whole, and their use is a share", commitments},
		{"refused commitments are told, and nothing is made up", commitmentsDenied},
		{"advice has its names and its money", advice},
		{"refused advice is told, and nothing is made up", adviceDenied},
		{"prices are prices", prices},
		{"cancelled calls end at once and leave nothing running", cancelled},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.check(t, s, s.New(t)) })
	}
}

// read collects the whole month.
func read(t *testing.T, s Subject, w World) []focus.Row {
	t.Helper()
	rows, err := drain(t.Context(), s, w)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func drain(ctx context.Context, s Subject, w World) (rows []focus.Row, err error) {
	ended := false
	for row, e := range w.Collector.Costs(ctx, s.Month) {
		if ended {
			return rows, errors.New("the stream goes on after its first error")
		}
		if e != nil {
			err, ended = e, true
			continue
		}
		rows = append(rows, row)
	}
	return rows, err
}

func healthyBill(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Bill != nil {
		w.Bill(Charges(12))
	}
	rows := read(t, s, w)
	if len(rows) == 0 {
		t.Fatal("the month has no rows")
	}
	for i := range rows {
		validRow(t, s, &rows[i])
	}
	storable(t, rows)
}

func pages(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Bill == nil {
		t.Skip("its bill cannot be prepared")
	}
	for _, n := range []int{1, PageSize - 1, PageSize, PageSize + 1, 2 * PageSize, 40} {
		w.Bill(Charges(n))
		adds(t, read(t, s, w), Charges(n))
	}
}

func emptyPages(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Bill == nil || w.EmptyPages == nil {
		t.Skip("it has no empty pages")
	}
	w.Bill(Charges(2 * PageSize))
	w.EmptyPages()
	adds(t, read(t, s, w), Charges(2*PageSize))
}

func emptyBill(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Bill == nil {
		t.Skip("its bill cannot be prepared")
	}
	w.Bill(nil)
	if rows := read(t, s, w); len(rows) != 0 {
		t.Errorf("%d rows came from nowhere", len(rows))
	}
}

func restated(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Bill == nil {
		t.Skip("its bill cannot be prepared")
	}
	all := Charges(20)
	for _, now := range [][]Charge{all[:8], all, all[10:], append(all[:5:5], all[12:]...)} { // late, whole, corrected, corrected again
		w.Bill(now)
		adds(t, read(t, s, w), now)
	}
}

func throttled(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Throttle == nil {
		t.Skip("it never throttles")
	}
	if !w.Impatient {
		before := read(t, s, w)
		w.Throttle(1)
		if after := read(t, s, w); !reflect.DeepEqual(before, after) {
			t.Error("a call that was throttled once changed the bill")
		}
	}
	w.Throttle(-1)
	if _, err := drain(t.Context(), s, w); fault.CodeOf(err) != fault.Throttled {
		t.Errorf("throttled for ever, the bill ends with %v, want %s", err, fault.Throttled)
	}
}

func failures(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Fail == nil {
		t.Skip("it never fails")
	}
	before := read(t, s, w)
	w.Fail(1, 503)
	if after := read(t, s, w); !reflect.DeepEqual(before, after) {
		t.Error("a call that failed once changed the bill")
	}
	for status, want := range map[int]fault.Code{500: fault.Unavailable, 503: fault.Unavailable, 401: fault.Unauthenticated, 403: fault.Forbidden} {
		w.Fail(-1, status)
		_, err := drain(t.Context(), s, w)
		if fault.CodeOf(err) != want {
			t.Errorf("HTTP %d: the bill ends with %v, want %s", status, err, want)
		}
		if err != nil && fault.Public(err).Message == "" {
			t.Errorf("HTTP %d: nothing is said to people", status)
		}
	}
	w.Fail(0, 0)
	if after := read(t, s, w); !reflect.DeepEqual(before, after) {
		t.Error("after the failures, the bill is another one")
	}
}

func half(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Half == nil {
		t.Skip("its answers cannot be broken off")
	}
	w.Half()
	_, err := drain(t.Context(), s, w)
	if code := fault.CodeOf(err); err == nil || code == fault.Internal {
		t.Errorf("half an answer was read as a whole one: %v", err)
	}
}

func twice(t *testing.T, s Subject, w World) {
	t.Helper()
	first, second := read(t, s, w), read(t, s, w)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("the bill differs from reading to reading: %d and %d rows", len(first), len(second))
	}
	a, errA := w.Collector.Resources(t.Context())
	b, errB := w.Collector.Resources(t.Context())
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	unseen := func(i ingest.Inventory) ingest.Inventory { // when it was seen may differ
		for k := range i.Resources {
			i.Resources[k].SeenAt = time.Time{}
		}
		return i
	}
	if !reflect.DeepEqual(unseen(a), unseen(b)) {
		t.Error("the inventory differs from reading to reading")
	}
}

func stopped(t *testing.T, s Subject, w World) {
	t.Helper()
	before := goroutines()
	for _, err := range w.Collector.Costs(t.Context(), s.Month) {
		if err != nil {
			t.Fatal(err)
		}
		break // a stream that went on would panic
	}
	leftNothing(t, before)
}
