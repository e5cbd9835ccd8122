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

	"github.com/cost-agent/cost-agent/shared/anomaly"
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
	bySensitivity := flag.Bool("sensitivities", false, "measure cost_synth and inject_real at each sensitivity")
	flag.Parse()
	sensitivities := []anomaly.Sensitivity{anomaly.Balanced}
	if *bySensitivity {
		sensitivities = []anomaly.Sensitivity{anomaly.Coarse, anomaly.Balanced, anomaly.Fine}
	}
	if err := run(os.Stdout, *data, *asJSON, sensitivities); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

// sets are what is measured, by folder.
var sets = []struct {
	name      string
	sensitive bool
	measure   func(dir string, s anomaly.Sensitivity) (measure, error)
}{{"cost_synth", true, tenants}, {"inject_real", true, singles}, {"nab", false, streams}}

// run measures each set that is there. One that cannot be read does not keep the others from it; the error tells at the end.
func run(w io.Writer, dir string, asJSON bool, sensitivities []anomaly.Sensitivity) error {
	var all []measure
	var failed error
	for _, set := range sets {
		path := filepath.Join(dir, set.name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || len(sensitivities) > 1 && !set.sensitive {
			continue
		}
		for _, s := range sensitivities {
			m, err := set.measure(path, s)
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", set.name, err))
				continue
			}
			m.Set = set.name
			if len(sensitivities) > 1 {
				m.Set += ", " + string(s)
			}
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		if failed == nil {
			failed = fmt.Errorf("%q holds none of cost_synth, inject_real and nab; name the folder with -data", dir)
		}
		return failed
	}
	if asJSON {
		return errors.Join(printJSON(w, all), failed)
	}
	return errors.Join(printTable(w, all), failed)
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
