package resource

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Commitment is a discount bought for a promise: a reservation of so many machines, or so much money an hour.
type Commitment struct {
	Cloud    Cloud              `json:"cloud"`
	Account  string             `json:"account"` // FOCUS SubAccountId of the holder
	Region   string             `json:"region"`  // empty when it is bound to none
	ID       string             `json:"id"`      // FOCUS CommitmentDiscountId, as the bill writes it
	Name     string             `json:"name"`
	Type     string             `json:"type"`     // FOCUS CommitmentDiscountType, the provider's word: "Savings Plan"
	Category CommitmentCategory `json:"category"` // FOCUS CommitmentDiscountCategory
	Service  string             `json:"service"`  // what it covers, as the provider names it
	Size     string             `json:"size"`     // instance type, family or series; empty when it is bound to none
	Quantity decimal.Decimal    `json:"quantity"` // what was promised, in Unit
	Unit     string             `json:"unit"`     // "instances", "vCPU", "GiB"; of a Spend commitment its currency an hour: "USD/hour"
	// Hourly is what an hour of it costs, upfront payments spread over the term; nil when the provider does not say.
	Hourly   *decimal.Decimal `json:"hourly"`
	Currency cost.Currency    `json:"currency,omitempty"` // of Hourly
	Payment  string           `json:"payment"`            // all_upfront, partial_upfront, no_upfront; empty when the provider does not say
	Start    time.Time        `json:"start"`
	End      time.Time        `json:"end"`   // exclusive
	State    string           `json:"state"` // as the provider writes it
}

// CommitmentCategory is FOCUS CommitmentDiscountCategory.
type CommitmentCategory string

// The categories.
const (
	UsageCommitment CommitmentCategory = "Usage" // so much of a resource
	SpendCommitment CommitmentCategory = "Spend" // so much money
)

// CommitmentUse is how one commitment, or all of a type, was used over a period.
type CommitmentUse struct {
	Cloud      Cloud       `json:"cloud"`
	Account    string      `json:"account"`
	Type       string      `json:"type"`       // as in Commitment
	Commitment string      `json:"commitment"` // its ID; empty: all of the type together
	Period     cost.Period `json:"period"`
	Used       *float64    `json:"used"`    // the share of what was promised that was used, 0 to 1; nil when unknown
	Covered    *float64    `json:"covered"` // the share of what could have been covered that was, 0 to 1; nil when unknown
	// Unused is what the part that was not used cost; nil when unknown.
	Unused   *decimal.Decimal `json:"unused"`
	Currency cost.Currency    `json:"currency,omitempty"` // of Unused
}

// Advice is a recommendation of the provider's own.
type Advice struct {
	Ref
	Source  string `json:"source"`  // the provider's service that gives it: "Recommender", "Advisor"
	Advice  string `json:"advice"`  // the provider's id of it
	Kind    string `json:"kind"`    // the provider's word for what to do: "CHANGE_MACHINE_TYPE"
	Text    string `json:"text"`    // the provider's sentence
	Current string `json:"current"` // size now; empty when it is about none
	Advised string `json:"advised"` // size that is advised
	// Saving is what it would save in a month of 730 hours; nil when the provider does not say.
	Saving   *decimal.Decimal `json:"saving"`
	Currency cost.Currency    `json:"currency,omitempty"` // of Saving
	At       time.Time        `json:"at"`                 // when the provider made it
}
