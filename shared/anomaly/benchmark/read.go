package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// table reads a file of comma-separated values whose first line names the columns; it must have the needed ones. The file may
// be compressed or not, with and without the ending that says so.
func table(path string, needed ...string) (rows []map[string]string, err error) {
	f, err := os.Open(path)
	if plain, ok := strings.CutSuffix(path, ".gz"); ok && errors.Is(err, fs.ErrNotExist) {
		if other, e := os.Open(plain); e == nil {
			f, err = other, nil
		}
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	buffered := bufio.NewReader(f)
	var r io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if r, err = gzip.NewReader(buffered); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s: it is empty", path)
	}
	lines[0][0] = strings.TrimPrefix(lines[0][0], "\ufeff") // some programs mark their UTF-8
	for _, column := range needed {
		if !slices.Contains(lines[0], column) {
			return nil, fmt.Errorf("%s: it has no column %s", path, column)
		}
	}
	for _, line := range lines[1:] {
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
		v, err := number(f)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// number reads a number. What programs write for an unknown value is NaN.
func number(s string) (float64, error) {
	switch strings.ToLower(s) {
	case "", "na", "nan", "null", "none", "?":
		return math.NaN(), nil
	}
	return strconv.ParseFloat(s, 64)
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
