package aws

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// The metrics that are read. Unblended costs are those of the invoice, discounts being records of their own; amortised ones
// spread what was paid for commitments over what they cover.
const (
	unblended = "UnblendedCost"
	amortized = "AmortizedCost"
)

// kind is what a record type of Cost Explorer is in FOCUS.
type kind struct {
	name      string // as Cost Explorer writes it
	category  string // FOCUS ChargeCategory
	class     string // FOCUS ChargeClass
	frequency string // FOCUS ChargeFrequency
	pricing   string // FOCUS PricingCategory
}

var kinds = map[string]kind{
	"usage":                    {category: "Usage", frequency: "Usage-Based", pricing: "Standard"},
	"discountedusage":          {category: "Usage", frequency: "Usage-Based", pricing: "Committed"},
	"savingsplancoveredusage":  {category: "Usage", frequency: "Usage-Based", pricing: "Committed"},
	"savingsplannegation":      {category: "Adjustment", frequency: "Usage-Based"},
	"savingsplanrecurringfee":  {category: "Purchase", frequency: "Recurring", pricing: "Committed"},
	"savingsplanupfrontfee":    {category: "Purchase", frequency: "One-Time", pricing: "Committed"},
	"rifee":                    {category: "Purchase", frequency: "Recurring", pricing: "Committed"},
	"recurring":                {category: "Purchase", frequency: "Recurring", pricing: "Committed"},
	"recurringreservationfee":  {category: "Purchase", frequency: "Recurring", pricing: "Committed"},
	"upfront":                  {category: "Purchase", frequency: "One-Time", pricing: "Committed"},
	"upfrontreservationfee":    {category: "Purchase", frequency: "One-Time", pricing: "Committed"},
	"fee":                      {category: "Purchase", frequency: "One-Time", pricing: "Standard"},
	"support":                  {category: "Purchase", frequency: "Recurring", pricing: "Standard"},
	"supportfee":               {category: "Purchase", frequency: "Recurring", pricing: "Standard"},
	"otherout-of-cyclecharges": {category: "Purchase", frequency: "One-Time", pricing: "Standard"},
	"tax":                      {category: "Tax", frequency: "Usage-Based"},
	"credit":                   {category: "Credit", frequency: "One-Time"},
	"refund":                   {category: "Adjustment", class: "Correction", frequency: "One-Time"},
}

// kindOf finds what a record type is. AWS adds types; one that is not known, discounts among them, is an adjustment.
func kindOf(recordType string) kind {
	k, known := kinds[strings.ToLower(strings.ReplaceAll(recordType, " ", ""))]
	if !known {
		k = kind{category: "Adjustment", frequency: "Usage-Based"}
	}
	k.name = recordType
	return k
}

// mapper makes FOCUS rows of groups by service and account, or by service and region or tag of one account.
type mapper struct {
	month                cost.Period
	payer                string
	account, accountName string // the one account, when the second key is another
	tag                  string // the key of the tag that is the second key, if one is
	kind                 kind
	covered              covering
}

// rows gives the rows of one day.
func (m mapper) rows(day types.ResultByTime, names map[string]string, emit func(focus.Row) error) error {
	if day.TimePeriod == nil {
		return malformed("a day without its date")
	}
	start, err := time.Parse(time.DateOnly, aws.ToString(day.TimePeriod.Start))
	if err != nil || !m.month.Contains(start) {
		return malformed("a day outside of the month")
	}
	for _, g := range day.Groups {
		row, err := m.row(start, g, names)
		if err != nil {
			return err
		}
		if day.Estimated {
			row.Extra["x_Estimated"] = "true"
		}
		if err := emit(row); err != nil {
			return err
		}
	}
	return nil
}

// row is one charge. Cost Explorer has no list or negotiated prices: both costs repeat the unblended cost, which is what usage
// costs before commitments, or the amortised one of usage that a reservation has paid for.
func (m mapper) row(start time.Time, g types.Group, names map[string]string) (focus.Row, error) {
	if len(g.Keys) != 2 {
		return focus.Row{}, malformed("a group without its two keys")
	}
	billed, currency, err := amount(g.Metrics[unblended])
	if err != nil {
		return focus.Row{}, err
	}
	effective, other, err := amount(g.Metrics[amortized])
	if err != nil || other != currency {
		return focus.Row{}, malformed("costs in no or in two currencies")
	}
	list := billed
	if strings.EqualFold(m.kind.name, "DiscountedUsage") {
		list = effective
	}
	provider := resource.AWS.BillName()
	row := focus.Row{
		BillingPeriod: m.month, ChargePeriod: cost.Days(start, 1), BillingCurrency: currency,
		BilledCost: billed, EffectiveCost: effective, ListCost: list, ContractedCost: list,
		BillingAccountID: m.payer, SubAccountID: m.account, SubAccountName: m.accountName,
		ServiceProviderName: provider, HostProviderName: provider, InvoiceIssuerName: "Amazon Web Services, Inc.",
		ServiceName: g.Keys[0], ServiceCategory: categoryOf(g.Keys[0]),
		ChargeCategory: m.kind.category, ChargeClass: m.kind.class, ChargeFrequency: m.kind.frequency, PricingCategory: m.kind.pricing,
		ChargeDescription: g.Keys[0] + " (" + m.kind.name + ")",
		Extra:             map[string]string{"x_RecordType": m.kind.name},
	}
	if err := m.second(&row, g.Keys[1], names); err != nil {
		return row, err
	}
	m.cover(&row)
	return row, nil
}

