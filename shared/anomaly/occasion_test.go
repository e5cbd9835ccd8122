package anomaly_test

import (
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// calendar names days by their number.
func calendar(names map[int]string) cost.Calendar {
	c := cost.Calendar{}
	for i, name := range names {
		c[first.AddDate(0, 0, i)] = name
	}
	return c
}

// told lists the days on which incidents began.
func told(day func(int) float64, c cost.Calendar) map[int]bool {
	out := map[int]bool{}
	for _, i := range anomaly.Detect([]cost.Series{leaf("EC2", "us", build(900, day))}, anomaly.Options{Calendar: c}) {
		out[int(i.Start.Sub(first)/(24*time.Hour))] = true
	}
	return out
}

// falling falls by so much on some days, and by something else on others.
func moved(by map[int]float64) func(int) float64 {
	return func(i int) float64 { return usual(i) + by[i] }
}

func TestAHolidayIsKnownByItsName(t *testing.T) {
	t.Parallel()
	const before, after = 450, 800 // 350 days apart: no date or weekday of the month tells
	feast := calendar(map[int]string{before: "Feast", after: "Feast"})
	for name, tt := range map[string]struct {
		by       map[int]float64
		calendar cost.Calendar
		want     bool
	}{
		"it falls as it did":           {map[int]float64{before: -60, after: -60}, feast, false},
		"nobody knows the feast":       {map[int]float64{before: -60, after: -60}, nil, true},
		"another name":                 {map[int]float64{before: -60, after: -60}, calendar(map[int]string{before: "Feast", after: "Fair"}), true},
		"it rises where it fell":       {map[int]float64{before: -60, after: 60}, feast, true},
		"it falls much farther":        {map[int]float64{before: -30, after: -95}, feast, true},
		"it did nothing then":          {map[int]float64{after: -60}, feast, true},
		"its batch is as large":        {map[int]float64{before: 60, after: 60}, feast, false},
		"it does nothing where it did": {map[int]float64{before: -60}, feast, false},
	} {
		if got := told(moved(tt.by), tt.calendar); got[after] != tt.want {
			t.Errorf("%s: told %v", name, got)
		}
	}
}

// An office that was closed on every holiday so far is closed on the next one as well, whatever its name.
func TestANewHolidayDoesWhatTheLastOnesDid(t *testing.T) {
	t.Parallel()
	days := []int{490, 527, 560, 603, 644} // working days, and no two of them weeks apart
	names, closed := map[int]string{}, map[int]float64{}
	for k, i := range append(days, 700) {
		names[i], closed[i] = string(rune('A'+k)), -60
	}
	if got := told(moved(closed), calendar(names)); got[700] || !got[490] {
		t.Errorf("closed again: told %v, want the first ones and not the last", got)
	}
	if got := told(moved(closed), nil); !got[700] {
		t.Errorf("without a calendar: told %v, want the last one too", got)
	}
	open := map[int]float64{700: -60}
	if got := told(moved(open), calendar(names)); !got[700] {
		t.Errorf("after holidays that did nothing: told %v", got)
	}
	closed[700] = 60
	if got := told(moved(closed), calendar(names)); !got[700] {
		t.Errorf("a rise: told %v", got)
	}
}

func TestWeekendHolidaysSayLittle(t *testing.T) {
	t.Parallel()
	closed := map[int]float64{}
	names := map[int]string{}
	for k, i := range []int{490, 527, 560, 603, 644} {
		names[i], closed[i] = string(rune('A'+k)), -60
	}
	names[472], names[700] = "Z", "Z"
	if first.AddDate(0, 0, 472).Weekday() != time.Saturday {
		t.Fatal("day 472 is no Saturday")
	}
	names[619], names[626] = "X", "Y" // two more, of which nobody saw anything
	closed[700] = -60
	if got := told(moved(closed), calendar(names)); got[700] {
		t.Errorf("told %v", got)
	}
	twice := map[int]float64{472: -60, 700: -60}
	if got := told(moved(twice), calendar(map[int]string{472: "Z", 700: "Z"})); got[700] || !got[472] {
		t.Errorf("what a weekend did all the same: told %v", got)
	}
}

// The first days have no spread to be measured by, and must not make every later day look ordinary.
func TestASingleDayIsToldInTheFirstYear(t *testing.T) {
	t.Parallel()
	for _, by := range []float64{-60, 80} {
		if got := told(moved(map[int]float64{160: by}), nil); !got[160] {
			t.Errorf("%+g on one day of the first year: told %v", by, got)
		}
	}
}
