package cost

import "time"

// Series is one value a day, from Start on. Values are float64 because statistics need no cents; money in answers
// comes from decimals. A NaN is a day that nobody has reported yet, which is not the same as a day of zero cost.
type Series struct {
	Scope    Scope
	Basis    Basis
	Currency Currency
	Start    time.Time // UTC midnight of Values[0]
	Values   []float64
	// Final is how many leading values the provider will not change any more; those from Values[Final] on are
	// provisional and are never judged as complete.
	Final int
}

// Day is the date of Values[i]; i may lie past the end, for forecasts.
func (s Series) Day(i int) time.Time { return s.Start.AddDate(0, 0, i) }

// Index is the position of t's day, which may lie outside the values.
func (s Series) Index(t time.Time) int { return int(Day(t).Sub(s.Start) / (24 * time.Hour)) }

// Period is the span that the values cover.
func (s Series) Period() Period { return Days(s.Start, len(s.Values)) }

// SeriesQuery asks for daily series: one for each combination of values of By, and currency, that has costs in Period.
type SeriesQuery struct {
	Period Period
	Basis  Basis
	By     []Dimension            // at most four; none is the whole bill
	Filter map[Dimension][]string // any of the values; dimensions are and-ed
	// FinalBefore is the moment before which usage is complete; it decides Series.Final.
	FinalBefore time.Time
}
