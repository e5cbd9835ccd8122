package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
)

// The standard profile of the Numenta Anomaly Benchmark (Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms",
// ICMLA 2015): what a window that was found, one that was not, and a false alarm weigh.
const (
	truePositive  = 1.0
	falseNegative = 1.0
	falsePositive = 0.11
)

// probation is the part at the beginning of a file that is not scored, and the longest such part in points.
const (
	probation     = 0.15
	mostProbation = 750
)

const nabTime = "2006-01-02 15:04:05"

// streams measures univariate series of any step, each with its windows of anomaly in nab/combined_windows.json.
// They have no sensitivity.
func streams(dir string, _ anomaly.Sensitivity) (measure, error) {
	var windows map[string][][2]string
	if err := document(filepath.Join(dir, "combined_windows.json"), &windows); err != nil {
		return measure{}, err
	}
	total := 0.0
	m := measure{}
	files := 0
	for _, name := range slices.Sorted(maps.Keys(windows)) {
		times, values, err := stream(filepath.Join(dir, name+".gz"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the windows may be those of more files than lie here
		}
		if err != nil {
			return measure{}, err
		}
		files++
		spans, err := spansOf(windows[name], times)
		if err != nil {
			return measure{}, err
		}
		s := nabScore(anomaly.Series(values), spans, len(values))
		total += s
		m.Events += len(spans)
	}
	if files == 0 {
		return measure{}, fmt.Errorf("%s holds none of the files that its combined_windows.json names", dir)
	}
	if m.Events > 0 {
		worst := -falseNegative * float64(m.Events)
		standard := 100 * (total - worst) / (truePositive*float64(m.Events) - worst)
		m.NABStandard = &standard
	}
	return m, nil
}

// stream reads the moments and values of a file.
func stream(path string) ([]time.Time, []float64, error) {
	rows, err := table(path, "timestamp", "value")
	if err != nil {
		return nil, nil, err
	}
	times, values := make([]time.Time, len(rows)), make([]float64, len(rows))
	for i, r := range rows {
		if times[i], err = time.Parse(nabTime, r["timestamp"]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		if values[i], err = number(r["value"]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return times, values, nil
}

// span is a window as positions, both ends included.
type span struct{ first, last int }

func spansOf(windows [][2]string, times []time.Time) ([]span, error) {
	var out []span
	for _, w := range windows {
		from, err := time.Parse(nabTime, w[0]) // fractions of a second may follow
		if err != nil {
			return nil, err
		}
		to, err := time.Parse(nabTime, w[1])
		if err != nil {
			return nil, err
		}
		first, last := -1, -1
		for i, t := range times {
			if !t.Before(from) && !t.After(to) {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
		if first >= 0 {
			out = append(out, span{first, last})
		}
	}
	return out, nil
}

// nabScore is the raw score of one file: each window counts its earliest alarm, the earlier the more, or the weight of a miss;
// every alarm outside a window counts against, the less the closer it follows one.
func nabScore(alarms []int, windows []span, n int) float64 {
	score := -falseNegative * float64(len(windows))
	found := make([]bool, len(windows))
	for _, i := range alarms {
		if i < min(int(probation*float64(n)), mostProbation) {
			continue
		}
		w := slices.IndexFunc(windows, func(s span) bool { return i >= s.first && i <= s.last })
		if w < 0 {
			score += falsePositive * outside(windows, i)
			continue
		}
		if !found[w] {
			found[w] = true
			width := float64(windows[w].last - windows[w].first + 1)
			position := -float64(windows[w].last-i+1) / width
			score += falseNegative + truePositive*scaledSigmoid(position)/scaledSigmoid(-1)
		}
	}
	return score
}

// outside is the unweighted score of an alarm after the last window before it.
func outside(windows []span, i int) float64 {
	score := -1.0
	for _, w := range windows {
		if w.last < i {
			score = scaledSigmoid(float64(i-w.last) / math.Max(1, float64(w.last-w.first)))
		}
	}
	return score
}

// scaledSigmoid falls from nearly 1 at the beginning of a window (-1) over 0 at its end to -1.
func scaledSigmoid(position float64) float64 {
	if position > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*position)) - 1
}
