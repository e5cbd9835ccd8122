package forecast_test

import (
	"encoding/binary"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
)

// branch is a forecast of some days with these means and half-widths.
func branch(parent int, least float64, means, halves []float64) forecast.Branch {
	s := series([]float64{max(least, -1), 1})
	f := forecast.Forecast{}
	for i, m := range means {
		f.Points = append(f.Points, forecast.Point{
			Day: s.Day(2 + i), Mean: m, Low80: max(least, m-halves[i]), High80: m + halves[i], Low95: max(least, m-2*halves[i]), High95: m + 2*halves[i],
		})
	}
	return forecast.Branch{Parent: parent, Series: s, Forecast: &f}
}

// reconciled are the means by branch and day.
func reconciled(tree []forecast.Branch) [][]float64 {
	out := make([][]float64, len(tree))
	for i, by := range forecast.Reconcile(tree) {
		for _, p := range tree[i].Forecast.Moved(by).Points {
			out[i] = append(out[i], p.Mean)
		}
	}
	return out
}

// gap is the largest distance of a whole from the sum of its parts, relative to the largest mean before or after.
func gap(tree []forecast.Branch, means [][]float64) float64 {
	worst, size := 0.0, 1e-300
	for day := range means[0] {
		sum := make([]float64, len(tree))
		inner := make([]bool, len(tree))
		for i, b := range tree {
			size = max(size, math.Abs(means[i][day]), math.Abs(b.Forecast.Points[day].Mean))
			if b.Parent >= 0 {
				sum[b.Parent] += means[i][day]
				inner[b.Parent] = true
			}
		}
		for i := range tree {
			if inner[i] {
				worst = max(worst, math.Abs(sum[i]-means[i][day]))
			}
		}
	}
	return worst / size
}

func randomTree(t *rapid.T, least float64) []forecast.Branch {
	days := rapid.IntRange(1, 3).Draw(t, "days")
	n := rapid.IntRange(1, 12).Draw(t, "branches")
	tree := make([]forecast.Branch, n)
	for i := range tree {
		parent := -1
		if i > 0 {
			parent = rapid.IntRange(0, i-1).Draw(t, "parent")
		}
		means, halves := make([]float64, days), make([]float64, days)
		for k := range means {
			means[k] = max(least, rapid.Float64Range(-100, 400).Draw(t, "mean"))
			halves[k] = rapid.SampledFrom([]float64{0, 0.1, 5, 60}).Draw(t, "half")
		}
		tree[i] = branch(parent, least, means, halves)
	}
	return tree
}

func TestPartsSumToTheWhole(t *testing.T) {
	t.Parallel()
	for name, least := range map[string]float64{"costs": 0, "with credits": math.Inf(-1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				tree := randomTree(t, least)
				means := reconciled(tree)
				if g := gap(tree, means); g > 1e-12 {
					t.Fatalf("the parts are off by %g", g)
				}
				for i := range means {
					for day, v := range means[i] {
						if math.IsNaN(v) || math.IsInf(v, 0) || v < least-1e-9 {
							t.Fatalf("branch %d, day %d: %g", i, day, v)
						}
					}
				}
			})
		})
	}
}

func TestWhatSumsUpStays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tree := randomTree(t, 0)
		for day := range tree[0].Forecast.Points {
			sum, inner := make([]float64, len(tree)), make([]bool, len(tree))
			for i := len(tree) - 1; i >= 0; i-- {
				p := &tree[i].Forecast.Points[day]
				half := p.High80 - p.Mean
				if inner[i] {
					p.Mean = sum[i]
				}
				p.High80 = p.Mean + half
				if parent := tree[i].Parent; parent >= 0 {
					sum[parent] += p.Mean
					inner[parent] = true
				}
			}
		}
		for i, by := range forecast.Reconcile(tree) {
			for day, v := range by {
				if math.Abs(v) > 1e-9 {
					t.Fatalf("branch %d, day %d was moved by %g", i, day, v)
				}
			}
		}
	})
}

// The two passes over the tree give what the normal equations of weighted least squares give.
func TestTwoPassesAreWeightedLeastSquares(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tree := randomTree(t, math.Inf(-1))
		n := len(tree)
		children := make([]int, n)
		var leaves []int
		for i := n - 1; i >= 0; i-- {
			for k := range tree[i].Forecast.Points {
				p := &tree[i].Forecast.Points[k]
				p.High80 = max(p.High80, p.Mean+0.1) // the equations need every variance
			}
			if children[i] == 0 {
				leaves = append(leaves, i)
			}
			if p := tree[i].Parent; p >= 0 {
				children[p]++
			}
		}
		below := make([]float64, n)
		s := mat.NewDense(n, len(leaves), nil)
		for k, leaf := range leaves {
			for at := leaf; at >= 0; at = tree[at].Parent {
				s.Set(at, k, 1)
				below[at]++
			}
		}
		means := reconciled(tree)
		for day := range tree[0].Forecast.Points {
			weights, base := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
			for i, b := range tree {
				p := b.Forecast.Points[day]
				half := (p.High80 - p.Mean) / 1.2816
				weights.Set(i, i, 1/(below[i]*half*half))
				base.SetVec(i, p.Mean)
			}
			var left, normal mat.Dense
			left.Mul(s.T(), weights)
			normal.Mul(&left, s)
			var right, parts, want mat.VecDense
			right.MulVec(&left, base)
			if err := parts.SolveVec(&normal, &right); err != nil {
				t.Skip("the equations are too uneven to solve")
			}
			want.MulVec(s, &parts)
			for i := range tree {
				if got := means[i][day]; math.Abs(got-want.AtVec(i)) > 1e-5*(1+math.Abs(got)) {
					t.Fatalf("branch %d, day %d: %g, want %g", i, day, got, want.AtVec(i))
				}
			}
		}
	})
}

