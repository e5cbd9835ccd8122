package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot/plotter"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/trend"
)

// view is what a picture shows, measured.
type view struct {
	job.Chart

	from, until time.Time // days, half-open
	low, high   float64   // of the money axis
	known       int       // days of the history up to the last known one
	turns       []trend.Shift
}

// newView measures; false when no day is known.
func newView(c job.Chart) (*view, bool) {
	v := &view{Chart: c, from: c.Series.Start, until: c.Through()}
	for i, x := range c.Series.Values {
		if finite(x) {
			v.known = i + 1
		}
	}
	if v.Forecast != nil && len(v.Forecast.Points) == 0 {
		v.Forecast = nil
	}
	if v.known == 0 {
		return nil, false
	}
	if v.Forecast == nil {
		v.until = c.Series.Day(v.known)
	}
	if c.Trend != nil {
		for _, t := range c.Trend.Steps {
			if day := cost.Day(t.Day); !day.Before(v.from) && day.Before(v.until) {
				v.turns = append(v.turns, t)
			}
		}
	}
	v.measure()
	return v, true
}

// measure finds the range of the money axis. An interval that goes far beyond all costs is cut off rather than flattening them.
func (v *view) measure() {
	const most = 1.6
	for _, x := range v.Series.Values {
		if finite(x) {
			v.low, v.high = min(v.low, x), max(v.high, x)
		}
	}
	if v.Forecast != nil {
		for _, p := range v.Forecast.Points {
			v.low, v.high = min(v.low, p.Mean), max(v.high, p.Mean)
		}
		low, high := v.low, v.high
		for _, p := range v.Forecast.Points {
			low, high = min(low, p.Low95), max(high, p.High95)
		}
		v.low, v.high = max(low, most*v.low), min(high, most*v.high)
	}
	if v.Budget != nil {
		v.high = max(v.high, v.Budget.Amount.Float())
	}
	if v.low == v.high {
		v.high = v.low + 1
	}
	room := 0.05 * (v.high - v.low)
	v.high += room
	if v.low < 0 {
		v.low -= room
	}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// at is the place of a day on the time axis.
func at(day time.Time) float64 { return float64(day.Unix()) / (24 * 60 * 60) }

// history is the line of the days from..to-1, in pieces where days are unknown.
func (v *view) history(from, to int) []plotter.XYs {
	var pieces []plotter.XYs
	joined := false
	for i := max(0, from); i < min(to, len(v.Series.Values)); i++ {
		x := v.Series.Values[i]
		if !finite(x) {
			joined = false
			continue
		}
		if !joined {
			pieces = append(pieces, nil)
		}
		joined = true
		last := len(pieces) - 1
		pieces[last] = append(pieces[last], plotter.XY{X: at(v.Series.Day(i)), Y: x})
	}
	return pieces
}

// settled is how many days of the history are final.
func (v *view) settled() int { return max(0, min(v.Series.Final, v.known)) }

// averaged is the moving average of the last days up to each day, where all of them are known and final.
func (v *view) averaged() plotter.XYs {
	var out plotter.XYs
	for i := v.Average; i <= v.settled(); i++ {
		sum := 0.0
		for _, x := range v.Series.Values[i-v.Average : i] {
			sum += x
		}
		if finite(sum) {
			out = append(out, plotter.XY{X: at(v.Series.Day(i - 1)), Y: sum / float64(v.Average)})
		}
	}
	return out
}

func (v *view) title() string {
	if v.Budget != nil {
		return fmt.Sprintf("Budget %s: the cost up to each day", v.Budget.Name)
	}
	if len(v.Series.Scope) == 0 {
		return "Daily cost of the whole bill"
	}
	return "Daily cost of " + anomaly.Describe(v.Series.Scope)
}

func (v *view) subtitle() string {
	basis := string(v.Series.Basis)
	if basis != "" {
		basis = strings.ToUpper(basis[:1]) + basis[1:]
	}
	each := " a day"
	if v.Budget != nil {
		each = ""
	}
	parts := []string{fmt.Sprintf("%s cost in %s%s", basis, v.Series.Currency, each), date(v.from) + " to " + date(v.until.AddDate(0, 0, -1))}
	if f := v.Forecast; f != nil {
		made := "forecast"
		if !f.At.IsZero() {
			made += " of " + date(f.At)
		}
		parts = append(parts, made+" ("+f.Model+")")
	}
	return strings.Join(parts, "  ·  ")
}

func date(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

func innerBounds(p forecast.Point) (low, high float64) { return p.Low80, p.High80 }

func outerBounds(p forecast.Point) (low, high float64) { return p.Low95, p.High95 }

// spot is a day on which anomalies began.
type spot struct {
	day      int // of the history
	severity anomaly.Severity
	told     []string
}

// spots groups the anomalies by their first day, in the order of days; the gravest first within one.
func (v *view) spots() []spot {
	all := slices.Clone(v.Anomalies)
	slices.SortStableFunc(all, func(a, b job.Anomaly) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return rank(b.Severity) - rank(a.Severity)
	})
	var out []spot
	for _, a := range all {
		day := v.Series.Index(a.Start)
		if day < 0 || day >= v.known || !finite(v.Series.Values[day]) {
			continue
		}
		told := tell(a)
		if n := len(out); n > 0 && out[n-1].day == day {
			out[n-1].told = append(out[n-1].told, told)
			continue
		}
		out = append(out, spot{day, a.Severity, []string{told}})
	}
	return out
}

// tell is an anomaly in words.
func tell(a job.Anomaly) string {
	return fmt.Sprintf("%s, %s: %s", strings.ReplaceAll(string(a.Kind), "-", " "), a.Severity, a.Summary)
}

// lasting are the anomalies of more than a day, the gravest last so that nothing covers them.
func (v *view) lasting() []job.Anomaly {
	all := slices.DeleteFunc(slices.Clone(v.Anomalies), func(a job.Anomaly) bool {
		return a.Start.Before(v.from) || a.Until.Sub(a.Start) <= 24*time.Hour || !a.Start.Before(v.Series.Day(v.known))
	})
	slices.SortStableFunc(all, func(a, b job.Anomaly) int { return rank(a.Severity) - rank(b.Severity) })
	return all
}

func rank(s anomaly.Severity) int { return slices.Index(anomaly.Severities, s) }
