package sandbox

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

var nine = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func TestClockLeapsToDeadlinesInOrder(t *testing.T) {
	t.Parallel()
	c := newClock(nine, 50*time.Millisecond, true, nil)
	var mu sync.Mutex
	var woke []time.Duration
	var group sync.WaitGroup
	for _, d := range []time.Duration{30 * time.Minute, time.Minute, 24 * time.Hour, 5 * time.Minute} {
		group.Go(func() {
			if err := c.Sleep(t.Context(), d); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			woke = append(woke, d)
			if got := c.Now().Sub(nine); got != d {
				t.Errorf("woke after %s, want %s", got, d)
			}
		})
	}
	group.Wait()
	for i := 1; i < len(woke); i++ {
		if woke[i] < woke[i-1] {
			t.Fatalf("woke in the order %v", woke)
		}
	}
	if len(woke) != 4 {
		t.Fatalf("%d of 4 woke", len(woke))
	}
}

func TestClockRunsWithRealTimeAndNeverBack(t *testing.T) {
	t.Parallel()
	c := newClock(nine, 0, false, nil)
	before := c.Now()
	c.Advance(-time.Hour)
	c.Advance(time.Hour)
	after := c.Now()
	if after.Sub(before) < time.Hour || after.Sub(before) > time.Hour+time.Minute {
		t.Errorf("an hour later it is %s later", after.Sub(before))
	}
	for range 1000 {
		now := c.Now()
		if now.Before(after) {
			t.Fatalf("the clock went back from %s to %s", after, now)
		}
		after = now
	}
	for deadline := time.Now().Add(5 * time.Second); !c.Now().After(after); {
		if time.Now().After(deadline) {
			t.Fatal("the clock stands still")
		}
	}
}

func TestClockSleepStopsWithContext(t *testing.T) {
	t.Parallel()
	c := newClock(nine, time.Hour, true, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Sleep(ctx, time.Minute) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("Sleep gave %v, want context.Canceled", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sleepers) != 0 {
		t.Error("the cancelled sleeper is still queued")
	}
}

func TestClockAdvanceWakes(t *testing.T) {
	t.Parallel()
	c := newClock(nine, time.Hour, true, nil) // the pace is so long that only Advance can wake
	done := make(chan error)
	go func() { done <- c.Sleep(t.Context(), time.Minute) }()
	for {
		c.mu.Lock()
		n := len(c.sleepers)
		c.mu.Unlock()
		if n == 1 {
			break
		}
	}
	c.Advance(2 * time.Minute)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := c.Now(); !got.Equal(nine.Add(2 * time.Minute)) {
		t.Errorf("Now is %s", got)
	}
}
