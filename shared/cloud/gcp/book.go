package gcp

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"google.golang.org/api/cloudbilling/v1"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// ingredient is what a machine or database is priced by: a core or a GiB of memory of its family or engine, an hour.
type ingredient struct{ family, what, variant string }

// What ingredients are.
const (
	core   = "Core"
	memory = "Ram"
)

// machineSKU reads what the catalogue says of cores and memory: "N2 Instance Core running in Virginia", "N2D AMD Instance Ram
// running in Paris", "N1 Predefined Instance Core running in Americas", "Spot Preemptible E2 Instance Ram running in Iowa".
// Custom, sole-tenant, premium and reserved ones read differently, and stay out.
var machineSKU = regexp.MustCompile(`^(?:Spot Preemptible )?(E2|N1|N2|N2D|N4|C2D|C3|C3D|C4|C4A|T2D|T2A)(?: Predefined| AMD| Arm)? Instance (Core|Ram) running in `)

// pricedSize is a predefined size whose price is that of its cores and its memory alone: no GPUs, no local disks, no shared core.
var pricedSize = regexp.MustCompile(`^([a-z]\d+[a-z]?)-(standard|highmem|highcpu)-\d+$`)

// windowsSKU is the licence of Windows Server, an hour of a core, under its older and its newer name.
var windowsSKU = regexp.MustCompile(`^Licensing Fee for Windows Server \d{4}(?: R2)? Datacenter Edition (?:\(CPU cost\)|on VM)$`)

// otherSKU are volumes, snapshots and addresses by the catalogue's descriptions, up to " in <region>". An address costs more
// while nothing uses it.
var otherSKU = map[string]resource.Price{
	"Storage PD Capacity":                 {Type: resource.Volume, Size: "pd-standard", Unit: "GiB-month"},
	"Balanced PD Capacity":                {Type: resource.Volume, Size: "pd-balanced", Unit: "GiB-month"},
	"SSD backed PD Capacity":              {Type: resource.Volume, Size: "pd-ssd", Unit: "GiB-month"},
	"Regional Storage PD Capacity":        {Type: resource.Volume, Size: "regional-pd-standard", Unit: "GiB-month"},
	"Regional Balanced PD Capacity":       {Type: resource.Volume, Size: "regional-pd-balanced", Unit: "GiB-month"},
	"Regional SSD backed PD Capacity":     {Type: resource.Volume, Size: "regional-pd-ssd", Unit: "GiB-month"},
	"Storage PD Snapshot":                 {Type: resource.Snapshot, Size: "standard", Unit: "GiB-month"},
	"Static Ip Charge":                    {Type: resource.Address, Size: "available", Unit: "hour"},
	"External IP Charge on a Standard VM": {Type: resource.Address, Size: "in-use", Unit: "hour"},
}

// databaseSKU reads the ingredients of databases of one zone, whose engines need no licence.
var databaseSKU = regexp.MustCompile(`^Cloud SQL for (PostgreSQL|MySQL): Zonal - (vCPU|RAM|Standard storage|Low cost storage) in `)

// units are the catalogue's of what is priced here.
var units = map[string]string{core: "h", memory: "GiBy.h", "GiB-month": "GiBy.mo", "hour": "h"}

// amounts are prices by what they are for; one with two prices has none.
type amounts[K comparable] map[K]decimal.NullDecimal

func (a amounts[K]) enter(of K, price decimal.Decimal) {
	known, twice := a[of]
	a[of] = decimal.NullDecimal{Decimal: price, Valid: !twice || known.Valid && known.Decimal.Equal(price)}
}

// book holds the unit prices of one region.
type book struct {
	machines amounts[ingredient]
	others   amounts[string] // by description
	stores   amounts[ingredient]
	licence  amounts[string]
}

func newBook() *book {
	return &book{amounts[ingredient]{}, amounts[string]{}, amounts[ingredient]{}, amounts[string]{}}
}

// enter puts the price of a SKU into the books of the regions that it is for, which are all when it is for the whole world:
// those of machines, not places such as "eu".
func enter(books map[string]*book, s *cloudbilling.Sku) {
	price, unit, ok := unitPrice(s)
	if !ok || s.Category == nil {
		return
	}
	variant, known := map[string]string{"OnDemand": "", "Preemptible": resource.SpotPrice}[s.Category.UsageType]
	if !known || strings.HasPrefix(s.Description, "Spot ") != (variant == resource.SpotPrice) {
		return
	}
	for region, b := range books {
		everywhere := slices.Contains(s.ServiceRegions, global) && strings.Contains(region, "-")
		if everywhere || slices.Contains(s.ServiceRegions, region) {
			b.enter(s, price, unit, variant)
		}
	}
}

