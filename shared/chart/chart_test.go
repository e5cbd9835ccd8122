package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/chart"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/trend"
)

var start = time.Date(2026, 7, 28, 0, 0, 0, 0, time.UTC)

const (
	historyDays = 120
	finalDays   = 117
)

// example is a cost with weekends, a spike, a new level and unknown last days.
func example() job.Chart {
	values := make([]float64, historyDays)
	for i := range values {
		values[i] = 1200 + 80*math.Sin(float64(i)) - map[bool]float64{true: 260}[(i+1)%7 < 2]
		if i >= 60 {
			values[i] += 350
		}
	}
	values[40] += 900
	values[41] += 700
	values[historyDays-1] = math.NaN()
	values[historyDays-2] *= 0.6
	s := cost.Series{Scope: cost.Scope{cost.Provider: "AWS", cost.Service: "Amazon EC2"}, Basis: cost.Effective, Currency: "USD", Start: start, Values: values, Final: finalDays}
	f := forecast.Forecast{Scope: s.Scope, Basis: s.Basis, Currency: s.Currency, Model: "ensemble"}
	for i := range 90 {
		m := 1550 + 60*math.Sin(float64(i)) - map[bool]float64{true: 260}[(finalDays+i+1)%7 < 2]
		w := 90 * math.Sqrt(1+float64(i)/10)
		f.Points = append(f.Points, forecast.Point{Day: s.Day(finalDays + i), Mean: m, Low80: m - w, High80: m + w, Low95: m - 1.8*w, High95: m + 1.8*w})
	}
	c := job.Chart{Series: s, Forecast: &job.Forecast{Forecast: f, At: start.AddDate(0, 0, historyDays)}}
	c.Trend = &job.Trend{Trend: trend.Trend{Steps: []trend.Shift{{Day: s.Day(60), Before: 1100, After: 1450}}}}
	c.Anomalies = []job.Anomaly{
		incident(s, 60, 117, anomaly.Level, anomaly.High), incident(s, 40, 42, anomaly.Spike, anomaly.Critical),
		incident(s, 40, 42, anomaly.Spike, anomaly.Low), incident(s, 100, 101, anomaly.Drop, anomaly.Medium),
	}
	return c
}

func incident(s cost.Series, from, until int, kind anomaly.Kind, severity anomaly.Severity) job.Anomaly {
	return job.Anomaly{Incident: anomaly.Incident{
		Kind: kind, Severity: severity, Scope: s.Scope, Start: s.Day(from), Until: s.Day(until),
		Impact: cost.Money{Amount: decimal.NewFromInt(900), Currency: "USD", Basis: cost.Effective}, Summary: "The cost rose.",
	}}
}

// element is what a picture is made of.
type element struct {
	name, text string
	attributes map[string]string
}

// parse reads a picture; that it can be read is the first thing that is tested.
func parse(t *testing.T, svg []byte) []element {
	t.Helper()
	var out []element
	var open []int
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attributes: map[string]string{}}
			for _, a := range token.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			out, open = append(out, e), append(open, len(out))
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				out[open[len(open)-1]].text += string(token)
			}
		}
	}
}

