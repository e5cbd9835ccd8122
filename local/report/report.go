// Package report shows in a terminal what the agent knows: costs, anomalies, forecast, budgets, recommendations, executions and what
// they really saved.
package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Report is one page.
type Report struct {
	Title           string
	Rows            int64
	Periods         int // months of bills
	Month           time.Time
	Providers       []Provider
	Anomalies       []Anomaly
	AnomalyCount    int // all of them; Anomalies may be the first few
	Forecast        *Forecast
	Budgets         []Budget
	Recommendations []Recommendation
	RecommendCount  int
	Potential       *cost.Money // of all recommendations together, a month
	Executions      []Execution
}

// Provider is what one cloud cost in Month.
type Provider struct {
	Name   string
	Cost   cost.Money
	Before *cost.Money // the month before; nil when there was none
	Daily  []float64   // the last days, for the spark line
}

// Anomaly is one incident.
type Anomaly struct {
	Severity, Kind string
	Start          time.Time
	End            time.Time // zero: still going on
	Impact         cost.Money
	Where          string // the dimensions that cause it, widest first
}

// Forecast is the total of the days to come.
type Forecast struct {
	Days                   int
	Mean                   cost.Money
	Lo80, Hi80, Lo95, Hi95 decimal.Decimal
	Model                  string
	Daily                  []float64 // history first
	History                int       // so many of Daily have been billed
}

// Recommendation is one proposal.
type Recommendation struct {
	Title   string
	Monthly cost.Money
	Score   float64
	Status  string
}

// Execution is one change that was carried out.
type Execution struct {
	Title     string
	Status    string
	Phases    string // "10 % healthy, 50 % unhealthy"
	Reason    string
	Estimated cost.Money
	Realised  *cost.Money // nil: not known yet
	Lo, Hi    decimal.Decimal
	State     string // of the outcome: "preliminary"
}

// Write prints the page.
func (r Report) Write(out io.Writer) error {
	p := &printer{out: out}
	p.line("")
	p.line("%s", r.Title)
	p.line("%s", strings.Repeat("─", len([]rune(r.Title))))
	p.section("Bills", "%s rows of %d months loaded", thousands(r.Rows), r.Periods)
	r.costs(p)
	r.anomalies(p)
	r.forecast(p)
	r.budgets(p)
	r.recommendations(p)
	r.executions(p)
	return p.err
}

func (r Report) costs(p *printer) {
	if len(r.Providers) == 0 {
		return
	}
	p.section("Cost", "%s, %s; against the month before, and day by day until now", r.Month.Format("January 2006"), r.Providers[0].Cost.Basis)
	sums := map[cost.Currency]cost.Money{}
	for _, v := range r.Providers {
		p.line("    %-14s %14s  %-9s %s", v.Name, show(v.Cost), against(v.Cost, v.Before), Spark(v.Daily))
		sum, ok := sums[v.Cost.Currency]
		if !ok {
			sum = cost.Money{Currency: v.Cost.Currency, Basis: v.Cost.Basis}
		}
		if total, err := sum.Add(v.Cost); err == nil {
			sums[v.Cost.Currency] = total
		}
	}
	for _, c := range slices.Sorted(maps.Keys(sums)) {
		p.line("    %-14s %14s", "together", show(sums[c]))
	}
}

func (r Report) anomalies(p *printer) {
	p.section("Anomalies", "%d found in all bills, the largest and where they come from", r.AnomalyCount)
	for _, a := range r.Anomalies {
		p.line("    %-8s  %-9s  %14s  %s", a.Severity, a.Kind, signed(a.Impact), days(a.Start, a.End))
		p.wrapped("              ", "", a.Where)
	}
}

func (r Report) forecast(p *printer) {
	f := r.Forecast
	if f == nil {
		return
	}
	p.section("Forecast", "next %d days %s", f.Days, show(f.Mean))
	p.line("    80 %% between %s and %s, 95 %% between %s and %s", amount(f.Lo80), amount(f.Hi80), amount(f.Lo95), amount(f.Hi95))
	p.wrapped("    ", "", f.Model)
	if f.History > 0 && f.History < len(f.Daily) {
		line := []rune(Spark(f.Daily))
		p.line("    %s│%s", string(line[:f.History]), string(line[f.History:]))
	}
}