func (b *book) enter(s *cloudbilling.Sku, price decimal.Decimal, unit, variant string) {
	if windowsSKU.MatchString(s.Description) && variant == "" && unit == units["hour"] {
		b.licence.enter(resource.WindowsPrice, price)
		return
	}
	if m := machineSKU.FindStringSubmatch(s.Description); m != nil && s.Category.ResourceFamily == "Compute" && unit == units[m[2]] {
		b.machines.enter(ingredient{strings.ToLower(m[1]), m[2], variant}, price)
		return
	}
	kind, _, _ := strings.Cut(s.Description, " in ")
	if other, ok := otherSKU[kind]; ok && variant == "" && unit == units[other.Unit] {
		b.others.enter(kind, price)
	}
}

var engineNames = map[string]string{"PostgreSQL": "postgres", "MySQL": "mysql"}

// databaseSKUs are what the catalogue's words for databases are here, and their units. Disks have the names that databases have
// for theirs.
var databaseSKUs = map[string]struct{ what, unit string }{
	"vCPU": {core, units[core]}, "RAM": {memory, units[memory]},
	"Standard storage": {"pd_ssd", units["GiB-month"]}, "Low cost storage": {"pd_hdd", units["GiB-month"]},
}

func enterDatabase(books map[string]*book, s *cloudbilling.Sku) {
	price, unit, ok := unitPrice(s)
	m := databaseSKU.FindStringSubmatch(s.Description)
	if !ok || m == nil || s.Category == nil || s.Category.UsageType != "OnDemand" {
		return
	}
	of := databaseSKUs[m[2]]
	for _, region := range s.ServiceRegions {
		if b := books[region]; b != nil && unit == of.unit {
			b.stores.enter(ingredient{engineNames[m[1]], of.what, ""}, price)
		}
	}
}

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

// prices lists a region's storage and addresses, and those of the sizes that have a price.
func (b *book) prices(region string, sizes map[string]size) (out []resource.Price) {
	for _, kind := range slices.Sorted(maps.Keys(b.others)) {
		if amount := b.others[kind]; amount.Valid {
			out = append(out, priced(otherSKU[kind], region, amount.Decimal))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		m := pricedSize.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		s := sizes[name]
		machine := resource.Price{Type: resource.Instance, Size: name, Unit: "hour", Attributes: map[string]string{}}
		s.describe(machine.Attributes)
		if amount, ok := s.cost(b.machines, m[1], ""); ok {
			out = append(out, priced(machine, region, amount))
			if licence := b.licence[resource.WindowsPrice]; licence.Valid {
				machine.Variant = resource.WindowsPrice
				out = append(out, priced(machine, region, amount.Add(licence.Decimal.Mul(decimal.NewFromInt(s.vcpu)))))
			}
		}
		if amount, ok := s.cost(b.machines, m[1], resource.SpotPrice); ok {
			machine.Variant = resource.SpotPrice
			out = append(out, priced(machine, region, amount))
		}
	}
	return out
}

// databases lists those of a region's databases, and of their disks. Their variant is the engine.
func (b *book) databases(region string, tiers []size) (out []resource.Price) {
	for _, engine := range slices.Sorted(maps.Values(engineNames)) {
		for _, disk := range []string{"pd_hdd", "pd_ssd"} {
			if amount := b.stores[ingredient{engine, disk, ""}]; amount.Valid {
				out = append(out, priced(resource.Price{Type: resource.Database, Size: disk, Unit: "GiB-month", Variant: engine}, region, amount.Decimal))
			}
		}
		for _, s := range tiers {
			if amount, ok := s.cost(b.stores, engine, ""); ok {
				tier := resource.Price{Type: resource.Database, Size: fmt.Sprintf("db-custom-%d-%d", s.vcpu, s.memoryMiB), Unit: "hour", Variant: engine, Attributes: map[string]string{}}
				s.describe(tier.Attributes)
				out = append(out, priced(tier, region, amount))
			}
		}
	}
	return out
}

func priced(of resource.Price, region string, amount decimal.Decimal) resource.Price {
	of.Cloud, of.Region, of.Amount, of.Currency = resource.GCP, region, amount, "USD"
	return of
}

// cost is that of the cores and the memory of a size.
func (s size) cost(of amounts[ingredient], family, variant string) (decimal.Decimal, bool) {
	cores, ram := of[ingredient{family, core, variant}], of[ingredient{family, memory, variant}]
	return cores.Decimal.Mul(decimal.NewFromInt(s.vcpu)).Add(ram.Decimal.Mul(s.memoryGiB())), cores.Valid && ram.Valid
}

func (s size) compare(other size) int {
	return cmp.Or(cmp.Compare(s.vcpu, other.vcpu), cmp.Compare(s.memoryMiB, other.memoryMiB))
}
