package forecast_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
)

// holidays names four days of each year.
func holidays() cost.Calendar {
	c := cost.Calendar{}
	for year := 2019; year <= 2026; year++ {
		c[date(year, 1, 1)] = "New Year's Day"
		c[date(year, 5, 1)] = "Labour Day"
		c[date(year, 12, 25)] = "Christmas Day"
		c[date(year, 12, 26)] = "Boxing Day"
	}
	return c
}

// shop is a bill that falls to its Sundays on holidays and half as far on Christmas Eve, from the first day to that before until.
func shop(first, until time.Time, c cost.Calendar) cost.Series {
	s := cost.Series{Basis: cost.Effective, Currency: "USD", Start: first}
	for day := first; day.Before(until); day = day.AddDate(0, 0, 1) {
		s.Values = append(s.Values, shopDay(day, c)+3*noise(len(s.Values)))
	}
	s.Final = len(s.Values)
	return s
}

func shopDay(day time.Time, c cost.Calendar) float64 {
	switch {
	case c.Name(day) != "", day.Weekday() == time.Sunday, day.Weekday() == time.Saturday:
		return 60
	case c.Name(day.AddDate(0, 0, 1)) == "Christmas Day":
		return 80
	}
	return 100
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func TestTheNextChristmasIsExpectedByTheLast(t *testing.T) {
	t.Parallel()
	c := holidays()
	for name, first := range map[string]time.Time{"one Christmas": date(2024, 10, 7), "three": date(2022, 10, 3)} {
		s := shop(first, date(2025, 12, 1), c)
		with, without := forecast.Daily(s, 45, c), forecast.Daily(s, 45, nil)
		worse, better := 0.0, 0.0
		for i, p := range with.Points {
			want := shopDay(p.Day, c)
			off := math.Abs(p.Mean - want)
			if c.Name(p.Day) != "" || p.Day.Day() == 24 {
				better += off
				worse += math.Abs(without.Points[i].Mean - want)
			}
			if off > 10 {
				t.Errorf("%s, %s: %.1f, want about %.0f", name, p.Day.Format(time.DateOnly), p.Mean, want)
			}
		}
		if better > worse/3 {
			t.Errorf("%s: with the calendar the holidays are wrong by %.0f, without by %.0f", name, better, worse)
		}
	}
}

// Christmas of 2021 and the New Year after it fall on Saturdays, Boxing Day on a Sunday: they do not fall further.
func TestAHolidayAtTheWeekendIsAWeekend(t *testing.T) {
	t.Parallel()
	c := holidays()
	for _, p := range forecast.Daily(shop(date(2019, 10, 7), date(2021, 12, 10), c), 30, c).Points {
		if want := shopDay(p.Day, c); math.Abs(p.Mean-want) > 10 {
			t.Errorf("%s %s: %.1f, want about %.0f", p.Day.Weekday(), p.Day.Format(time.DateOnly), p.Mean, want)
		}
	}
}

// A calendar of days that never did anything changes nothing but what chance does, and an empty one nothing at all.
func TestHolidaysThatDoNothing(t *testing.T) {
	t.Parallel()
	s := shop(date(2023, 1, 2), date(2025, 12, 1), nil)
	want := forecast.Daily(s, 45, nil)
	if got := forecast.Daily(s, 45, cost.Calendar{}); !reflect.DeepEqual(got, want) {
		t.Error("a calendar without days changed the forecast")
	}
	for i, p := range forecast.Daily(s, 45, holidays()).Points {
		if math.Abs(p.Mean-want.Points[i].Mean) > 2 {
			t.Errorf("%s: %.1f, without the calendar %.1f", p.Day.Format(time.DateOnly), p.Mean, want.Points[i].Mean)
		}
	}
}
