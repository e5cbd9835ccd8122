package job

import (
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// BillResult is what became of one planned bill.
type BillResult struct {
	Connection string    `json:"connection"`
	Month      time.Time `json:"month"`
	Rows       int64     `json:"rows"`
	Rejected   int64     `json:"rejected"`
	Unchanged  bool      `json:"unchanged"`
	Failure    *Caught   `json:"failure,omitempty"`
	Cost
}

// InventoryResult is what became of one planned inventory.
type InventoryResult struct {
	Connection string        `json:"connection"`
	Resources  int           `json:"resources"`
	Unread     []ingest.Part `json:"unread,omitempty"`
	Failure    *Caught       `json:"failure,omitempty"`
	Cost
}

// CollectedInput is everything that a collection did.
type CollectedInput struct {
	Tenant      tenant.ID         `json:"tenant"`
	Bills       []BillResult      `json:"bills"`
	Inventories []InventoryResult `json:"inventories"`
	Skipped     []string          `json:"skipped"`
}

// Collected sums a collection up.
type Collected struct {
	Bills     int      `json:"bills"`     // months that were read
	Rows      int64    `json:"rows"`      // in them
	Rejected  int64    `json:"rejected"`  // rows that were left out
	Unchanged int      `json:"unchanged"` // months that were loaded already as they are
	Resources int      `json:"resources"`
	Problems  []string `json:"problems"` // what could not be read, and why
	// SpentUSD is what reading cost at list price, as far as the collectors met paid calls.
	SpentUSD decimal.Decimal `json:"spent_usd"`
}

const problemsShown = 50

// Sum sums up, and notes how each reading went. What failed is listed and keeps what succeeded; when all that was planned failed,
// the collection did: fault.Unavailable, for that is no way to say that there are no costs.
func (p PlanCollection) Sum(ctx context.Context, in CollectedInput) (Collected, error) {
	if err := p.Connections.SaveReadings(ctx, in.Tenant, p.readings(in)); err != nil {
		return Collected{}, err
	}
	out := Collected{Problems: slices.Clone(in.Skipped)}
	failed := 0
	for _, b := range in.Bills {
		if b.Failure != nil {
			failed++
			out.Problems = append(out.Problems, b.Connection+", bill of "+b.Month.Format("2006-01")+": "+b.Failure.Text())
			continue
		}
		out.SpentUSD = out.SpentUSD.Add(spent(b.Spent))
		if b.Stopped != "" {
			out.Problems = append(out.Problems, b.Connection+", bill of "+b.Month.Format("2006-01")+": "+b.Stopped)
			continue
		}
		out.Bills++
		out.Rows, out.Rejected = out.Rows+b.Rows, out.Rejected+b.Rejected
		if b.Unchanged {
			out.Unchanged++
		}
	}
	for _, i := range in.Inventories {
		if i.Failure != nil {
			failed++
			out.Problems = append(out.Problems, i.Connection+", inventory: "+i.Failure.Text())
			continue
		}
		out.SpentUSD = out.SpentUSD.Add(spent(i.Spent))
		if i.Stopped != "" {
			out.Problems = append(out.Problems, i.Connection+", inventory: "+i.Stopped)
		}
		out.Resources += i.Resources
		for _, part := range i.Unread {
			out.Problems = append(out.Problems, i.Connection+", "+part.Service+place(part)+": "+string(part.Status)+" "+part.Reason)
		}
	}
	if n := len(in.Bills) + len(in.Inventories); n > 0 && failed == n {
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

// place says where a part is, if it is anywhere in particular.
func place(p ingest.Part) string {
	if p.Region == "" {
		return ""
	}
	return " in " + p.Region
}

// readings tells how each attempt went.
func (p PlanCollection) readings(in CollectedInput) []ingest.Reading {
	at := p.Now().UTC()
	var out []ingest.Reading
	for _, b := range in.Bills {
		r := reading(b.Connection, ingest.BillReading, b.Cost, b.Failure)
		r.Month, r.At = b.Month, at
		out = append(out, r)
	}
	for _, i := range in.Inventories {
		r := reading(i.Connection, ingest.InventoryReading, i.Cost, i.Failure)
		r.At = at
		out = append(out, r)
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
