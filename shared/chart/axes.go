package chart

import (
	"math"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func (v *view) axes(p *plot.Plot) {
	p.X.Min, p.X.Max = at(v.from), max(at(v.until.AddDate(0, 0, -1)), at(v.from)+1)
	p.Y.Min, p.Y.Max = v.low, v.high
	p.X.Tick.Marker, p.Y.Tick.Marker = days{}, money{}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Label = letters(10, faint)
		axis.Tick.LineStyle = draw.LineStyle{Color: faint, Width: vg.Points(0.75)}
		axis.LineStyle = draw.LineStyle{Color: faint, Width: vg.Points(0.75)}
		axis.Padding = 0
	}
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XCenter, draw.YTop
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = draw.XRight, draw.YCenter
	p.X.Tick.Length = 4
	p.Y.Width, p.Y.Tick.Length, p.Y.Padding = 0, 0, 9 // room, also for wider letters
}

// days marks an axis of days with dates that fit beside each other.
type days struct{}

// Ticks are the first of months where the range is long, else days.
func (days) Ticks(low, high float64) []plot.Tick {
	first, last := dayAt(low), dayAt(high)
	const mostDays, mostMonths = 16, 15
	for _, step := range []int{1, 2, 7} {
		if n := int(high-low) / step; n <= mostDays {
			return everyDays(first, last, step)
		}
	}
	for _, step := range []int{1, 2, 3, 6, 12} {
		if n := int(high-low) / 30 / step; n <= mostMonths {
			return everyMonths(first, last, step)
		}
	}
	return everyMonths(first, last, 12)
}

func dayAt(x float64) time.Time { return time.Unix(int64(math.Round(x))*24*60*60, 0).UTC() }

// everyDays marks days; steps of a week are Mondays.
func everyDays(first, last time.Time, step int) []plot.Tick {
	for step == 7 && first.Weekday() != time.Monday {
		first = first.AddDate(0, 0, 1)
	}
	var out []plot.Tick
	for day := first; !day.After(last); day = day.AddDate(0, 0, step) {
		out = append(out, plot.Tick{Value: at(day), Label: day.Format("2 Jan")})
	}
	return out
}

// everyMonths marks the first of months, counted from January; the year stands at the first one and at January.
func everyMonths(first, last time.Time, step int) []plot.Tick {
	month := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, time.UTC)
	var out []plot.Tick
	for ; !month.After(last); month = month.AddDate(0, 1, 0) {
		if month.Before(first) || (int(month.Month())-1)%step != 0 {
			continue
		}
		label := month.Format("Jan")
		if len(out) == 0 || month.Month() == time.January {
			label = month.Format("Jan 2006")
		}
		out = append(out, plot.Tick{Value: at(month), Label: label})
	}
	return out
}

// money marks an axis of amounts with round ones.
type money struct{}

// Ticks are multiples of 1, 2, 2.5 or 5 times a power of ten, about five of them.
func (money) Ticks(low, high float64) []plot.Tick {
	const about = 5
	raw := (high - low) / about
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 2.5, 5} {
		if raw <= m*power {
			step = m * power
			break
		}
	}
	var out []plot.Tick
	for k := math.Ceil(low / step); k*step <= high; k++ {
		out = append(out, plot.Tick{Value: k * step, Label: amount(k*step, step)})
	}
	return out
}

// amount writes a round amount with as many decimals as steps of that size need.
func amount(x, step float64) string {
	switch {
	case x == 0:
		return "0"
	case step >= 1e9:
		return grouped(x/1e9, step/1e9) + " bn"
	case step >= 1e6:
		return grouped(x/1e6, step/1e6) + " m"
	}
	return grouped(x, step)
}

// grouped separates thousands.
func grouped(x, step float64) string {
	decimals := 0
	for s := step; decimals < 6 && math.Abs(s-math.Round(s)) > 1e-9*s; s *= 10 {
		decimals++
	}
	s := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	if x < 0 {
		return "−" + whole
	}
	return whole
}

// grid are the lines behind the costs.
type grid struct{}

// Plot draws one line for each mark of the money axis, and the zero line a little stronger.
func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		style := draw.LineStyle{Color: rule, Width: vg.Points(0.75)}
		if t.Value == 0 && p.Y.Min < 0 {
			style.Color = faint
		}
		c.StrokeLine2(style, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
	}
}
