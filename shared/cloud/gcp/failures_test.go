package gcp

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
)

func TestFailuresOfTheBillAreClearAndDoubleNothing(t *testing.T) {
	t.Parallel()
	whole := reply(wire(detailed, "", charge()))
	tests := map[string]struct {
		queries, pages []http.HandlerFunc
		want           fault.Code // empty: the bill comes whole
		rows, pauses   int
	}{
		"429 for a while":              {queries: []http.HandlerFunc{problem(429, "rateLimitExceeded"), problem(429, "rateLimitExceeded"), reply(dryRun), whole}, rows: 1, pauses: 2},
		"429 without end":              {queries: []http.HandlerFunc{problem(429, "rateLimitExceeded")}, want: fault.Throttled, pauses: 4},
		"403 that means 429":           {queries: []http.HandlerFunc{problem(403, "rateLimitExceeded"), reply(dryRun), whole}, rows: 1, pauses: 1},
		"the quota of the day is used": {queries: []http.HandlerFunc{problem(403, "quotaExceeded")}, want: fault.Throttled},
		"5xx for a while":              {queries: []http.HandlerFunc{reply(dryRun), problem(503, "backendError"), problem(500, "internalError"), whole}, rows: 1, pauses: 2},
		"5xx without end":              {queries: []http.HandlerFunc{problem(502, "badGateway")}, want: fault.Unavailable, pauses: 4},
		"denied":                       {queries: []http.HandlerFunc{problem(403, "accessDenied")}, want: fault.Forbidden},
		"no such table":                {queries: []http.HandlerFunc{problem(404, "notFound")}, want: fault.NotFound},
		"a revoked token":              {queries: []http.HandlerFunc{problem(401, "authError")}, want: fault.Unauthenticated},
		"a refused query":              {queries: []http.HandlerFunc{problem(400, "invalidQuery")}, want: fault.Unprocessable},
		"more bytes than estimated":    {queries: []http.HandlerFunc{reply(dryRun), problem(400, "bytesBilledLimitExceeded")}, want: fault.LimitReached},
		"half an answer once":          {queries: []http.HandlerFunc{reply(dryRun), half(`{"kind":"bigq`), whole}, rows: 1, pauses: 1},
		"half a page without end": {
			queries: []http.HandlerFunc{reply(dryRun), reply(wire(detailed, `,"pageToken":"p2"`, charge()))}, pages: []http.HandlerFunc{half(`{"rows":[{"f":[`)},
			want: fault.Unavailable, rows: 1, pauses: 4,
		},
		"a second page that is denied": {
			queries: []http.HandlerFunc{reply(dryRun), reply(wire(detailed, `,"pageToken":"p2"`, charge()))}, pages: []http.HandlerFunc{problem(403, "accessDenied")},
			want: fault.Forbidden, rows: 1,
		},
		"the same page twice": {
			queries: []http.HandlerFunc{reply(dryRun), reply(wire(detailed, `,"pageToken":"p2"`, charge()))}, pages: []http.HandlerFunc{reply(wire(detailed, `,"pageToken":"p2"`, charge()))},
			want: fault.Unavailable, rows: 1,
		},
		"a query that takes its time": {
			queries: []http.HandlerFunc{reply(dryRun), reply(`{"jobComplete":false,` + ref + `}`)}, pages: []http.HandlerFunc{reply(`{"jobComplete":false,` + ref + `}`), whole}, rows: 1,
		},
		"an answer that is no JSON": {queries: []http.HandlerFunc{reply(dryRun), reply(`<html>`)}, want: fault.Unavailable},
		"a cost that is no number":  {queries: []http.HandlerFunc{reply(dryRun), reply(wire(detailed, "", charge("cost", "abc")))}, want: fault.Unprocessable},
		"a cost that is missing":    {queries: []http.HandlerFunc{reply(dryRun), reply(wire(detailed, "", charge("cost", "NULL")))}, want: fault.Unprocessable},
		"a row of another month":    {queries: []http.HandlerFunc{reply(dryRun), reply(wire(detailed, "", charge("invoice_month", "202609")))}, want: fault.Unprocessable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			g.on(jobs, tt.queries...)
			g.on(results, tt.pages...)
			rows, err := collect(g.collector(connection(), g.options()), october)
			if got := fault.CodeOf(err); err == nil && tt.want != "" || err != nil && got != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if len(rows) != tt.rows || len(g.pauses) != tt.pauses {
				t.Errorf("%d rows after %d pauses, want %d after %d", len(rows), len(g.pauses), tt.rows, tt.pauses)
			}
			if err != nil && strings.Contains(fault.Public(err).Message, "it is so") {
				t.Error("the message shows what Google wrote")
			}
		})
	}
}

func TestTheLimitStopsAQueryBeforeItCosts(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(jobs, reply(dryRun))
	o := g.options()
	o.Meter = meter("0.004")
	if _, err := collect(g.collector(connection(), o), october); fault.CodeOf(err) != fault.LimitReached || len(g.of(jobs)) != 1 {
		t.Errorf("got %v after %d queries, want the limit after the dry run", err, len(g.of(jobs)))
	}
}

func TestSmallQueriesPayForTheLeast(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scanned, want int64
		kind          kind
	}{{0, 10 << 20, detailed}, {10<<20 + 1, 11 << 20, standard}, {1, 40 << 20, asFOCUS}} {
		if got := bytesBilled(tt.scanned, tt.kind); got != tt.want {
			t.Errorf("%d scanned bytes of %s are billed as %d, want %d", tt.scanned, tt.kind, got, tt.want)
		}
	}
	if got := perByte.Mul(decimal.NewFromInt(1 << 40)).Round(12); !got.Equal(decimal.RequireFromString("6.25")) {
		t.Errorf("a TiB costs %s", got)
	}
}

func TestCancellationEndsTheBill(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	ctx, cancel := context.WithCancel(t.Context())
	g.on(jobs, reply(dryRun), reply(wire(detailed, `,"pageToken":"p2"`, charge())))
	g.on(results, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	var last error
	rows := 0
	for _, err := range g.collector(connection(), g.options()).Costs(ctx, october) {
		if err == nil {
			rows++
		}
		last = err
	}
	if rows != 1 || !errors.Is(last, context.Canceled) || fault.CodeOf(last) != fault.Unavailable {
		t.Errorf("%d rows, then %v", rows, last)
	}
}

func TestReadingMayStopAnywhere(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(jobs, reply(dryRun), reply(wire(detailed, `,"pageToken":"p2"`, charge(), charge())))
	for range g.collector(connection(), g.options()).Costs(t.Context(), october) {
		break
	}
	if n := len(g.of(results)); n != 0 {
		t.Errorf("%d more pages were read", n)
	}
}
