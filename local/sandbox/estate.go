package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

const usd = cost.Currency("USD")

// DefaultToday is when simulated time begins: a Friday morning.
var DefaultToday = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// Options say which estate to open. The zero value is the default one, in memory.
type Options struct {
	Seed  int64
	Dir   string        // where the change log and the time are kept; empty: in memory only
	Start time.Time     // first day with a bill; default: 17 months before the month of Today
	Today time.Time     // when simulated time begins; default DefaultToday
	Pace  time.Duration // real time that a leap of the clock takes, at least a millisecond
	Still bool          // the clock does not run with real time, only by Sleep and Advance
}

// Estate is the simulated company. It may be used from many goroutines.
type Estate struct {
	base   beginning
	clock  *Clock
	log    *changeLog
	meters []meter

	mu     sync.RWMutex
	items  []*item
	byID   map[string]*item
	past   map[string][]change // set and delete, by resource id, oldest first
	made   []change            // set, create and delete: every real change
	fences map[string]int64
	faults []*activeFault
	seq    int64
}

// Open raises the estate of the seed and replays the changes kept in Dir. A Dir that belongs to another seed or other
// dates is refused.
func Open(o Options) (*Estate, error) {
	today := cmp.Or(o.Today, DefaultToday).UTC()
	start := cmp.Or(o.Start, cost.MonthStart(today).AddDate(0, -17, 0)).UTC()
	base := beginning{Seed: o.Seed, Start: midnight(start), Today: today}
	log, changes, err := openLog(o.Dir)
	if err != nil {
		return nil, err
	}
	e := &Estate{base: base, log: log, items: company(base.Seed, base.Start, base.Today), meters: meters(base),
		byID: map[string]*item{}, past: map[string][]change{}, fences: map[string]int64{}}
	for _, it := range e.items {
		e.byID[it.ref.ID] = it
	}
	now := today
	for _, c := range changes {
		if c.Begin != nil && *c.Begin != base {
			return nil, errors.Join(fmt.Errorf("sandbox folder %s holds another estate: seed %d, %s to %s", o.Dir, c.Begin.Seed,
				c.Begin.Start.Format(time.DateOnly), c.Begin.Today.Format(time.DateOnly)), log.close())
		}
		e.replay(c)
		now = later(now, c.At)
	}
	e.clock = newClock(later(now, log.time()), o.Pace, o.Still, log.keepTime)
	if len(changes) == 0 {
		if err := e.record(change{Op: opBegin, Begin: &base}); err != nil {
			return nil, errors.Join(fmt.Errorf("sandbox change log: %w", err), log.close())
		}
	}
	return e, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func midnight(t time.Time) time.Time { return cost.Day(t) }

func compareText(a, b string) int { return cmp.Compare(a, b) }

// Close keeps the time and closes the log. The estate must not be used afterwards.
func (e *Estate) Close() error {
	e.log.keepTime(e.clock.Now())
	return e.log.close()
}

// Clock is the estate's time.
func (e *Estate) Clock() *Clock { return e.clock }

// Connections are the four clouds, to be registered for a tenant.
func (e *Estate) Connections() []ingest.Connection {
	return []ingest.Connection{
		{ID: "aws-main", Cloud: resource.AWS, Name: "Meridian on AWS"},
		{ID: "gcp-main", Cloud: resource.GCP, Name: "Meridian on Google Cloud"},
		{ID: "azure-main", Cloud: resource.Azure, Name: "Meridian on Azure"},
		{ID: "vultr-main", Cloud: resource.Vultr, Name: "Meridian on Vultr"},
	}
}

// Collector reads the cloud's part of the estate.
func (e *Estate) Collector(cloud resource.Cloud) ingest.Collector {
	c := collector{e, cloud}
	if cloud == planCloud {
		return planCollector{c}
	}
	return c
}

// Actor changes the cloud's part of the estate.
func (e *Estate) Actor(cloud resource.Cloud) rollout.Actor { return actor{e, cloud} }

// Mutation is one real change of one resource.
type Mutation struct {
	Seq       int64             `json:"seq"`
	At        time.Time         `json:"at"`
	Ref       resource.Ref      `json:"ref"`
	Execution string            `json:"execution"`
	Action    plan.Action       `json:"action,omitempty"`
	Step      string            `json:"step"` // stop, modify, start, snapshot, delete, restore, delete-snapshot, drift
	Set       map[string]string `json:"set,omitempty"`
}

// Mutations lists every change that was really made to the resource, oldest first; a call that found its work done made
// none. The zero Ref lists those of all resources.
func (e *Estate) Mutations(ref resource.Ref) []Mutation {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var out []Mutation
	for _, c := range e.made {
		if ref == (resource.Ref{}) || c.Ref == ref {
			out = append(out, Mutation{Seq: c.Seq, At: c.At, Ref: c.Ref, Execution: c.Execution, Action: c.Action, Step: c.Step, Set: maps.Clone(c.Set)})
		}
	}
	return out
}

// Snapshot is everything that exists now, in a fixed order. SeenAt is left zero, so that two snapshots of the same state
// are equal.
func (e *Estate) Snapshot() []resource.Resource {
	return e.view().resources(func(*item) bool { return true })
}

// record appends a change, and only then lets it be seen.
func (e *Estate) record(c change) error {
	c.Seq, c.At = e.seq+1, e.clock.Now()
	if err := e.log.append(c); err != nil {
		return err
	}
	e.replay(c)
	return nil
}

// replay brings a logged change into the state.
func (e *Estate) replay(c change) {
	e.seq = c.Seq
	switch c.Op {
	case opSet, opDelete:
		e.past[c.Ref.ID] = append(e.past[c.Ref.ID], c)
		e.made = append(e.made, c)
	case opCreate:
		f := form{}.apply(c.Created.Attributes)
		it := &item{ref: c.Ref, name: c.Created.Name, app: c.Created.Tags["application"], tags: c.Created.Tags, born: c.At, form: f, from: c.Created.From}
		if from := e.byID[c.Created.From]; from != nil {
			it.load = from.load
		}
		e.items = append(e.items, it)
		e.byID[c.Ref.ID] = it
		e.made = append(e.made, c)
	case opFence:
		e.fences[c.Ref.ID] = c.Fence
	case opFault:
		e.faults = append(e.faults, &activeFault{Fault: *c.Fault, id: c.FaultID, since: c.At})
	case opSpent:
		for _, f := range e.faults {
			if f.id == c.FaultID {
				f.spent++
			}
		}
	case opClear:
		for _, f := range e.faults {
			if f.ended.IsZero() {
				f.ended = c.At
			}
		}
	}
}
