package aws

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// record is a line item as CUR 2.0 writes it.
type record struct {
	BillID         string            `parquet:"bill_invoice_id,optional"`
	Issuer         string            `parquet:"bill_invoicing_entity,optional"`
	PeriodStart    time.Time         `parquet:"bill_billing_period_start_date,timestamp(millisecond)"`
	PeriodEnd      time.Time         `parquet:"bill_billing_period_end_date,timestamp(millisecond)"`
	Payer          string            `parquet:"bill_payer_account_id,optional"`
	PayerName      string            `parquet:"bill_payer_account_name,optional"`
	CostCategory   map[string]string `parquet:"cost_category,optional"`
	Discount       map[string]string `parquet:"discount,optional"`
	Zone           string            `parquet:"line_item_availability_zone,optional"`
	Currency       string            `parquet:"line_item_currency_code,optional"`
	Description    string            `parquet:"line_item_line_item_description,optional"`
	Type           string            `parquet:"line_item_line_item_type,optional"`
	Net            *float64          `parquet:"line_item_net_unblended_cost,optional"`
	NetRate        string            `parquet:"line_item_net_unblended_rate,optional"`
	Operation      string            `parquet:"line_item_operation,optional"`
	Product        string            `parquet:"line_item_product_code,optional"`
	Resource       string            `parquet:"line_item_resource_id,optional"`
	TaxType        string            `parquet:"line_item_tax_type,optional"`
	Unblended      float64           `parquet:"line_item_unblended_cost"`
	Rate           string            `parquet:"line_item_unblended_rate,optional"`
	Account        string            `parquet:"line_item_usage_account_id,optional"`
	AccountName    string            `parquet:"line_item_usage_account_name,optional"`
	Amount         *float64          `parquet:"line_item_usage_amount,optional"`
	UsageEnd       time.Time         `parquet:"line_item_usage_end_date,timestamp(millisecond)"`
	UsageStart     time.Time         `parquet:"line_item_usage_start_date,timestamp(millisecond)"`
	UsageType      string            `parquet:"line_item_usage_type,optional"`
	Public         *float64          `parquet:"pricing_public_on_demand_cost,optional"`
	PublicRate     string            `parquet:"pricing_public_on_demand_rate,optional"`
	Option         string            `parquet:"pricing_purchase_option,optional"`
	RateCode       string            `parquet:"pricing_rate_code,optional"`
	Unit           string            `parquet:"pricing_unit,optional"`
	About          map[string]string `parquet:"product,optional"`
	Region         string            `parquet:"product_region_code,optional"`
	SKU            string            `parquet:"product_sku,optional"`
	RIEffective    *float64          `parquet:"reservation_effective_cost,optional"`
	NetRIEffective *float64          `parquet:"reservation_net_effective_cost,optional"`
	NetRIUpfront   *float64          `parquet:"reservation_net_unused_amortized_upfront_fee_for_billing_period,optional"`
	NetRIRecurring *float64          `parquet:"reservation_net_unused_recurring_fee,optional"`
	RI             string            `parquet:"reservation_reservation_a_r_n,optional"`
	RIUpfront      *float64          `parquet:"reservation_unused_amortized_upfront_fee_for_billing_period,optional"`
	RIRecurring    *float64          `parquet:"reservation_unused_recurring_fee,optional"`
	Tags           map[string]string `parquet:"resource_tags,optional"`
	PlanUpfront    *float64          `parquet:"savings_plan_amortized_upfront_commitment_for_billing_period,optional"`
	NetPlanUpfront *float64          `parquet:"savings_plan_net_amortized_upfront_commitment_for_billing_period,optional"`
	NetPlanFee     *float64          `parquet:"savings_plan_net_recurring_commitment_for_billing_period,optional"`
	NetPlanCost    *float64          `parquet:"savings_plan_net_savings_plan_effective_cost,optional"`
	PlanFee        *float64          `parquet:"savings_plan_recurring_commitment_for_billing_period,optional"`
	Plan           string            `parquet:"savings_plan_savings_plan_a_r_n,optional"`
	PlanCost       *float64          `parquet:"savings_plan_savings_plan_effective_cost,optional"`
	Total          *float64          `parquet:"savings_plan_total_commitment_to_date,optional"`
	Used           *float64          `parquet:"savings_plan_used_commitment,optional"`
	SplitParent    string            `parquet:"split_line_item_parent_resource_id,optional"`
	Split          *float64          `parquet:"split_line_item_split_cost,optional"`
	SplitUnused    *float64          `parquet:"split_line_item_unused_cost,optional"`
}

