package ingest

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Coverage is what the record holds of one connection and billing period.
type Coverage struct {
	Connection string      `json:"connection"`
	Period     cost.Period `json:"billing_period"`
	Rows       int64       `json:"rows"`
	FirstUsage time.Time   `json:"first_usage"` // UTC days
	LastUsage  time.Time   `json:"last_usage"`
	Totals     []Total     `json:"totals"`
	SHA256     string      `json:"sha256"` // of the file it came in
	LoadedAt   time.Time   `json:"loaded_at"`
}
