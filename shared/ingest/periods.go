package ingest

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// FinalBefore is the moment before which providers have written their usage: midnight of the UTC day that holds the moment
// 48 hours before now. Days before it are judged as complete; the later ones are still being written. Every provider's own
// documentation promises usage within 24 to 48 hours.
func FinalBefore(now time.Time) time.Time { return cost.Day(now.Add(-48 * time.Hour)) }

// FirstPull is how many months a new connection is read back: enough for a yearly season and a half.
const FirstPull = 18

// Restated is how many months are read again each time: the running one, and the one before, which providers go on
// correcting until its invoice is written.
const Restated = 2

// Months lists the starts of the last n calendar months up to the one that holds now, oldest first.
func Months(now time.Time, n int) []time.Time {
	this := cost.MonthStart(now)
	months := make([]time.Time, 0, max(n, 0))
	for back := n - 1; back >= 0; back-- {
		months = append(months, this.AddDate(0, -back, 0))
	}
	return months
}
