package gcp

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"google.golang.org/api/cloudbilling/v1"
	"google.golang.org/api/compute/v1"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// engine is Compute Engine in the catalogue.
const engine = "services/6F81-5844-456A"

// ingredient is what a machine type is priced by: a core or a GiB of memory of its family, an hour.
type ingredient struct{ family, what string }

// machineSKU reads what the catalogue says of on-demand cores and memory: "N2 Instance Core running in Virginia", "N2D AMD
// Instance Ram running in Paris", "N1 Predefined Instance Core running in Americas", "E2 Instance Ram running in Iowa". Custom,
// sole-tenant, premium and reserved ones read differently, and stay out.
var machineSKU = regexp.MustCompile(`^(E2|N1|N2|N2D|N4|C2D|C3|C3D|C4|C4A|T2D|T2A)(?: Predefined| AMD| Arm)? Instance (Core|Ram) running in `)

// pricedSize is a predefined size whose price is that of its cores and its memory alone: no GPUs, no local disks, no shared core.
var pricedSize = regexp.MustCompile(`^([a-z]\d+[a-z]?)-(standard|highmem|highcpu)-\d+$`)

// storageSKU are volumes, snapshots and addresses by the catalogue's descriptions, up to " in <region>".
var storageSKU = map[string]resource.Price{
	"Storage PD Capacity":    {Type: resource.Volume, Size: "pd-standard"},
	"Balanced PD Capacity":   {Type: resource.Volume, Size: "pd-balanced"},
	"SSD backed PD Capacity": {Type: resource.Volume, Size: "pd-ssd"},
	"Storage PD Snapshot":    {Type: resource.Snapshot, Size: "standard"},
}

// book holds the unit prices of one region.
type book struct {
	machines map[ingredient]decimal.NullDecimal
	storage  []resource.Price
}

// Prices lists the on-demand prices in USD of predefined machine types and of persistent disks and snapshots in the regions.
// A machine type costs what its cores and its memory cost; where the catalogue has not both, or has two prices for one, there is
// no price. Reading the catalogue is free. Without the right to it there are no prices, and Check says so.
func (c *Collector) Prices(ctx context.Context, regions []string) ([]resource.Price, error) {
	books := map[string]*book{}
	for _, r := range regions {
		books[r] = &book{machines: map[ingredient]decimal.NullDecimal{}}
	}
	if len(books) == 0 {
		return nil, nil
	}
	err := c.catalog.Services.Skus.List(engine).CurrencyCode("USD").PageSize(5000).Pages(ctx, func(p *cloudbilling.ListSkusResponse) error {
		for _, s := range p.Skus {
			enter(books, s)
		}
		return nil
	})
	if translated := translate(err, "the price list"); fault.CodeOf(translated) == fault.Forbidden {
		return nil, nil
	} else if err != nil {
		return nil, translated
	}
	var out []resource.Price
	for _, region := range slices.Sorted(maps.Keys(books)) {
		sizes, err := c.sizes(ctx, region)
		if err != nil {
			return nil, err
		}
		out = append(out, books[region].prices(region, sizes)...)
	}
	return out, nil
}

// enter puts the price of a SKU into the books of the regions that it is for.
func enter(books map[string]*book, s *cloudbilling.Sku) {
	if s.Category == nil || s.Category.UsageType != "OnDemand" {
		return
	}
	price, unit, ok := unitPrice(s)
	if !ok {
		return
	}
	machine := machineSKU.FindStringSubmatch(s.Description)
	kind, _, _ := strings.Cut(s.Description, " in ")
	stored, isStored := storageSKU[kind]
	for _, region := range s.ServiceRegions {
		b := books[region]
		switch {
		case b == nil:
		case machine != nil && s.Category.ResourceFamily == "Compute" && unit == machineUnits[machine[2]]:
			key := ingredient{strings.ToLower(machine[1]), machine[2]}
			known, twice := b.machines[key]
			b.machines[key] = decimal.NullDecimal{Decimal: price, Valid: !twice || known.Valid && known.Decimal.Equal(price)}
		case isStored && unit == "GiBy.mo":
			stored.Cloud, stored.Region, stored.Unit, stored.Amount, stored.Currency = resource.GCP, region, "GiB-month", price, "USD"
			b.storage = append(b.storage, stored)
		}
	}
}

// machineUnits are the catalogue's units of what machine types are priced by.
var machineUnits = map[string]string{"Core": "h", "Ram": "GiBy.h"}

// unitPrice is the SKU's newest price and its unit. Of tiers, the last counts, which large use pays: the first of some is free.
func unitPrice(s *cloudbilling.Sku) (price decimal.Decimal, unit string, ok bool) {
	if len(s.PricingInfo) == 0 {
		return price, "", false
	}
	e := s.PricingInfo[len(s.PricingInfo)-1].PricingExpression
	if e == nil || len(e.TieredRates) == 0 {
		return price, "", false
	}
	m := e.TieredRates[len(e.TieredRates)-1].UnitPrice
	if m == nil || m.CurrencyCode != "USD" {
		return price, "", false
	}
	price = decimal.NewFromInt(m.Units).Add(decimal.New(m.Nanos, -9))
	return price, e.UsageUnit, price.IsPositive()
}

// prices lists a region's storage, and those of the sizes that have a price.
func (b *book) prices(region string, sizes map[string]size) []resource.Price {
	slices.SortFunc(b.storage, func(x, y resource.Price) int { return strings.Compare(x.Size, y.Size) })
	out := b.storage
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		m := pricedSize.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		s := sizes[name]
		core, ram := b.machines[ingredient{m[1], "Core"}], b.machines[ingredient{m[1], "Ram"}]
		if !core.Valid || !ram.Valid {
			continue
		}
		attributes := map[string]string{}
		s.describe(attributes)
		out = append(out, resource.Price{
			Cloud: resource.GCP, Region: region, Type: resource.Instance, Size: name, Unit: "hour", Currency: "USD", Attributes: attributes,
			Amount: core.Decimal.Mul(decimal.NewFromInt(s.vcpu)).Add(ram.Decimal.Mul(s.memoryGiB())),
		})
	}
	return out
}

// sizes lists the machine types that the zones of a region have. What is no region of machines, such as "us", has none.
func (c *Collector) sizes(ctx context.Context, region string) (map[string]size, error) {
	out := map[string]size{}
	if len(c.settings.projects) == 0 || !strings.Contains(region, "-") {
		return out, nil
	}
	project, what := c.settings.projects[0], "the machine types of region "+region
	r, err := c.compute.Regions.Get(project, region).Context(ctx).Do()
	switch translated := translate(err, what); {
	case err == nil:
	case fault.CodeOf(translated) == fault.NotFound, fault.CodeOf(translated) == fault.Forbidden:
		return out, nil
	default:
		return nil, translated
	}
	for _, zone := range r.Zones {
		err := c.compute.MachineTypes.List(project, last(zone)).MaxResults(pageItems).Pages(ctx, func(p *compute.MachineTypeList) error {
			for _, m := range p.Items {
				if m.Deprecated == nil && !m.IsSharedCpu && len(m.Accelerators) == 0 {
					out[m.Name] = size{m.GuestCpus, m.MemoryMb}
				}
			}
			return nil
		})
		if err != nil {
			return nil, translate(err, what)
		}
	}
	return out, nil
}
