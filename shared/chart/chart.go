// Package chart draws pictures of costs as SVG: what was, what is expected, and what stood out.
package chart

import (
	"bytes"
	"image/color"
	"strings"
	"unicode"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
)

// MediaType is that of the pictures.
const MediaType = "image/svg+xml"

// The size and the margins of a picture, in points.
const (
	width, height = 960, 420
	margin        = 16
	titleLine     = 20
	smallLine     = 13
	legendRoom    = 44
)

// The colours. They stand on white, also where the page is dark, and differ in brightness for those who see no hues.
var (
	ink      = color.RGBA{R: 0x1d, G: 0x2b, B: 0x3a, A: 0xff}
	faint    = color.RGBA{R: 0x5d, G: 0x6a, B: 0x78, A: 0xff}
	rule     = color.RGBA{R: 0xe6, G: 0xe9, B: 0xed, A: 0xff}
	past     = color.RGBA{R: 0x1f, G: 0x3f, B: 0x68, A: 0xff}
	unsure   = color.RGBA{R: 0x8f, G: 0xa8, B: 0xc4, A: 0xff}
	expected = color.RGBA{R: 0x2b, G: 0x7b, B: 0xba, A: 0xff}
	inner    = color.RGBA{R: 0xb5, G: 0xd3, B: 0xec, A: 0xff}
	outer    = color.RGBA{R: 0xdf, G: 0xec, B: 0xf7, A: 0xff}
	average  = color.RGBA{R: 0xd9, G: 0x8a, B: 0x1f, A: 0xff}
	limit    = color.RGBA{R: 0xb0, G: 0x2a, B: 0x4c, A: 0xff}
	turn     = color.RGBA{R: 0x7a, G: 0x4f, B: 0xa3, A: 0xff}
	graded   = map[anomaly.Severity]color.RGBA{
		anomaly.Low: {R: 0x8a, G: 0x94, B: 0xa0, A: 0xff}, anomaly.Medium: {R: 0xe0, G: 0xa1, B: 0x1b, A: 0xff},
		anomaly.High: {R: 0xe0, G: 0x64, B: 0x12, A: 0xff}, anomaly.Critical: {R: 0xc0, G: 0x1f, B: 0x2f, A: 0xff},
	}
)

// faces are the fonts by which widths are measured. Viewers without them take others of about the same widths.
var faces = text.Plain{Fonts: font.NewCache(liberation.Collection())}

func letters(size vg.Length, c color.Color) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	return text.Style{Color: c, Font: f, YAlign: draw.YBottom, Handler: faces}
}

func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}

// Draw makes the picture. All text in it is escaped, whatever names a bill holds. It fails with fault.Unprocessable where no day
// of it is known.
func Draw(c job.Chart) ([]byte, error) {
	v, ok := newView(c)
	if !ok {
		return nil, fault.New(fault.Unprocessable, "Not one of these days is known yet. Ask for more days, or load a bill first.")
	}
	canvas := vgsvg.NewWith(vgsvg.UseWH(width, height))
	page := draw.New(canvas)
	page.SetColor(color.White)
	page.Fill(page.Path())
	page = draw.Crop(page, margin, -margin, 0, -margin)

	page.FillText(bold(letters(15, ink)), vg.Point{X: page.Min.X, Y: page.Max.Y - titleLine + 4}, fitting(v.title(), bold(letters(15, ink)), page.Size().X))
	page.FillText(letters(10.5, faint), vg.Point{X: page.Min.X, Y: page.Max.Y - titleLine - smallLine}, fitting(v.subtitle(), letters(10.5, faint), page.Size().X))
	v.legend(draw.Crop(page, 0, 0, margin, 0))

	p := v.plot()
	labels := v.labels()
	area := draw.Crop(page, 0, 0, legendRoom, -titleLine-2*smallLine)
	rows := labels.place(p, p.DataCanvas(area))
	area.Max.Y -= vg.Length(rows) * smallLine
	p.Add(labels)
	p.Draw(area)

	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The picture could not be written.")
	}
	return v.finish(out.Bytes(), p, p.DataCanvas(area)), nil
}

// Letters that stand in for those by which widths are measured may be so much wider, and bold ones that much.
const (
	wider     = 1.13
	widerBold = 1.25
)

// fitting shortens a text to a width. Characters that XML cannot hold are replaced.
func fitting(s string, style text.Style, room vg.Length) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == 0xfffe || r == 0xffff {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
	if room /= widerBold; style.Width(s) <= room {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && style.Width(string(runes)+"…") > room {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// plot sets the axes up and puts the layers on them, the lowest first.
func (v *view) plot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor, p.TextHandler = nil, faces
	v.axes(p)
	p.Add(grid{})
	if f := v.Forecast; f != nil {
		p.Add(v.band(outer, outerBounds), v.band(inner, innerBounds))
	}
	p.Add(v.lines()...)
	return p
}
