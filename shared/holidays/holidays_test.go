package holidays_test

import (
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/holidays"
	"github.com/cost-agent/cost-agent/shared/job"
)

var _ job.Holidays = holidays.Book{}

func day(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The dates are those of the governments' own lists: opm.gov, gov.uk, the holiday laws of the German states and the Australian
// Public Holidays Acts.
func TestHolidaysStandOnTheirDays(t *testing.T) {
	t.Parallel()
	period := cost.Period{Start: day(t, "2022-01-01"), End: day(t, "2028-01-01")}
	for _, tt := range []struct{ country, region, day, want string }{
		{"US", "", "2026-11-26", "Thanksgiving Day"},
		{"US", "", "2022-12-26", "Christmas Day"}, // the 25th was a Sunday
		{"US", "", "2022-12-25", ""},
		{"US", "", "2027-12-31", "New Year's Day"}, // of 2028, a Saturday
		{"US", "", "2026-11-27", ""},
		{"GB", "", "2026-04-06", "Easter Monday"},
		{"DE", "", "2026-10-03", "Tag der Deutschen Einheit"},
		{"DE", "", "2026-06-04", ""},
		{"DE", "BY", "2026-06-04", "Fronleichnam"},
		{"CH", "", "2026-08-01", "Bundesfeiertag"},
		{"AU", "", "2025-04-25", "ANZAC Day"},
		{"AU", "", "2026-11-03", ""},
		{"AU", "VIC", "2026-11-03", "Melbourne Cup"},
		{"FR", "", "2026-07-14", "Fête Nationale"},
	} {
		c, err := holidays.Book{}.Calendar(tt.country, tt.region, period)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Name(day(t, tt.day)); got != tt.want {
			t.Errorf("%s %s %s is %q, want %q", tt.country, tt.region, tt.day, got, tt.want)
		}
		for d := range c {
			if !period.Contains(d) || !d.Equal(cost.Day(d)) || d.Location() != time.UTC {
				t.Errorf("%s: %s is no UTC midnight of the period", tt.country, d)
			}
		}
	}
}

func TestNoCountryIsNoCalendar(t *testing.T) {
	t.Parallel()
	if c, err := (holidays.Book{}).Calendar("", "", cost.Days(day(t, "2026-01-01"), 365)); c != nil || err != nil {
		t.Errorf("%v, %v", c, err)
	}
	for field, in := range map[string][2]string{"country": {"XX", ""}, "region": {"DE", "XX"}, "region ": {"US", "CA"}, " region": {"", "BY"}} {
		_, err := holidays.Book{}.Calendar(in[0], in[1], cost.Days(day(t, "2026-01-01"), 365))
		public := fault.Public(err)
		if public.Code != fault.Invalid || len(public.Fields) != 1 || public.Fields[0].Name != map[bool]string{true: "country", false: "region"}[field == "country"] {
			t.Errorf("%v: %v", in, err)
		}
	}
}
