package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
)

// The moments that bills are forecast from, in days before their end, and how far.
var billOrigins = []int{90, 150, 210}

const billHorizon = 90

// levels are the levels of a bill, widest first, by the columns of its table that they fix.
var levels = []struct {
	name string
	by   []string
}{
	{"total", nil}, {"provider", []string{"provider"}}, {"service", []string{"provider", "service"}},
	{"leaf", []string{"provider", "service", "account", "region"}},
}

// bill is a tenant's costs as a tree: the whole, its providers, their services, their leaves.
type bill struct {
	start   time.Time
	parents []int
	levels  []int
	values  [][]float64
}

// reconciled compares, level by level, the forecasts of bills as they were made with the same after their parts were made to sum
// to the whole: root mean squared errors over all days ahead, relative to the mean cost of a day of the level.
func reconciled(dir string, out io.Writer) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.csv.gz"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no tables of bills in %q: name the folder with -bills", dir)
	}
	starts, err := startsOf(dir)
	if err != nil {
		return err
	}
	var before, after [4]errorSum
	for _, file := range files {
		b, err := readBill(file)
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		b.start = time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC)
		if start, ok := starts[setName(file)]; ok {
			b.start = start
		}
		for _, back := range billOrigins {
			b.score(back, &before, &after)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "level\tforecasts\tRMSE\treconciled\tratio\tin 80 %\treconciled\tin 95 %\treconciled\t")
	for i, l := range levels {
		x, y := before[i], after[i]
		fmt.Fprintf(w, "%s\t%d\t%.4f\t%.4f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t\n", l.name, x.forecasts, x.rmse(), y.rmse(), y.rmse()/x.rmse(),
			x.in80/x.days, y.in80/y.days, x.in95/x.days, y.in95/y.days)
	}
	return w.Flush()
}

// errorSum sums what forecasts of one level missed.
type errorSum struct {
	forecasts             int
	days, squares, actual float64
	in80, in95            float64
}

func (e *errorSum) rmse() float64 { return math.Sqrt(e.squares/e.days) / (e.actual / e.days) }

func (e *errorSum) add(points []forecast.Point, actual []float64) {
	e.forecasts++
	for i, p := range points {
		e.days++
		e.squares += (p.Mean - actual[i]) * (p.Mean - actual[i])
		e.actual += actual[i]
		if actual[i] >= p.Low80 && actual[i] <= p.High80 {
			e.in80++
		}
		if actual[i] >= p.Low95 && actual[i] <= p.High95 {
			e.in95++
		}
	}
}

// score forecasts everything from so many days before the end.
func (b bill) score(back int, before, after *[4]errorSum) {
	tree := make([]forecast.Branch, len(b.values))
	for i, v := range b.values {
		s := cost.Series{Basis: cost.Effective, Currency: "USD", Start: b.start, Values: v[:len(v)-back], Final: len(v) - back}
		f := forecast.DailyWith(s, billHorizon, forecast.Options{Fast: b.levels[i] == len(levels)-1})
		tree[i] = forecast.Branch{Parent: b.parents[i], Series: s, Forecast: &f}
	}
	for i, by := range forecast.Reconcile(tree) {
		v, f := b.values[i], tree[i].Forecast
		actual := v[len(v)-back : len(v)-back+billHorizon]
		before[b.levels[i]].add(f.Points, actual)
		moved := f.Moved(by)
		after[b.levels[i]].add(moved.Points, actual)
	}
}

// startsOf reads when each bill began from the labels that lie beside; those of no date count as beginning on a Monday.
func startsOf(dir string) (map[string]time.Time, error) {
	var labels map[string]struct {
		Day0 string `json:"day0"`
	}
	b, err := os.ReadFile(filepath.Join(dir, "labels.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &labels)
	}
	if err != nil {
		return nil, fmt.Errorf("read the labels: %w", err)
	}
	starts := map[string]time.Time{}
	for name, l := range labels {
		if starts[name], err = time.Parse(time.DateOnly, l.Day0); err != nil {
			return nil, fmt.Errorf("read the labels: %w", err)
		}
	}
	return starts, nil
}

func readBill(path string) (bill, error) {
	rows, err := rowsOf(path)
	if err != nil || len(rows) == 0 {
		return bill{}, err
	}
	var b bill
	at := map[string]int{}
	for level, l := range levels {
		for _, row := range rows[1:] {
			name, parent := key(rows[0], row, l.by), -1
			if level > 0 {
				parent = at[key(rows[0], row, levels[level-1].by)]
			}
			v, err := floats(row[slices.Index(rows[0], "values")])
			if err != nil {
				return bill{}, err
			}
			i, ok := at[name]
			if !ok {
				i = len(b.values)
				at[name] = i
				b.parents, b.levels, b.values = append(b.parents, parent), append(b.levels, level), append(b.values, make([]float64, len(v)))
			}
			for t := range v {
				b.values[i][t] += v[t]
			}
		}
	}
	return b, nil
}

// key names a part of a bill.
func key(header, row, by []string) string {
	parts := make([]string, len(by))
	for i, column := range by {
		parts[i] = row[slices.Index(header, column)]
	}
	return strings.Join(parts, "\x00") + "\x00" + strconv.Itoa(len(by))
}
