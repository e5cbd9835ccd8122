package job

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// HeldCommitment is a commitment that a connection holds.
type HeldCommitment struct {
	resource.Commitment

	Connection string                  `json:"connection"`
	ReadAt     time.Time               `json:"read_at"` // when it was last found
	Use        *resource.CommitmentUse `json:"use"`     // nil when the provider does not tell
}

// CommitmentTypeUse is how all commitments of a type that a connection holds were used together.
type CommitmentTypeUse struct {
	resource.CommitmentUse

	Connection string    `json:"connection"`
	ReadAt     time.Time `json:"read_at"`
}

// CommitmentFilter chooses commitments and the place in their order, which is by connection and id.
type CommitmentFilter struct {
	Connection      string // empty: all
	AfterConnection string // with AfterID, the last one of the page before
	AfterID         string
	Limit           int
}

// GivenAdvice is a provider's advice, beside what Cost Agent recommends about the same resource.
type GivenAdvice struct {
	resource.Advice

	Connection string              `json:"connection"`
	ReadAt     time.Time           `json:"read_at"` // when it was last found
	Ours       []OwnRecommendation `json:"recommendations"`
}

// OwnRecommendation is what to know of a recommendation that is held against a provider's.
type OwnRecommendation struct {
	ID      string           `json:"id"`
	Rule    string           `json:"rule"`
	Status  recommend.Status `json:"status"`
	Monthly cost.Money       `json:"monthly_saving"`
}

// AdviceFilter chooses advice and the place in its order, which is by connection, source and the provider's id.
type AdviceFilter struct {
	Connection      string // empty: all
	AfterConnection string // with AfterSource and AfterID, the last one of the page before
	AfterSource     string
	AfterID         string
	Limit           int
}
