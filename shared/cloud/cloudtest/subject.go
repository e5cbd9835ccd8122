// Package cloudtest is the conformance suite of collectors: what every cloud's adapter has to do, whatever its provider's own
// ways are. Each adapter brings a fake of its cloud and runs the same checks against it.
package cloudtest

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Subject is a collector to be checked.
type Subject struct {
	Cloud resource.Cloud
	// Month is a finished month that the fake bills, its UTC beginning.
	Month time.Time
	// New builds a fresh fake cloud in good health, with a collector that reads it.
	New func(t *testing.T) World
}

// World is a fake cloud and a collector that reads it. A hook that is nil is something that the cloud does not know; its check
// is skipped with a word. Hooks act on the calls that come after them.
type World struct {
	Collector ingest.Collector

	// Bill replaces what the cloud bills in Subject.Month: one row or more for each charge, in pages of at most PageSize.
	Bill func(charges []Charge)
	// EmptyPages puts an empty page that is not the last before every page.
	EmptyPages func()
	// Throttle refuses the next n calls, all of them when n is negative, in the provider's way of saying "too many".
	Throttle func(n int)
	// Impatient says that the collector does not try again by itself.
	Impatient bool
	// Fail answers the next n calls, all of them when n is negative, with the HTTP status in the provider's error format.
	Fail func(n, status int)
	// Half breaks every answer off in its middle, with a status that says that all is well.
	Half func()
	// Deny refuses to list one part of the inventory, and says which; without a region when one refusal is of all regions.
	Deny func() (region, service string)
	// Revoke takes one right away, and says how Check has to name it.
	Revoke func() string
	// Hang lets calls wait until their client goes away; each is sent to the channel as it comes in.
	Hang func() <-chan struct{}

	// Usage is a question that the fake has at least one answer to; nil when the cloud has no metrics.
	Usage *ingest.UsageQuery
	// DenyUsage refuses to tell the metrics of one account that Usage asks about.
	DenyUsage func()
	// Committed is a period of which the fake has at least one commitment; nil when the collector reads none.
	Committed *cost.Period
	// DenyCommitments refuses to tell one part of them.
	DenyCommitments func()
	// Advises says that the fake has at least one advice.
	Advises bool
	// DenyAdvice refuses to tell one part of it.
	DenyAdvice func()
	// Regions are those that Prices are asked for; the fake has at least one price there.
	Regions []string
}

// PageSize is the most charges that a fake puts on one page: few, so that a bill has many pages.
const PageSize = 7

// Charge is one line of a bill as a fake cloud has to bill it.
type Charge struct {
	// Amount is what is to be paid before tax, negative for a credit. A row's BilledCost adds up to it exactly.
	Amount decimal.Decimal
	// Resource is what it is for; empty for a charge that belongs to nothing.
	Resource string
	// Credit says that the provider gives money back.
	Credit bool
}

// Charges makes a bill of n charges, at most 40. Their amounts are the powers of two, in cents: whichever of them is lost or
// counted twice, the sum shows it. Every third is without a resource, every fifth a credit.
func Charges(n int) []Charge {
	out := make([]Charge, n)
	for i := range out {
		out[i].Amount = decimal.New(1<<i, -2)
		if i%3 != 0 {
			out[i].Resource = "resource-" + string(rune('a'+i%26))
		}
		if out[i].Credit = i%5 == 4; out[i].Credit {
			out[i].Amount = out[i].Amount.Neg()
		}
	}
	return out
}

func sum(charges []Charge) decimal.Decimal {
	var total decimal.Decimal
	for _, c := range charges {
		total = total.Add(c.Amount)
	}
	return total
}
