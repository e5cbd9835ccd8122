package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// retailPrices is Azure's public price list. It asks for no credentials and costs nothing.
const retailPrices = "https://prices.azure.com/api/retail/prices"

const priceCurrency cost.Currency = "USD"

// item is one price of the list. Amounts are JSON numbers, kept as they are written.
type item struct {
	RetailPrice   json.Number `json:"retailPrice"`
	CurrencyCode  string      `json:"currencyCode"`
	TierMinimum   json.Number `json:"tierMinimumUnits"`
	EffectiveFrom time.Time   `json:"effectiveStartDate"`
	ArmRegionName string      `json:"armRegionName"`
	ArmSkuName    string      `json:"armSkuName"`
	ProductName   string      `json:"productName"`
	SkuName       string      `json:"skuName"`
	MeterName     string      `json:"meterName"`
	UnitOfMeasure string      `json:"unitOfMeasure"`
}

// shelf is a part of the list: what to ask for, and what of it is the price of what.
type shelf struct {
	filter string
	price  func(i item) (of thing, share decimal.Decimal)
}

// thing is what has a price; without a size it is nothing that is priced here.
type thing struct {
	typ                 resource.Type
	size, unit, variant string
}

var one = decimal.NewFromInt(1)

var shelves = []shelf{
	{"serviceName eq 'Virtual Machines'", machinePrice},
	{"serviceName eq 'Storage' and serviceFamily eq 'Storage' and contains(productName, 'Managed Disks')", diskPrice},
	{"serviceName eq 'SQL Database' and contains(productName, 'Compute')", databasePrice},
	{"serviceName eq 'Virtual Network' and productName eq 'IP Addresses'", addressPrice},
}

// Prices implements ingest.Collector. Prices are those of pay-as-you-go in USD: of machines with Linux, with Windows and its licence,
// and of spot capacity with Linux; of SQL databases with their licence; and of disks by the GiB.
func (c *Collector) Prices(ctx context.Context, regions []string) ([]resource.Price, error) {
	var out []resource.Price
	if len(regions) == 0 {
		return out, nil
	}
	all, err := c.readable(ctx)
	if err != nil {
		return nil, err
	}
	for _, region := range regions {
		for _, s := range shelves {
			prices, err := c.shelf(ctx, region, s)
			if err != nil {
				return nil, err
			}
			out = append(out, prices...)
		}
	}
	for i := range out {
		if out[i].Type != resource.Instance {
			continue
		}
		sizes, err := c.sizes.in(ctx, c, all[0], out[i].Region)
		if err != nil {
			return nil, translate(err, "the sizes of machines in "+out[i].Region)
		}
		if size, ok := sizes[strings.ToLower(out[i].Size)]; ok {
			out[i].Attributes = map[string]string{resource.AttrVCPU: size.vcpu, resource.AttrMemoryGiB: size.memoryGiB}
		}
	}
	return out, nil
}

// dated is a price with the day from which it holds.
type dated struct {
	amount decimal.Decimal
	from   time.Time
}

// beats reports whether the price counts rather than the known one of the same thing.
func (d dated) beats(known dated, typ resource.Type) bool {
	switch {
	case typ == resource.Volume, d.from.Equal(known.from): // tiers of one type of disk: see diskPrice
		return d.amount.LessThan(known.amount)
	default:
		return d.from.After(known.from)
	}
}

// asked is what an item of the list costs now, from the first unit on; false when that is not what it tells.
func (c *Collector) asked(i item, region string) (decimal.Decimal, bool) {
	amount, bad := decimal.NewFromString(i.RetailPrice.String())
	least, _ := decimal.NewFromString(cmp.Or(i.TierMinimum.String(), "0"))
	return amount, bad == nil && amount.IsPositive() && !least.IsPositive() && cost.Currency(i.CurrencyCode) == priceCurrency &&
		strings.EqualFold(i.ArmRegionName, region) && !i.EffectiveFrom.After(c.options.Now())
}

// shelf reads one part of the list for one region. Of several prices of the same thing the one that began last counts; prices
// to come, and those from a certain amount on, do not.
func (c *Collector) shelf(ctx context.Context, region string, s shelf) ([]resource.Price, error) {
	best := map[thing]dated{}
	filter := s.filter + " and armRegionName eq '" + region + "' and priceType eq 'Consumption' and isPrimaryMeterRegion eq true"
	for i, err := range c.items(ctx, filter) {
		if err != nil {
			return nil, err
		}
		of, share := s.price(i)
		amount, ok := c.asked(i, region)
		if of.size == "" || !ok {
			continue
		}
		offer := dated{amount.Mul(share), i.EffectiveFrom}
		if known, ok := best[of]; !ok || offer.beats(known, of.typ) {
			best[of] = offer
		}
	}
	var out []resource.Price
	for t, d := range best {
		out = append(out, resource.Price{Cloud: resource.Azure, Region: region, Type: t.typ, Size: t.size, Unit: t.unit, Variant: t.variant, Amount: d.amount, Currency: priceCurrency})
	}
	slices.SortFunc(out, func(a, b resource.Price) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Variant, b.Variant))
	})
	return out, nil
}

