package gcp

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"google.golang.org/api/compute/v1"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// The types of commitments, in the words that bills use.
const (
	ofResources = "Resource-based committed use discount"
	ofSpend     = "Spend-based committed use discount"
)

// Commitments lists the committed use discounts that the projects hold, one entry for each kind of resource that one promises,
// and those of money that the bill charges for; and how they were used in the period, from the bill. Where a bill cannot tell,
// the use is unknown.
func (c *Collector) Commitments(ctx context.Context, period cost.Period) (ingest.Commitments, error) {
	if !period.Start.Equal(cost.Day(period.Start)) || !period.End.Equal(cost.Day(period.End)) || !period.Start.Before(period.End) {
		return ingest.Commitments{}, fault.Input("period", period.String(), "has to be whole days in UTC")
	}
	f, held := c.found(), []resource.Commitment(nil)
	read := listing{commitmentService, func(ctx context.Context, c *Collector, project string, f *found) error {
		own, err := readCommitments(ctx, c, project, f)
		held = append(held, own...)
		return err
	}}
	if err := c.walk(ctx, f, []listing{read}); err != nil {
		return ingest.Commitments{}, err
	}
	out := ingest.Commitments{Held: held, Parts: c.settings.only.parts(f.finish())}
	if err := c.fromBill(ctx, period, &out); err != nil {
		return ingest.Commitments{}, err
	}
	out.Held = slices.DeleteFunc(out.Held, func(h resource.Commitment) bool { return h.Region != "" && !c.settings.only.region(h.Region) })
	slices.SortFunc(out.Held, func(a, b resource.Commitment) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

const commitmentService = "compute.commitments"

func readCommitments(ctx context.Context, c *Collector, project string, f *found) (out []resource.Commitment, err error) {
	err = c.compute.RegionCommitments.AggregatedList(project).MaxResults(pageItems).Pages(ctx, func(p *compute.CommitmentAggregatedList) error {
		for scope, list := range p.Items {
			warning := list.Warning
			if warning == nil {
				warning = &compute.CommitmentsScopedListWarning{}
			}
			f.scope(scope, commitmentService, warning.Code, warning.Message)
			for _, one := range list.Commitments {
				if one.Status != "EXPIRED" && one.Status != "CANCELLED" { // Google lists them for ever
					out = append(out, promised(project, one)...)
				}
			}
		}
		f.unreachable(p.Unreachables, commitmentService)
		return nil
	})
	return out, err
}

// promised has one entry for each kind of resource of a commitment. A bill does not say which commitment covered a charge, so
// its id is that of the resource, with the kind behind it.
func promised(project string, c *compute.Commitment) (out []resource.Commitment) {
	region := regionOf(c.Region)
	base := resource.Commitment{
		Cloud: resource.GCP, Account: project, Region: region, Name: c.Name, Type: ofResources, Category: resource.UsageCommitment,
		Service: serviceNames["compute"], Size: seriesOf(c.Type), Payment: "no_upfront",
		Start: moment(c.StartTimestamp), End: moment(c.EndTimestamp), State: c.Status,
	}
	id := computeNames + project + "/regions/" + region + "/commitments/" + decimal.NewFromUint64(c.Id).String()
	for _, r := range c.Resources {
		one := base
		one.ID, one.Quantity = id+"/"+strings.ToLower(r.Type), decimal.NewFromInt(r.Amount)
		switch r.Type {
		case "VCPU":
			one.Unit = "vCPU"
		case "MEMORY": // in MB, 1024 of which Google calls a GB
			one.Unit, one.Quantity = "GiB", one.Quantity.Div(decimal.NewFromInt(1024))
		case "LOCAL_SSD":
			one.Unit = "GB of local SSD"
		default:
			one.Unit = "accelerators"
			one.Size, one.ID = cmp.Or(last(r.AcceleratorType), one.Size), one.ID+"/"+last(r.AcceleratorType)
		}
		out = append(out, one)
	}
	if l := c.LicenseResource; l != nil {
		one := base
		one.ID, one.Size, one.Quantity, one.Unit = id+"/license", last(l.License), decimal.NewFromInt(l.Amount), "licences"
		out = append(out, one)
	}
	return out
}

// seriesName is the end of a type that names a machine series: GENERAL_PURPOSE_N2D.
var seriesName = regexp.MustCompile(`_([A-Z]\d[A-Z]?)$`)

// seriesOf is the machine series of a type of commitment; the oldest types name none.
func seriesOf(typ string) string {
	if m := seriesName.FindStringSubmatch(typ); m != nil {
		return strings.ToLower(m[1])
	}
	switch typ {
	case "GENERAL_PURPOSE":
		return "n1"
	case "COMPUTE_OPTIMIZED":
		return "c2"
	}
	return strings.ToLower(typ)
}