// cover bills usage that a savings plan covers at nothing, and nothing for what takes it off again, as reports are read.
func (m mapper) cover(row *focus.Row) {
	switch typeOf(m.kind.name) {
	case coveredUsage:
	case negation:
		row.ListCost, row.ContractedCost = decimal.Zero, decimal.Zero
	default:
		return
	}
	h := holder{payer: row.BillingAccountID, account: row.SubAccountID, accountName: row.SubAccountName, issuer: row.InvoiceIssuerName, currency: row.BillingCurrency}
	m.covered[h] = m.covered[h].Add(row.BilledCost)
	row.BilledCost = decimal.Zero
}

// second takes over the second key: a tag with its value as "team$shop", an account, or a region.
func (m mapper) second(row *focus.Row, key string, names map[string]string) error {
	switch {
	case m.tag != "":
		value, ok := strings.CutPrefix(key, m.tag+"$")
		if !ok {
			return malformed("another tag than was asked for")
		}
		if value != "" {
			row.Tags = map[string]string{m.tag: value}
		}
	case m.account == "":
		row.SubAccountID, row.SubAccountName = key, names[key]
	case !slices.Contains([]string{"", "NoRegion", "No Region"}, key):
		row.RegionID, row.RegionName = key, key
	}
	return nil
}

func amount(m types.MetricValue) (decimal.Decimal, cost.Currency, error) {
	d, err := decimal.NewFromString(aws.ToString(m.Amount))
	currency := cost.Currency(aws.ToString(m.Unit))
	if err != nil || !currency.Valid() {
		return d, "", malformed("a cost that is no amount of money")
	}
	return d, currency, nil
}

// categories are the FOCUS service categories of what Cost Explorer calls services, by a word of their names; the first that
// fits counts.
var categories = []struct{ word, category string }{
	{"tax", "Other"}, {"support", "Other"}, {"savings plans", "Compute"},
	{"sagemaker", "AI and Machine Learning"}, {"bedrock", "AI and Machine Learning"}, {"rekognition", "AI and Machine Learning"},
	{"textract", "AI and Machine Learning"}, {"comprehend", "AI and Machine Learning"}, {"polly", "AI and Machine Learning"},
	{"relational database", "Databases"}, {"dynamodb", "Databases"}, {"elasticache", "Databases"}, {"aurora", "Databases"},
	{"neptune", "Databases"}, {"documentdb", "Databases"}, {"memorydb", "Databases"}, {"keyspaces", "Databases"}, {"timestream", "Databases"},
	{"redshift", "Analytics"}, {"athena", "Analytics"}, {"glue", "Analytics"}, {"kinesis", "Analytics"}, {"elastic mapreduce", "Analytics"},
	{"opensearch", "Analytics"}, {"quicksight", "Analytics"}, {"managed streaming", "Analytics"},
	{"container", "Compute"}, {"kubernetes", "Compute"}, {"elastic compute cloud", "Compute"}, {"ec2 - other", "Compute"}, {"lambda", "Compute"},
	{"lightsail", "Compute"}, {"batch", "Compute"}, {"app runner", "Compute"},
	{"simple storage", "Storage"}, {"glacier", "Storage"}, {"elastic file system", "Storage"}, {"fsx", "Storage"}, {"backup", "Storage"},
	{"virtual private cloud", "Networking"}, {"load balancing", "Networking"}, {"cloudfront", "Networking"}, {"route 53", "Networking"},
	{"direct connect", "Networking"}, {"transit gateway", "Networking"}, {"global accelerator", "Networking"}, {"data transfer", "Networking"},
	{"api gateway", "Integration"}, {"simple queue", "Integration"}, {"simple notification", "Integration"}, {"eventbridge", "Integration"},
	{"step functions", "Integration"}, {"cloudwatch events", "Integration"},
	{"cloudwatch", "Management and Governance"}, {"cloudtrail", "Management and Governance"}, {"config", "Management and Governance"},
	{"systems manager", "Management and Governance"}, {"cost explorer", "Management and Governance"}, {"cloudformation", "Management and Governance"},
	{"key management", "Security"}, {"secrets manager", "Security"}, {"guardduty", "Security"}, {"waf", "Security"}, {"security hub", "Security"},
	{"inspector", "Security"}, {"macie", "Security"}, {"shield", "Security"}, {"cognito", "Identity"}, {"directory service", "Identity"},
	{"codebuild", "Developer Tools"}, {"codepipeline", "Developer Tools"}, {"x-ray", "Developer Tools"}, {"iot", "Internet of Things"},
	{"workspaces", "Business Applications"}, {"connect", "Business Applications"}, {"simple email", "Business Applications"},
}

func categoryOf(service string) string {
	lower := strings.ToLower(service)
	for _, c := range categories {
		if strings.Contains(lower, c.word) {
			return c.category
		}
	}
	return "Other"
}
