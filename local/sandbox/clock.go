// Package sandbox is a simulated company on four clouds, for local runs and tests only: its bills, inventory, utilisation and
// health follow from a seed, a log of changes, the faults asked for, and a clock that can be advanced. The system meets it
// only through the contracts that real clouds fulfil, ingest.Collector and rollout.Actor.
package sandbox

import (
	"context"
	"slices"
	"sync"
	"time"
)

// settle is the least real time between two leaps: whoever has just woken gets to run, and may go to sleep again,
// before the clock leaps on.
const settle = time.Millisecond

// ahead is how much more time than has passed is kept: a clock that runs writes it so often only, and must not show a
// time again after a restart.
const ahead = 10 * time.Second

// Clock is simulated time. It runs as real time does, and whenever somebody sleeps it leaps to the earliest deadline, so
// that half an hour of watching passes in a moment. It never goes back, not even over a restart.
type Clock struct {
	pace  time.Duration
	still bool
	keep  func(time.Time) // called with a time that Now has not passed yet, to survive a restart

	mu       sync.Mutex
	sim      time.Time // simulated time at the real instant real
	real     time.Time
	kept     time.Time  // what keep was called with
	sleepers []*sleeper // by deadline
	due      bool       // a leap is on its way
}

type sleeper struct {
	deadline time.Time
	wake     chan struct{}
}

// newClock starts a clock at start. A still one moves by Sleep and Advance only.
func newClock(start time.Time, pace time.Duration, still bool, keep func(time.Time)) *Clock {
	return &Clock{pace: max(pace, settle), still: still, keep: keep, sim: start.UTC(), real: time.Now()}
}

// Now is the simulated time, UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.still {
		return c.sim
	}
	now := c.sim.Add(time.Since(c.real)).Truncate(time.Microsecond)
	if now.After(c.kept) {
		c.keepUntil(now.Add(ahead))
	}
	return now
}

// keepUntil keeps t as a time that is not over yet.
func (c *Clock) keepUntil(t time.Time) {
	c.kept = t
	if c.keep != nil {
		c.keep(t)
	}
}

// Sleep returns when d of simulated time has passed, or with the context's error when that ends first. Sleepers wake in
// the order of their deadlines.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s := &sleeper{wake: make(chan struct{})}
	c.mu.Lock()
	s.deadline = c.now().Add(d)
	at, _ := slices.BinarySearchFunc(c.sleepers, s.deadline, func(other *sleeper, t time.Time) int {
		if other.deadline.After(t) {
			return 1
		}
		return -1
	})
	c.sleepers = slices.Insert(c.sleepers, at, s)
	c.schedule()
	c.mu.Unlock()
	select {
	case <-s.wake:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sleepers = slices.DeleteFunc(c.sleepers, func(other *sleeper) bool { return other == s })
		return ctx.Err()
	}
}

// Advance moves the clock by d and wakes everybody whose deadline that passes. A negative d does nothing.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.set(c.now().Add(d))
	}
}

// schedule sees to it that the clock leaps once the pace is over. The caller holds the lock.
func (c *Clock) schedule() {
	if c.due || len(c.sleepers) == 0 {
		return
	}
	c.due = true
	time.AfterFunc(c.pace, c.leap)
}

// leap moves to the earliest deadline.
func (c *Clock) leap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = false
	if len(c.sleepers) > 0 {
		c.set(c.sleepers[0].deadline)
	}
	c.schedule()
}

// set moves to t unless that is in the past, and wakes who is due. The caller holds the lock.
func (c *Clock) set(t time.Time) {
	if now := c.now(); t.Before(now) {
		t = now
	}
	c.sim, c.real = t, time.Now()
	c.keepUntil(t)
	for len(c.sleepers) > 0 && !c.sleepers[0].deadline.After(t) {
		close(c.sleepers[0].wake)
		c.sleepers = c.sleepers[1:]
	}
}
