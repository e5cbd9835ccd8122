package cloudtest

import (
	"reflect"
	"testing"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func reader(t *testing.T, w World) ingest.CommitmentReader {
	t.Helper()
	r, ok := w.Collector.(ingest.CommitmentReader)
	if !ok {
		t.Fatal("the fake has commitments, and the collector cannot read any")
	}
	return r
}

func adviser(t *testing.T, w World) ingest.Adviser {
	t.Helper()
	a, ok := w.Collector.(ingest.Adviser)
	if !ok {
		t.Fatal("the fake has advice, and the collector cannot read any")
	}
	return a
}

func usageDenied(t *testing.T, _ Subject, w World) {
	t.Helper()
	if w.Usage == nil || w.DenyUsage == nil {
		t.Skip("it never refuses metrics")
	}
	before, err := w.Collector.Usage(t.Context(), *w.Usage)
	if err != nil {
		t.Fatal(err)
	}
	healthy(t, before.Parts)
	w.DenyUsage()
	after, err := w.Collector.Usage(t.Context(), *w.Usage)
	if err != nil {
		t.Fatalf("refused metrics failed all: %v", err)
	}
	refused(t, after.Parts)
	if len(after.Usage) >= len(before.Usage) {
		t.Errorf("%d metrics before, %d with some refused: the fake refused nothing", len(before.Usage), len(after.Usage))
	}
	within(t, after.Usage, before.Usage)
}

func commitments(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Committed == nil {
		t.Skip("it reads no commitments")
	}
	got, err := reader(t, w).Commitments(t.Context(), *w.Committed)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Held) == 0 {
		t.Fatal("no commitment is held")
	}
	healthy(t, got.Parts)
	seen := map[string]bool{}
	for _, c := range got.Held {
		validCommitment(t, s, c)
		if seen[c.ID] {
			t.Errorf("%s is listed twice", c.ID)
		}
		seen[c.ID] = true
	}
	used := map[[3]string]bool{}
	for _, u := range got.Use {
		validUse(t, s, w, u)
		key := [3]string{u.Account, u.Type, u.Commitment}
		if used[key] {
			t.Errorf("the use of %v is told twice", key)
		}
		used[key] = true
	}
	again, err := reader(t, w).Commitments(t.Context(), *w.Committed)
	if err != nil || !reflect.DeepEqual(got, again) {
		t.Errorf("the commitments differ from reading to reading: %v", err)
	}
}

func validCommitment(t *testing.T, s Subject, c resource.Commitment) {
	t.Helper()
	if c.Cloud != s.Cloud || c.ID == "" || c.Type == "" || c.Unit == "" || !c.Quantity.IsPositive() || c.Category != resource.UsageCommitment && c.Category != resource.SpendCommitment {
		t.Errorf("a commitment that does not say what it is: %+v", c)
	}
	if !c.End.IsZero() && !c.Start.Before(c.End) {
		t.Errorf("%s is from %s to %s", c.ID, c.Start, c.End)
	}
	if c.Hourly != nil && (c.Hourly.IsNegative() || !c.Currency.Valid()) {
		t.Errorf("%s costs %s %q an hour", c.ID, c.Hourly, c.Currency)
	}
}

func validUse(t *testing.T, s Subject, w World, u resource.CommitmentUse) {
	t.Helper()
	if u.Cloud != s.Cloud || u.Type == "" || !u.Period.Start.Equal(w.Committed.Start) || !u.Period.End.Equal(w.Committed.End) {
		t.Errorf("the use of something else: %+v", u)
	}
	for _, share := range []*float64{u.Used, u.Covered} {
		if share != nil && (*share < 0 || *share > 1) {
			t.Errorf("%s %s: a share of %v", u.Type, u.Commitment, *share)
		}
	}
	if u.Unused != nil && (u.Unused.IsNegative() || !u.Currency.Valid()) {
		t.Errorf("%s %s: %s %q were not used", u.Type, u.Commitment, u.Unused, u.Currency)
	}
}

func commitmentsDenied(t *testing.T, _ Subject, w World) {
	t.Helper()
	if w.Committed == nil || w.DenyCommitments == nil {
		t.Skip("it never refuses commitments")
	}
	before, err := reader(t, w).Commitments(t.Context(), *w.Committed)
	if err != nil {
		t.Fatal(err)
	}
	w.DenyCommitments()
	after, err := reader(t, w).Commitments(t.Context(), *w.Committed)
	if err != nil {
		t.Fatalf("refused commitments failed all: %v", err)
	}
	refused(t, after.Parts)
	if len(after.Held)+len(after.Use) >= len(before.Held)+len(before.Use) {
		t.Error("the fake refused nothing")
	}
	within(t, after.Held, before.Held)
	within(t, after.Use, before.Use)
}

func advice(t *testing.T, s Subject, w World) {
	t.Helper()
	if !w.Advises {
		t.Skip("it has no advice")
	}
	got, err := adviser(t, w).Advice(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Given) == 0 {
		t.Fatal("nothing is advised")
	}
	healthy(t, got.Parts)
	seen := map[string]bool{}
	for _, a := range got.Given {
		if a.Cloud != s.Cloud || a.Source == "" || a.Advice == "" || a.Kind == "" {
			t.Errorf("advice without a name: %+v", a)
		}
		if a.Saving != nil && !a.Currency.Valid() {
			t.Errorf("%s saves %s %q", a.Advice, a.Saving, a.Currency)
		}
		if seen[a.Source+a.Advice] {
			t.Errorf("%s is given twice", a.Advice)
		}
		seen[a.Source+a.Advice] = true
	}
	again, err := adviser(t, w).Advice(t.Context())
	if err != nil || !reflect.DeepEqual(got, again) {
		t.Errorf("the advice differs from reading to reading: %v", err)
	}
}

func adviceDenied(t *testing.T, _ Subject, w World) {
	t.Helper()
	if !w.Advises || w.DenyAdvice == nil {
		t.Skip("it never refuses advice")
	}
	before, err := adviser(t, w).Advice(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.DenyAdvice()
	after, err := adviser(t, w).Advice(t.Context())
	if err != nil {
		t.Fatalf("refused advice failed all: %v", err)
	}
	refused(t, after.Parts)
	if len(after.Given) >= len(before.Given) {
		t.Error("the fake refused nothing")
	}
	within(t, after.Given, before.Given)
}

func healthy(t *testing.T, parts []ingest.Part) {
	t.Helper()
	for _, p := range parts {
		if p.Status != ingest.OK {
			t.Errorf("in good health, %s of %q is %s: %s", p.Service, p.Region, p.Status, p.Reason)
		}
	}
}

// refused checks that at least one part says that it was refused, and why.
func refused(t *testing.T, parts []ingest.Part) {
	t.Helper()
	count := 0
	for _, p := range parts {
		if p.Status == ingest.Denied || p.Status == ingest.Disabled {
			count++
		}
		if p.Status != ingest.OK && p.Reason == "" {
			t.Errorf("%s of %q is %s and does not say why", p.Service, p.Region, p.Status)
		}
	}
	if count == 0 {
		t.Errorf("no part says that something was refused: %+v", parts)
	}
}

// within checks that nothing came up that was not there before.
func within[T any](t *testing.T, after, before []T) {
	t.Helper()
	for _, a := range after {
		known := false
		for _, b := range before {
			known = known || reflect.DeepEqual(a, b)
		}
		if !known {
			t.Errorf("made up when something was refused: %+v", a)
		}
	}
}
