package job_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// resting is a country where 10 November is a holiday, and a tenant that keeps its holidays or not.
type resting struct{ country string }

func (r resting) Settings(context.Context, tenant.ID) (job.Settings, error) {
	return job.Settings{Country: r.country}, nil
}

func (r resting) Calendar(country, _ string, days cost.Period) (cost.Calendar, error) {
	if country == "" {
		return nil, nil
	}
	c := cost.Calendar{}
	for year := days.Start.Year(); year <= days.End.Year(); year++ {
		c[time.Date(year, 11, 10, 0, 0, 0, 0, time.UTC)] = "Rest Day"
	}
	return c, nil
}

// A target that costs little on a holiday saves little by being changed before it.
func TestAHolidaySavesWhatItWouldHaveCost(t *testing.T) {
	t.Parallel()
	measured := func(country string) float64 {
		l := archived()
		l.costs["vol"] = nil
		l.bill("vol", -360, 0, "10")
		for i, d := range l.costs["vol"] {
			switch {
			case d.Day.Month() == time.November && d.Day.Day() == 10:
				l.costs["vol"][i].Effective = decimal.NewFromInt(2)
			case i%3 == 0:
				l.costs["vol"][i].Effective = decimal.RequireFromString("10.3")
			}
		}
		j := job.Learn{Executions: l, Costs: l, Bills: l, Outcomes: l, Calendars: job.Calendars{Settings: resting{country}, Holidays: resting{}},
			Now: func() time.Time { return changed.AddDate(0, 0, 30) }}
		out, err := j.Run(t.Context(), job.LearnInput{Tenant: learner})
		if err != nil || len(out.Outcomes) != 1 {
			t.Fatal(out, err)
		}
		return out.Outcomes[0].Realised.Amount.Float()
	}
	without, with := measured(""), measured("DE")
	if math.Abs(without-122) > 2 || math.Abs(with-without+8) > 1.5 {
		t.Errorf("saved %.2f without holidays and %.2f with one on which the target costs 8 less", without, with)
	}
}
