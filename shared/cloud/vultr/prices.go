package vultr

import (
	"context"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	plansPath      = "/v2/plans"
	metalPlansPath = "/v2/plans-metal"
	// databasePlansPath lists those of managed databases.
	databasePlansPath = "/v2/databases/plans"
	// monthHours is the mean month. Vultr's plans have a price a month, which a server that runs all month pays.
	monthHours = 730
	// pricePlaces is to how many decimals a price a month is divided.
	pricePlaces = 10
)

// plan is a size of server or database. The SDK's own type has its price as a 32-bit float.
type plan struct {
	ID          string   `json:"id"`
	VCPUs       int      `json:"vcpu_count"`
	CPUs        int      `json:"cpu_count"` // of bare metal
	RAM         int64    `json:"ram"`       // MB
	MonthlyCost *money   `json:"monthly_cost"`
	Locations   []string `json:"locations"`
}

// Prices implements ingest.Collector: of servers and databases from the plans that can be had in the region, of volumes from what the
// account's own cost there, for Vultr lists no price of them. What has no price, or one of zero, is not in the list.
func (c *Collector) Prices(ctx context.Context, regions []string) ([]resource.Price, error) {
	var out []resource.Price
	for _, l := range []struct {
		path, member string
		typ          resource.Type
	}{{plansPath, "plans", resource.Instance}, {metalPlansPath, "plans_metal", resource.BareMetal}, {databasePlansPath, "plans", resource.Database}} {
		plans, err := list[plan](ctx, c, l.path, l.member)
		switch code := fault.CodeOf(err); {
		case err == nil:
		case l.typ == resource.Database && (code == fault.Forbidden || code == fault.NotFound): // not everyone may have some
			continue
		default:
			return nil, err
		}
		for _, p := range plans {
			out = append(out, p.prices(l.typ, regions)...)
		}
	}
	blocks, err := list[block](ctx, c, blocksPath, "blocks")
	if err != nil {
		return nil, err
	}
	return append(out, volumePrices(blocks, regions)...), nil
}

func (p plan) prices(typ resource.Type, regions []string) []resource.Price {
	if p.MonthlyCost == nil || !p.MonthlyCost.IsPositive() {
		return nil
	}
	hourly := p.MonthlyCost.DivRound(decimal.NewFromInt(monthHours), pricePlaces)
	var out []resource.Price
	for _, region := range p.Locations {
		if slices.Contains(regions, region) {
			out = append(out, resource.Price{
				Cloud: resource.Vultr, Region: region, Type: typ, Size: p.ID, Unit: "hour", Amount: hourly, Currency: usd,
				Attributes: map[string]string{resource.AttrVCPU: strconv.Itoa(p.VCPUs + p.CPUs), resource.AttrMemoryGiB: gib(p.RAM, 1<<10)},
			})
		}
	}
	return out
}

// volumePrices are the dearest that a GiB costs a month, by region and type, in the order of the volumes.
func volumePrices(blocks []block, regions []string) []resource.Price {
	at := map[[2]string]int{}
	var out []resource.Price
	for _, b := range blocks {
		if b.Cost == nil || !b.Cost.IsPositive() || b.SizeGB <= 0 || b.BlockType == "" || !slices.Contains(regions, b.Region) {
			continue
		}
		p := resource.Price{
			Cloud: resource.Vultr, Region: b.Region, Type: resource.Volume, Size: b.BlockType, Unit: "GiB-month",
			Amount: b.Cost.DivRound(decimal.NewFromInt(b.SizeGB), pricePlaces), Currency: usd,
		}
		key := [2]string{b.Region, b.BlockType}
		if i, known := at[key]; !known {
			at[key] = len(out)
			out = append(out, p)
		} else if p.Amount.GreaterThan(out[i].Amount) {
			out[i] = p
		}
	}
	return out
}
