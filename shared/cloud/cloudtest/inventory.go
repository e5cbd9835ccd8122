package cloudtest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

func inventory(t *testing.T, s Subject, w World) {
	t.Helper()
	inv, err := w.Collector.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Resources) == 0 || len(inv.Parts) == 0 {
		t.Fatalf("the inventory has %d resources of %d parts", len(inv.Resources), len(inv.Parts))
	}
	seen := map[resource.Ref]bool{}
	for _, r := range inv.Resources {
		validResource(t, s, r)
		if seen[r.Ref] {
			t.Errorf("%s %s is listed twice", r.Type, r.ID)
		}
		seen[r.Ref] = true
	}
	for _, p := range inv.Parts {
		if p.Status != ingest.OK {
			t.Errorf("in good health, %s of %q is %s: %s", p.Service, p.Region, p.Status, p.Reason)
		}
	}
}

func validResource(t *testing.T, s Subject, r resource.Resource) {
	t.Helper()
	if r.Cloud != s.Cloud || r.ID == "" || r.Type == "" || r.Account == "" || r.Region == "" || r.SeenAt.IsZero() {
		t.Errorf("resource without a full name or time: %+v", r)
	}
	if r.SeenAt.Location() != time.UTC || !r.CreatedAt.IsZero() && r.CreatedAt.Location() != time.UTC {
		t.Errorf("%s: its times are not UTC", r.ID)
	}
}

func denied(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Deny == nil {
		t.Skip("it never refuses a part")
	}
	before, err := w.Collector.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	region, service := w.Deny()
	after, err := w.Collector.Resources(t.Context())
	if err != nil {
		t.Fatalf("one refused part failed all: %v", err)
	}
	onlyDenied(t, after.Parts, region, service)
	if len(after.Resources) >= len(before.Resources) {
		t.Errorf("%d resources before, %d with a part refused: the fake refused nothing", len(before.Resources), len(after.Resources))
	}
	for _, r := range after.Resources {
		if !slices.ContainsFunc(before.Resources, func(b resource.Resource) bool { return b.Ref == r.Ref }) {
			t.Errorf("%s appeared when a part was refused", r.ID)
		}
	}
}

// onlyDenied checks that one part was refused, says why, and is the only one.
func onlyDenied(t *testing.T, parts []ingest.Part, region, service string) {
	t.Helper()
	refused := 0
	for _, p := range parts {
		switch hit := p.Service == service && (region == "" || p.Region == region); {
		case hit && (p.Status == ingest.Denied || p.Status == ingest.Disabled):
			refused++
			if p.Reason == "" {
				t.Error("the refused part does not say why")
			}
		case hit:
			t.Errorf("the refused part is %s", p.Status)
		case p.Status != ingest.OK:
			t.Errorf("%s of %q was not refused, and is %s", p.Service, p.Region, p.Status)
		}
	}
	if refused == 0 {
		t.Errorf("no part says that %s of %q was refused: %+v", service, region, parts)
	}
}

func revoked(t *testing.T, _ Subject, w World) {
	t.Helper()
	missing, err := w.Collector.Check(t.Context())
	if err != nil || len(missing) != 0 {
		t.Fatalf("in good health, Check misses %v: %v", missing, err)
	}
	if w.Revoke == nil {
		t.Skip("no right can be taken away")
	}
	right := w.Revoke()
	if missing, err = w.Collector.Check(t.Context()); err != nil || !slices.Equal(missing, []string{right}) {
		t.Errorf("Check misses %v (%v), want %s", missing, err, right)
	}
}

func usage(t *testing.T, _ Subject, w World) {
	t.Helper()
	if w.Usage == nil {
		t.Skip("it has no metrics")
	}
	measured, err := w.Collector.Usage(t.Context(), *w.Usage)
	answers := measured.Usage
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) == 0 {
		t.Fatal("no metric has an answer")
	}
	for _, u := range answers {
		if !slices.Contains(w.Usage.Refs, u.Ref) || !slices.Contains(w.Usage.Metrics, u.Metric) || u.Every != w.Usage.Every {
			t.Errorf("nobody asked for %s of %s every %s", u.Metric, u.Ref.ID, u.Every)
		}
		if len(u.Samples) == 0 {
			t.Errorf("%s of %s has an entry, and no samples", u.Metric, u.Ref.ID)
		}
		for i, sample := range u.Samples {
			if !w.Usage.Period.Contains(sample.At) || sample.At.Location() != time.UTC {
				t.Errorf("%s of %s: a sample at %s", u.Metric, u.Ref.ID, sample.At)
			}
			if i > 0 {
				if gap := sample.At.Sub(u.Samples[i-1].At); gap <= 0 || gap%u.Every != 0 {
					t.Errorf("%s of %s: %s after the sample before", u.Metric, u.Ref.ID, gap)
				}
			}
		}
	}
}

func prices(t *testing.T, s Subject, w World) {
	t.Helper()
	if w.Regions == nil {
		t.Skip("it has no prices")
	}
	got, err := w.Collector.Prices(t.Context(), w.Regions)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) == 0 {
		t.Fatal("nothing has a price")
	}
	for _, p := range got {
		if p.Cloud != s.Cloud || !slices.Contains(w.Regions, p.Region) || p.Type == "" || p.Size == "" {
			t.Errorf("a price of nothing that was asked for: %+v", p)
		}
		if !p.Amount.IsPositive() || p.Unit == "" || !p.Currency.Valid() {
			t.Errorf("%s in %s costs %s %s a %q", p.Size, p.Region, p.Amount, p.Currency, p.Unit)
		}
	}
}

// prompt is how long a cancelled call may take to end on a busy machine.
const prompt = 5 * time.Second

func cancelled(t *testing.T, s Subject, w World) {
	t.Helper()
	calls := map[string]func(ctx context.Context) error{
		"Check":     func(ctx context.Context) error { _, err := w.Collector.Check(ctx); return err },
		"Costs":     func(ctx context.Context) error { _, err := drain(ctx, s, w); return err },
		"Resources": func(ctx context.Context) error { _, err := w.Collector.Resources(ctx); return err },
	}
	if w.Usage != nil {
		calls["Usage"] = func(ctx context.Context) error { _, err := w.Collector.Usage(ctx, *w.Usage); return err }
	}
	if w.Regions != nil {
		calls["Prices"] = func(ctx context.Context) error { _, err := w.Collector.Prices(ctx, w.Regions); return err }
	}
	if w.Committed != nil {
		calls["Commitments"] = func(ctx context.Context) error { _, err := reader(t, w).Commitments(ctx, *w.Committed); return err }
	}
	if w.Advises {
		calls["Advice"] = func(ctx context.Context) error { _, err := adviser(t, w).Advice(ctx); return err }
	}
	for name, call := range calls {
		before := goroutines()
		ctx, cancel := context.WithCancel(t.Context())
		if w.Hang == nil {
			cancel()
		}
		var asked <-chan struct{}
		if w.Hang != nil {
			asked = w.Hang()
		}
		ended := make(chan error, 1)
		go func() { ended <- call(ctx) }()
		if w.Hang != nil {
			select {
			case <-asked:
			case err := <-ended:
				t.Errorf("%s ended before the cloud answered: %v", name, err)
				ended <- err
			}
			cancel()
		}
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s ends with %v, want the context's error", name, err)
			}
		case <-time.After(prompt):
			t.Errorf("%s goes on after its context ended", name)
		}
		cancel()
		leftNothing(t, before)
	}
}
