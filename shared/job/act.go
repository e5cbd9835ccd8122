package job

import (
	"context"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Act is the cloud side of an execution: it lets the actor of a connection do one thing to one target.
type Act struct {
	// Actors finds the actor of a connection; of the connection only tenant, ID and cloud are set.
	Actors func(ingest.Connection) (rollout.Actor, error)
}

// CaptureInput names a target to be read for an action.
type CaptureInput struct {
	Tenant     tenant.ID      `json:"tenant"`
	Connection string         `json:"connection"`
	Cloud      resource.Cloud `json:"cloud"`
	Action     plan.Action    `json:"action"`
	Ref        resource.Ref   `json:"ref"`
}

// CommandInput carries a command to a connection.
type CommandInput struct {
	Tenant     tenant.ID       `json:"tenant"`
	Connection string          `json:"connection"`
	Cloud      resource.Cloud  `json:"cloud"`
	Command    rollout.Command `json:"command"`
}

// Capture reads a target.
func (a Act) Capture(ctx context.Context, in CaptureInput) (rollout.Captured, error) {
	actor, err := a.Actors(ingest.Connection{Tenant: in.Tenant, ID: in.Connection, Cloud: in.Cloud})
	if err != nil {
		return rollout.Captured{}, err
	}
	state, err := actor.Capture(ctx, in.Action, in.Ref)
	return rollout.Captured{Ref: in.Ref, State: state}, err
}

// Apply changes a target.
func (a Act) Apply(ctx context.Context, in CommandInput) (rollout.Receipt, error) {
	actor, err := a.actor(in)
	if err != nil {
		return rollout.Receipt{}, err
	}
	return actor.Apply(ctx, in.Command)
}

// VerifyOutput tells whether a target was found changed.
type VerifyOutput struct {
	Ref      resource.Ref `json:"ref"`
	Verified bool         `json:"verified"`
}

// Verify reads a target and tells whether it is as planned.
func (a Act) Verify(ctx context.Context, in CommandInput) (VerifyOutput, error) {
	actor, err := a.actor(in)
	if err != nil {
		return VerifyOutput{}, err
	}
	ok, err := actor.Verify(ctx, in.Command)
	return VerifyOutput{Ref: in.Command.Target.Ref, Verified: ok}, err
}

// RevertOutput is what undoing left, and how the target, or what took its place, was read afterwards.
type RevertOutput struct {
	Receipt  rollout.Receipt `json:"receipt"`
	Captured plan.State      `json:"captured"`
}

// Revert restores a target and reads it anew: that it is as before is to be seen, not to be believed.
func (a Act) Revert(ctx context.Context, in CommandInput) (RevertOutput, error) {
	actor, err := a.actor(in)
	if err != nil {
		return RevertOutput{}, err
	}
	receipt, err := actor.Revert(ctx, in.Command)
	if err != nil {
		return RevertOutput{}, err
	}
	state, err := actor.Capture(ctx, in.Command.Action, rollout.Replaced(receipt, in.Command.Target.Ref))
	return RevertOutput{Receipt: receipt, Captured: state}, err
}

func (a Act) actor(in CommandInput) (rollout.Actor, error) {
	return a.Actors(ingest.Connection{Tenant: in.Tenant, ID: in.Connection, Cloud: in.Cloud})
}
