package job_test

import (
	"context"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// feasts are those of the country XX.
type feasts struct {
	days   cost.Calendar
	period cost.Period
}

func (x *feasts) Calendar(country, _ string, days cost.Period) (cost.Calendar, error) {
	x.period = days
	switch country {
	case "":
		return nil, nil
	case "XX":
		return x.days, nil
	}
	return nil, fault.Input("country", country, "is not known")
}

// declared keeps settings in memory.
type declared struct{ settings job.Settings }

func (d *declared) Settings(context.Context, tenant.ID) (job.Settings, error) { return d.settings, nil }

func (d *declared) SaveSettings(_ context.Context, _ tenant.ID, s job.Settings) error {
	d.settings = s
	return nil
}

func TestAnalysesKnowTheHolidaysOfTheTenant(t *testing.T) {
	t.Parallel()
	const before, after = 150, 300
	book := &feasts{days: cost.Calendar{billsBegin.AddDate(0, 0, before): "Feast", billsBegin.AddDate(0, 0, after): "Feast"}}
	for country, want := range map[string]bool{"": true, "XX": false} {
		l := &dailyBill{}
		l.add("USD", "AWS", "EC2", "i-1", func(i int) float64 {
			if i == before || i == after {
				return 40
			}
			return 100
		})
		store := &declared{job.Settings{Country: country}}
		a := job.Analyze{Series: l, Store: l, Calendars: job.Calendars{Settings: store, Holidays: book}, Now: func() time.Time { return analysed }}
		if _, err := a.Run(t.Context(), job.AnalyzeInput{Tenant: buyer}); err != nil {
			t.Fatal(err)
		}
		told := false
		for _, k := range l.known {
			told = told || k.Start.Equal(billsBegin.AddDate(0, 0, after))
		}
		if told != want {
			t.Errorf("in %q the second feast is told: %v, want %v", country, told, want)
		}
		if ahead := analysed.AddDate(0, 3, 0); !book.period.Contains(ahead) || !book.period.Contains(billsBegin) {
			t.Errorf("holidays were asked for %s, want the history and three months ahead", book.period)
		}
	}
}

func TestOnlyKnownCountriesAreDeclared(t *testing.T) {
	t.Parallel()
	store := &declared{}
	d := job.Declare{Store: store, Holidays: &feasts{}, Now: func() time.Time { return analysed }}
	if _, err := d.Run(t.Context(), buyer, job.Settings{Country: "XX"}); err != nil || store.settings.Country != "XX" {
		t.Errorf("%+v, %v", store.settings, err)
	}
	if _, err := d.Run(t.Context(), buyer, job.Settings{Country: "YY"}); fault.CodeOf(err) != fault.Invalid || store.settings.Country != "XX" {
		t.Errorf("%+v, %v", store.settings, err)
	}
}
