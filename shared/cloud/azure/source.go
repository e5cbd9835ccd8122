package azure

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// source is one of the ways to a bill.
type source struct {
	read func(c *Collector, ctx context.Context, month time.Time) iter.Seq2[focus.Row, error]
	// places are where it is asked, and try asks one for the least that it has to give. That takes the right, which the role
	// grants.
	places      func(c *Collector, seen []subscription) []place
	try         func(c *Collector, ctx context.Context, p place) error
	right, role string
}

// place is what costs are asked about: a subscription, or a billing account or profile with all of its subscriptions.
type place struct {
	scope string // begins with a slash
	of    subscription
}

func (p place) what() string {
	if p.of.id == "" {
		return "the costs of " + p.scope
	}
	return "the costs of subscription " + p.of.id
}

const costReader = "Cost Management Reader"

// sourcesOfBills are by what the setting "source" calls them.
var sourcesOfBills = map[string]source{
	"query": {(*Collector).queried, subscriptionPlaces, (*Collector).tryQuery, "Microsoft.CostManagement/query/action", costReader},
	"details": {
		(*Collector).detailed, (*Collector).billingPlaces, (*Collector).tryDetails,
		"Microsoft.CostManagement/generateCostDetailsReport/action", costReader,
	},
	"usage": {(*Collector).consumed, (*Collector).billingPlaces, (*Collector).tryConsumed, "Microsoft.Consumption/usageDetails/read", costReader},
	"export": {
		(*Collector).exported, (*Collector).exportPlaces, (*Collector).tryExport,
		"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", "Storage Blob Data Reader",
	},
}

// source is the one that the settings name: without a word the export, if there is one, and else the query.
func (c *Collector) source() source {
	otherwise := "query"
	if c.settings["export_container"] != "" {
		otherwise = "export"
	}
	return sourcesOfBills[cmp.Or(c.settings["source"], otherwise)]
}

// Costs implements ingest.Collector. It reads the source that the settings name.
func (c *Collector) Costs(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return c.source().read(c, ctx, month)
}

func subscriptionPlaces(_ *Collector, seen []subscription) []place {
	out := make([]place, len(seen))
	for i, s := range seen {
		out[i] = place{s.scope(), s}
	}
	return out
}

// billingPlaces is the billing account or profile that the settings name, and else each subscription.
func (c *Collector) billingPlaces(seen []subscription) []place {
	if scope := c.settings["billing_scope"]; scope != "" {
		return []place{{scope: scope}}
	}
	return subscriptionPlaces(c, seen)
}

func (c *Collector) exportPlaces([]subscription) []place {
	return []place{{scope: "the container " + c.settings["export_container"]}}
}

// placesToRead lists where the bill is asked for. The subscriptions are looked for only where they are what is asked about.
func (c *Collector) placesToRead(ctx context.Context) ([]place, error) {
	if c.settings["billing_scope"] != "" {
		return c.billingPlaces(nil), nil
	}
	seen, err := c.readable(ctx)
	return c.billingPlaces(seen), err
}

// daysOf are those of the month that have begun, none of a month to come: Cost Management answers about days to come with other
// days, so it is not asked about them.
func (c *Collector) daysOf(month time.Time) (days cost.Period, some bool) {
	days = cost.Month(month)
	if tomorrow := cost.Days(c.options.Now(), 1).End; days.End.After(tomorrow) {
		days.End = tomorrow
	}
	return days, days.Start.Before(days.End)
}

// rows is the stream of what read emits. An error of read ends it, unless whoever reads has enough already. Read has to end soon
// after emit said false.
func rows(read func(emit func(focus.Row) bool) error) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		stopped := false
		err := read(func(row focus.Row) bool {
			stopped = stopped || !yield(row, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(focus.Row{}, err)
		}
	}
}

// errEnough ends reading where nobody wants further rows.
var errEnough = errors.New("no further rows are wanted")

// missingRights names what the source needs and may not have.
func (c *Collector) missingRights(ctx context.Context, seen []subscription) ([]string, error) {
	var missing []string
	s := c.source()
	for _, p := range s.places(c, seen) {
		refused, err := isRefused(s.try(c, ctx, p))
		if err != nil {
			return nil, err
		}
		if refused {
			missing = append(missing, s.right+" on "+p.scope+" ("+s.role+")")
		}
	}
	return slices.Compact(missing), nil
}

// broken tells that an answer is not whole.
func broken(err error, what string) error {
	return fault.Wrap(err, fault.Unavailable, "Azure's answer about %s is not complete; try again in a moment.", what)
}
