package ingest

import (
	"slices"
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

// Unbroken is the longest time around a day for which a connection's bills are loaded without a month missing in between; empty
// when there is none for the day itself.
func Unbroken(covered []Coverage, connection string, day time.Time) cost.Period {
	var periods []cost.Period
	for _, c := range covered {
		if c.Connection == connection {
			periods = append(periods, c.Period)
		}
	}
	slices.SortFunc(periods, func(a, b cost.Period) int { return a.Start.Compare(b.Start) })
	whole := cost.Period{Start: day, End: day}
	for i, p := range periods {
		if i == 0 || p.Start.After(whole.End) {
			if whole.Contains(day) {
				break
			}
			whole = p
			continue
		}
		if p.End.After(whole.End) {
			whole.End = p.End
		}
	}
	if !whole.Contains(day) {
		return cost.Period{Start: day, End: day}
	}
	return whole
}
