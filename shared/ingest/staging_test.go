package ingest_test

import (
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

func TestKeysAreOwnedByTheirTenantOnly(t *testing.T) {
	t.Parallel()
	const a, b tenant.ID = "aaaa", "bbbb"
	for _, parts := range [][]string{{"c", "r", "bill.parquet"}, {"focus:AWS:1/2", "r"}, {"..", "x"}, {"", "x"}, {"ü%2F", "x"}} {
		key := ingest.Key(a, parts...)
		if err := ingest.Owned(a, key); err != nil {
			t.Errorf("own key %q: %v", key, err)
		}
		if err := ingest.Owned(b, key); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("key %q of another: got %v, want NotFound", key, err)
		}
	}
	for _, key := range []string{"", "aaaa", "aaaa/", "aaaa/../bbbb/x", "aaaa//x", "aaaab/x", "aaaa/./x", "aaaa/x\x00", `aaaa/..\x`} {
		if err := ingest.Owned(a, key); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("key %q: got %v, want NotFound", key, err)
		}
	}
	if err := ingest.Owned("", "/x"); err == nil {
		t.Error("nobody owns a key")
	}
}

func TestFinalBeforeLeavesTwoWholeDaysOpen(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{
		"2026-09-10T00:00:00Z":      "2026-09-08T00:00:00Z",
		"2026-09-10T23:59:59Z":      "2026-09-08T00:00:00Z",
		"2026-09-10T01:00:00+03:00": "2026-09-07T00:00:00Z",
	} {
		if got := ingest.FinalBefore(at(t, now)); !got.Equal(at(t, want)) {
			t.Errorf("FinalBefore(%s) = %s, want %s", now, got, want)
		}
	}
}

func TestMonthsEndWithTheRunningOne(t *testing.T) {
	t.Parallel()
	got := ingest.Months(at(t, "2027-01-31T12:00:00Z"), 3)
	want := []string{"2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if !got[i].Equal(at(t, want[i])) {
			t.Errorf("month %d is %s, want %s", i, got[i], want[i])
		}
	}
	if len(ingest.Months(at(t, "2027-01-31T12:00:00Z"), 0)) != 0 {
		t.Error("no months asked for, some given")
	}
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
