package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const priceRight = "pricing:GetProducts"

// Prices implements ingest.Collector: public on-demand prices of instances, volumes, snapshots, databases, addresses and load
// balancers, and spot prices. Without the right to read the list, or with the setting price_list off, there are none: an unknown
// price is no price.
func (c *Collector) Prices(ctx context.Context, regions []string) ([]resource.Price, error) {
	if c.settings.noPrices {
		return nil, nil
	}
	client := pricing.NewFromConfig(c.account.in(global))
	var reads []priceRead
	for _, region := range regions {
		reads = append(reads, priceRead{true, func(ctx context.Context) ([]resource.Price, error) { return c.spotPrices(ctx, region) }})
		for _, q := range priceFor {
			reads = append(reads, priceRead{false, func(ctx context.Context) ([]resource.Price, error) { return listed(ctx, client, region, q) }})
		}
	}
	var mu sync.Mutex
	var out []resource.Price
	listDenied := false
	err := each(ctx, reads, func(ctx context.Context, r priceRead) error {
		found, err := r.read(ctx)
		denied := err != nil && (fault.CodeOf(err) == fault.Forbidden || fault.CodeOf(err) == fault.Unauthenticated)
		if err != nil && !denied {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out, listDenied = append(out, found...), listDenied || denied && !r.spot
		return nil
	})
	if err != nil || listDenied {
		return nil, err
	}
	slices.SortFunc(out, func(a, b resource.Price) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Variant, b.Variant))
	})
	return unambiguous(out), nil
}

// priceRead reads some prices; spot prices are the ones that may be missing alone.
type priceRead struct {
	spot bool
	read func(context.Context) ([]resource.Price, error)
}

// unambiguous leaves out what the sorted list has several prices for: nobody can tell which of them it is.
func unambiguous(sorted []resource.Price) []resource.Price {
	same := func(a, b resource.Price) bool {
		return a.Region == b.Region && a.Type == b.Type && a.Size == b.Size && a.Unit == b.Unit && a.Variant == b.Variant
	}
	var out []resource.Price
	for from := 0; from < len(sorted); {
		to, doubtful := from+1, false
		for ; to < len(sorted) && same(sorted[from], sorted[to]); to++ {
			doubtful = doubtful || !sorted[from].Amount.Equal(sorted[to].Amount)
		}
		if !doubtful {
			out = append(out, sorted[from])
		}
		from = to
	}
	return out
}

func listed(ctx context.Context, client *pricing.Client, region string, q priceQuery) ([]resource.Price, error) {
	in := &pricing.GetProductsInput{ServiceCode: &q.service, FormatVersion: aws.String("aws_v1"), MaxResults: aws.Int32(100), Filters: []types.Filter{match("regionCode", region)}}
	for field, value := range q.filters {
		in.Filters = append(in.Filters, match(field, value))
	}
	var out []resource.Price
	for pages := pricing.NewGetProductsPaginator(client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, priceRight)
		}
		for _, text := range page.PriceList {
			p, err := readProduct(text)
			if err != nil {
				return nil, err
			}
			if price, ok := q.price(region, p); ok {
				out = append(out, price)
			}
		}
	}
	return out, nil
}

func match(field, value string) types.Filter {
	return types.Filter{Type: types.FilterTypeTermMatch, Field: &field, Value: &value}
}

// product is an entry of the price list.
type product struct {
	attributes map[string]string
	prices     []listedPrice // on demand
}

type listedPrice struct {
	Unit       string            `json:"unit"`
	BeginRange string            `json:"beginRange"`
	PerUnit    map[string]string `json:"pricePerUnit"`
}

func readProduct(text string) (product, error) {
	var entry struct {
		Product struct {
			Attributes map[string]string `json:"attributes"`
		} `json:"product"`
		Terms struct {
			OnDemand map[string]struct {
				Dimensions map[string]listedPrice `json:"priceDimensions"`
			} `json:"OnDemand"`
		} `json:"terms"`
	}
	if err := json.Unmarshal([]byte(text), &entry); err != nil {
		return product{}, fault.Wrap(err, fault.Unavailable, "The price list of AWS could not be read; try again in a moment.")
	}
	p := product{attributes: entry.Product.Attributes}
	for _, offer := range entry.Terms.OnDemand {
		for _, d := range offer.Dimensions {
			p.prices = append(p.prices, d)
		}
	}
	return p, nil
}

// price is the product's price in dollars. A product with tiers has several, of which none is the price, so it has none here.
func (q priceQuery) price(region string, p product) (resource.Price, bool) {
	size, variant := q.want(p)
	if place := p.attributes["locationType"]; place != "" && place != "AWS Region" {
		return resource.Price{}, false // of a local zone, or of an Outpost, which is sold by the region's name
	}
	if size == "" || len(p.prices) != 1 {
		return resource.Price{}, false
	}
	listed := p.prices[0]
	factor, known := q.per[strings.ToLower(listed.Unit)]
	amount, err := decimal.NewFromString(listed.PerUnit["USD"])
	if !known || err != nil || !amount.IsPositive() {
		return resource.Price{}, false
	}
	price := resource.Price{Cloud: resource.AWS, Region: region, Type: q.kind, Size: size, Unit: q.unit, Variant: variant, Amount: amount.Mul(factor), Currency: dollars}
	if q.kind == resource.Instance || q.kind == resource.Database {
		price.Attributes = map[string]string{}
		if vcpu := p.attributes["vcpu"]; vcpu != "" {
			price.Attributes[resource.AttrVCPU] = vcpu
		}
		if memory, ok := strings.CutSuffix(strings.ReplaceAll(p.attributes["memory"], ",", ""), " GiB"); ok {
			price.Attributes[resource.AttrMemoryGiB] = memory
		}
	}
	return price, true
}
