package job

import (
	"context"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// ExecutionStore keeps executions and their journals.
type ExecutionStore interface {
	// CreateExecution stores a pending execution and gives it with its ID; fault.Conflict when the recommendation has an
	// open one.
	CreateExecution(ctx context.Context, t tenant.ID, e rollout.Execution) (rollout.Execution, error)
	// Execution gives one with its phases and journal, or fault.NotFound.
	Execution(ctx context.Context, t tenant.ID, id string) (rollout.Execution, error)
	// OpenExecution gives the open execution of a recommendation, or fault.NotFound.
	OpenExecution(ctx context.Context, t tenant.ID, recommendation string) (rollout.Execution, error)
	// TransitionExecution writes status, reason, fence and times of e if the stored status is one of from. The fence never falls.
	TransitionExecution(ctx context.Context, t tenant.ID, e rollout.Execution, from ...rollout.Status) (bool, error)
	// SavePhase writes a phase; times and final verdicts once written stay.
	SavePhase(ctx context.Context, t tenant.ID, execution string, p rollout.Phase) error
	// AppendJournal adds entries; one of the same phase, step and target that is there already stays as it is.
	AppendJournal(ctx context.Context, t tenant.ID, execution string, entries ...rollout.Entry) error
	// NextFence draws a fencing token greater than all before it.
	NextFence(ctx context.Context) (int64, error)
	// ExecutionFreeze reads the tenant's switch.
	ExecutionFreeze(ctx context.Context, t tenant.ID) (rollout.Freeze, error)
}

// Locker lets one execution at a time touch a target.
type Locker interface {
	// Lock takes or renews the locks of all targets until the given time; fault.Conflict when another owner holds one. What
	// it took until then stays with the owner, who may have held it before; Unlock gives it back.
	Lock(ctx context.Context, t tenant.ID, targets []resource.Ref, owner string, fence int64, until time.Time) error
	// Unlock gives back those that the owner holds.
	Unlock(ctx context.Context, t tenant.ID, targets []resource.Ref, owner string) error
}

// Recommendations are what executions carry out.
type Recommendations interface {
	// Recommendation gives one, or fault.NotFound.
	Recommendation(ctx context.Context, t tenant.ID, id string) (recommend.Recommendation, error)
	// ChangeRecommendation lets change alter one, in one transaction.
	ChangeRecommendation(ctx context.Context, t tenant.ID, id string, change func(*recommend.Recommendation) error) (recommend.Recommendation, error)
}

// Tagged reads what exists, with its tags.
type Tagged interface {
	Inventory(ctx context.Context, t tenant.ID, connection string) ([]recommend.Observed, error)
}

// ConnectionReader finds a connection.
type ConnectionReader interface {
	// Connection fails with fault.NotFound when the tenant has none with this ID.
	Connection(ctx context.Context, t tenant.ID, id string) (ingest.Connection, error)
}

// Rollout is the data side of an execution: the tasks of the state machine "execution". Every method may run twice, or die
// anywhere and run again, and leaves the same record.
type Rollout struct {
	Store           ExecutionStore
	Locks           Locker
	Recommendations Recommendations
	Inventory       Tagged
	Connections     ConnectionReader
	Staging         ingest.Staging
	Actors          map[resource.Cloud]string // function that acts on the cloud
	Collectors      map[resource.Cloud]string // function that reads it
	Rails           rollout.Rails
	Thresholds      rollout.Thresholds
	Now             Clock
}

// How long a lock holds without being renewed. A running execution renews it at every phase, and the longest watch is a day.
// The lock of a stuck one has to outlast any vacation.
const (
	lease      = 3 * rollout.MostWatch
	stuckLease = 10 * 365 * 24 * time.Hour
)

// ExecutionInput names an execution.
type ExecutionInput struct {
	Tenant    tenant.ID `json:"tenant"`
	Execution string    `json:"execution"`
}

// Empty is the output of a task that only does something.
type Empty struct{}

// functions finds the functions of the execution's cloud.
func (r Rollout) functions(cloud resource.Cloud) (actor, collector string, err error) {
	return functionsOf(cloud, r.Actors, r.Collectors)
}

func functionsOf(cloud resource.Cloud, actors, collectors map[resource.Cloud]string) (actor, collector string, err error) {
	if actor = actors[cloud]; actor == "" {
		return "", "", fault.New(fault.Unprocessable, "No actor for %s is configured, so nothing can be changed there. Add it to ACTORS.", cloud)
	}
	if collector = collectors[cloud]; collector == "" {
		return "", "", fault.New(fault.Unprocessable, "No collector for %s is configured, so health there cannot be watched. Add it to COLLECTORS.", cloud)
	}
	return actor, collector, nil
}

// running loads an execution and refuses one that is not running.
func (r Rollout) running(ctx context.Context, in ExecutionInput) (rollout.Execution, error) {
	e, err := r.Store.Execution(ctx, in.Tenant, in.Execution)
	if err == nil && e.Status != rollout.Running {
		err = fault.New(fault.Conflict, "Execution %s is %s, so it cannot go on.", e.ID, e.Status)
	}
	return e, err
}

func (r Rollout) lock(ctx context.Context, t tenant.ID, e rollout.Execution, holds time.Duration) error {
	return r.Locks.Lock(ctx, t, targetsOf(e), e.ID, e.Fence, r.Now().Add(holds))
}

func (r Rollout) unlock(ctx context.Context, t tenant.ID, e rollout.Execution) error {
	return r.Locks.Unlock(ctx, t, targetsOf(e), e.ID)
}

func targetsOf(e rollout.Execution) []resource.Ref {
	out := make([]resource.Ref, len(e.Plan.Targets))
	for i, t := range e.Plan.Targets {
		out[i] = t.Ref
	}
	return out
}
