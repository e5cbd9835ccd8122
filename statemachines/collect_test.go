package statemachines_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	clouds "github.com/cost-agent/cost-agent/shared/resource"
)

// Writer opens a staged object, which is there once it is closed.
func (r *round) Writer(_ context.Context, key string) (ingest.WriteAborter, error) {
	return &sheet{round: r, key: key}, nil
}

// Reader opens a staged object.
func (r *round) Reader(_ context.Context, key string) (ingest.Object, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, ok := r.staged[key]
	if !ok {
		return nil, fault.New(fault.NotFound, "There is nothing here.")
	}
	return ingest.Bytes(text), nil
}

// object is S3 for the engine.
func (r *round) object(_ context.Context, bucket, key string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text, ok := r.staged[key]; ok && bucket == "staging" {
		return text, nil
	}
	return nil, fault.New(fault.NotFound, "There is nothing here.")
}

type sheet struct {
	bytes.Buffer

	round *round
	key   string
}

func (w *sheet) Close() error {
	w.round.mu.Lock()
	defer w.round.mu.Unlock()
	w.round.staged[w.key] = w.Bytes()
	return nil
}

func (*sheet) Abort() error { return nil }

func TestCollectReadsAndLoads(t *testing.T) {
	t.Parallel()
	r := newRound(t, nil)
	x := r.run("collect", `{"tenant":"`+customer+`"}`)
	var out job.Collected
	if err := json.Unmarshal(x.Output, &out); err != nil || x.Status != stepfunctions.Succeeded {
		t.Fatalf("%s %s %s %v", x.Status, x.Error, x.Cause, err)
	}
	if out.Bills != 36 || out.Rows != 36 || out.Rejected != 4 || out.Resources != 6 || len(out.Problems) != 1 || !strings.Contains(out.Problems[0], "azure") {
		t.Errorf("got %+v; want 36 months of which 4 have 9 rows, 6 resources, and a word about azure", out)
	}
	if n := r.called("load load"); n != 4 {
		t.Errorf("%d loads: months without rows replace nothing", n)
	}
	if n := r.called("analyze analyze"); n != 1 || out.Changed != 4 || !strings.Contains(string(x.Output), `"analysed":true`) {
		t.Errorf("%d analyses of two connections with %d changed bills; want one: %s", n, out.Changed, x.Output)
	}
}

// The bills are loaded whatever becomes of their analysis; and the same bills again are not analysed again.
func TestACollectionStandsWithoutItsAnalysis(t *testing.T) {
	t.Parallel()
	r := newRound(t, map[string]error{"analyze analyze": fault.New(fault.Unprocessable, "There are no costs.")})
	x := r.run("collect", `{"tenant":"`+customer+`","months":1}`)
	if text := string(x.Output); x.Status != stepfunctions.Succeeded || !strings.Contains(text, `"analysed":false`) || !strings.Contains(text, "There are no costs.") || !strings.Contains(text, `"rows":18`) {
		t.Errorf("%s: %s", x.Status, text)
	}
	r = newRound(t, nil)
	r.tasks["load"] = awslambda.Tasks(slog.New(slog.DiscardHandler), map[string]awslambda.Task{
		"plan": r.planned("plan"), "note": r.planned("note"), "sum": r.planned("sum"), "load-inventory": fixed(`{"resources":3}`), "load": fixed(`{"accepted":9,"rejected":0,"unchanged":true,"doubled":[]}`),
	})
	x = r.run("collect", `{"tenant":"`+customer+`","months":1}`)
	if text := string(x.Output); x.Status != stepfunctions.Succeeded || !strings.Contains(text, `"analysed":false`) || strings.Contains(text, "failure") || r.called("analyze analyze") != 0 {
		t.Errorf("%s: %s after %v", x.Status, text, r.calls)
	}
}

func TestCollectToleratesOneConnection(t *testing.T) {
	t.Parallel()
	r := newRound(t, map[string]error{
		"collect-gcp bill":             fault.New(fault.Forbidden, "The key may not read bills."),
		"load load-inventory aws-main": fault.New(fault.Unavailable, "The database does not answer."),
	})
	x := r.run("collect", `{"tenant":"`+customer+`","cloud":"","connection":"","months":2}`)
	var out job.Collected
	if err := json.Unmarshal(x.Output, &out); err != nil || x.Status != stepfunctions.Succeeded {
		t.Fatalf("%s %s %s %v", x.Status, x.Error, x.Cause, err)
	}
	if out.Bills != 2 || out.Resources != 3 || len(out.Problems) != 4 {
		t.Errorf("got %+v; want what worked and 4 problems", out)
	}
	if all := strings.Join(out.Problems, "\n"); !strings.Contains(all, "The key may not read bills.") || !strings.Contains(all, "The database does not answer.") {
		t.Errorf("the reasons are lost: %s", all)
	}
	if n := r.called("collect-gcp bill"); n != 2 {
		t.Errorf("what is forbidden was tried %d times for 2 months", n)
	}
	if n := r.called("load load-inventory"); n != 8 { // 7 times for aws-main, once for gcp-main
		t.Errorf("what was unavailable was tried again: %d calls, want 8", n)
	}
}