// usd is an amount that a report may leave out.
func usd(v float64) *float64 { return &v }

// discounted is the amount after the enterprise discount of the tests.
func discounted(v float64) *float64 { return usd(math.Round(v*0.95e10) / 1e10) }

const (
	plan   = "arn:aws:savingsplans::" + main + ":savingsplan/no-upfront"
	whole  = "arn:aws:savingsplans::" + main + ":savingsplan/all-upfront"
	nodes  = "arn:aws:rds:eu-west-1:" + main + ":ri:partly"
	member = "210987654321"
)

// item is a line item of an hour of the member account.
func item(kind, product, text string, amount float64) record {
	at := november.Add(5 * time.Hour)
	return record{
		Issuer: "Amazon Web Services EMEA SARL", PeriodStart: november, PeriodEnd: november.AddDate(0, 1, 0), Payer: main, PayerName: "Payer",
		Currency: "USD", Account: member, AccountName: "Shop", UsageStart: at, UsageEnd: at.Add(time.Hour),
		Type: kind, Product: product, Description: text, Unblended: amount, Net: discounted(amount), About: map[string]string{},
	}
}

// aMonth is a bill with every type of line item. Its invoice is 693.47 USD; amortised it is 121.57 USD.
func aMonth() []record {
	onDemand := item("Usage", "AmazonEC2", "$0.24 per On Demand Linux m5.xlarge", 24)
	onDemand.Resource, onDemand.Zone, onDemand.Region, onDemand.UsageType, onDemand.Operation = "i-1", "eu-west-1a", "eu-west-1", "EU-BoxUsage:m5.xlarge", "RunInstances"
	onDemand.Public, onDemand.PublicRate, onDemand.Rate, onDemand.NetRate, onDemand.Amount, onDemand.Unit = usd(24), "0.24", "0.24", "0.228", usd(100), "Hrs"
	onDemand.Option, onDemand.RateCode, onDemand.SKU = "OnDemand", "S.R.C", "SKU1"
	onDemand.About, onDemand.Tags = map[string]string{"product_name": "Amazon Elastic Compute Cloud", "vcpu": "4"}, map[string]string{"user_name": "web-1", "user_team": "shop", "aws_createdBy": "IAMUser:x", "user_empty": ""}
	onDemand.CostCategory, onDemand.Discount = map[string]string{"env": "prod"}, map[string]string{"edp_discount": "-1.2"}
	spot := item("Usage", "AmazonEC2", "m5.large Linux/UNIX Spot", 3.1)
	spot.UsageType, spot.Amount, spot.Unit, spot.Option = "EU-SpotUsage:m5.large", usd(62), "Hrs", "Spot"
	first, second := item("SavingsPlanCoveredUsage", "AmazonEC2", "covered", 50), item("SavingsPlanCoveredUsage", "AmazonEC2", "covered too", 10)
	first.Plan, first.PlanCost, first.NetPlanCost, first.Public, first.Resource, first.Amount, first.Unit = plan, usd(30), discounted(30), usd(50), "i-2", usd(200), "Hrs"
	second.Plan, second.PlanCost, second.NetPlanCost, second.Resource = whole, usd(6), discounted(6), "arn:aws:lambda:eu-west-1:"+member+":function:f"
	back, backToo := item("SavingsPlanNegation", "AmazonEC2", "negated", -50), item("SavingsPlanNegation", "AmazonEC2", "negated too", -10)
	back.Plan, backToo.Plan = plan, whole
	planned, paid, rest := item("SavingsPlanRecurringFee", "ComputeSavingsPlans", "1 year No Upfront", 36), item("SavingsPlanUpfrontFee", "ComputeSavingsPlans", "1 year All Upfront", 500), item("SavingsPlanRecurringFee", "ComputeSavingsPlans", "1 year All Upfront", 0)
	planned.Plan, planned.Total, planned.Used, planned.PlanFee, planned.NetPlanFee, planned.PlanUpfront, planned.NetPlanUpfront = plan, usd(36), usd(30), usd(36), discounted(36), usd(0), usd(0)
	paid.Plan = whole
	rest.Plan, rest.Total, rest.Used, rest.PlanUpfront, rest.NetPlanUpfront, rest.PlanFee, rest.NetPlanFee = whole, usd(8), usd(6), usd(8), discounted(8), usd(0), usd(0)
	reserved, reservation, upfront := item("DiscountedUsage", "AmazonRDS", "db.r5.large reserved", 0), item("RIFee", "AmazonRDS", "recurring fee", 15), item("Fee", "AmazonRDS", "Sign up charge", 120)
	reserved.RI, reserved.RIEffective, reserved.NetRIEffective, reserved.Public, reserved.Amount, reserved.Unit, reserved.Resource = nodes, usd(22), discounted(22), usd(40), usd(80), "Hrs", "arn:aws:rds:eu-west-1:"+member+":db:orders"
	reservation.RI, reservation.RIRecurring, reservation.NetRIRecurring, reservation.RIUpfront, reservation.NetRIUpfront = nodes, usd(1.8), discounted(1.8), usd(1.2), discounted(1.2)
	reservation.UsageStart, reservation.UsageEnd = november, november.AddDate(0, 1, 0).Add(-time.Second)
	upfront.RI = nodes
	support, tax, credit, refund := item("Fee", "AWSSupportBusiness", "AWS Support (Business)", 29), item("Tax", "AmazonEC2", "VAT", 7.775), item("Credit", "AmazonEC2", "Promotion", -5), item("Refund", "AmazonEC2", "Refund of usage", -1.5)
	tax.TaxType, tax.UsageStart, tax.UsageEnd, refund.UsageType, credit.UsageEnd = "VAT", november, november.AddDate(0, 1, 0), "EU-BoxUsage:m5.xlarge", credit.UsageStart
	bundled, discount := item("BundledDiscount", "AmazonCloudFront", "Bundle", -0.3), item("EdpDiscount", "AmazonEC2", "Enterprise program discount", -34.605)
	bundled.Net, discount.Net = usd(0), usd(0) // taken off the others
	for _, r := range []*record{&support, &tax, &credit, &refund} {
		r.Net = usd(r.Unblended) // there is no discount on these
	}
	return []record{onDemand, spot, first, second, back, backToo, planned, paid, rest, reserved, reservation, upfront, support, tax, credit, refund, bundled, discount}
}

