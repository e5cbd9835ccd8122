package aws

import (
	"cmp"
	"maps"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// row makes the FOCUS row of a line item.
func (l *lineItem) row() focus.Row {
	k := kindOf(l.text(itemType))
	c := l.costs(typeOf(k.name))
	if typeOf(k.name) == "refund" {
		k.category = l.refunded()
	}
	if start := l.instant(periodStart); l.failed == nil && !start.Equal(l.month.Start) {
		l.fail(periodStart, "is not the month that was asked for")
	}
	provider := resource.AWS.BillName()
	service := l.service()
	row := focus.Row{
		BillingPeriod: l.month, ChargePeriod: l.charged(), BillingCurrency: cost.Currency(l.text(currencyCode)),
		BilledCost: c.billed, EffectiveCost: c.effective, ListCost: c.list, ContractedCost: c.contracted,
		BillingAccountID: l.text(payerID), BillingAccountName: l.text(payerName), SubAccountID: l.text(accountID), SubAccountName: l.text(accountName),
		ServiceProviderName: provider, HostProviderName: provider, InvoiceIssuerName: cmp.Or(l.text(issuer), "Amazon Web Services, Inc."),
		InvoiceID: l.text(invoiceID), ServiceName: service, ServiceCategory: categoryOf(service),
		AvailabilityZone: l.text(zone), ChargeCategory: k.category, ChargeClass: k.class, ChargeDescription: l.text(description),
		ChargeFrequency: k.frequency, PricingCategory: l.pricing(k), SkuID: l.text(skuID), SkuPriceID: l.first(rateCode, rateID),
		Extra: l.extra(),
	}
	if !row.BillingCurrency.Valid() {
		l.fail(currencyCode, "is no currency")
	}
	if region := l.first(regionCode, productRegion); region != "" {
		row.RegionID, row.RegionName = region, region
	}
	l.tag(&row)
	l.identify(&row)
	l.commit(&row, typeOf(k.name))
	if k.category == "Usage" {
		l.measure(&row, c)
	}
	return row
}

// charged is when the charge applies. Reports end some periods with their last second, and give one-time charges none.
func (l *lineItem) charged() cost.Period {
	p := cost.Period{Start: l.instant(usageStart), End: l.instant(usageEnd)}
	if p.End.Second() == 59 {
		p.End = p.End.Add(time.Second)
	}
	if !p.End.After(p.Start) {
		p.End = p.Start.Add(time.Hour) // the finest that a report has
	}
	return p
}

// refunded is the category of what was paid back.
func (l *lineItem) refunded() string {
	switch {
	case len(l.cell(taxType)) > 0:
		return "Tax"
	case l.first(planARN, reservationARN) != "":
		return "Purchase"
	case len(l.cell(usageType)) > 0:
		return "Usage"
	}
	return "Adjustment"
}

// pricing tells spot usage from that at standard prices; the others follow from the type.
func (l *lineItem) pricing(k kind) string {
	if k.pricing == "Standard" && (l.text(purchaseOption) == "Spot" || strings.Contains(l.text(usageType), "SpotUsage")) {
		return "Dynamic"
	}
	return k.pricing
}

// service is the name of the product, as Cost Explorer and the price list have it.
func (l *lineItem) service() string {
	if name := l.pairs(productMap, same)["product_name"]; name != "" {
		return name
	}
	if name := l.text(productName); name != "" {
		return name
	}
	code := l.first(productCode, serviceCode)
	if name, known := productNames[code]; known {
		return name
	}
	return cmp.Or(code, "AWS")
}

func same(key string) string { return key }

// productNames are the names of products where a report gives their codes alone.
var productNames = map[string]string{ //nolint:gosec // the name of a product that keeps secrets is none
	"AmazonEC2": "Amazon Elastic Compute Cloud", "AmazonRDS": "Amazon Relational Database Service", "AmazonS3": "Amazon Simple Storage Service",
	"AWSLambda": "AWS Lambda", "AmazonVPC": "Amazon Virtual Private Cloud", "AWSELB": "Elastic Load Balancing", "AmazonDynamoDB": "Amazon DynamoDB",
	"AmazonElastiCache": "Amazon ElastiCache", "AmazonCloudWatch": "AmazonCloudWatch", "AmazonCloudFront": "Amazon CloudFront", "AmazonEKS": "Amazon Elastic Container Service for Kubernetes",
	"AmazonECS": "Amazon EC2 Container Service", "AmazonECR": "Amazon EC2 Container Registry (ECR)", "AmazonEFS": "Amazon Elastic File System", "AmazonRedshift": "Amazon Redshift",
	"AmazonES": "Amazon OpenSearch Service", "AmazonRoute53": "Amazon Route 53", "AmazonSNS": "Amazon Simple Notification Service", "AWSQueueService": "Amazon Simple Queue Service",
	"awskms": "AWS Key Management Service", "AWSSecretsManager": "AWS Secrets Manager", "AWSCloudTrail": "AWS CloudTrail", "AWSConfig": "AWS Config", "AWSGlue": "AWS Glue",
	"AmazonAthena": "Amazon Athena", "AmazonKinesis": "Amazon Kinesis", "AmazonMSK": "Amazon Managed Streaming for Apache Kafka", "AmazonSageMaker": "Amazon SageMaker",
	"AmazonBedrock": "Amazon Bedrock", "AmazonApiGateway": "Amazon API Gateway", "AWSCostExplorer": "AWS Cost Explorer", "ComputeSavingsPlans": "Savings Plans for AWS Compute usage",
	"AWSDataTransfer": "AWS Data Transfer", "AWSSupportBusiness": "AWS Support (Business)", "AWSSupportEnterprise": "AWS Support (Enterprise)",
}

// tag gives the row its tags: those of the map, and in a legacy report those of a column each.
func (l *lineItem) tag(row *focus.Row) {
	row.Tags = l.pairs(resourceTags, tagKey)
	if len(l.tags) == 0 {
		return
	}
	tags := maps.Clone(row.Tags) // which other rows share
	for at, key := range l.tags {
		if value := l.known.text(l.cells[at]); value != "" {
			if tags == nil {
				tags = map[string]string{}
			}
			tags[key] = value
		}
	}
	row.Tags = tags
}

// identify names the resource: by ARN, or by the id alone where EC2 and S3 have no more.
func (l *lineItem) identify(row *focus.Row) {
	row.ResourceID = l.text(resourceID)
	if row.ResourceID == "" {
		return
	}
	row.ResourceName = row.Tags["Name"]
	if row.ResourceName == "" {
		row.ResourceName = row.Tags["name"]
	}
	row.ResourceType = resourceType(row.ResourceID, l.text(productCode))
}

// resourceType is AWS's word in an ARN: arn:aws:rds:eu-west-1:123456789012:db:orders is a db.
func resourceType(id, product string) string {
	if parts := strings.SplitN(id, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		word, _, more := strings.Cut(strings.ReplaceAll(parts[5], "/", ":"), ":")
		if !more {
			return parts[2] // arn:aws:s3:::bucket and arn:aws:sns:...:topic have no word
		}
		return word
	}
	switch {
	case strings.HasPrefix(id, "i-"):
		return "instance"
	case strings.HasPrefix(id, "vol-"):
		return "volume"
	case product == "AmazonS3":
		return "bucket"
	}
	return ""
}

// commit names the commitment that a row belongs to. The fee of one that was not used up stands for what is unused.
func (l *lineItem) commit(row *focus.Row, kind string) {
	row.CommitmentDiscountID = l.text(planARN)
	if row.CommitmentDiscountID != "" {
		row.CommitmentDiscountCategory, row.CommitmentDiscountType = string(resource.SpendCommitment), planType
	} else if row.CommitmentDiscountID = l.text(reservationARN); row.CommitmentDiscountID != "" {
		row.CommitmentDiscountCategory, row.CommitmentDiscountType = string(resource.UsageCommitment), reservationType
	} else {
		return
	}
	if row.PricingCategory == "Standard" { // a fee that was paid upfront
		row.PricingCategory = "Committed"
	}
	switch kind {
	case coveredUsage, discountedUsage:
		row.CommitmentDiscountStatus = "Used"
	case planFee, reservationFee:
		if row.EffectiveCost.IsPositive() {
			row.CommitmentDiscountStatus = "Unused"
		}
	}
}

// measure adds quantities and unit prices, which usage alone has.
func (l *lineItem) measure(row *focus.Row, c costs) {
	row.PricingQuantity, row.PricingUnit = l.number(usageAmount), l.text(pricingUnit)
	if !row.PricingQuantity.Valid {
		row.PricingUnit = ""
		return
	}
	row.ConsumedQuantity, row.ConsumedUnit = row.PricingQuantity, row.PricingUnit
	if price := l.number(publicRate); !price.Decimal.IsZero() || c.list.IsZero() {
		row.ListUnitPrice = price
	}
	if !c.billed.IsZero() {
		row.ContractedUnitPrice = l.either(netUnblendedRate, unblendedRate)
	}
}

// kept are the columns that FOCUS has no column for, under the names that AWS gives them in its own FOCUS exports.
var kept = []struct {
	column column
	name   string
}{
	{itemType, "x_RecordType"}, {productCode, "x_ServiceCode"}, {usageType, "x_UsageType"}, {operation, "x_Operation"},
	{costCategories, "x_CostCategories"}, {discounts, "x_Discounts"},
}

func (l *lineItem) extra() map[string]string {
	key := make([]byte, 0, 256)
	for _, k := range kept {
		key = append(append(key, l.cell(k.column)...), 0)
	}
	return l.known.extra(key, func() map[string]string {
		extra := map[string]string{}
		for _, k := range kept {
			if cell := string(l.cell(k.column)); cell != "" && cell != "{}" {
				extra[k.name] = cell
			}
		}
		return extra
	})
}
