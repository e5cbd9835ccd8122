package forecast

import (
	"math"
	"slices"
)

// tolerance is how little, in proportion, the best and the worst corner may differ at the end: far less than what tells models
// apart.
const tolerance = 1e-5

// minimise is the simplex search of Nelder and Mead (1965): deterministic, no derivatives, at most so many evaluations.
func minimise(start []float64, spread float64, evaluations int, f func([]float64) float64) []float64 {
	d := len(start)
	corners := make([]corner, d+1)
	for i := range corners {
		x := slices.Clone(start)
		if i > 0 {
			x[i-1] += spread
		}
		corners[i] = corner{x, f(x)}
	}
	for used := d + 1; used < evaluations; used++ {
		slices.SortStableFunc(corners, func(a, b corner) int { return order(a.value, b.value) })
		worst := &corners[d]
		if corners[0].value-worst.value > -tolerance*(1e-12+math.Abs(corners[0].value)) {
			break
		}
		middle := make([]float64, d)
		for _, c := range corners[:d] {
			for j, v := range c.x {
				middle[j] += v / float64(d)
			}
		}
		at := func(t float64) corner {
			used++
			x := make([]float64, d)
			for j := range x {
				x[j] = middle[j] + t*(worst.x[j]-middle[j])
			}
			return corner{x, f(x)}
		}
		mirrored := at(-1)
		switch {
		case mirrored.value < corners[0].value:
			if far := at(-2); far.value < mirrored.value {
				mirrored = far
			}
			*worst = mirrored
		case d > 1 && mirrored.value < corners[d-1].value:
			*worst = mirrored
		default:
			if near := at(0.5); near.value < worst.value {
				*worst = near
				continue
			}
			shrink(corners, f)
			used += d
		}
	}
	return slices.MinFunc(corners, func(a, b corner) int { return order(a.value, b.value) }).x
}

// shrink draws all corners halfway to the best, which comes first.
func shrink(corners []corner, f func([]float64) float64) {
	for i := 1; i < len(corners); i++ {
		for j := range corners[i].x {
			corners[i].x[j] = (corners[i].x[j] + corners[0].x[j]) / 2
		}
		corners[i].value = f(corners[i].x)
	}
}

type corner struct {
	x     []float64
	value float64
}

// order puts what is no number last.
func order(a, b float64) int {
	switch {
	case a < b || math.IsNaN(b) && !math.IsNaN(a):
		return -1
	case a > b || math.IsNaN(a) && !math.IsNaN(b):
		return 1
	}
	return 0
}
