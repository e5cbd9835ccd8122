package anomaly

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// spikeDays is the longest incident that is still a spike.
const spikeDays = 7

// span are the known days of an incident: what they cost, and what they were expected to cost.
func (p *path) span(start, until int) (actual, expected []float64) {
	for t := start; t < until; t++ {
		if !math.IsNaN(p.values[t]) && !math.IsNaN(p.expected[t]) {
			actual, expected = append(actual, p.values[t]), append(expected, p.expected[t])
		}
	}
	return actual, expected
}

// kindOf names the shape of an incident.
func kindOf(actual, expected []float64, direction float64, ended bool) Kind {
	is, was := mean(actual), mean(expected)
	switch {
	case direction < 0 && !ended && was > 0 && math.Abs(mean(last(actual, 3))) < 0.05*was:
		return Vanished
	case direction < 0:
		return Drop
	case math.Abs(was) < 0.05*is:
		return NewSpend
	case ramps(actual, expected):
		return Ramp
	case ended && len(actual) <= spikeDays:
		return Spike
	case !ended && len(actual) <= 3:
		return Spike
	}
	return Level
}

// ramps reports whether the deviation went on growing: its middle is well above its beginning and it rises on most days.
func ramps(actual, expected []float64) bool {
	if len(actual) < 5 {
		return false
	}
	n := min(len(actual), 14)
	first, later, up := 0.0, 0.0, 0
	for i := range n {
		d := actual[i] - expected[i]
		if i < n/3 {
			first += d / float64(n/3)
		}
		if i >= n-n/3 {
			later += d / float64(n/3)
		}
		if i > 0 && d > actual[i-1]-expected[i-1] {
			up++
		}
	}
	return later > 1.8*first && up*3 >= (n-1)*2
}

func mean(v []float64) float64 { return sum(v) / float64(max(len(v), 1)) }

// phrases are how the summary tells each kind.
var phrases = map[Kind]string{
	Spike: "rose for a short time", Level: "rose to a new level", Ramp: "has been climbing",
	Drop: "fell", NewSpend: "is new", Vanished: "stopped",
}

// summarise tells the incident in a sentence or two.
func summarise(i Incident) string {
	span := "since " + date(i.Start)
	if !i.Open() {
		span = "on " + date(i.Start)
		if last := i.End.AddDate(0, 0, -1); last.After(i.Start) {
			span = fmt.Sprintf("from %s to %s", date(i.Start), date(last))
		}
	}
	amount := i.Impact
	amount.Amount = amount.Amount.Abs()
	direction := "more"
	if i.Impact.Amount.IsNegative() {
		direction = "less"
	}
	return fmt.Sprintf("The cost of %s %s: %s it came to %s, %s %s than usual.", Describe(i.Scope), phrases[i.Kind], span, i.Actual, amount, direction)
}

func date(t time.Time) string { return t.Format("2 January 2006") }

// Describe names a scope for people, its most telling dimension first: "Amazon EC2 in us-east-1 of account 123 (AWS)".
func Describe(s cost.Scope) string {
	var b strings.Builder
	write := func(format, value string) {
		if value == "" {
			value = "(none)"
		}
		fmt.Fprintf(&b, format, value)
	}
	rest := slices.Sorted(func(yield func(string) bool) {
		for d := range s {
			switch d {
			case cost.Service, cost.Region, cost.Account, cost.Provider:
			default:
				if !yield(string(d)) {
					return
				}
			}
		}
	})
	for _, d := range rest {
		name := strings.TrimSuffix(d, "Id")
		if key, ok := cost.Dimension(d).TagKey(); ok {
			name = "tag " + key
		}
		write(strings.ToLower(name)+" %s of ", s[cost.Dimension(d)])
	}
	service, ok := s[cost.Service]
	if !ok {
		service = "everything"
	}
	write("%s", service)
	for _, x := range []struct {
		of        cost.Dimension
		one, none string
	}{{cost.Region, " in %s", " in no region"}, {cost.Account, " of account %s", " of no account"}} {
		if v, ok := s[x.of]; ok && v == "" {
			b.WriteString(x.none)
		} else if ok {
			write(x.one, v)
		}
	}
	if v, ok := s[cost.Provider]; ok {
		write(" (%s)", v)
	}
	return b.String()
}
