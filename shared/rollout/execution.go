package rollout

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Status is where an execution stands.
type Status string

// The statuses. The first two are open, the others final, but for Stuck, which can be resumed.
const (
	Pending    Status = "pending"
	Running    Status = "running"
	Completed  Status = "completed"
	RolledBack Status = "rolled-back" // every target is as captured again
	Refused    Status = "refused"     // nothing was changed
	Stuck      Status = "stuck"       // a rollback failed: the lock is kept and somebody must look
)

// Mode is how fast an execution goes.
type Mode string

// The modes.
const (
	Immediate Mode = "immediate" // all targets at once, still watched and rolled back
	Gradual   Mode = "gradual"   // 10 %, 50 %, 100 %
	Scheduled Mode = "scheduled" // gradual, from a given time on
)

// Execution is the carrying out of one approved plan.
type Execution struct {
	ID             string     `json:"id"`
	Recommendation string     `json:"recommendation"`
	Connection     string     `json:"connection"`
	Plan           plan.Plan  `json:"plan"`
	PlanHash       string     `json:"plan_hash"`
	Strategy       Strategy   `json:"strategy"`
	DryRun         bool       `json:"dry_run"`
	Estimated      cost.Money `json:"estimated_monthly_saving"`
	Uncalibrated   cost.Money `json:"uncalibrated_monthly_saving"` // before calibration, so that learning does not learn from its own corrections
	RequestedBy    string     `json:"requested_by"`
	ApprovedBy     string     `json:"approved_by"`
	Status         Status     `json:"status"`
	Reason         string     `json:"reason,omitempty"` // why it was rolled back, refused or got stuck: for people
	Fence          int64      `json:"fence"`
	Phases         []Phase    `json:"phases"`
	Journal        []Entry    `json:"journal"`
	CreatedAt      time.Time  `json:"created_at"`
	StartedAt      time.Time  `json:"started_at,omitzero"`
	EndedAt        time.Time  `json:"ended_at,omitzero"`
}

// Strategy says how the targets are divided and how long each phase is watched.
type Strategy struct {
	Mode  Mode          `json:"mode"`
	At    time.Time     `json:"at,omitzero"` // of Scheduled
	Steps []int         `json:"steps"`       // cumulative percent of the targets: 10, 50, 100
	Watch time.Duration `json:"watch"`
}

// Phase is one step of the rollout.
type Phase struct {
	Number    int            `json:"number"` // from 1
	Percent   int            `json:"percent"`
	Targets   []resource.Ref `json:"targets"` // those that this phase changes
	StartedAt time.Time      `json:"started_at,omitzero"`
	AppliedAt time.Time      `json:"applied_at,omitzero"`
	JudgedAt  time.Time      `json:"judged_at,omitzero"`
	Verdict   Verdict        `json:"verdict,omitempty"`
	Reasons   []string       `json:"reasons,omitempty"`
}

// Verdict is the judgement on a phase.
type Verdict string

// The verdicts.
const (
	Healthy   Verdict = "healthy"
	Unhealthy Verdict = "unhealthy"
	Unclear   Verdict = "unclear" // not enough data yet: watch longer
)

// Entry is one line of the journal: written before a change is tried, and again with what came of it.
type Entry struct {
	Seq    int64        `json:"seq"`
	At     time.Time    `json:"at"`
	Phase  int          `json:"phase"`
	Step   Step         `json:"step"`
	Ref    resource.Ref `json:"ref,omitzero"`
	Before plan.State   `json:"before,omitempty"`
	After  plan.State   `json:"after,omitempty"`
	Result *Receipt     `json:"result,omitempty"`
	Note   string       `json:"note,omitempty"`
}

// Step is what a journal entry is about.
type Step string

// The steps.
const (
	Intended       Step = "intended" // about to be applied
	Applied        Step = "applied"
	Verified       Step = "verified"
	RevertIntended Step = "revert-intended"
	Reverted       Step = "reverted"
	Failed         Step = "failed"
	Judged         Step = "judged"
)
