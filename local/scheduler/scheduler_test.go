package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

func TestStartsOncePerInterval(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	var started []string
	s, err := New([]Schedule{{Name: "daily", Machine: "m", Rate: "rate(1 day)"}, {Name: "often", Machine: "m", Rate: "rate(6 hours)"}},
		func(_ context.Context, _, name string, _ []byte) error {
			started = append(started, name)
			return errors.New("a failed start must not stop the others")
		}, func() time.Time { return now }, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{0, nil},
		{6*time.Hour - time.Second, nil},
		{time.Second, []string{"often-20261120T150000"}},
		{time.Second, nil},
		{18 * time.Hour, []string{"daily-20261121T090000", "often-20261120T210000"}}, // the missed ones are not made up for
		{6 * time.Hour, []string{"often-20261121T150000"}},
	} {
		now, started = now.Add(step.after), nil
		s.startDue(t.Context())
		if !slices.Equal(started, step.want) {
			t.Errorf("at %s started %v, want %v", now, started, step.want)
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"rate(1 day)": 24 * time.Hour, "rate(5 minutes)": 5 * time.Minute, "rate(12 hours)": 12 * time.Hour,
		"rate(0 days)": 0, "rate(1 week)": 0, "cron(0 6 * * ? *)": 0, "": 0,
	} {
		got, err := rate(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("rate(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := New(nil, nil, time.Now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { s.Run(ctx, nil); close(done) }()
	cancel()
	<-done
}