// Of a day that is settled in one part and to come in the whole, the part's cost is known.
func TestSettledDaysOfAPartAreKnown(t *testing.T) {
	t.Parallel()
	whole := branch(-1, 0, []float64{100, 100, 100}, []float64{5, 5, 5})
	early := branch(0, 0, []float64{40, 40}, []float64{5, 5})
	early.Series = series([]float64{1, 1, 70})
	for i := range early.Forecast.Points {
		early.Forecast.Points[i].Day = early.Series.Day(3 + i)
	}
	late := branch(0, 0, []float64{50, 50, 50}, []float64{5, 5, 5})
	means := reconciled([]forecast.Branch{whole, early, late})
	if got := means[0][0] - means[2][0]; math.Abs(got-70) > 1e-9 {
		t.Errorf("the part that had cost 70 counts as %.2f in the whole", got)
	}
	if len(means[1]) != 2 || math.Abs(means[0][1]-means[1][0]-means[2][1]) > 1e-9 {
		t.Errorf("the day after: %v", means)
	}
}

// Sums over months move with their days, and their intervals keep their widths above nothing.
func TestMovedForecastsKeepTheirWidths(t *testing.T) {
	t.Parallel()
	f := forecast.Daily(series(build(200, func(i int) float64 { return 100 + 10*noise(i) })), 92, nil)
	by := make([]float64, 92)
	for i := range by {
		by[i] = 5
	}
	m := f.Moved(by)
	if d := m.Next30.Mean.Float() - f.Next30.Mean.Float(); math.Abs(d-150) > 0.02 {
		t.Errorf("the next 30 days moved by %.2f, want 150", d)
	}
	if d := m.Next90.High95.Float() - m.Next90.Mean.Float() - f.Next90.High95.Float() + f.Next90.Mean.Float(); math.Abs(d) > 0.03 {
		t.Errorf("the width changed by %.2f", d)
	}
	p, q := f.Points[3], m.Points[3]
	if math.Abs(q.High80-q.Low80-p.High80+p.Low80) > 1e-9 || f.Points[3].Mean != p.Mean {
		t.Errorf("%+v became %+v", p, q)
	}
	for i := range by {
		by[i] = -1000
	}
	if low := f.Moved(by).Points[0].Low95; low > f.Moved(by).Points[0].Mean {
		t.Errorf("the lower edge %.2f lies above the mean", low)
	}
}

func TestBranchesWithoutForecast(t *testing.T) {
	t.Parallel()
	none := forecast.Branch{Parent: 0, Series: cost.Series{Start: monday}, Forecast: &forecast.Forecast{}}
	whole := branch(-1, 0, []float64{100}, []float64{5})
	part := branch(0, 0, []float64{90}, []float64{5})
	means := reconciled([]forecast.Branch{whole, none, part})
	if len(means[1]) != 0 || math.IsNaN(means[0][0]+means[2][0]) {
		t.Errorf("%v", means)
	}
	if by := forecast.Reconcile([]forecast.Branch{none}); len(by) != 1 || len(by[0]) != 0 {
		t.Errorf("a tree without forecasts: %v", by)
	}
}

// FuzzReconcile builds a tree from bytes: for each branch its parent, and for each day a mean and a width.
func FuzzReconcile(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
	f.Add(make([]byte, 200))
	f.Fuzz(func(t *testing.T, data []byte) {
		const size = 1 + 8 + 8
		var tree []forecast.Branch
		for i := 0; i+size <= len(data) && len(tree) < 40; i += size {
			parent := -1
			if len(tree) > 0 {
				parent = int(data[i]) % len(tree)
			}
			mean := math.Float64frombits(binary.LittleEndian.Uint64(data[i+1:]))
			half := math.Abs(math.Float64frombits(binary.LittleEndian.Uint64(data[i+9:])))
			if !(math.Abs(mean) < 1e15) || !(half < 1e15) {
				return
			}
			least := math.Inf(-1)
			if data[i]%2 == 0 {
				least, mean = 0, math.Abs(mean)
			}
			tree = append(tree, branch(parent, least, []float64{mean}, []float64{half}))
		}
		if len(tree) == 0 {
			return
		}
		means := reconciled(tree)
		if g := gap(tree, means); !(g <= 1e-9) {
			t.Fatalf("the parts are off by %g: %v", g, means)
		}
		for i, by := range forecast.Reconcile(tree) {
			for _, p := range tree[i].Forecast.Moved(by).Points {
				order := []float64{p.Low95, p.Low80, p.Mean, p.High80, p.High95}
				for k, v := range order {
					if math.IsNaN(v) || math.IsInf(v, 0) || k > 0 && v < order[k-1] {
						t.Fatalf("%v", order)
					}
				}
			}
		}
	})
}
