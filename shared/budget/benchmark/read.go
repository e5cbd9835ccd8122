package main

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// set is a named collection of daily series.
type set struct {
	name   string
	series []cost.Series
}

// read finds the sets of a folder.
func read(dir string) ([]set, error) {
	files, err := filepath.Glob(filepath.Join(dir, "forecast", "*_daily.csv.gz"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	var sets []set
	for _, file := range files {
		rows, err := table(file)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		s := set{name: strings.TrimSuffix(filepath.Base(file), ".csv.gz")}
		for _, r := range rows {
			one, err := series(r["start"], r["train"]+" "+r["test"])
			if err != nil {
				return nil, fmt.Errorf("read %s, series %s: %w", file, r["id"], err)
			}
			s.series = append(s.series, one)
		}
		sets = append(sets, s)
	}
	bills, err := bills(filepath.Join(dir, "cost_synth"))
	if errors.Is(err, fs.ErrNotExist) {
		return sets, nil
	}
	return append(sets, set{"cost_synth", bills}), err
}

// bills are tenants' costs: of the whole, of each provider, and of each service of it.
func bills(dir string) ([]cost.Series, error) {
	text, err := os.ReadFile(filepath.Join(dir, "labels.json"))
	if err != nil {
		return nil, err
	}
	var tenants map[string]struct {
		Day0 string `json:"day0"`
	}
	if err := json.Unmarshal(text, &tenants); err != nil {
		return nil, fmt.Errorf("labels of %s: %w", dir, err)
	}
	var out []cost.Series
	for name, t := range tenants {
		rows, err := table(filepath.Join(dir, name+".csv.gz"))
		if err != nil {
			return nil, err
		}
		sums := map[string]*cost.Series{}
		for _, r := range rows {
			for _, key := range []string{"", r["provider"], r["provider"] + "/" + r["service"]} {
				one, err := series(t.Day0, r["values"])
				if err != nil {
					return nil, err
				}
				if sums[key] == nil {
					sums[key] = &one
					continue
				}
				for i, v := range one.Values {
					sums[key].Values[i] += v
				}
			}
		}
		for _, s := range sums {
			out = append(out, *s)
		}
	}
	// Maps have no order; the series do, so that a run repeats exactly.
	slices.SortFunc(out, func(a, b cost.Series) int { return slices.Compare(a.Values, b.Values) })
	return out, nil
}

func series(start, values string) (cost.Series, error) {
	s := cost.Series{Basis: cost.Effective, Currency: "USD"}
	var err error
	if s.Start, err = time.Parse(time.DateOnly, start); err != nil {
		return s, err
	}
	for field := range strings.FieldsSeq(values) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return s, err
		}
		s.Values = append(s.Values, v)
	}
	s.Final = len(s.Values)
	return s, nil
}

// table gives the rows of a zipped table by column.
func table(path string) ([]map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	out := make([]map[string]string, len(rows)-1)
	for i, row := range rows[1:] {
		out[i] = map[string]string{}
		for k, column := range rows[0] {
			out[i][column] = row[k]
		}
	}
	return out, nil
}
