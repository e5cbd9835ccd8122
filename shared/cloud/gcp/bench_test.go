package gcp

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
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
		if n := drain(b, g.collector(connection(), g.options())); n != 2*len(rows) {
			b.Fatalf("%d rows", n)
		}
	}
}

func drain(b *testing.B, c *Collector) (n int) {
	b.Helper()
	for _, err := range c.Costs(b.Context(), october) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	return n
}

// BenchmarkConnection collects all of one connection: 31 days of 168 rows each, its inventory with the use of it, prices,
// commitments and advice.
func BenchmarkConnection(b *testing.B) {
	const atMost = 5 * time.Second
	g := newGoogle(b)
	g.estate(b, "shop-prod")
	g.priceList(b)
	g.advises(b)
	bill := wire(detailed, "", slices.Repeat([]map[string]string{charge()}, 31*168)...)
	for b.Loop() {
		began := time.Now()
		g.on(jobs, reply(dryRun), reply(bill))
		c := g.collector(connection(), g.options())
		drain(b, c)
		inv, errInventory := c.Resources(b.Context())
		_, errUsage := c.Usage(b.Context(), question(resource.CPU, resource.DiskOps, resource.NetBytes))
		_, errPrices := c.Prices(b.Context(), []string{"europe-west3"})
		g.committed(fees()...)
		_, errCommitments := c.Commitments(b.Context(), lately)
		_, errAdvice := c.Advice(b.Context())
		for _, err := range []error{errInventory, errUsage, errPrices, errCommitments, errAdvice} {
			if err != nil {
				b.Fatal(err)
			}
		}
		if took := time.Since(began); took > atMost || len(inv.Resources) == 0 {
			b.Errorf("one connection took %s, promised are %s", took, atMost)
		}
	}
}

// bigPage is a page as large as the collector asks for.
func bigPage(rest string) []byte {
	list := make([]map[string]string, pageRows)
	for i := range list {
		list[i] = charge("resource_name", fmt.Sprintf("web-%d", i))
	}
	return []byte(wire(detailed, rest, list...))
}

// BenchmarkMillionRows reads a bill of a million rows in pages, as large a bill as any, and reports the most memory that the
// process, this fake included, took from the system.
func BenchmarkMillionRows(b *testing.B) {
	const (
		pages    = 1_000_000 / pageRows
		atMostMB = 128
	)
	g := newGoogle(b)
	last, body := bigPage(""), bigPage(`,"pageToken":"TOKEN"`)
	token := bytes.Index(body, []byte("TOKEN"))
	page := func(w http.ResponseWriter, r *http.Request) {
		n := 1
		if text := r.URL.Query().Get("pageToken"); text != "" {
			n, _ = strconv.Atoi(text)
			n++
		}
		w.Header().Set("Content-Type", "application/json")
		if n == pages {
			_, _ = w.Write(last)
			return
		}
		_, _ = w.Write(body[:token])
		_, _ = fmt.Fprintf(w, "%05d", n)
		_, _ = w.Write(body[token+5:])
	}
	for b.Loop() {
		g.on(jobs, reply(dryRun), page)
		g.on(results, page)
		var peak, before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n := 0
		for _, err := range g.collector(connection(), g.options()).Costs(b.Context(), october) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n%1000 == 0 {
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				if now.HeapInuse > peak.HeapInuse {
					peak = now
				}
			}
		}
		if n != 1_000_000 {
			b.Fatalf("%d rows", n)
		}
		b.ReportMetric(float64(peak.HeapInuse)/1e6, "peak-MB")
		b.ReportMetric(float64(len(body))/1e6, "page-MB")
		b.ReportMetric(float64(before.HeapInuse)/1e6, "before-MB")
		if peak.HeapInuse > atMostMB*1e6 {
			b.Errorf("a million rows took %d MB, promised are %d", peak.HeapInuse/1e6, atMostMB)
		}
	}
}
