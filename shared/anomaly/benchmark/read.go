package main

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// table reads a compressed file of comma-separated values whose first line names the columns.
func table(path string) (rows []map[string]string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lines, err := csv.NewReader(z).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, line := range lines[min(1, len(lines)):] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func document(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func numbers(s string) ([]float64, error) {
	fields := strings.Fields(s)
	out := make([]float64, len(fields))
	for i, f := range fields {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// label is an injected anomaly. Days are counted from the beginning of its series.
type label struct {
	Kind  string            `json:"kind"`
	In    map[string]string `json:"scope"`
	Start int               `json:"start"`
	End   int               `json:"end"` // its last day
}

var dimensions = map[string]cost.Dimension{
	"provider": cost.Provider, "account": cost.Account, "service": cost.Service, "region": cost.Region,
}

func (l label) scope() cost.Scope {
	s := cost.Scope{}
	for column, v := range l.In {
		if d, ok := dimensions[column]; ok {
			s[d] = v
		} else {
			s[cost.Tag(column)] = v
		}
	}
	return s
}
