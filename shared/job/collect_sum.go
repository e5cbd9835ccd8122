package job

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// ReadingResult is what became of one planned reading.
type ReadingResult struct {
	What      string           `json:"what"`
	Month     time.Time        `json:"month,omitzero"`
	Rows      int64            `json:"rows"` // of a bill, as Rejected and Unchanged
	Rejected  int64            `json:"rejected"`
	Unchanged bool             `json:"unchanged"`
	Doubled   []ingest.Doubled `json:"doubled,omitempty"`
	Resources int              `json:"resources"` // of an inventory, as Unread
	Unread    []ingest.Part    `json:"unread,omitempty"`
	Failure   *Caught          `json:"failure,omitempty"`
	Cost
}

// NoteInput is what became of one connection of a collection.
type NoteInput struct {
	Tenant     tenant.ID       `json:"tenant"`
	Connection string          `json:"connection"`
	Result     string          `json:"result"` // key for it
	Readings   []ReadingResult `json:"readings"`
}

// Note keeps how each reading of a connection went, and stages it for Sum.
func (p PlanCollection) Note(ctx context.Context, in NoteInput) (Empty, error) {
	if err := ingest.Owned(in.Tenant, in.Result); err != nil {
		return Empty{}, err
	}
	if err := p.Connections.SaveReadings(ctx, in.Tenant, p.readings(in.Connection, in.Readings)); err != nil {
		return Empty{}, err
	}
	return Empty{}, stageJSON(ctx, p.Staging, in.Result, in.Readings)
}

// SumInput names a plan that has been carried out.
type SumInput struct {
	Tenant  tenant.ID `json:"tenant"`
	Key     string    `json:"key"`
	Skipped []string  `json:"skipped"`
}

// Collected sums a collection up.
type Collected struct {
	Bills     int      `json:"bills"`     // months that were read
	Rows      int64    `json:"rows"`      // in them
	Rejected  int64    `json:"rejected"`  // rows that were left out
	Unchanged int      `json:"unchanged"` // months that were loaded already as they are
	Changed   int      `json:"changed"`   // months whose bill is new or another than before
	Resources int      `json:"resources"`
	Problems  []string `json:"problems"` // what could not be read, and why
	// SpentUSD is what reading cost at list price, as far as the collectors met paid calls.
	SpentUSD decimal.Decimal `json:"spent_usd"`
}

const problemsShown = 50

// Sum sums up. What failed is listed and keeps what succeeded; when all that was planned failed, the collection did:
// fault.Unavailable, for that is no way to say that there are no costs. A connection without a result failed as a whole.
func (p PlanCollection) Sum(ctx context.Context, in SumInput) (Collected, error) {
	var plans []ConnectionPlan
	if err := ingest.Owned(in.Tenant, in.Key); err != nil {
		return Collected{}, err
	}
	if err := readJSON(ctx, p.Staging, in.Key, &plans); err != nil {
		return Collected{}, err
	}
	results, err := p.results(ctx, in.Tenant, plans)
	if err != nil {
		return Collected{}, err
	}
	out := Collected{Problems: slices.Clone(in.Skipped)}
	read, failed := 0, 0
	for i, c := range plans {
		for _, r := range results[i] {
			read++
			if r.Failure != nil {
				failed++
			}
			out.add(c.Connection, r)
		}
	}
	if read > 0 && failed == read {
		return out, fault.New(fault.Unavailable, "Nothing could be collected. The first reason: %s", out.Problems[len(in.Skipped)])
	}
	if len(out.Problems) > problemsShown {
		out.Problems = append(out.Problems[:problemsShown], "and more")
	}
	if out.Problems == nil {
		out.Problems = []string{}
	}
	return out, nil
}

