package gcp

import (
	"slices"
	"testing"
)

// BenchmarkMonth collects a month of 5,000 rows over HTTP.
func BenchmarkMonth(b *testing.B) {
	g := newGoogle(b)
	rows := slices.Repeat([]map[string]string{charge()}, 2500)
	first, second := wire(detailed, `,"pageToken":"p2"`, rows...), wire(detailed, "", rows...)
	b.ReportAllocs()
	for b.Loop() {
		g.on(jobs, reply(dryRun), reply(first))
		g.on(results, reply(second))
		c, err := New(b.Context(), connection(), g.options())
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range c.Costs(b.Context(), october) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 2*len(rows) {
			b.Fatalf("%d rows", n)
		}
	}
}
