package main

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// series is one row of a set.
type series struct {
	season      int // m
	scoreSeason int // mase_m
	start       time.Time
	train, test []float64
}

// read gives the series of a file; not ok where it has other columns.
func read(file string) (set []series, ok bool, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, false, err
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil || len(rows) == 0 || strings.Join(rows[0], ",") != "id,m,mase_m,h,start,train,test" {
		return nil, false, err
	}
	for _, row := range rows[1:] {
		s, err := parse(row)
		if err != nil {
			return nil, false, fmt.Errorf("series %s: %w", row[0], err)
		}
		set = append(set, s)
	}
	return set, true, nil
}

// readCalendar reads lines of a date and the name of its holiday; no file is no calendar.
func readCalendar(file string) (cost.Calendar, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	rows, err := csv.NewReader(f).ReadAll()
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

func parse(row []string) (s series, err error) {
	if s.season, err = strconv.Atoi(row[1]); err != nil {
		return s, err
	}
	if s.scoreSeason, err = strconv.Atoi(row[2]); err != nil {
		return s, err
	}
	// A date says when the series began; only where the season is a week is a step a day.
	if row[4] != "" && s.season == 7 {
		if s.start, err = time.Parse(time.DateOnly, row[4]); err != nil {
			return s, err
		}
	}
	if s.train, err = floats(row[5]); err != nil {
		return s, err
	}
	s.test, err = floats(row[6])
	return s, err
}

func floats(text string) ([]float64, error) {
	fields := strings.Fields(text)
	out := make([]float64, len(fields))
	for i, field := range fields {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