// machinePrice knows machines with Linux, those with Windows, whose licence is in the price, and spot capacity with Linux; not what
// other services have of them.
func machinePrice(i item) (thing, decimal.Decimal) {
	machine := thing{typ: resource.Instance, size: i.ArmSkuName, unit: "hour"}
	windows := strings.HasSuffix(i.ProductName, " Windows")
	spot := strings.HasSuffix(i.SkuName, " Spot")
	switch {
	case i.UnitOfMeasure != "1 Hour", windows && spot, !windows && strings.Contains(i.ProductName, "Windows"), strings.Contains(i.SkuName, "Low Priority"),
		slices.ContainsFunc([]string{"Cloud Services", "CloudServices", "Dedicated Host"}, func(other string) bool { return strings.Contains(i.ProductName, other) }):
		return thing{}, one
	case windows:
		machine.variant = resource.WindowsPrice
	case spot:
		machine.variant = resource.SpotPrice
	}
	return machine, one
}

var (
	diskTier     = regexp.MustCompile(`^([PES]\d+) (LRS|ZRS)$`)
	diskProducts = map[string]string{"Premium SSD Managed Disks": "Premium_", "Standard SSD Managed Disks": "StandardSSD_", "Standard HDD Managed Disks": "Standard_"}
	// tierGiB are the sizes that disks are sold in, by the number in the name of the tier: Microsoft, "Azure managed disk types".
	tierGiB = map[string]int64{"1": 4, "2": 8, "3": 16, "4": 32, "6": 64, "10": 128, "15": 256, "20": 512, "30": 1024, "40": 2048, "50": 4096, "60": 8192, "70": 16384, "80": 32767}
)

// diskPrice breaks the monthly price of a tier down to the GiB. Larger tiers cost less by the GiB; the lowest is what counts in
// the end, so that no disk is said to cost more than it does.
func diskPrice(i item) (thing, decimal.Decimal) {
	prefix, ok := diskProducts[i.ProductName]
	if !ok {
		return thing{}, one
	}
	if kind, isSnapshot := strings.CutPrefix(i.SkuName, "Snapshots "); isSnapshot && i.UnitOfMeasure == "1 GB/Month" {
		return thing{typ: resource.Snapshot, size: prefix + kind, unit: "GiB-month"}, one
	}
	tier := diskTier.FindStringSubmatch(i.SkuName)
	if tier == nil || i.UnitOfMeasure != "1/Month" || !strings.HasSuffix(i.MeterName, " Disk") {
		return thing{}, one
	}
	gib, ok := tierGiB[tier[1][1:]]
	if !ok {
		return thing{}, one
	}
	return thing{typ: resource.Volume, size: prefix + tier[2], unit: "GiB-month"}, one.DivRound(decimal.NewFromInt(gib), 12)
}

var databaseSize = regexp.MustCompile(`^SQLDB_(GP|BC|HS)_Compute_(Gen5)_(\d+)$`)

func databasePrice(i item) (thing, decimal.Decimal) {
	size := databaseSize.FindStringSubmatch(i.ArmSkuName)
	if size == nil || i.UnitOfMeasure != "1 Hour" || strings.Contains(i.SkuName, "Zone Redundancy") {
		return thing{}, one
	}
	return thing{typ: resource.Database, size: strings.Join(size[1:], "_"), unit: "hour"}, one
}

func addressPrice(i item) (thing, decimal.Decimal) {
	size, ok := strings.CutSuffix(i.MeterName, " IPv4 Static Public IP")
	if !ok || i.UnitOfMeasure != "1 Hour" || strings.Contains(size, " ") {
		return thing{}, one
	}
	return thing{typ: resource.Address, size: size, unit: "hour"}, one
}

// items goes through all pages of the list.
func (c *Collector) items(ctx context.Context, filter string) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		pipeline := runtime.NewPipeline(module, version, runtime.PipelineOptions{}, &c.client.ClientOptions)
		first := cmp.Or(c.options.Prices, retailPrices)
		link := first + "?" + url.Values{"api-version": {"2023-01-01-preview"}, "currencyCode": {"'" + string(priceCurrency) + "'"}, "$filter": {filter}}.Encode()
		seen := map[string]bool{}
		for link != "" {
			if seen[link] {
				yield(item{}, endless())
				return
			}
			if !sameHost(link, first) {
				yield(item{}, fault.New(fault.Unprocessable, "Azure's price list goes on at another host. It was not followed there."))
				return
			}
			seen[link] = true
			found, next, err := pricePage(ctx, pipeline, link)
			if err != nil {
				yield(item{}, translate(err, "its price list"))
				return
			}
			for _, i := range found {
				if !yield(i, nil) {
					return
				}
			}
			link = next
		}
	}
}

func pricePage(ctx context.Context, pipeline runtime.Pipeline, link string) ([]item, string, error) {
	req, err := runtime.NewRequest(ctx, http.MethodGet, link)
	if err != nil {
		return nil, "", err
	}
	resp, err := pipeline.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }() // it has been read whole
	if !runtime.HasStatusCode(resp, http.StatusOK) {
		return nil, "", runtime.NewResponseError(resp)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, "", err
	}
	var page struct {
		Items        []item `json:"Items"`
		NextPageLink string `json:"NextPageLink"`
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return nil, "", err
	}
	return page.Items, page.NextPageLink, nil
}
