package cost

import (
	"fmt"
	"time"
)

// Period is a half-open span of UTC time: Start is in it, End is not.
type Period struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Day is the UTC midnight that begins t's day.
func Day(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// MonthStart is the UTC midnight that begins t's month.
func MonthStart(t time.Time) time.Time {
	y, m, _ := t.UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

// Month is the calendar month that holds t.
func Month(t time.Time) Period {
	start := MonthStart(t)
	return Period{Start: start, End: start.AddDate(0, 1, 0)}
}

// Days is the period of n days that begins at t's day.
func Days(t time.Time, n int) Period {
	start := Day(t)
	return Period{Start: start, End: start.AddDate(0, 0, n)}
}

// Len is the number of whole days in the period.
func (p Period) Len() int { return int(p.End.Sub(p.Start) / (24 * time.Hour)) }

// Contains reports whether t lies in the period.
func (p Period) Contains(t time.Time) bool { return !t.Before(p.Start) && t.Before(p.End) }

// Overlaps reports whether the two periods share any instant.
func (p Period) Overlaps(q Period) bool { return p.Start.Before(q.End) && q.Start.Before(p.End) }

// Months lists the calendar months that the period touches.
func (p Period) Months() []Period {
	var months []Period
	for m := Month(p.Start); m.Start.Before(p.End); m = Month(m.End) {
		months = append(months, m)
	}
	return months
}

// String shows the period as dates: "2026-09-01..2026-10-01".
func (p Period) String() string {
	return fmt.Sprintf("%s..%s", p.Start.UTC().Format(time.DateOnly), p.End.UTC().Format(time.DateOnly))
}
