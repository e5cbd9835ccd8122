// Command benchmark scores the forecasts on folders of public series: one NAME.csv.gz per set, with the columns id, m, mase_m,
// h, start, train and test.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

func main() {
	err := run(os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	dir      string
	asJSON   bool
	every    int
	resample bool
	forecast.Options
}

func run(args []string, out io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	flags.StringVar(&s.dir, "data", "", "folder with one NAME.csv.gz per set")
	flags.BoolVar(&s.asJSON, "json", false, "print one JSON object a line")
	flags.BoolVar(&s.Fast, "fast", false, "leave ARIMA out")
	flags.IntVar(&s.every, "every", 1, "score every n-th series only")
	flags.BoolVar(&s.resample, "resample", false, "print how far each measure moves from half to half of the series instead")
	calendar := flags.String("calendar", "", "file of the holidays where daily series come from: lines of a date and a name, 2026-12-25,Christmas Day")
	bills := flags.String("bills", "", "folder with tables of whole bills: compare their forecasts before and after reconciliation, and nothing else")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *bills != "" {
		return reconciled(*bills, out)
	}
	var err error
	if s.Calendar, err = readCalendar(*calendar); err != nil {
		return fmt.Errorf("read %s: %w", *calendar, err)
	}
	return s.measure(out)
}

// measure scores each set of the folder. One that cannot be read does not keep the others from it; the error tells at the end.
func (s settings) measure(out io.Writer) error {
	files, err := sets(s.dir)
	if err != nil {
		return fmt.Errorf("list the sets: %w; name their folder with -data", err)
	}
	var results []result
	var spreads []spread
	var failed error
	found := 0
	for _, file := range files {
		set, ok, err := read(file)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("read %s: %w", file, err))
			continue
		}
		if !ok {
			continue // another table that lies there, such as the scores of others
		}
		found++
		set = thinned(set, s.every)
		if s.resample {
			each, _ := scoreAll(set, s.Options)
			spreads = append(spreads, spreadsOf(setName(file), each)...)
			continue
		}
		r := score(set, s.Options)
		r.Set = setName(file)
		if s.asJSON {
			if err := json.NewEncoder(out).Encode(r); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			continue
		}
		results = append(results, r)
	}
	if found == 0 && failed == nil {
		return fmt.Errorf("no set of series in %q: name the folder with -data", s.dir)
	}
	return errors.Join(table(results, out), spreadTable(spreads, out), failed)
}

// thinned is every n-th series.
func thinned(set []series, every int) []series {
	var out []series
	for i := 0; i < len(set); i += max(1, every) {
		out = append(out, set[i])
	}
	return out
}

func table(results []result, out io.Writer) error {
	if len(results) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "set\tn\tmase\tsmape\tcov80\tcov95\tsec_per_series\tpeak_mb\tmodels\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.Set, r.N, digits(3, r.MASE), digits(2, r.SMAPE), digits(3, r.Cov80),
			digits(3, r.Cov95), digits(4, r.SecPerSeries), digits(2, r.PeakMB), r.models())
	}
	return w.Flush()
}

// digits prints a number, or a dash where there is none.
func digits(n int, v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.*f", n, *v)
}

// models lists how much each model weighs on average.
func (r result) models() string {
	names := make([]string, 0, len(r.weights))
	for name := range r.weights {
		names = append(names, name)
	}
	slices.Sort(names)
	parts := make([]string, 0, len(names))
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %.2f", name, r.weights[name]))
	}
	return strings.Join(parts, ", ")
}