// At the limit nothing is loaded, which would say that nothing exists, and the collection is no failure.
func TestCollectStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	r := newRound(t, nil)
	r.limit = "0"
	x := r.run("collect", `{"tenant":"`+customer+`","months":1}`)
	var out job.Collected
	if err := json.Unmarshal(x.Output, &out); err != nil || x.Status != stepfunctions.Succeeded {
		t.Fatalf("%s %s %s %v", x.Status, x.Error, x.Cause, err)
	}
	if out.Bills != 0 || len(out.Problems) != 2 || r.called("load load") != 0 || r.called("load load-inventory") != 0 {
		t.Errorf("got %+v after %v", out, r.calls)
	}
	if len(r.readings) != 2 || r.readings[0].Status != ingest.Limited || r.readings[1].Status != ingest.Limited || r.readings[1].Reason != "The limit is reached." {
		t.Errorf("noted %+v", r.readings)
	}
}

// paid is a cloud where each reading takes one call of 2 cents.
type paid struct {
	meter  *ingest.Meter
	inside *atomic.Int32
	most   *atomic.Int32
}

func (p paid) pay() error {
	n := p.inside.Add(1)
	defer p.inside.Add(-1)
	for old := p.most.Load(); n > old && !p.most.CompareAndSwap(old, n); old = p.most.Load() {
	}
	return p.meter.Spend("requests", 1, decimal.RequireFromString("0.02"))
}

func (p paid) Check(context.Context) ([]string, error) { return nil, nil }

func (p paid) Costs(_ context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		err := p.pay()
		yield(focus.Row{BillingPeriod: cost.Month(month), ChargePeriod: cost.Days(month, 1), BillingCurrency: "USD", ServiceProviderName: "AWS",
			BillingAccountID: "1", ServiceName: "S", ServiceCategory: "Compute", ChargeCategory: "Usage"}, err)
	}
}

func (p paid) Resources(context.Context) (ingest.Inventory, error) {
	return ingest.Inventory{Resources: []clouds.Resource{{}}}, p.pay()
}

func (p paid) Usage(context.Context, ingest.UsageQuery) (ingest.Measured, error) {
	return ingest.Measured{}, nil
}

func (p paid) Prices(context.Context, []string) ([]clouds.Price, error) { return nil, nil }

// The limit is that of all readings of the connection together: what matters most is read first, at the limit reading stops,
// and what was not read is noted, so that the next run goes on with it.
func TestTheLimitIsThatOfTheWholeRun(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]struct {
		bills, resources int
		spent            string
	}{"0.05": {2, 0, "0.04"}, "0.06": {2, 1, "0.06"}, "0.1": {4, 1, "0.1"}, "9": {4, 1, "0.1"}} {
		r := newRound(t, nil)
		r.limit = limit
		var inside, most atomic.Int32
		collect := job.Collect{Staging: r, Now: hurried{}.Now, Collectors: func(_ context.Context, _ ingest.Connection, m *ingest.Meter) (ingest.Collector, error) {
			return paid{m, &inside, &most}, nil
		}}
		r.tasks["collect-aws"] = awslambda.Tasks(slog.New(slog.DiscardHandler), map[string]awslambda.Task{
			"bill": awslambda.TaskOf(collect.Bill), "inventory": awslambda.TaskOf(collect.Inventory)})
		x := r.run("collect", `{"tenant":"`+customer+`","months":4}`)
		var out job.Collected
		if err := json.Unmarshal(x.Output, &out); err != nil || x.Status != stepfunctions.Succeeded {
			t.Fatalf("%s: %s %s %s %v", limit, x.Status, x.Error, x.Cause, err)
		}
		if out.Bills != want.bills || out.Resources != want.resources || out.SpentUSD.String() != want.spent || most.Load() != 1 {
			t.Errorf("for %s USD: %+v, %d calls at once; want %+v", limit, out, most.Load(), want)
		}
		limited := 0
		for _, n := range r.readings {
			if n.Status == ingest.Limited {
				limited++
			}
		}
		if left := 5 - want.bills - want.resources; limited != left || len(r.readings) != 5 || len(out.Problems) != left {
			t.Errorf("for %s USD: %d of %d readings are noted as limited, want %d; told %v", limit, limited, len(r.readings), left, out.Problems)
		}
	}
}

// A connection whose own execution breaks off ends no other.
func TestAConnectionThatBreaksOffIsTold(t *testing.T) {
	t.Parallel()
	r := newRound(t, map[string]error{"load note gcp-main": fault.New(fault.Forbidden, "The database refuses.")})
	x := r.run("collect", `{"tenant":"`+customer+`","months":1}`)
	var out job.Collected
	if err := json.Unmarshal(x.Output, &out); err != nil || x.Status != stepfunctions.Succeeded {
		t.Fatalf("%s %s %s %v", x.Status, x.Error, x.Cause, err)
	}
	if all := strings.Join(out.Problems, "\n"); out.Bills != 1 || out.Resources != 3 || !strings.Contains(all, "gcp-main, bill of 2026-09: The reading ended without a result.") {
		t.Errorf("got %+v", out)
	}
}

func TestCollectFailsWhenNothingCouldBeRead(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.Forbidden, "The key is not valid.")
	r := newRound(t, map[string]error{"collect-aws bill": down, "collect-aws inventory": down, "collect-gcp bill": down, "collect-gcp inventory": down})
	x := r.run("collect", `{"tenant":"`+customer+`","months":1}`)
	if x.Status != stepfunctions.Failed || x.Error != string(fault.Unavailable) || !strings.Contains(x.Cause, "The key is not valid.") {
		t.Errorf("%s %s %s; want a failure, for nothing was learnt about costs", x.Status, x.Error, x.Cause)
	}
	x = newRound(t, nil).run("collect", `{"tenant":"`+customer+`","cloud":"vultr"}`)
	if x.Status != stepfunctions.Failed || x.Error != string(fault.Unprocessable) {
		t.Errorf("a cloud without connections: %s %s %s", x.Status, x.Error, x.Cause)
	}
}
