package budget_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// november has ten settled days of 10.10, two that are being written, and paths of 8 to 12 a day from then on.
func november() budget.Evidence {
	e := budget.Evidence{At: day(11, 12).Add(9 * time.Hour), Settled: day(11, 11), Reported: day(11, 13)}
	for d := 1; d <= 10; d++ {
		e.Days = append(e.Days, budget.Day{Day: day(11, d), Amount: decimal.RequireFromString("10.10")})
	}
	e.Days = append(e.Days, budget.Day{Day: day(11, 11), Amount: decimal.RequireFromString("9")}, budget.Day{Day: day(11, 12), Amount: decimal.RequireFromString("1")})
	flat := func(v float64) []float64 {
		out := make([]float64, 20)
		for i := range out {
			out[i] = v
		}
		return out
	}
	e.Outlook = &budget.Outlook{First: e.Settled, Mean: flat(10)}
	for i := range 41 {
		e.Outlook.Paths = append(e.Outlook.Paths, flat(8+float64(i)*0.1))
	}
	return e
}

func november2026() cost.Period { return budget.Monthly.Period(day(11, 1)) }

func date(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Format("02")
}

func TestABudgetThatWillBreak(t *testing.T) {
	t.Parallel()
	s := budget.Evaluate(of("250"), november2026(), november())
	if s.Actual.Amount.String() != "111" || s.Provisional.Amount.String() != "10" || *s.Used != 44.4 || s.Settled {
		t.Errorf("actual %s, provisional %s, used %v", s.Actual, s.Provisional, *s.Used)
	}
	// 101 settled and twenty days of 10; the paths of less than 9 a day cost 9 on the 11th, for that much is on the bill.
	if s.Expected.Mean.String() != "301.00 USD" || s.Expected.Low95.Amount.LessThan(decimal.RequireFromString("262")) || s.Expected.High95.Amount.GreaterThan(decimal.RequireFromString("341")) {
		t.Errorf("expected %+v", s.Expected)
	}
	if *s.Overrun != 1 || s.Break.Happened || date(s.Break.Expected) != "25" || date(s.Break.Earliest) != "23" || date(s.Break.Latest) != "28" {
		t.Errorf("overrun %v, breaks on %s, from %s to %s", *s.Overrun, date(s.Break.Expected), date(s.Break.Earliest), date(s.Break.Latest))
	}
	if len(s.Reasons) != 1 || !strings.Contains(s.Reasons[0], "11 November") {
		t.Errorf("said %q", s.Reasons)
	}
}

func TestHowABudgetStands(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		amount                     string
		change                     func(*budget.Evidence)
		overrun                    float64 // -1: not known
		happened                   bool
		expected, earliest, latest string // "-": no break
	}{
		"far too much":                          {"1000", nil, 0, false, "-", "-", "-"},
		"as is expected":                        {"301.005", nil, 20.0 / 41, false, "never", "28", "never"},
		"broken, to the cent":                   {"30.29", nil, 1, true, "03", "03", "03"},
		"a cent over so far":                    {"110.99", nil, 1, true, "12", "12", "12"},
		"settled, just kept":                    {"111", func(e *budget.Evidence) { e.Settled = day(12, 1) }, 0, false, "-", "-", "-"},
		"settled, a cent over":                  {"110.99", func(e *budget.Evidence) { e.Settled = day(12, 1) }, 1, true, "12", "12", "12"},
		"no outlook":                            {"250", func(e *budget.Evidence) { e.Outlook, e.Unknown = nil, "Too few days." }, -1, false, "-", "-", "-"},
		"outlook ends too soon":                 {"250", func(e *budget.Evidence) { e.Outlook.Mean = e.Outlook.Mean[:19] }, -1, false, "-", "-", "-"},
		"known to be broken without an outlook": {"50", func(e *budget.Evidence) { e.Outlook = nil }, -1, true, "05", "05", "05"},
	} {
		e := november()
		if tt.change != nil {
			tt.change(&e)
		}
		s := budget.Evaluate(of(tt.amount), november2026(), e)
		switch {
		case tt.overrun < 0 && s.Overrun != nil, tt.overrun >= 0 && (s.Overrun == nil || *s.Overrun != tt.overrun):
			t.Errorf("%s: overrun %v, want %v", name, s.Overrun, tt.overrun)
		case tt.expected == "-" && s.Break != nil:
			t.Errorf("%s: breaks %+v", name, s.Break)
		case tt.expected == "-":
		case s.Break == nil || s.Break.Happened != tt.happened || date(s.Break.Expected) != tt.expected || date(s.Break.Earliest) != tt.earliest || date(s.Break.Latest) != tt.latest:
			t.Errorf("%s: breaks %+v", name, s.Break)
		}
		if (s.Expected == nil) != (s.Overrun == nil) || s.Overrun == nil && name != "known to be broken without an outlook" && len(s.Reasons) < 2 {
			t.Errorf("%s: expected %v, said %q", name, s.Expected, s.Reasons)
		}
	}
}

func TestNothingKnownIsNotZero(t *testing.T) {
	t.Parallel()
	s := budget.Evaluate(of("10"), november2026(), budget.Evidence{At: day(11, 12), Unknown: "No bill has such costs."})
	if s.Actual != nil || s.Used != nil || s.Expected != nil || s.Overrun != nil || s.Break != nil || len(s.Reasons) != 2 {
		t.Errorf("%+v", s)
	}
	for _, r := range s.Reached {
		if r.Reached != nil {
			t.Errorf("%s is known to be %v", r.Key(), *r.Reached)
		}
	}
	reported := budget.Evaluate(of("10"), november2026(), budget.Evidence{At: day(11, 12), Settled: day(11, 10), Reported: day(11, 12)})
	if reported.Actual == nil || !reported.Actual.Amount.IsZero() {
		t.Error("days that are reported without a cost cost nothing")
	}
}

func TestOddsAndBreakDayFollowTheAmount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := november()
		for _, path := range e.Outlook.Paths {
			for i := range path {
				path[i] = rapid.Float64Range(0, 30).Draw(t, "cost")
			}
		}
		low := rapid.Int64Range(1, 60000).Draw(t, "cents")
		more := rapid.Int64Range(0, 20000).Draw(t, "more")
		b, c := of("1"), of("1")
		b.Amount.Amount, c.Amount.Amount = decimal.New(low, -2), decimal.New(low+more, -2)
		tight, wide := budget.Evaluate(b, november2026(), e), budget.Evaluate(c, november2026(), e)
		if *tight.Overrun < *wide.Overrun {
			t.Fatalf("%s is passed with %v, and %s with %v", b.Amount, *tight.Overrun, c.Amount, *wide.Overrun)
		}
		later := func(x, y *time.Time) bool { return y == nil || x != nil && !y.Before(*x) }
		if wide.Break != nil && (tight.Break == nil || !later(tight.Break.Expected, wide.Break.Expected) ||
			!later(tight.Break.Earliest, wide.Break.Earliest) || !later(tight.Break.Latest, wide.Break.Latest)) {
			t.Fatalf("%s breaks %+v, %s breaks %+v", b.Amount, tight.Break, c.Amount, wide.Break)
		}
		r := tight.Expected
		for i, pair := range [][2]cost.Money{{r.Low95, r.Low80}, {r.Low80, r.Mean}, {r.Mean, r.High80}, {r.High80, r.High95}} {
			if pair[0].Amount.GreaterThan(pair[1].Amount) {
				t.Fatalf("interval %d: %s above %s", i, pair[0], pair[1])
			}
		}
	})
}
