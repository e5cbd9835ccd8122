package anomaly

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNthIsWhatSortingGives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(-3, 3), 1, 60).Draw(t, "values")
		if rapid.Bool().Draw(t, "ties") {
			for i := range v {
				v[i] = float64(int(v[i]))
			}
		}
		k := rapid.IntRange(0, len(v)-1).Draw(t, "k")
		want := slices.Sorted(slices.Values(v))[k]
		if got := nth(v, k); got != want {
			t.Fatalf("nth is %g, want %g", got, want)
		}
	})
}

func TestLimitsGrowWithTheScopesWatched(t *testing.T) {
	t.Parallel()
	one, many := Options{}.limits().among(1), Options{}.limits().among(400)
	if one != (Options{}).limits() {
		t.Error("a series alone is judged by other limits than the sensitivity says")
	}
	if many.day <= 1.5*one.day || many.days[0] <= 1.5*one.days[0] || many.tail*400 > one.tail*1.0001 || many.relative != one.relative {
		t.Errorf("of 400 scopes %+v, of one %+v", many, one)
	}
}
