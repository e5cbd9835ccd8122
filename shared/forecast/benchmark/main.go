// Command benchmark scores the forecasts on folders of public series: one NAME.csv.gz per set, with the columns id, m, mase_m,
// h, start, train and test.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/cost-agent/cost-agent/shared/forecast"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	dir := flags.String("data", "", "folder with one NAME.csv.gz per set")
	asJSON := flags.Bool("json", false, "print one JSON object a line")
	fast := flags.Bool("fast", false, "leave ARIMA out")
	every := flags.Int("every", 1, "score every n-th series only")
	calendar := flags.String("calendar", "", "file of the holidays where daily series come from: lines of a date and a name, 2026-12-25,Christmas Day")
	bills := flags.String("bills", "", "folder with tables of whole bills: compare their forecasts before and after reconciliation, and nothing else")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *bills != "" {
		return reconciled(*bills, out)
	}
	holidays, err := readCalendar(*calendar)
	if err != nil {
		return fmt.Errorf("read %s: %w", *calendar, err)
	}
	files, err := filepath.Glob(filepath.Join(*dir, "*.csv.gz"))
	if err != nil {
		return fmt.Errorf("list %s: %w", *dir, err)
	}
	var results []result
	for _, file := range files {
		set, ok, err := read(file)
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if !ok {
			continue // another table that lies there, such as the scores of others
		}
		r := score(set, max(1, *every), forecast.Options{Fast: *fast, Calendar: holidays})
		r.Set = strings.TrimSuffix(filepath.Base(file), ".csv.gz")
		if *asJSON {
			if err := json.NewEncoder(out).Encode(r); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			continue
		}
		results = append(results, r)
	}
	if len(results) == 0 && !*asJSON {
		return fmt.Errorf("no set of series in %q: name the folder with -data", *dir)
	}
	return table(results, out)
}

func table(results []result, out io.Writer) error {
	if len(results) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "set\tn\tmase\tsmape\tcov80\tcov95\tsec_per_series\tpeak_mb\tmodels\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%.2f\t%.3f\t%.3f\t%.4f\t%.2f\t%s\t\n", r.Set, r.N, r.MASE, r.SMAPE, r.Cov80, r.Cov95, r.SecPerSeries, r.PeakMB, r.models())
	}
	return w.Flush()
}

// models lists how much each model weighs on average, and its error alone in the rolling origins.
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
