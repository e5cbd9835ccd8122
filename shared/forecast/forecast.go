// Package forecast says what the coming days will cost, with intervals that are as wide as past forecasts were wrong.
package forecast

import (
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Version names the models and their settings: it changes whenever the same data could give another forecast.
const Version = "forecast/9"

// Forecast is the expected daily cost of one scope after its last settled day.
type Forecast struct {
	Scope    cost.Scope    `json:"scope"`
	Basis    cost.Basis    `json:"basis"`
	Currency cost.Currency `json:"currency"`
	// Model names what the mean comes from: "ensemble", or the one simple rule that Reason explains.
	Model   string   `json:"model"`
	Weights []Weight `json:"weights"` // of the ensemble's members, heaviest first; they sum to 1
	// MASE is the mean absolute error of rolling-origin forecasts of the past, relative to the error of repeating the week
	// before (Hyndman and Koehler 2006). Nil where the history is too short or too even to tell.
	MASE    *float64 `json:"mase"`
	Reason  string   `json:"reason"`  // why this model, in a sentence
	History int      `json:"history"` // settled days that it was learnt from
	Points  []Point  `json:"points"`
	Months  []Sum    `json:"months"`  // calendar months; the first holds what is settled of it already
	Next30  *Sum     `json:"next_30"` // nil where the horizon is shorter
	Next90  *Sum     `json:"next_90"`
}

// Weight is one member's part in the ensemble.
type Weight struct {
	Model  string   `json:"model"`
	Weight float64  `json:"weight"`
	MASE   *float64 `json:"mase"` // of this member alone; nil as in Forecast
	near   bool     // weighs a quarter beyond a month
}

// Point is one day: the mean, the interval that holds four of five such days, and the one that holds 95 of 100.
type Point struct {
	Day    time.Time `json:"day"`
	Mean   float64   `json:"mean"`
	Low80  float64   `json:"low_80"`
	High80 float64   `json:"high_80"`
	Low95  float64   `json:"low_95"`
	High95 float64   `json:"high_95"`
}

// Sum is the sum over a period. Its interval comes from the errors of sums, not from the sum of the days' intervals.
type Sum struct {
	Period  cost.Period `json:"period"`
	Settled cost.Money  `json:"settled"` // the part that has happened; contained in the others
	Mean    cost.Money  `json:"mean"`
	Low80   cost.Money  `json:"low_80"`
	High80  cost.Money  `json:"high_80"`
	Low95   cost.Money  `json:"low_95"`
	High95  cost.Money  `json:"high_95"`
}
