package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/budget"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// TestStatedOddsComeTrue sets budgets on series that wander as a cost does, and counts how they end.
func TestStatedOddsComeTrue(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	var all []cost.Series
	for range 12 {
		s := cost.Series{Basis: cost.Effective, Currency: "USD", Start: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Final: 540}
		level := 100.0
		for i := range s.Final {
			level += random.NormFloat64() * 0.7
			v := level + random.NormFloat64()*6
			if s.Day(i).Weekday()%6 == 0 {
				v -= 25
			}
			s.Values = append(s.Values, v)
		}
		all = append(all, s)
	}
	r := judged(all, budget.Monthly, 1)
	if r.periods < 100 || r.in80/r.periods < 0.68 || r.in80/r.periods > 0.92 || r.in95/r.periods < 0.88 {
		t.Errorf("of %.0f periods %.0f ended in the 80 %% interval, %.0f in the one of 95 %%", r.periods, r.in80, r.in95)
	}
	for i := range bins {
		if stated, came := r.stated[i]/r.n[i], r.came[i]/r.n[i]; came < stated-0.2 || came > stated+0.2 {
			t.Errorf("stated were %.2f on average, and %.2f came, of %.0f", stated, came, r.n[i])
		}
	}
}

func TestWithoutDataTheCommandSaysSo(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run([]string{"-data", t.TempDir()}, &out); err == nil || !strings.Contains(err.Error(), "-data") {
		t.Errorf("%v, printed %q", err, out.String())
	}
}