func (r Report) recommendations(p *printer) {
	together := ""
	if r.Potential != nil {
		together = ", together " + show(*r.Potential) + " a month"
	}
	p.section("Recommendations", "%d%s; the highest scores of 100, and the saving a month", r.RecommendCount, together)
	for _, c := range r.Recommendations {
		p.wrapped("                                   ", fmt.Sprintf("    %5.1f  %12s  %-8s  ", c.Score, show(c.Monthly), c.Status), c.Title)
	}
}

func (r Report) executions(p *printer) {
	p.section("Executions", "%d", len(r.Executions))
	for _, e := range r.Executions {
		p.line("    %s: %s", strings.ToUpper(e.Status), e.Title)
		if e.Phases != "" {
			p.line("      %s", e.Phases)
		}
		if e.Reason != "" {
			p.wrapped("      ", "      why: ", e.Reason)
		}
		switch {
		case e.Realised == nil:
		case e.Status != "completed":
			p.wrapped("      ", "      ", fmt.Sprintf("saved on the bill: %s a month, as it should be when all is undone", show(*e.Realised)))
		default:
			p.wrapped("      ", "      ", fmt.Sprintf("saved on the bill: %s a month%s, estimated %s%s", show(*e.Realised), certainty(e), show(e.Estimated), ratio(*e.Realised, e.Estimated)))
		}
	}
}

// certainty says how well the saving is known: its interval, where there is one to speak of, and whether the bill is final.
func certainty(e Execution) string {
	if e.Lo.Equal(e.Hi) {
		return " (" + e.State + ")"
	}
	return fmt.Sprintf(" (%s, 95 %% between %s and %s)", e.State, amount(e.Lo), amount(e.Hi))
}

// columns is how wide a line may be.
const columns = 100

type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

// wrapped writes text after the first line's beginning, and goes on below indent where the line would be too long.
func (p *printer) wrapped(indent, first, text string) {
	line := cmp.Or(first, indent)
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns {
			p.line("%s", line)
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	p.line("%s", line)
}

func (p *printer) section(name, format string, args ...any) {
	p.line("")
	p.line("  %-16s %s", name, fmt.Sprintf(format, args...))
}

// Spark draws values as bars of eight heights, each line scaled to its own range. Days without a value are blanks.
func Spark(values []float64) string {
	const bars = "▁▂▃▄▅▆▇█"
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	var out strings.Builder
	levels := []rune(bars)
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			out.WriteByte(' ')
		case hi == lo:
			out.WriteRune(levels[3])
		default:
			out.WriteRune(levels[int((v-lo)/(hi-lo)*float64(len(levels)-1)+0.5)])
		}
	}
	return out.String()
}

func days(start, end time.Time) string {
	from := start.Format("2 Jan")
	if end.IsZero() {
		return "since " + from
	}
	last := end.AddDate(0, 0, -1)
	if !last.After(start) {
		return from
	}
	return from + " to " + last.Format("2 Jan")
}

// against is the change to the month before, in percent.
func against(now cost.Money, before *cost.Money) string {
	if before == nil || before.Amount.IsZero() || before.Currency != now.Currency {
		return ""
	}
	change := now.Amount.Sub(before.Amount).Div(before.Amount).Mul(decimal.NewFromInt(100)).Round(1)
	return fmt.Sprintf("%+.1f %%", change.InexactFloat64())
}

func ratio(realised, estimated cost.Money) string {
	if estimated.Amount.IsZero() || realised.Currency != estimated.Currency {
		return ""
	}
	percent := realised.Amount.Div(estimated.Amount).Mul(decimal.NewFromInt(100)).Round(0)
	return fmt.Sprintf(": %s %% of it", percent)
}

func show(m cost.Money) string { return amount(m.Amount) + " " + string(m.Currency) }

func signed(m cost.Money) string {
	if m.Amount.IsPositive() {
		return "+" + show(m)
	}
	return show(m)
}

// amount shows two decimals with the thousands apart: "12,345.60".
func amount(d decimal.Decimal) string {
	text := d.StringFixed(2)
	whole, cents, _ := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	return sign + group(whole) + "." + cents
}

func thousands(n int64) string {
	return group(strconv.FormatInt(n, 10))
}

func group(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
