// Package trend describes how a cost moved: its direction with an interval, its averages, the days on which it changed for
// good, the name of its pattern, and which parts of the bill drove it.
package trend

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Version names the method: it changes whenever the same data could give another trend.
const Version = "trend/3"

// Pattern is a word for the shape of a series.
type Pattern string

// The patterns.
const (
	Flat          Pattern = "flat"           // no direction, little movement
	Growing       Pattern = "growing"        // the whole interval of the slope is above zero
	Shrinking     Pattern = "shrinking"      // the whole interval of the slope is below zero
	GrowingFaster Pattern = "growing-faster" // growing, and at the end at least twice as fast as at the beginning
	Step          Pattern = "step"           // even, but on another level from a day on
	Seasonal      Pattern = "seasonal"       // no direction; what repeats explains most of the movement
	Bursty        Pattern = "bursty"         // a few days hold much of the cost
)

// Trend is the movement of one scope over its settled days.
type Trend struct {
	Scope    cost.Scope    `json:"scope"`
	Basis    cost.Basis    `json:"basis"`
	Currency cost.Currency `json:"currency"`
	Period   cost.Period   `json:"period"`
	Pattern  Pattern       `json:"pattern"`
	// Slope is the change of the daily cost per day. Nil where fewer than 14 days are settled.
	Slope    *Slope   `json:"slope"`
	Averages Averages `json:"averages"`
	Change   Changes  `json:"change"`
	Steps    []Shift  `json:"steps"` // days from which the level was another one
	// Seasonality is the share of the detrended movement that the season explains, 0 to 1; 0 where there is none.
	Seasonality float64 `json:"seasonality"`
	// SeasonDays is how many days the season is long: 7 for weekdays, 30.44 for calendar months, or another length of which the
	// days hold at least four. Nil where nothing repeats.
	SeasonDays *float64 `json:"season_days"`
	Drivers    []Driver `json:"drivers,omitempty"` // of the last 30 days against the 30 before
	Reason     string   `json:"reason"`
}

// Slope is a least-squares slope with its 95 % interval, which allows for days that resemble the days before them.
type Slope struct {
	PerDay float64 `json:"per_day"`
	Low95  float64 `json:"low_95"`
	High95 float64 `json:"high_95"`
}

// Averages are means of the last 7, 30 and 90 settled days; nil where there are not so many.
type Averages struct {
	Days7  *float64 `json:"days_7"`
	Days30 *float64 `json:"days_30"`
	Days90 *float64 `json:"days_90"`
}

// Changes compare the last day with the same weekday before, the last 7 days with the 7 before, and the last 30 with the 30
// before; nil where there are not so many days.
type Changes struct {
	Day   *Rate `json:"day"`
	Week  *Rate `json:"week"`
	Month *Rate `json:"month"`
}

// Rate is a change of the mean daily cost.
type Rate struct {
	Money   float64  `json:"money"`   // a day
	Percent *float64 `json:"percent"` // nil where there was no cost before
}

// Shift is a day from which on the level was another one.
type Shift struct {
	Day    time.Time `json:"day"`
	Before float64   `json:"before"` // mean of a day until then
	After  float64   `json:"after"`
}

// Driver is a part of the bill and its part in a change between two periods.
type Driver struct {
	Scope  cost.Scope `json:"scope"`
	Before float64    `json:"before"` // sum of the earlier period
	After  float64    `json:"after"`
	Change float64    `json:"change"`
	// Share of the whole change; negative for a part that moved against it. Nil where the whole did not change.
	Share *float64 `json:"share"`
}
