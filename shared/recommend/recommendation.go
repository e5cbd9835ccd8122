// Package recommend finds what could cost less, says how much that would save and what speaks for and against it, and
// plans the change to the last target so that it can be approved as it stands.
package recommend

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Status is where a recommendation stands; the words of the FOCUS recommendation draft, and Approved.
type Status string

// The statuses.
const (
	Open        Status = "open"
	Approved    Status = "approved"    // somebody agreed to exactly this plan; it may be executed
	Implemented Status = "implemented" // an execution of it was completed
	Dismissed   Status = "dismissed"
	Expired     Status = "expired" // the last generation no longer found it
)

// Recommendation is one change that would save money, planned and scored.
type Recommendation struct {
	// ID is the same for the same rule, connection and targets, so that generating again updates instead of doubling.
	ID          string         `json:"id"`
	Rule        string         `json:"rule"`        // "idle-volume", "right-size", "volume-type"
	Subcategory string         `json:"subcategory"` // FOCUS draft: "Rightsizing", "Idle Resource Removal", "Modernization"
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Connection  string         `json:"connection"`
	Cloud       resource.Cloud `json:"cloud"`
	Plan        plan.Plan      `json:"plan"`
	PlanHash    string         `json:"plan_hash"`
	Saving      Saving         `json:"saving"`
	Score       Score          `json:"score"`
	Evidence    []Evidence     `json:"evidence"`
	Warnings    []string       `json:"warnings,omitempty"`
	Status      Status         `json:"status"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
	Approval    *Approval      `json:"approval,omitempty"`
	Dismissal   *Dismissal     `json:"dismissal,omitempty"`
}

// Dismissal is why somebody does not want it.
type Dismissal struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Saving is what a month of 730 hours would cost less.
type Saving struct {
	Monthly cost.Money `json:"monthly"` // effective cost, corrected by what earlier executions taught
	// Source says what the figure rests on.
	Source Source `json:"source"`
	// Uncalibrated is the saving before that correction, which learning compares with what was realised.
	Uncalibrated       cost.Money `json:"uncalibrated"`
	CalibrationVersion int        `json:"calibration_version"` // 0: nothing has been learned yet
}

// Source is what a figure rests on.
type Source string

// The sources.
const (
	FromBill      Source = "bill"       // the customer's own effective rates
	FromPriceList Source = "price-list" // the provider's list prices
)

// Approval is somebody's agreement to one plan and no other.
type Approval struct {
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	PlanHash string    `json:"plan_hash"`
}

// Evidence is one fact that the recommendation rests on.
type Evidence struct {
	Name  string `json:"name"`  // "cpu_percent p99"
	Value string `json:"value"` // "17.2"
	Text  string `json:"text"`  // a sentence for people
}

// Score is the ranking, 0 to 100, with all that went into it.
type Score struct {
	Total   float64  `json:"total"`
	Factors []Factor `json:"factors"`
}

// Factor is one part of a score: Points of at most Weight.
type Factor struct {
	Name   string  `json:"name"` // "savings", "effort", "risk", "confidence"
	Weight float64 `json:"weight"`
	Points float64 `json:"points"`
	Text   string  `json:"text"`
}

// Rejected is a change that was considered and not recommended.
type Rejected struct {
	Rule   string       `json:"rule"`
	Ref    resource.Ref `json:"ref"`
	Reason string       `json:"reason"`
}
