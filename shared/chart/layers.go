package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

// line is a line of points, cut at the edges of the data.
type line struct {
	plotter.XYs
	draw.LineStyle
}

// Plot draws it.
func (l line) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	points := make([]vg.Point, 0, len(l.XYs)+1)
	for _, xy := range l.XYs {
		points = append(points, vg.Point{X: x(xy.X), Y: y(xy.Y)})
	}
	if len(points) == 1 { // a lone day between unknown ones
		points = append(points, vg.Point{X: points[0].X + 1, Y: points[0].Y})
	}
	c.StrokeLines(l.LineStyle, c.ClipLinesXY(points)...)
}

// area is the area between two lines.
type area struct {
	plotter.XYs // along the lower line, and back along the upper one

	color color.Color
}

// Plot fills it.
func (a area) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	points := make([]vg.Point, len(a.XYs))
	for i, xy := range a.XYs {
		points[i] = vg.Point{X: x(xy.X), Y: y(xy.Y)}
	}
	c.FillPolygon(a.color, c.ClipPolygonXY(points))
}

// band is an interval of the forecast. It opens at the last settled day, where nothing is uncertain.
func (v *view) band(c color.Color, bounds func(forecast.Point) (low, high float64)) area {
	var lower, upper plotter.XYs
	if from, ok := v.anchor(); ok {
		lower = append(lower, from)
	}
	for _, p := range v.Forecast.Points {
		low, high := bounds(p)
		lower, upper = append(lower, plotter.XY{X: at(p.Day), Y: low}), append(upper, plotter.XY{X: at(p.Day), Y: high})
	}
	for i := len(upper) - 1; i >= 0; i-- {
		lower = append(lower, upper[i])
	}
	return area{lower, c}
}

// anchor is the last day before the forecast, which its lines go out from.
func (v *view) anchor() (plotter.XY, bool) {
	i := v.Series.Index(v.Forecast.Points[0].Day) - 1
	if i < 0 || i >= v.known || !finite(v.Series.Values[i]) {
		return plotter.XY{}, false
	}
	return plotter.XY{X: at(v.Series.Day(i)), Y: v.Series.Values[i]}, true
}

// lines are the history, its average and the expected course.
func (v *view) lines() []plot.Plotter {
	var out []plot.Plotter
	add := func(pieces []plotter.XYs, c color.Color, width float64, dashes ...vg.Length) {
		for _, xys := range pieces {
			out = append(out, line{xys, draw.LineStyle{Color: c, Width: vg.Points(width), Dashes: dashes}})
		}
	}
	if v.Forecast != nil {
		var course plotter.XYs
		if from, ok := v.anchor(); ok {
			course = append(course, from)
		}
		for _, p := range v.Forecast.Points {
			course = append(course, plotter.XY{X: at(p.Day), Y: p.Mean})
		}
		add([]plotter.XYs{course}, expected, 1.5)
	}
	if v.Budget != nil {
		y := v.Budget.Amount.Float()
		add([]plotter.XYs{{{X: at(v.from), Y: y}, {X: at(v.until), Y: y}}}, limit, 1.5, 6, 3)
	}
	settled := v.settled()
	add(v.history(settled-1, v.known), unsure, 1.5, 3, 2)
	add(v.history(0, settled), past, 1.5)
	if v.Average > 0 {
		add([]plotter.XYs{v.averaged()}, average, 2)
	}
	return out
}

// label is a line down the picture with a word above it.
type label struct {
	x     float64
	text  string
	color color.Color
	row   int // from below; -1 is a line without its word, for which there is no room
}

// labels are placed in rows so that no word meets another.
type labels struct {
	all   []*label
	style text.Style
}

// labels are the beginning of the forecast and the days on which the level changed, from left to right.
func (v *view) labels() *labels {
	l := &labels{style: letters(10, ink)}
	for _, t := range v.turns {
		format := "2 Jan"
		if t.Day.Year() != v.until.Year() {
			format = "2 Jan 2006"
		}
		l.all = append(l.all, &label{x: at(t.Day), text: t.Day.Format(format), color: turn})
	}
	if v.Forecast != nil {
		l.all = append(l.all, &label{x: at(v.Forecast.Points[0].Day), text: "forecast", color: expected})
	}
	return l
}

// mostRows is how many rows of words there may be above a picture.
const mostRows = 3

// place gives each word a row in which it meets neither another word nor the line of one, and tells how many rows there are.
func (l *labels) place(p *plot.Plot, c draw.Canvas) int {
	const gap = 8
	x, _ := p.Transforms(&c)
	taken := [mostRows]vg.Length{} // up to where each row is
	rows := 0
	for _, one := range l.all {
		from, at := l.left(one, x, c), x(one.x)
		one.row = -1
		for r := range mostRows {
			if taken[r] == 0 || taken[r]+gap <= from {
				one.row = r
				break
			}
			if taken[r] >= at-2 { // its line would cross the word there
				break
			}
		}
		for r := range one.row {
			taken[r] = at // nor may a later word cross its line
		}
		if one.row >= 0 {
			taken[one.row] = from + wider*l.style.Width(one.text)
			rows = max(rows, one.row+1)
		}
	}
	return rows
}

// left is where a word begins: over its line, and inside the picture.
func (l *labels) left(one *label, x func(float64) vg.Length, c draw.Canvas) vg.Length {
	width := wider * l.style.Width(one.text)
	return max(c.Min.X, min(x(one.x)-width/2, c.Max.X-width))
}

// Plot draws lines and words.
func (l *labels) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for _, one := range l.all {
		top := c.Max.Y
		if one.row > 0 {
			top += vg.Length(one.row) * smallLine
		}
		style := draw.LineStyle{Color: one.color, Width: vg.Points(0.9), Dashes: []vg.Length{4, 3}}
		c.StrokeLine2(style, x(one.x), c.Min.Y, x(one.x), top)
		if one.row >= 0 {
			words := l.style
			words.Color = one.color
			c.FillText(words, vg.Point{X: l.left(one, x, c), Y: top + 3}, one.text)
		}
	}
}
