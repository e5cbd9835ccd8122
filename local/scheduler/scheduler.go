// Package scheduler is EventBridge Scheduler on one machine: it starts state machines at a regular rate of the given time.
package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"time"
)

// Schedule starts a machine at a rate.
type Schedule struct {
	Name    string
	Machine string
	Rate    string // "rate(1 day)", "rate(12 hours)"
	Input   string // JSON
}

// Scheduler starts what is due. Like EventBridge it does not make up for what it missed while it was not running.
type Scheduler struct {
	start func(ctx context.Context, machine, name string, input []byte) error
	now   func() time.Time
	log   *slog.Logger
	jobs  []*entry
}

type entry struct {
	Schedule
	every time.Duration
	next  time.Time
}

// New reads the rates; the first start of each is one interval from now.
func New(schedules []Schedule, start func(ctx context.Context, machine, name string, input []byte) error, now func() time.Time, log *slog.Logger) (*Scheduler, error) {
	s := &Scheduler{start: start, now: now, log: log}
	for _, one := range schedules {
		every, err := rate(one.Rate)
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", one.Name, err)
		}
		s.jobs = append(s.jobs, &entry{one, every, now().Add(every)})
	}
	return s, nil
}

// Run starts what is due whenever tick fires, until ctx ends. The tick is real; the time that decides is the scheduler's.
func (s *Scheduler) Run(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			s.startDue(ctx)
		}
	}
}

func (s *Scheduler) startDue(ctx context.Context) {
	now := s.now()
	for _, e := range s.jobs {
		if now.Before(e.next) {
			continue
		}
		name := e.Name + "-" + e.next.UTC().Format("20060102T150405") // the same start twice is one execution
		if err := s.start(ctx, e.Machine, name, []byte(e.Input)); err != nil {
			s.log.Error("scheduled start failed", "schedule", e.Name, "error", err)
		}
		e.next = e.next.Add(now.Sub(e.next).Truncate(e.every) + e.every)
	}
}

var rateShape = regexp.MustCompile(`^rate\((\d+) (minute|hour|day)s?\)$`)

func rate(text string) (time.Duration, error) {
	m := rateShape.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is not a rate such as rate(1 day)", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q needs a positive number", text)
	}
	return time.Duration(n) * map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[m[2]], nil
}