func parquetReport(t testing.TB, records ...record) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[record](&out, parquet.Compression(&parquet.Snappy))
	if _, err := w.Write(records); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// cellOf is a value as CUR 2.0 writes it in CSV.
func cellOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		return v.Format("2006-01-02T15:04:05.000Z")
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case *float64:
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	text, _ := json.Marshal(v)
	return strings.ReplaceAll(string(text), "null", "{}")
}

// plainReport is a report that is not packed.
func plainReport(t testing.TB) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(csvReport(t, all, aMonth()...)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// csvReport writes the columns that keep lets through, under the names that it gives them, and packs them.
func csvReport(t testing.TB, keep func(name string) string, records ...record) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := csv.NewWriter(z)
	form := reflect.TypeFor[record]()
	var header []string
	for i := range form.NumField() {
		name, _, _ := strings.Cut(form.Field(i).Tag.Get("parquet"), ",")
		header = append(header, keep(name))
	}
	lines := [][]string{header}
	for _, r := range records {
		var line []string
		for i := range form.NumField() {
			line = append(line, cellOf(reflect.ValueOf(r).Field(i).Interface()))
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		for i := len(header) - 1; i >= 0; i-- {
			if header[i] == "" {
				line = slices.Delete(slices.Clone(line), i, i+1)
			}
		}
		if err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
