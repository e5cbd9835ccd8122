package forecast_test

import (
	"math"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
)

// bookkeeping is the first day of the histories of fees.
var bookkeeping = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)

// lastOf is the number of days of the month.
func lastOf(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// onDay says whether the day is the d-th of its month, or its last one where it has none.
func onDay(day time.Time, d int) bool { return day.Day() == min(d, lastOf(day)) }

// postedOn says whether a charge of the d-th is posted on the day, on Monday where the d-th lies in a weekend.
func postedOn(day time.Time, d int) bool {
	switch day.Weekday() {
	case time.Saturday, time.Sunday:
		return false
	case time.Monday:
		return onDay(day, d) || onDay(day.AddDate(0, 0, -1), d) || onDay(day.AddDate(0, 0, -2), d)
	}
	return onDay(day, d)
}

// charge is a cost by the day, and the number of the day since the first.
type charge func(day time.Time, i int) float64

func monthly(amount float64, days ...int) charge {
	return func(day time.Time, _ int) (sum float64) {
		for _, d := range days {
			if onDay(day, d) {
				sum += amount
			}
		}
		return sum
	}
}

// every is a charge in those months only.
func every(c charge, months ...time.Month) charge {
	return func(day time.Time, i int) float64 {
		for _, m := range months {
			if day.Month() == m {
				return c(day, i)
			}
		}
		return 0
	}
}

func plus(charges ...charge) charge {
	return func(day time.Time, i int) (sum float64) {
		for _, c := range charges {
			sum += c(day, i)
		}
		return sum
	}
}

func growing(c charge, perDay float64) charge {
	return func(day time.Time, i int) float64 { return c(day, i) * (1 + perDay*float64(i)) }
}

func uneven(c charge, share float64) charge {
	return func(day time.Time, i int) float64 { return c(day, i) * (1 + share*noise(i)) }
}

// load costs 100 a working day and 70 a day of the weekend, give or take a tenth.
func load(day time.Time, i int) float64 {
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
		return 70 + 7*noise(i)
	}
	return 100 + 10*noise(i)
}

func billed(c charge, n int) cost.Series {
	return cost.Series{Basis: cost.Effective, Currency: "USD", Start: bookkeeping, Final: n,
		Values: build(n, func(i int) float64 { return c(bookkeeping.AddDate(0, 0, i), i) })}
}

// ahead is what the days after the first n cost.
func ahead(c charge, n, days int) (sum float64) {
	for i := n; i < n+days; i++ {
		sum += c(bookkeeping.AddDate(0, 0, i), i)
	}
	return sum
}

// Whichever day is the last settled one, the next quarter of a year costs what such quarters do.
func TestFeesAreForetoldFromEveryLastDay(t *testing.T) {
	t.Parallel()
	shifted := func(day time.Time, _ int) float64 {
		if postedOn(day, 15) {
			return 3000
		}
		return 0
	}
	tests := map[string]struct {
		fee  charge
		from int // days settled, at least
		off  float64
	}{
		"on the 1st":                         {monthly(3000, 1), 430, 0.001},
		"on the 2nd":                         {monthly(3000, 2), 430, 0.001},
		"on the 8th":                         {monthly(3000, 8), 430, 0.001},
		"on the 15th, growing":               {growing(monthly(3000, 15), 0.001), 430, 0.01},
		"on the 20th, young":                 {monthly(3000, 20), 62, 0.001},
		"on the last day":                    {monthly(3000, 31), 430, 0.001},
		"on the 30th, uneven":                {uneven(monthly(3000, 30), 0.2), 430, 0.25},
		"on the 15th or the Monday after":    {shifted, 430, 0.001},
		"twice a month":                      {monthly(3000, 1, 15), 430, 0.001},
		"every 30 days":                      {func(_ time.Time, i int) float64 { return math.Floor(float64(i%30)/29) * 3000 }, 430, 0.001},
		"every quarter":                      {every(monthly(3000, 15), 1, 4, 7, 10), 430, 0.001},
		"every year, and a month":            {plus(monthly(100, 3), every(monthly(5000, 20), 10)), 760, 0.001},
		"every month, and more in a quarter": {plus(monthly(1000, 1), every(monthly(3000, 1), 3, 6, 9, 12)), 430, 0.001},
		"in the middle, beside a load":       {plus(load, monthly(3000, 15)), 430, 0.1},
		"on the 1st, beside a load":          {plus(load, monthly(3000, 1)), 430, 0.1},
		"on the 27th, beside a young load":   {plus(load, monthly(3000, 27)), 130, 0.1},
		"every quarter, beside a load":       {plus(load, every(monthly(9000, 10), 2, 5, 8, 11)), 430, 0.1},
		"every year, beside a load":          {plus(load, every(monthly(20000, 12), 9)), 730, 0.12},
		"beside cents on some days":          {plus(monthly(3000, 15), func(_ time.Time, i int) float64 { return max(0, noise(i)-0.2) / 10 }), 430, 0.01},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := tt.from; n < tt.from+61; n++ {
				sum, want := 0.0, ahead(tt.fee, n, 90)
				for _, p := range forecast.DailyWith(billed(tt.fee, n), 123, forecast.Options{Fast: true}).Points[:90] {
					sum += p.Mean
				}
				if !(math.Abs(sum-want) <= tt.off*want+1e-9) {
					t.Fatalf("%d days settled: the next 90 days cost %.2f, want %.2f within %.1f %%", n, sum, want, 100*tt.off)
				}
			}
		})
	}
}
