package learn

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Calibration is what the executions of one action on one cloud taught so far. Each version is kept.
type Calibration struct {
	Action       plan.Action    `json:"action"`
	Cloud        resource.Cloud `json:"cloud"`
	Version      int            `json:"version"`       // from 1
	SavingsRatio float64        `json:"savings_ratio"` // by which estimates are multiplied
	Low          float64        `json:"low"`           // bounds of its 95 % interval
	High         float64        `json:"high"`
	SuccessRate  float64        `json:"success_rate"`
	Executions   int            `json:"executions"` // completed or rolled back
	Measured     int            `json:"measured"`   // completed and far enough to be measured
	Text         string         `json:"text"`       // why, in words and numbers
	CreatedAt    time.Time      `json:"created_at"`
}

const (
	// priorWeight is how many measured executions the belief counts for that estimates are right.
	priorWeight = 4.0
	// priorSpread is the standard deviation of realised / estimated that is assumed before anything is measured.
	priorSpread = 0.25
	// preliminaryWeight is how much of an execution a preliminary outcome counts for.
	preliminaryWeight = 0.5
	// priorSuccess is the success rate that is assumed, with priorWeight, before anything is executed.
	priorSuccess = 0.9
	// normal95 is the 97.5th percentile of the standard normal distribution.
	normal95 = 1.96
	// mostRatio keeps one mismeasured execution from turning the estimates over.
	mostRatio = 2.0
)

type calibrationKey struct {
	action plan.Action
	cloud  resource.Cloud
}

// Calibrate draws the calibrations from all outcomes. The savings ratio is the weighted mean of the realised ratios, shrunk
// toward 1 as in empirical Bayes estimation with a normal prior (Efron and Morris 1975); the success rate is the mean of the
// posterior of a Beta prior. Versions are those of known, one more where a figure has changed.
func Calibrate(outcomes []Outcome, known []Calibration, now time.Time) []Calibration {
	groups := map[calibrationKey][]Outcome{}
	for _, o := range outcomes {
		key := calibrationKey{o.Action, o.Cloud}
		groups[key] = append(groups[key], o)
	}
	before := map[calibrationKey]Calibration{}
	for _, k := range known {
		if key := (calibrationKey{k.Action, k.Cloud}); k.Version > before[key].Version {
			before[key] = k
		}
	}
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b calibrationKey) int {
		return cmp.Or(cmp.Compare(a.action, b.action), cmp.Compare(a.cloud, b.cloud))
	})
	var out []Calibration
	for _, key := range keys {
		c := calibrate(key, groups[key])
		c.Version, c.CreatedAt = 1, now
		if old, ok := before[key]; ok {
			if same(old, c) {
				c = old
			} else {
				c.Version = old.Version + 1
			}
		}
		out = append(out, c)
	}
	return out
}

func same(a, b Calibration) bool {
	const noticed = 0.0005
	return a.Executions == b.Executions && a.Measured == b.Measured &&
		math.Abs(a.SavingsRatio-b.SavingsRatio) < noticed && math.Abs(a.SuccessRate-b.SuccessRate) < noticed
}

func calibrate(key calibrationKey, outcomes []Outcome) Calibration {
	c := Calibration{Action: key.action, Cloud: key.cloud, Executions: len(outcomes)}
	completed, weight, sum := 0.0, 0.0, 0.0
	var ratios, weights []float64
	for _, o := range outcomes {
		if o.Completed {
			completed++
		}
		if o.Ratio == nil || o.State == TooEarly {
			continue
		}
		w := 1.0
		if o.State == Preliminary {
			w = preliminaryWeight
		}
		r := min(max(o.Ratio.Value, 0), mostRatio)
		ratios, weights = append(ratios, r), append(weights, w)
		weight, sum = weight+w, sum+w*r
	}
	c.Measured = len(ratios)
	c.SavingsRatio = (priorWeight + sum) / (priorWeight + weight)
	spread := priorWeight * priorSpread * priorSpread
	for i, r := range ratios {
		spread += weights[i] * (r - c.SavingsRatio) * (r - c.SavingsRatio)
	}
	margin := normal95 * math.Sqrt(spread/(priorWeight+weight)/(priorWeight+weight))
	c.Low, c.High = max(c.SavingsRatio-margin, 0), c.SavingsRatio+margin
	c.SuccessRate = (priorWeight*priorSuccess + completed) / (priorWeight + float64(len(outcomes)))
	c.Text = explain(c, completed, sum, weight)
	return c
}

// explain is the insight: what was seen, and what it changes.
func explain(c Calibration, completed, sum, weight float64) string {
	var parts []string
	cloud := map[resource.Cloud]string{resource.AWS: "AWS", resource.GCP: "Google Cloud", resource.Azure: "Azure", resource.Vultr: "Vultr"}[c.Cloud]
	parts = append(parts, fmt.Sprintf("%s on %s: %d of %d executions completed.", actionName(c.Action), cloud, int(completed), c.Executions))
	if weight > 0 {
		parts = append(parts, fmt.Sprintf("Measured on the bill, they saved %.0f %% of what was estimated.", 100*sum/weight))
	} else {
		parts = append(parts, "None of them could be measured on the bill yet.")
	}
	return strings.Join(append(parts, fmt.Sprintf(
		"Estimates are multiplied by %.2f (95 %% interval %.2f to %.2f) from now on, and success is expected in %.0f %% of cases.",
		c.SavingsRatio, c.Low, c.High, 100*c.SuccessRate)), " ")
}
