package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// span is what a provider has reported so far: first and last day, and the day before which it had settled them when the
// latest bill was loaded. A bill that is not read again stays provisional at its end, however long ago that is.
type span struct{ first, last, final time.Time }

// knownSpans remembers the spans of tenants for as long as their bills stay: finding them takes a look at every day of every bill,
// and an analysis asks dozens of questions between two loads.
type knownSpans struct {
	mu       sync.Mutex
	byTenant map[tenant.ID]spansAt
}

type spansAt struct {
	bills [3]int64
	spans map[string]span
}

// mostKnown is for how many tenants they are remembered.
const mostKnown = 1000

// of gives the spans of the tenant's bills by provider, to be read only.
func (k *knownSpans) of(ctx context.Context, tx pgx.Tx, t tenant.ID) (map[string]span, error) {
	var bills [3]int64 // each load has a number of its own
	err := tx.QueryRow(ctx, `select count(*), coalesce(max(load_id), 0), coalesce(sum(load_id), 0)::bigint from bills`).Scan(&bills[0], &bills[1], &bills[2])
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	known, ok := k.byTenant[t]
	k.mu.Unlock()
	if ok && known.bills == bills {
		return known.spans, nil
	}
	spans, err := providerSpans(ctx, tx)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byTenant == nil || len(k.byTenant) >= mostKnown {
		k.byTenant = map[tenant.ID]spansAt{}
	}
	k.byTenant[t] = spansAt{bills, spans}
	return spans, nil
}

// providerSpans reads them from all loaded bills. The last day is that of usage where there is any: taxes and fees carry
// dates ahead of it. The bills of a provider come by several connections, each at its own pace: the provider has reported a
// day once all of them have, or what one has not read yet would look as if it cost nothing.
func providerSpans(ctx context.Context, tx pgx.Tx) (map[string]span, error) {
	const sql = `
		with days as (
		  select bill_id, provider_id, charge_id, min(usage_date) as first, max(usage_date) as last
		  from cost_daily group by 1, 2, 3
		), reported as (
		  select p.value ->> 0 as provider, bill_id, min(first) as first, max(last) as last, max(last) filter (where c.value ->> 0 = 'Usage') as used
		  from days join dictionary p on p.id = provider_id join dictionary c on c.id = charge_id group by 1, 2
		)
		select provider, min(first), coalesce(max(used), max(last)), (array_agg(loaded_at order by used desc nulls last, reported.last desc))[1]
		from reported join bills on bills.id = bill_id join loads on loads.id = load_id
		group by provider, bills.connection_id`
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	byConnection := map[string][]span{}
	var name string
	var first, last, loaded time.Time
	_, err = pgx.ForEachRow(rows, []any{&name, &first, &last, &loaded}, func() error {
		byConnection[name] = append(byConnection[name], span{cost.Day(first), cost.Day(last), ingest.FinalBefore(loaded)})
		return nil
	})
	spans := make(map[string]span, len(byConnection))
	for name, all := range byConnection {
		spans[name] = together(all)
	}
	return spans, err
}

// quiet is how far a provider or connection may lie behind the foremost one and still be waited for; after that it counts as
// ended.
const quiet = 14 * 24 * time.Hour

// reported is the span over which all providers of the series have reported.
func (d *draft) reported(spans map[string]span) span {
	all := make([]span, 0, len(d.providers))
	for name := range d.providers {
		all = append(all, spans[name])
	}
	return together(all)
}

// together is from the first day that any of the spans holds, to the last that each has reached, and final where each is; but
// for the spans that have ended.
func together(spans []span) span {
	var out span
	for _, s := range spans {
		if s.last.After(out.last) {
			out.last = s.last
		}
	}
	foremost := out.last
	for _, s := range spans {
		if out.first.IsZero() || s.first.Before(out.first) {
			out.first = s.first
		}
		if foremost.Sub(s.last) > quiet {
			continue
		}
		if s.last.Before(out.last) {
			out.last = s.last
		}
		if out.final.IsZero() || s.final.Before(out.final) {
			out.final = s.final
		}
	}
	return out
}