func draw(t *testing.T, c job.Chart) []element {
	t.Helper()
	svg, err := chart.Draw(c)
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("CHART_DIR"); dir != "" { // to look at them
		if err := os.WriteFile(dir+"/"+strings.ReplaceAll(t.Name(), "/", "-")+".svg", svg, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return parse(t, svg)
}

// all are the elements with a name.
func all(elements []element, name string) []element {
	return slices.DeleteFunc(slices.Clone(elements), func(e element) bool { return e.name != name })
}

func texts(elements []element) string {
	var b strings.Builder
	for _, e := range all(elements, "text") {
		b.WriteString(strings.TrimSpace(e.text) + "\n")
	}
	return b.String()
}

// outline is a picture without what depends on the arithmetic of a machine: its elements with their colours and words, those that
// follow each other and look alike counted.
func outline(elements []element) string {
	colour := regexp.MustCompile(`#[0-9A-Fa-f]{6}`)
	var b strings.Builder
	last, n := "", 0
	flush := func() {
		if n > 0 {
			fmt.Fprintf(&b, "%d × %s\n", n, last)
		}
	}
	for _, e := range elements {
		words := strings.Join(strings.Fields(e.text), " ")
		line := strings.TrimSpace(strings.Join([]string{e.name, strings.Join(colour.FindAllString(e.attributes["style"]+e.attributes["fill"], -1), " "), words}, " "))
		if line != last {
			flush()
			last, n = line, 0
		}
		n++
	}
	flush()
	return b.String()
}

var update = flag.Bool("update", false, "write the golden outline anew")

func TestThePictureHasItsParts(t *testing.T) {
	t.Parallel()
	const golden = "testdata/forecast.golden"
	got := outline(draw(t, example()))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the outline is\n%s\nwant\n%s", got, want)
	}
}

func TestAnomaliesTellThemselves(t *testing.T) {
	t.Parallel()
	picture := draw(t, example())
	titles := all(picture, "title")
	dots, strips := all(picture, "circle"), all(picture, "rect")
	if len(dots) != 3 || len(strips) != 3 || len(titles) != 6 { // two begin on one day; one lasts a day
		t.Fatalf("%d dots, %d strips, %d titles", len(dots), len(strips), len(titles))
	}
	if got := titles[3].text; got != "spike, critical: The cost rose.\nspike, low: The cost rose." {
		t.Errorf("the first day tells %q", got)
	}
	if dots[0].attributes["fill"] != "#c01f2f" {
		t.Errorf("the gravest colours the dot, got %s", dots[0].attributes["fill"])
	}
}

func TestWithoutAForecastOrAnythingElse(t *testing.T) {
	t.Parallel()
	c := example()
	c.Forecast, c.Trend, c.Anomalies, c.Average = nil, nil, nil, 30
	words := texts(draw(t, c))
	for _, not := range []string{"forecast", "anomaly", "changed", "80 %"} {
		if strings.Contains(words, not) {
			t.Errorf("%q stands in a picture without it:\n%s", not, words)
		}
	}
	if !strings.Contains(words, "mean of 30 days") || !strings.Contains(words, "not final") {
		t.Errorf("the words are\n%s", words)
	}
}

func TestHostileNamesAreText(t *testing.T) {
	t.Parallel()
	const hostile = `</text><script>alert("1")</script>&amp;` + "\x00\x1b" + `<![CDATA[ font-family:x`
	c := example()
	c.Series.Scope = cost.Scope{cost.Service: hostile, cost.Tag(hostile): hostile}
	c.Series.Currency = "<b>"
	for i := range c.Anomalies {
		c.Anomalies[i].Summary = hostile
	}
	picture := draw(t, c)
	for _, e := range picture {
		if !slices.Contains([]string{"svg", "g", "path", "text", "title", "desc", "circle", "rect"}, e.name) {
			t.Errorf("a name became the element %s", e.name)
		}
	}
	if got := all(picture, "title")[0].text; !strings.Contains(got, `</text><script>alert("1")</script>&amp;`) {
		t.Errorf("the tooltip reads %q", got)
	}
}

func TestWordsDoNotMeet(t *testing.T) {
	t.Parallel()
	c := example()
	c.Trend.Steps = nil
	for day := 3; day < 117; day += 2 { // far more than there is room for
		c.Trend.Steps = append(c.Trend.Steps, trend.Shift{Day: c.Series.Day(day)})
	}
	type box struct{ left, right, y float64 }
	var boxes []box
	for _, e := range all(draw(t, c), "text") {
		number := func(name string) float64 { x, _ := strconv.ParseFloat(e.attributes[name], 64); return x }
		size := 10.0
		if m := regexp.MustCompile(`font-size:([0-9.]+)px`).FindStringSubmatch(e.attributes["style"]); m != nil {
			size, _ = strconv.ParseFloat(m[1], 64)
		}
		// Half the size is less than the mean width of these letters.
		boxes = append(boxes, box{number("x"), number("x") + 0.45*size*float64(len([]rune(strings.TrimSpace(e.text)))), -number("y")})
	}
	for i, a := range boxes {
		if a.left < 0 || a.right > 960 || a.y < 0 || a.y > 420 {
			t.Errorf("%+v lies outside", a)
		}
		for _, b := range boxes[:i] {
			if math.Abs(a.y-b.y) < 6 && a.left < b.right && b.left < a.right {
				t.Errorf("%+v and %+v meet", a, b)
			}
		}
	}
}

func TestAnySeriesGivesAPicture(t *testing.T) {
	t.Parallel()
	day := func(n int, f func(int) float64) job.Chart {
		s := cost.Series{Currency: "USD", Basis: cost.Billed, Start: start, Values: make([]float64, n), Final: n}
		for i := range s.Values {
			s.Values[i] = f(i)
		}
		return job.Chart{Series: s}
	}
	long := strings.Repeat("a very long name of a service ", 20)
	named := day(90, func(int) float64 { return 5 })
	named.Series.Scope = cost.Scope{cost.Service: long}
	for name, c := range map[string]job.Chart{
		"one day": day(1, func(int) float64 { return 3 }), "zero": day(30, func(int) float64 { return 0 }),
		"credits": day(60, func(i int) float64 { return float64(i%5) - 3 }), "tiny": day(10, func(i int) float64 { return 1e-9 * float64(i) }),
		"huge": day(800, func(i int) float64 { return 1e12 * float64(i) }), "long name": named,
		"gaps": day(60, func(i int) float64 { return map[bool]float64{true: math.NaN(), false: 7}[i%3 == 1] }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, e := range draw(t, c) {
				if strings.Contains(e.attributes["d"], "NaN") || strings.Contains(e.attributes["d"], "Inf") {
					t.Errorf("a path leads nowhere: %s", e.attributes["d"])
				}
			}
		})
	}
	if _, err := chart.Draw(day(5, func(int) float64 { return math.NaN() })); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("unknown days: %v", err)
	}
}

func TestTheSameIsDrawnTheSame(t *testing.T) {
	t.Parallel()
	first, err := chart.Draw(example())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if again, _ := chart.Draw(example()); !bytes.Equal(first, again) {
			t.Fatal("the same chart is another picture, so its entity tag would change")
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	c := example()
	for b.Loop() {
		if _, err := chart.Draw(c); err != nil {
			b.Fatal(err)
		}
	}
}
