package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cost-agent/cost-agent/shared/anomaly"
)

// families are tried in this order: Arial and Helvetica are as wide as Liberation Sans.
const families = "font-family:Liberation Sans,Arial,Helvetica,sans-serif"

// finish adds to the plotted picture what the library has no words for: other fonts to fall back to, a description for those who
// do not see it, and the anomalies, which tell what happened under the pointer: a dot on the day that each began, and a strip along
// the days that it lasted.
func (v *view) finish(svg []byte, p *plot.Plot, c draw.Canvas) []byte {
	svg = bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans"), []byte(families))
	head, rest, _ := bytes.Cut(svg, []byte("<g "))
	body := bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("</svg>"))
	var out bytes.Buffer
	out.Write(head)
	fmt.Fprintf(&out, "<desc>%s</desc>\n<g ", escaped(v.title()+". "+v.subtitle()+"."))
	out.Write(body)
	x, y := p.Transforms(&c)
	for _, a := range v.lasting() {
		from, to := x(at(a.Start)), x(min(at(a.Until), p.X.Max))
		fmt.Fprintf(&out, `<rect class="anomaly" x="%.1f" y="%.1f" width="%.1f" height="4" fill="%s"><title>%s</title></rect>`+"\n",
			from.Points(), (height - c.Min.Y - 4).Points(), (to - from).Points(), hex(graded[a.Severity]), escaped(tell(a)))
	}
	for _, s := range v.spots() {
		xy := vg.Point{X: x(at(v.Series.Day(s.day))), Y: height - y(v.Series.Values[s.day])}
		radius := 3.5 + 0.5*float64(rank(s.severity))
		fmt.Fprintf(&out, `<circle class="anomaly" cx="%.1f" cy="%.1f" r="%.1f" fill="%s" stroke="#ffffff" stroke-width="1.2"><title>%s</title></circle>`+"\n",
			xy.X.Points(), xy.Y.Points(), radius, hex(graded[s.severity]), escaped(strings.Join(s.told, "\n")))
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func escaped(s string) string {
	var b strings.Builder
	if xml.EscapeText(&b, []byte(s)) != nil { // a builder takes everything
		return ""
	}
	return b.String()
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// entry is a line of the legend.
type entry struct {
	name  string
	color color.Color
	kind  mark
}

// mark is how a colour is used.
type mark int

const (
	stroke mark = iota
	dashes
	fill
	dot
)

// entries are those of what the picture holds.
func (v *view) entries() []entry {
	out := []entry{{"cost", past, stroke}}
	if v.settled() < v.known {
		out = append(out, entry{"cost, not final yet", unsure, dashes})
	}
	if v.Average > 0 {
		out = append(out, entry{fmt.Sprintf("mean of %d days", v.Average), average, stroke})
	}
	if v.Forecast != nil {
		of := "days"
		if v.Budget != nil {
			of = "courses"
		}
		out = append(out, entry{"forecast", expected, stroke}, entry{"80 % of " + of, inner, fill}, entry{"95 % of " + of, outer, fill})
	}
	if v.Budget != nil {
		out = append(out, entry{"budget of " + v.Budget.Amount.String(), limit, dashes})
	}
	if len(v.turns) > 0 {
		out = append(out, entry{"level changed", turn, dashes})
	}
	seen := map[anomaly.Severity]bool{}
	for _, s := range v.spots() {
		seen[s.severity] = true
	}
	for _, s := range anomaly.Severities {
		if seen[s] {
			out = append(out, entry{string(s) + " anomaly", graded[s], dot})
		}
	}
	return out
}

// legend is a row at the foot of the page.
func (v *view) legend(c draw.Canvas) {
	const swatch, gap, space = 18, 5, 14
	words := letters(10, ink)
	x, y := c.Min.X, c.Min.Y+4
	for _, e := range v.entries() {
		switch e.kind {
		case stroke:
			c.StrokeLine2(draw.LineStyle{Color: e.color, Width: 2}, x, y, x+swatch, y)
		case dashes:
			c.StrokeLine2(draw.LineStyle{Color: e.color, Width: 1.5, Dashes: []vg.Length{4, 3}}, x, y, x+swatch, y)
		case fill:
			c.FillPolygon(e.color, []vg.Point{{X: x, Y: y - 4}, {X: x + swatch, Y: y - 4}, {X: x + swatch, Y: y + 4}, {X: x, Y: y + 4}})
		case dot:
			c.DrawGlyph(draw.GlyphStyle{Color: e.color, Radius: 4, Shape: draw.CircleGlyph{}}, vg.Point{X: x + swatch/2, Y: y})
		}
		c.FillText(words, vg.Point{X: x + swatch + gap, Y: c.Min.Y}, e.name)
		x += swatch + gap + wider*words.Width(e.name) + space
	}
}
