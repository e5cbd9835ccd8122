package recommend

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// Sketch counts samples in buckets whose bounds grow by two percent, so that days merge exactly and any quantile of the
// merged span is right to one percent of its value. After DDSketch (Masson, Rim, Lee, VLDB 2019).
type Sketch struct {
	Zeros   int64 // samples of at most tiny
	Buckets []Bucket
	Max     float64
	// Seconds is the time that the samples stand for: their number times their distance.
	Seconds int64
}

// Bucket counts samples between 1.02^(Index-1) and 1.02^Index.
type Bucket struct {
	Index int64
	Count int64
}

const tiny = 1e-6

var bucketBase = math.Log(1.02)

func byIndex(a, b Bucket) int { return cmp.Compare(a.Index, b.Index) }

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
	s.Max = max(s.Max, value)
	b := Bucket{Index: int64(math.Ceil(math.Log(value) / bucketBase)), Count: 1}
	i, found := slices.BinarySearchFunc(s.Buckets, b, byIndex)
	if found {
		s.Buckets[i].Count++
		return
	}
	s.Buckets = slices.Insert(s.Buckets, i, b)
}

// Merge adds the samples of other sketches.
func (s *Sketch) Merge(others ...Sketch) {
	all := slices.Clone(s.Buckets)
	for _, o := range others {
		s.Zeros += o.Zeros
		s.Seconds += o.Seconds
		s.Max = max(s.Max, o.Max)
		all = append(all, o.Buckets...)
	}
	slices.SortFunc(all, byIndex)
	s.Buckets = nil
	for _, b := range all {
		if last := len(s.Buckets) - 1; last >= 0 && s.Buckets[last].Index == b.Index {
			s.Buckets[last].Count += b.Count
		} else {
			s.Buckets = append(s.Buckets, b)
		}
	}
}

// Samples is how many values were counted.
func (s *Sketch) Samples() int64 {
	n := s.Zeros
	for _, b := range s.Buckets {
		n += b.Count
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
	for _, b := range s.Buckets {
		if seen += b.Count; seen >= rank {
			middle := math.Exp((float64(b.Index) - 0.5) * bucketBase)
			return min(middle, s.Max), true
		}
	}
	return s.Max, true
}

// sketchFormat is the first byte of what AppendBinary writes.
const sketchFormat = 1

var errSketch = errors.New("not a sketch")

// AppendBinary writes the sketch in some ten bytes and two for each bucket. It never fails.
func (s *Sketch) AppendBinary(to []byte) ([]byte, error) {
	to = append(to, sketchFormat)
	to = binary.BigEndian.AppendUint64(to, math.Float64bits(s.Max))
	to = binary.AppendVarint(to, s.Zeros)
	to = binary.AppendVarint(to, s.Seconds)
	last := int64(0)
	for _, b := range s.Buckets {
		to = binary.AppendVarint(to, b.Index-last)
		to = binary.AppendVarint(to, b.Count)
		last = b.Index
	}
	return to, nil
}

// UnmarshalBinary reads what AppendBinary wrote.
func (s *Sketch) UnmarshalBinary(from []byte) error {
	const head = 9
	if len(from) < head || from[0] != sketchFormat {
		return errSketch
	}
	*s = Sketch{Max: math.Float64frombits(binary.BigEndian.Uint64(from[1:]))}
	r := varints{from[head:], true}
	s.Zeros, s.Seconds = r.next(), r.next()
	index := int64(0)
	for r.ok && len(r.left) > 0 {
		index += r.next()
		s.Buckets = append(s.Buckets, Bucket{index, r.next()})
	}
	if !r.ok {
		return errSketch
	}
	return nil
}

// varints reads one number after the other, until one cannot be read.
type varints struct {
	left []byte
	ok   bool
}

func (v *varints) next() int64 {
	n, size := binary.Varint(v.left)
	if size <= 0 {
		v.ok = false
		return 0
	}
	v.left = v.left[size:]
	return n
}