// add counts one reading.
func (out *Collected) add(connection string, r ReadingResult) {
	what := connection + ", " + r.What
	if r.What == ingest.BillReading {
		what = connection + ", bill of " + r.Month.Format("2006-01")
	}
	if r.Failure != nil {
		out.Problems = append(out.Problems, what+": "+r.Failure.Text())
		return
	}
	out.SpentUSD = out.SpentUSD.Add(spent(r.Spent))
	if r.Stopped != "" {
		out.Problems = append(out.Problems, what+": "+r.Stopped)
	}
	switch {
	case r.What == ingest.InventoryReading:
		out.Resources += r.Resources
		for _, part := range r.Unread {
			out.Problems = append(out.Problems, connection+", "+part.Service+place(part)+": "+string(part.Status)+" "+part.Reason)
		}
	case r.Stopped == "":
		out.Bills++
		out.Rows, out.Rejected = out.Rows+r.Rows, out.Rejected+r.Rejected
		for _, d := range r.Doubled {
			out.Problems = append(out.Problems, what+": "+d.Text())
		}
		switch {
		case r.Unchanged:
			out.Unchanged++
		case r.Rows+r.Rejected > 0: // without rows nothing was loaded
			out.Changed++
		}
	}
}

// atOnceResults is how many results are read at a time.
const atOnceResults = 16

// results reads what became of each connection. Where there is nothing to read, all of it failed, and is noted so.
func (p PlanCollection) results(ctx context.Context, t tenant.ID, plans []ConnectionPlan) ([][]ReadingResult, error) {
	out, errs := make([][]ReadingResult, len(plans)), make([]error, len(plans))
	slots := make(chan struct{}, atOnceResults)
	var all sync.WaitGroup
	for i, c := range plans {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if readJSON(ctx, p.Staging, c.Result, &out[i]) == nil {
				return
			}
			for _, r := range c.Readings {
				out[i] = append(out[i], ReadingResult{What: r.What, Month: r.Month, Failure: &Caught{Error: string(fault.Unavailable), Cause: noResult}})
			}
			errs[i] = p.Connections.SaveReadings(ctx, t, p.readings(c.Connection, out[i]))
		})
	}
	all.Wait()
	return out, errors.Join(errs...)
}

const noResult = "The reading ended without a result. It is read again with the next collection."

// place says where a part is, if it is anywhere in particular.
func place(p ingest.Part) string {
	if p.Region == "" {
		return ""
	}
	return " in " + p.Region
}

// readings tells how each attempt went.
func (p PlanCollection) readings(connection string, results []ReadingResult) []ingest.Reading {
	out := make([]ingest.Reading, 0, len(results))
	for _, r := range results {
		noted := reading(connection, r.What, r.Cost, r.Failure)
		noted.Month, noted.At = r.Month, p.Now().UTC()
		out = append(out, noted)
	}
	return out
}

func reading(connection, what string, c Cost, failure *Caught) ingest.Reading {
	r := ingest.Reading{Connection: connection, What: what, Status: ingest.OK, Spent: c.Spent}
	switch {
	case failure != nil:
		r.Status, r.Reason = ingest.Failed, failure.Text()
		if code := fault.Code(failure.Error); code == fault.Forbidden || code == fault.Unauthenticated {
			r.Status = ingest.Denied
		}
	case c.Stopped != "":
		r.Status, r.Reason = ingest.Limited, c.Stopped
	}
	return r
}

func spent(all []ingest.Spending) decimal.Decimal {
	total := decimal.Zero
	for _, s := range all {
		total = total.Add(s.Amount)
	}
	return total
}

// stageJSON stages a document.
func stageJSON(ctx context.Context, to ingest.Staging, key string, document any) error {
	content, err := json.Marshal(document)
	if err != nil {
		return staged(err)
	}
	return stageBytes(ctx, to, key, content)
}

// readJSON reads a staged document.
func readJSON(ctx context.Context, from ingest.Staging, key string, into any) error {
	content, err := readBytes(ctx, from, key)
	if err != nil {
		return err
	}
	return fault.Wrap(json.Unmarshal(content, into), fault.Unavailable, "A staged document cannot be read; try again in a moment.")
}
