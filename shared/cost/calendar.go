package cost

import "time"

// Calendar names the days that are special where a customer works: public holidays. Keys are UTC midnights, values the name of
// the day, the same in every year: "Christmas Day". A nil Calendar knows none.
type Calendar map[time.Time]string

// Name is what the day is called; empty when it is a day as any other.
func (c Calendar) Name(day time.Time) string { return c[Day(day)] }
