package budget

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Evidence is what is known when a budget is judged. Days, Settled and Outlook may reach beyond the period.
type Evidence struct {
	At      time.Time
	Days    []Day     // what each day cost as the bill shows it, in their order; those that cost nothing may be left out
	Settled time.Time // days before it will not change any more; zero: none is settled
	// Reported is the day after the last one that all providers have reported; zero: none has been.
	Reported time.Time
	Begins   time.Time // the first day that any bill shows; zero: not known
	Outlook  *Outlook  // nil: what is to come is not known
	Unknown  string    // why, in a sentence
	Notes    []string  // what else should be said, in sentences
}

// Day is the cost of one day, in the currency and basis of the budget.
type Day struct {
	Day    time.Time
	Amount decimal.Decimal
}

// Outlook is what the days ahead may cost.
type Outlook struct {
	First time.Time   // the day after the last settled one
	Mean  []float64   // by day
	Paths [][]float64 // equally likely courses, each by day
}

// Standing is how a budget stood in one period. A figure that is not known is null, and Reasons say why.
type Standing struct {
	Version int         `json:"version"` // of the budget
	Period  cost.Period `json:"period"`
	At      time.Time   `json:"at"`
	Amount  cost.Money  `json:"amount"`  // of the budget at that time
	Settled bool        `json:"settled"` // nothing of the period will change any more, but for a restated bill
	// Actual is what the bill shows of the period so far, the part on days that are still being written included.
	Actual      *cost.Money  `json:"actual"`
	Provisional *cost.Money  `json:"provisional"` // that part
	Used        *float64     `json:"used_percent"`
	Expected    *Expectation `json:"expected"` // the value at the end of the period
	// Overrun is the probability that the period ends above the amount.
	Overrun *float64  `json:"overrun_probability"`
	Break   *Break    `json:"break"` // nil: not known, or hardly any course passes the amount
	Reached []Reached `json:"thresholds"`
	Reasons []string  `json:"reasons"`
}

// Expectation is an amount that is expected, with its intervals.
type Expectation struct {
	Mean   cost.Money `json:"mean"`
	Low80  cost.Money `json:"low_80"`
	High80 cost.Money `json:"high_80"`
	Low95  cost.Money `json:"low_95"`
	High95 cost.Money `json:"high_95"`
}

// Break is the first day on which the cost of the period so far passes the amount.
type Break struct {
	Happened bool `json:"happened"` // the bill shows it; the three days are the same then
	// Expected is the day on the expected course; nil where that stays within the amount.
	Expected *time.Time `json:"expected"`
	// Earliest and Latest are the days by which one in ten courses, and nine in ten, have passed it; nil where fewer do.
	Earliest *time.Time `json:"earliest"`
	Latest   *time.Time `json:"latest"`
}

// Reached tells whether a threshold is reached.
type Reached struct {
	Threshold

	Limit   cost.Money  `json:"limit"`
	Reached *bool       `json:"reached"` // null: not known
	Value   *cost.Money `json:"value"`   // what was compared with the limit
	// Likely is the probability to end at or above the limit; nil where it was not asked for or is not known.
	Likely *float64   `json:"likely,omitempty"`
	Day    *time.Time `json:"day,omitempty"` // on which the bill reached it
}

// Evaluate judges one period of a budget.
func Evaluate(b Budget, p cost.Period, e Evidence) Standing {
	s := Standing{Version: b.Version, Period: p, At: e.At, Amount: b.Amount, Settled: !e.Settled.Before(p.End), Reached: []Reached{}, Reasons: slices.Clone(e.Notes)}
	if s.Reasons == nil {
		s.Reasons = []string{}
	}
	spent := newSpent(b, p, e)
	spent.tell(&s)
	c := courses{}
	if s.Actual != nil && s.Settled {
		end := s.Actual.Amount.InexactFloat64()
		c = courses{known: true, mean: end, ends: []float64{end}}
		s.Expected = &Expectation{*s.Actual, *s.Actual, *s.Actual, *s.Actual, *s.Actual}
	} else if e.covers(p, &s) {
		c = follow(b, p, e, spent)
		s.Expected = c.expected(b.Amount)
	}
	if c.known {
		over := c.share(func(end float64) bool { return end > b.Amount.Float() })
		s.Overrun = &over
		s.Break = c.breaks(p)
	}
	if day := spent.passes(b.Amount.Amount, false); day != nil {
		s.Break = &Break{Happened: true, Expected: day, Earliest: day, Latest: day}
	}
	for _, t := range b.Thresholds {
		s.Reached = append(s.Reached, reached(t, b, spent, c, s))
	}
	return s
}

// covers reports whether the outlook reaches from what is settled to the end of the period; if not, the standing says why.
func (e Evidence) covers(p cost.Period, s *Standing) bool {
	if e.Outlook == nil {
		if e.Unknown != "" {
			s.Reasons = append(s.Reasons, e.Unknown)
		}
		return false
	}
	if !e.Outlook.reaches(p) {
		s.Reasons = append(s.Reasons, "The last settled day is "+e.Outlook.First.AddDate(0, 0, -1).Format("2 January 2006")+
			"; the end of the period is too far from there to be forecast. Load the later bills.")
		return false
	}
	return true
}

// reaches reports whether the outlook goes on to the end of the period.
func (o *Outlook) reaches(p cost.Period) bool {
	return len(o.Paths) > 0 && !o.First.AddDate(0, 0, len(o.Mean)).Before(p.End)
}

func reached(t Threshold, b Budget, spent spent, c courses, s Standing) Reached {
	r := Reached{Threshold: t, Limit: t.limit(b.Amount)}
	switch {
	case t.On == Actual:
		if s.Actual != nil {
			r.Value, r.Day = s.Actual, spent.passes(r.Limit.Amount, true)
			yes := r.Day != nil && s.Actual.Amount.GreaterThanOrEqual(r.Limit.Amount)
			r.Reached = &yes
			if !yes {
				r.Day = nil
			}
		}
	case s.Expected == nil:
	case t.Probability == nil:
		yes := s.Expected.Mean.Amount.GreaterThanOrEqual(r.Limit.Amount)
		r.Value, r.Reached = &s.Expected.Mean, &yes
	default:
		limit := r.Limit.Float()
		likely := c.share(func(end float64) bool { return end >= limit })
		yes := likely >= *t.Probability
		r.Value, r.Likely, r.Reached = &s.Expected.Mean, &likely, &yes
	}
	return r
}
