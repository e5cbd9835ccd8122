// Package focus reads, checks and writes FOCUS cost and usage data, versions 1.0 to 1.4, and names things as 1.4 does.
package focus

import (
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Format is how a FOCUS file is written.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	CSVGzip Format = "csv.gz"
	Parquet Format = "parquet"
)

// Row is one charge. Text fields that the bill left null are empty; nullable numbers are invalid NullDecimals.
type Row struct {
	BillingPeriod cost.Period
	ChargePeriod  cost.Period

	BilledCost      decimal.Decimal
	EffectiveCost   decimal.Decimal
	ListCost        decimal.Decimal
	ContractedCost  decimal.Decimal
	BillingCurrency cost.Currency

	BillingAccountID   string
	BillingAccountName string
	SubAccountID       string
	SubAccountName     string

	ServiceProviderName string // ProviderName before 1.4
	HostProviderName    string // PublisherName before 1.4
	InvoiceIssuerName   string
	InvoiceID           string

	ServiceName        string
	ServiceCategory    string
	ServiceSubcategory string
	RegionID           string
	RegionName         string
	AvailabilityZone   string
	ResourceID         string
	ResourceName       string
	ResourceType       string

	ChargeCategory    string
	ChargeClass       string
	ChargeDescription string
	ChargeFrequency   string

	PricingCategory     string
	PricingQuantity     decimal.NullDecimal
	PricingUnit         string
	ConsumedQuantity    decimal.NullDecimal
	ConsumedUnit        string
	ListUnitPrice       decimal.NullDecimal
	ContractedUnitPrice decimal.NullDecimal
	SkuID               string
	SkuPriceID          string

	CommitmentDiscountCategory string
	CommitmentDiscountID       string
	CommitmentDiscountName     string
	CommitmentDiscountStatus   string
	CommitmentDiscountType     string

	Tags map[string]string
	// Extra keeps every other column of the file that has a value, under the name that stood in the header: the
	// remaining FOCUS columns, x_ columns and unknown ones.
	Extra map[string]string
}
