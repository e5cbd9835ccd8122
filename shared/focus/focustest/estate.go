package focustest

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/focus"
)

type provider struct {
	name, issuer, account, resourceID string // resourceID takes sub-account, region, type, number
	accounts                          []string
	regions                           [][2]string // id, name
	services                          []service
}

type service struct {
	name, category, subcategory, resourceType, unit string
	price                                           int64 // micro-dollars a unit
}

var providers = []provider{
	{
		name: "AWS", issuer: "Amazon Web Services, Inc.", account: "123456789012", resourceID: "arn:aws:ec2:%[2]s:%[1]s:%[3]s/i-0%015[4]x",
		accounts: []string{"210987654321", "310987654322", "410987654323", "510987654324"},
		regions:  [][2]string{{"us-east-1", "US East (N. Virginia)"}, {"us-west-2", "US West (Oregon)"}, {"eu-central-1", "EU (Frankfurt)"}},
		services: []service{
			{"Amazon Elastic Compute Cloud", "Compute", "Virtual Machines", "instance", "Hours", 96_000},
			{"Amazon Elastic Block Store", "Storage", "Block Storage", "volume", "GB-Months", 80_000},
			{"Amazon Simple Storage Service", "Storage", "Object Storage", "bucket", "GB-Months", 23_000},
			{"Amazon Relational Database Service", "Databases", "Relational Databases", "db", "Hours", 171_000},
			{"AWS Lambda", "Compute", "Serverless Compute", "function", "GB-Seconds", 17},
			{"Elastic Load Balancing", "Networking", "Application Networking", "loadbalancer", "LCU-Hours", 8_000},
			{"AmazonCloudWatch", "Management and Governance", "Observability", "metric", "Metrics", 300_000},
		},
	},
	{
		name: "Microsoft", issuer: "Microsoft", account: "/providers/Microsoft.Billing/billingAccounts/8611537",
		resourceID: "/subscriptions/%[1]s/resourcegroups/rg-%[2]s/providers/%[3]s/vm-%05[4]d",
		accounts:   []string{"64e355d7-997c-491d-b0c1-8414dccfcf42", "74e355d7-997c-491d-b0c1-8414dccfcf43", "84e355d7-997c-491d-b0c1-8414dccfcf44"},
		regions:    [][2]string{{"westeurope", "West Europe"}, {"eastus", "East US"}},
		services: []service{
			{"Virtual Machines", "Compute", "Virtual Machines", "microsoft.compute/virtualmachines", "Hours", 101_000},
			{"Storage Accounts", "Storage", "Object Storage", "microsoft.storage/storageaccounts", "GB-Months", 21_000},
			{"Azure SQL Database", "Databases", "Relational Databases", "microsoft.sql/servers", "Hours", 202_000},
			{"Azure Kubernetes Service", "Compute", "Containers", "microsoft.containerservice/managedclusters", "Hours", 100_000},
			{"Bandwidth", "Networking", "Network Connectivity", "microsoft.network/publicipaddresses", "GB", 87_000},
		},
	},
	{
		name: "Google Cloud", issuer: "Google Cloud EMEA Limited", account: "01ABCD-23EF45-678901",
		resourceID: "//compute.googleapis.com/projects/%[1]s/zones/%[2]s-b/%[3]s/%06[4]d",
		accounts:   []string{"atlas-prod", "atlas-dev", "atlas-data"},
		regions:    [][2]string{{"europe-west1", "Belgium"}, {"us-central1", "Iowa"}},
		services: []service{
			{"Compute Engine", "Compute", "Virtual Machines", "instances", "hour", 89_000},
			{"Cloud Storage", "Storage", "Object Storage", "buckets", "gibibyte month", 20_000},
			{"BigQuery", "Analytics", "Data Warehouses", "datasets", "tebibyte", 6_250_000},
			{"Cloud SQL", "Databases", "Relational Databases", "instances", "hour", 150_000},
			{"Kubernetes Engine", "Compute", "Containers", "clusters", "hour", 100_000},
		},
	},
	{
		name: "Vultr", issuer: "The Constant Company, LLC", account: "vultr-77", resourceID: "%[1]s-%[2]s-%[3]s-%08[4]x",
		accounts: []string{"vultr-77", "vultr-78"},
		regions:  [][2]string{{"ams", "Amsterdam"}, {"ewr", "New Jersey"}},
		services: []service{
			{"Cloud Compute", "Compute", "Virtual Machines", "vc2", "hour", 15_000},
			{"Block Storage", "Storage", "Block Storage", "block", "hour", 1_500},
			{"Managed Databases", "Databases", "Relational Databases", "dbaas", "hour", 45_000},
		},
	},
}

