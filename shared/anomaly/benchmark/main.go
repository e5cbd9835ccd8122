// Command benchmark measures the anomaly detector on labelled data: a folder that holds any of cost_synth (tenants with
// injected anomalies), inject_real (single real series with injected anomalies) and nab (the Numenta Anomaly Benchmark).
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// measure is what one set shows. What does not apply is nil.
type measure struct {
	Set                string   `json:"set"`
	Events             int      `json:"events"`
	Precision          *float64 `json:"precision"`
	Recall             *float64 `json:"recall"`
	F1                 *float64 `json:"f1"`
	FalsePerTenantWeek *float64 `json:"false_per_tenant_week"`
	DaysToDetect       *float64 `json:"days_to_detect"`
	RootTop1           *float64 `json:"root_top1"`
	RootTop3           *float64 `json:"root_top3"`
	NABStandard        *float64 `json:"nab_standard"`
}

func main() {
	data := flag.String("data", "", "folder that holds any of cost_synth, inject_real and nab")
	asJSON := flag.Bool("json", false, "print one JSON object a line instead of a table")
	bySensitivity := flag.Bool("sensitivities", false, "measure cost_synth at each sensitivity, and nothing else")
	flag.Parse()
	measured := run
	if *bySensitivity {
		measured = runSensitivities
	}
	if err := measured(os.Stdout, *data, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, dir string, asJSON bool) error {
	var all []measure
	for _, set := range []struct {
		name    string
		measure func(dir string) (measure, error)
	}{{"cost_synth", tenants}, {"inject_real", singles}, {"nab", streams}} {
		path := filepath.Join(dir, set.name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		m, err := set.measure(path)
		if err != nil {
			return fmt.Errorf("%s: %w", set.name, err)
		}
		m.Set = set.name
		all = append(all, m)
	}
	if len(all) == 0 {
		return fmt.Errorf("%q holds none of cost_synth, inject_real and nab; name the folder with -data", dir)
	}
	if asJSON {
		return printJSON(w, all)
	}
	return printTable(w, all)
}

func runSensitivities(w io.Writer, dir string, asJSON bool) error {
	all, err := sensitivities(filepath.Join(dir, "cost_synth"))
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, all)
	}
	return printTable(w, all)
}

func printJSON(w io.Writer, all []measure) error {
	e := json.NewEncoder(w)
	for _, m := range all {
		if err := e.Encode(m); err != nil {
			return err
		}
	}
	return nil
}

func printTable(w io.Writer, all []measure) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "set\tevents\tprecision\trecall\tF1\tfalse/tenant-week\tdays to detect\troot top 1\troot top 3\tNAB standard\t")
	for _, m := range all {
		fmt.Fprintf(t, "%s\t%d\t", m.Set, m.Events)
		for _, v := range []*float64{m.Precision, m.Recall, m.F1, m.FalsePerTenantWeek, m.DaysToDetect, m.RootTop1, m.RootTop3, m.NABStandard} {
			if v == nil {
				fmt.Fprint(t, "-\t")
				continue
			}
			fmt.Fprintf(t, "%.3f\t", *v)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
