package aws

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const priceRight = "pricing:GetProducts"

// priceQuery asks the price list of EC2 for products of one kind.
type priceQuery struct {
	kind    resource.Type
	filters map[string]string
	// want reads a product's size and the unit that its price is to be in; an empty size leaves the product out.
	want func(product) (size, unit string)
	// per turns the price of one listed unit into that of one wanted unit, by the listed unit's name.
	per map[string]decimal.Decimal
}

var (
	one      = decimal.NewFromInt(1)
	perGibi  = one.Div(decimal.NewFromInt(1024)) // exact in binary: ten decimals
	priceFor = []priceQuery{
		{resource.Instance, map[string]string{"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used", "marketoption": "OnDemand"},
			func(p product) (string, string) { return p.attributes["instanceType"], "hour" }, map[string]decimal.Decimal{"hrs": one, "hours": one}},
		{resource.Volume, map[string]string{"productFamily": "Storage"},
			func(p product) (string, string) { return p.attributes["volumeApiName"], "GiB-month" }, map[string]decimal.Decimal{"gb-mo": one}},
		{resource.Volume, map[string]string{"productFamily": "System Operation", "volumeApiName": "gp3"},
			func(p product) (string, string) { return p.attributes["volumeApiName"], "IOPS-month" }, map[string]decimal.Decimal{"iops-mo": one}},
		{resource.Volume, map[string]string{"productFamily": "Provisioned Throughput", "volumeApiName": "gp3"},
			func(p product) (string, string) { return p.attributes["volumeApiName"], "MiBps-month" }, map[string]decimal.Decimal{"gibps-mo": perGibi, "mibps-mo": one}},
		{resource.Snapshot, map[string]string{"productFamily": "Storage Snapshot"}, standardSnapshot, map[string]decimal.Decimal{"gb-mo": one}},
	}
)

// standardSnapshot leaves out the archive tier and what is no storage.
func standardSnapshot(p product) (size, unit string) {
	if strings.HasSuffix(p.attributes["usagetype"], "EBS:SnapshotUsage") {
		return "standard", "GiB-month"
	}
	return "", ""
}

// Prices implements ingest.Collector: public on-demand prices of Linux instances, of volumes and of snapshots. Without the
// right to read them, or with the setting price_list off, there are none: an unknown price is no price.
func (c *Collector) Prices(ctx context.Context, regions []string) ([]resource.Price, error) {
	if c.settings.noPrices {
		return nil, nil
	}
	client := pricing.NewFromConfig(c.account.in(global))
	var out []resource.Price
	for _, region := range regions {
		for _, q := range priceFor {
			found, err := listed(ctx, client, region, q)
			if fault.CodeOf(err) == fault.Forbidden {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	return out, nil
}

func listed(ctx context.Context, client *pricing.Client, region string, q priceQuery) ([]resource.Price, error) {
	in := &pricing.GetProductsInput{ServiceCode: aws.String("AmazonEC2"), FormatVersion: aws.String("aws_v1"), MaxResults: aws.Int32(100), Filters: []types.Filter{match("regionCode", region)}}
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
	size, unit := q.want(p)
	if size == "" || len(p.prices) != 1 {
		return resource.Price{}, false
	}
	listed := p.prices[0]
	factor, known := q.per[strings.ToLower(listed.Unit)]
	amount, err := decimal.NewFromString(listed.PerUnit["USD"])
	if !known || err != nil || !amount.IsPositive() {
		return resource.Price{}, false
	}
	price := resource.Price{Cloud: resource.AWS, Region: region, Type: q.kind, Size: size, Unit: unit, Amount: amount.Mul(factor), Currency: cost.Currency("USD")}
	if q.kind == resource.Instance {
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
