package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
)

// spread is where the mean of a measure may lie in another set of as many series of the same kind.
type spread struct {
	set, measure    string
	series, sources int
	here, low, high float64 // nine of ten other sets lie between low and high
}

// resamples is how many other sets are drawn.
const resamples = 4000

// spreadsOf draws other sets by the bootstrap, always the same ones (Efron 1979). The mean of another set differs from the one
// here by the chance in both, so it is what is here plus the difference of two draws. Series that were cut from one source are
// drawn together: they resemble each other.
func spreadsOf(set string, each []scored) []spread {
	by := map[string][]scored{}
	for _, s := range each {
		by[s.source] = append(by[s.source], s)
	}
	names := make([]string, 0, len(by))
	for name := range by {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []spread
	for _, m := range []struct {
		name string
		of   func(scored) float64
	}{
		{"mase", func(s scored) float64 { return s.mase }}, {"cov80", func(s scored) float64 { return s.cov80 }},
		{"cov95", func(s scored) float64 { return s.cov95 }},
	} {
		here := mean(each, m.of)
		if here == nil {
			continue
		}
		random := rand.New(rand.NewPCG(1, 2))
		draw := func() float64 {
			chosen := make([]scored, 0, len(each))
			for range names {
				chosen = append(chosen, by[names[random.IntN(len(names))]]...)
			}
			if v := mean(chosen, m.of); v != nil {
				return *v
			}
			return *here
		}
		others := make([]float64, resamples)
		for i := range others {
			others[i] = *here + draw() - draw()
		}
		slices.Sort(others)
		out = append(out, spread{set, m.name, len(each), len(names), *here, others[resamples/20], others[resamples-1-resamples/20]})
	}
	return out
}

func spreadTable(spreads []spread, out io.Writer) error {
	if len(spreads) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "set\tmeasure\tseries\tsources\there\t5 % of others below\t95 %\t")
	for _, s := range spreads {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.3f\t%.3f\t%.3f\t\n", s.set, s.measure, s.series, s.sources, s.here, s.low, s.high)
	}
	return w.Flush()
}
