package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// series is one row of a set.
type series struct {
	source      string // what the series was cut from: its id up to an @
	season      int    // m
	scoreSeason int    // mase_m
	start       time.Time
	train, test []float64 // NaN where unknown
}

// sets are the files of a folder that may hold a set, in the order of their names.
func sets(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() && setName(name) != name {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files, nil
}

// setName is the name of a file without what tells its format.
func setName(file string) string {
	return strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".gz"), ".csv")
}

// rowsOf reads a table, compressed or not.
func rowsOf(file string) ([][]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	buffered := bufio.NewReader(f)
	var r io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if r, err = gzip.NewReader(buffered); err != nil {
			return nil, err
		}
	}
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1 // rows are checked one by one
	return c.ReadAll()
}

// needed are the columns that make a table a set.
var needed = []string{"id", "m", "mase_m", "train", "test"}

// read gives the series of a file; not ok where it lacks a column of a set.
func read(file string) (set []series, ok bool, err error) {
	rows, err := rowsOf(file)
	if err != nil {
		return nil, false, err
	}
	if len(rows) == 0 {
		return nil, false, errors.New("it is empty")
	}
	header := slices.Clone(rows[0])
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // some programs mark their UTF-8
	for _, column := range needed {
		if !slices.Contains(header, column) {
			return nil, false, nil
		}
	}
	for i, row := range rows[1:] {
		if len(row) != len(header) {
			return nil, false, fmt.Errorf("row %d has %d fields, the header has %d", i+1, len(row), len(header))
		}
		s, err := parse(func(column string) string {
			if k := slices.Index(header, column); k >= 0 {
				return strings.TrimSpace(row[k])
			}
			return ""
		})
		if err != nil {
			return nil, false, fmt.Errorf("row %d, series %s: %w", i+1, row[slices.Index(header, "id")], err)
		}
		set = append(set, s)
	}
	return set, true, nil
}

func parse(field func(column string) string) (s series, err error) {
	s.source, _, _ = strings.Cut(field("id"), "@")
	if s.season, err = strconv.Atoi(field("m")); err != nil {
		return s, err
	}
	if s.scoreSeason, err = strconv.Atoi(field("mase_m")); err != nil {
		return s, err
	}
	// A date says when the series began; only where the season is a week is a step a day.
	if start := field("start"); start != "" && s.season == 7 {
		if s.start, err = time.Parse(time.DateOnly, start); err != nil {
			return s, err
		}
	}
	if s.train, err = floats(field("train")); err != nil {
		return s, err
	}
	s.test, err = floats(field("test"))
	return s, err
}

// floats reads numbers. What programs write for an unknown value is NaN.
func floats(text string) ([]float64, error) {
	fields := strings.Fields(text)
	out := make([]float64, len(fields))
	for i, field := range fields {
		switch strings.ToLower(field) {
		case "na", "nan", "null", "none", "?":
			out[i] = math.NaN()
			continue
		}
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// readCalendar reads lines of a date and the name of its holiday; no file is no calendar.
func readCalendar(file string) (cost.Calendar, error) {
	if file == "" {
		return nil, nil
	}
	rows, err := rowsOf(file)
	if err != nil {
		return nil, err
	}
	c := cost.Calendar{}
	for _, row := range rows {
		day, err := time.Parse(time.DateOnly, row[0])
		if err != nil || len(row) != 2 {
			return nil, fmt.Errorf("%q is no date and name", strings.Join(row, ","))
		}
		c[day] = row[1]
	}
	return c, nil
}
