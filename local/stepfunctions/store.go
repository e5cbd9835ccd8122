package stepfunctions

import (
	"context"
	"errors"
	"time"
)

// ErrExists says that an execution with this ARN is already in the store.
var ErrExists = errors.New("the execution exists")

// ErrUnknown says that no execution with this ARN is in the store.
var ErrUnknown = errors.New("the execution does not exist")

// ErrConflict says that somebody else has moved the execution on: its next event is already written.
var ErrConflict = errors.New("the execution was moved on by another engine")

// Store keeps executions. Every method is one transaction.
type Store interface {
	// Create adds an execution with its first frame and event, or returns ErrExists.
	Create(ctx context.Context, x Execution, root Frame, first Event) error
	// Commit writes one transition; ErrConflict when one of its events is already there.
	Commit(ctx context.Context, c Change) error
	// Load gives an execution and where it is, or ErrUnknown.
	Load(ctx context.Context, arn string) (Position, error)
	// List gives the executions that the filter selects, the latest first.
	List(ctx context.Context, f Filter) ([]Execution, error)
	// Events gives the events whose id is greater than after, at most limit, in order.
	Events(ctx context.Context, arn string, after int64, limit int) ([]Event, error)
}

// Position is where an execution is.
type Position struct {
	Execution Execution
	Frames    []Frame // none once it has ended
	LastEvent int64
}

// Change is one transition of an execution.
type Change struct {
	ARN     string
	Closed  *Execution // the execution itself, when the transition ends it
	Frames  []Frame    // new or changed
	Removed []string   // paths of frames that are no more
	Events  []Event
}

func (c Change) empty() bool {
	return c.Closed == nil && len(c.Frames) == 0 && len(c.Removed) == 0 && len(c.Events) == 0
}

// Filter selects executions. Zero fields select all.
type Filter struct {
	Machine string
	Status  Status
	Before  time.Time // started before, or at that time with a lesser ARN
	ARN     string
	Limit   int
}
