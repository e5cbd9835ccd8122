// Package rollout carries out an approved plan a little at a time, judges health between the phases, and restores the
// captured state when health drops or anything fails.
package rollout

import (
	"context"

	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Actor changes resources of one connection of one cloud. Every method is idempotent: called twice, the second call
// finds the work done and changes nothing. Errors are of package fault: Throttled and Unavailable are worth a retry,
// Drifted means that the target is in neither the state before nor the state after the change, Conflict that a newer
// fencing token has been seen.
type Actor interface {
	// Capture reads the attributes that the action would read or write.
	Capture(ctx context.Context, action plan.Action, ref resource.Ref) (plan.State, error)
	// Apply brings the target from Before to After and waits until the cloud says so.
	Apply(ctx context.Context, c Command) (Receipt, error)
	// Verify reads the target anew and reports whether it is in the state After.
	Verify(ctx context.Context, c Command) (bool, error)
	// Revert brings the target back to Before, from whatever a completed, broken or never begun Apply left.
	Revert(ctx context.Context, c Command) (Receipt, error)
}

// Command is one change of one target under one execution.
type Command struct {
	Execution string            `json:"execution"`
	Fence     int64             `json:"fence"` // fencing token of the execution's lock; an older one than seen is refused
	Action    plan.Action       `json:"action"`
	Target    plan.Target       `json:"target"`
	Handles   map[string]string `json:"handles,omitempty"` // from the receipt of Apply, for Revert: "snapshot"
}

// Receipt is what a change left behind.
type Receipt struct {
	Ref     resource.Ref      `json:"ref"`
	Changed bool              `json:"changed"`           // false: it was as wanted already
	State   plan.State        `json:"state"`             // as read after the change
	Handles map[string]string `json:"handles,omitempty"` // what undoing needs: "snapshot"; or what replaced the target: "replacement"
}