var (
	teams        = []string{"payments", "search", "platform", "data", "mobile"}
	environments = []string{"prod", "prod", "prod", "staging", "dev"}
)

// newEstate makes the resources, as rows that lack only what differs from charge to charge.
func newEstate(rng *rand.Rand) []focus.Row {
	estate := make([]focus.Row, resources)
	for i := range estate {
		p := &providers[min(rng.IntN(8)/2, rng.IntN(4))] // the first ones are the larger ones
		estate[i] = resource(rng, p, i)
	}
	return estate
}

func resource(rng *rand.Rand, p *provider, number int) focus.Row {
	s := &p.services[rng.IntN(len(p.services))]
	region := p.regions[rng.IntN(len(p.regions))]
	sub := p.accounts[rng.IntN(len(p.accounts))]
	list := decimal.New(s.price, -6)
	row := focus.Row{
		BillingPeriod: Month, BillingCurrency: "USD",
		BillingAccountID: p.account, BillingAccountName: p.name + " main", SubAccountID: sub, SubAccountName: "Atlas " + sub,
		ServiceProviderName: p.name, HostProviderName: p.name, InvoiceIssuerName: p.issuer, InvoiceID: "INV-" + p.name + "-2026-09",
		ServiceName: s.name, ServiceCategory: s.category, ServiceSubcategory: s.subcategory,
		RegionID: region[0], RegionName: region[1], AvailabilityZone: region[0] + "-b",
		ResourceID: fmt.Sprintf(p.resourceID, sub, region[0], s.resourceType, number), ResourceName: fmt.Sprintf("%s-%d", s.resourceType, number),
		ResourceType: s.resourceType, ChargeCategory: "Usage", ChargeFrequency: "Usage-Based",
		ChargeDescription: fmt.Sprintf("$%s per %s of %s in %s", list, s.unit, s.name, region[1]),
		PricingCategory:   "Standard", PricingUnit: s.unit, ConsumedUnit: s.unit,
		ListUnitPrice: decimal.NewNullDecimal(list), ContractedUnitPrice: decimal.NewNullDecimal(list.Mul(decimal.New(95, -2))),
		SkuID: fmt.Sprintf("SKU%s%04d", region[0], s.price%10_000), SkuPriceID: fmt.Sprintf("SKU%s%04d.JRTCKXETXF.6YS6EN2CT7", region[0], s.price%10_000),
	}
	if rng.IntN(10) > 0 { // one in ten is untagged
		team := rng.IntN(len(teams))
		row.Tags = map[string]string{"team": teams[team], "env": environments[rng.IntN(len(environments))], "cost-center": strconv.Itoa(4000 + team), "app": fmt.Sprintf("%s-%d", teams[team], rng.IntN(12))}
	}
	if s.unit == "Hours" && rng.IntN(4) == 0 {
		row.PricingCategory = "Committed"
		row.CommitmentDiscountCategory, row.CommitmentDiscountType, row.CommitmentDiscountStatus = "Spend", "Savings Plan", "Used"
		row.CommitmentDiscountID = fmt.Sprintf("arn:aws:savingsplans::%s:savingsplan/%d", sub, rng.IntN(5))
		row.CommitmentDiscountName = "compute-one-year"
	}
	return row
}
