package recommend

import (
	"maps"
	"math"
	"slices"
)

// Sketch counts samples in buckets whose bounds grow by two percent, so that days merge exactly and any quantile of the
// merged span is right to one percent of its value. After DDSketch (Masson, Rim, Lee, VLDB 2019).
type Sketch struct {
	Zeros  int64         `json:"zeros"`  // samples of at most tiny
	Counts map[int]int64 `json:"counts"` // by bucket
	Max    float64       `json:"max"`
	// Seconds is the time that the samples stand for: their number times their distance.
	Seconds int64 `json:"seconds"`
}

const tiny = 1e-6

var bucketBase = math.Log(1.02)

// Add counts one sample that stands for so many seconds. Negative values count as zero; NaN and infinities are no values.
func (s *Sketch) Add(value float64, seconds int64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	s.Seconds += seconds
	if value <= tiny {
		s.Zeros++
		return
	}
	if s.Counts == nil {
		s.Counts = map[int]int64{}
	}
	s.Counts[int(math.Ceil(math.Log(value)/bucketBase))]++
	s.Max = max(s.Max, value)
}

// Merge adds the samples of another sketch.
func (s *Sketch) Merge(other Sketch) {
	s.Zeros += other.Zeros
	s.Seconds += other.Seconds
	s.Max = max(s.Max, other.Max)
	if s.Counts == nil {
		s.Counts = map[int]int64{}
	}
	for bucket, n := range other.Counts {
		s.Counts[bucket] += n
	}
}

// Samples is how many values were counted.
func (s *Sketch) Samples() int64 {
	n := s.Zeros
	for _, c := range s.Counts {
		n += c
	}
	return n
}

// Quantile is the value that the share q of the samples does not exceed, never more than the largest one. An empty sketch
// has none.
func (s *Sketch) Quantile(q float64) (float64, bool) {
	total := s.Samples()
	if total == 0 {
		return 0, false
	}
	rank := int64(math.Ceil(q * float64(total)))
	seen := s.Zeros
	if seen >= rank {
		return 0, true
	}
	for _, bucket := range slices.Sorted(maps.Keys(s.Counts)) {
		if seen += s.Counts[bucket]; seen >= rank {
			middle := math.Exp((float64(bucket) - 0.5) * bucketBase)
			return min(middle, s.Max), true
		}
	}
	return s.Max, true
}
