package aws

import (
	"testing"

	"github.com/shopspring/decimal"
)

// TestADiscountIsTakenOffOnce: the net costs of usage have it already, whether its own record has a net cost of zero or none, and
// in whatever order the records come.
func TestADiscountIsTakenOffOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"EdpDiscount", "PrivateRateDiscount", "BundledDiscount", "SppDiscount"} {
		usage, discount := item("Usage", "AmazonEC2", "usage", 100), item(kind, "AmazonEC2", "discount", -5)
		for name, net := range map[string]*float64{"zero": usd(0), "empty": nil} {
			discount.Net = net
			for format, content := range map[string][]byte{
				"CSV": csvReport(t, all, usage, discount), "Parquet": parquetReport(t, usage, discount),
				"the other way round": csvReport(t, all, discount, usage), "gross": csvReport(t, withoutNet, usage, discount),
			} {
				rows, err := rowsOfReport(t, content)
				if billed, effective := totals(rows); err != nil || len(rows) != 2 || billed.String() != "95" || effective.String() != "95" {
					t.Errorf("%s, net cost %s, %s: billed %s, effective %s, %v", kind, name, format, billed, effective, err)
				}
			}
		}
	}
}

// TestADiscountOfAReportWithoutNetCosts: CUR 2.0 has the columns also where no account has a discount that they would show.
func TestADiscountOfAReportWithoutNetCosts(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"EdpDiscount", "PrivateRateDiscount", "BundledDiscount", "SppDiscount"} {
		usage, discount := item("Usage", "AWSWAF", "usage", 100), item(kind, "AWSWAF", "discount", -5)
		usage.Net, discount.Net = nil, nil
		for format, content := range map[string][]byte{"CSV": csvReport(t, all, discount, usage), "Parquet": parquetReport(t, usage, discount)} {
			rows, err := rowsOfReport(t, content)
			if billed, effective := totals(rows); err != nil || len(rows) != 2 || billed.String() != "95" || effective.String() != "95" {
				t.Fatalf("%s, %s: billed %s, effective %s, %v", kind, format, billed, effective, err)
			}
			if r := rows[1]; r.BilledCost.String() != "-5" || r.ServiceName != "AWSWAF" || r.ChargeCategory != "Adjustment" || r.Extra["x_RecordType"] != kind {
				t.Errorf("%s: %+v", kind, r)
			}
		}
	}
}

// TestContainersAreNotChargedBesideTheirInstance: split cost allocation data says again what the instance's own record has. A
// container on Fargate has no instance, and is charged itself.
func TestContainersAreNotChargedBesideTheirInstance(t *testing.T) {
	t.Parallel()
	machine, pod, fargate := item("Usage", "AmazonEC2", "m5.large", 10), item("Usage", "AmazonEKS", "a pod's processors", 0), item("Usage", "AmazonECS", "Fargate", 3)
	machine.Resource, pod.Resource, pod.SplitParent = "i-1", "arn:aws:eks:eu-west-1:"+member+":pod/c/ns/p/1", "i-1"
	pod.Split, pod.SplitUnused, fargate.Split = usd(7), usd(3), usd(3)
	machine.Net, fargate.Net = nil, nil
	costless := pod
	costless.Net, pod.Net = nil, usd(0)
	for format, content := range map[string][]byte{"CSV": csvReport(t, all, machine, pod, costless, fargate), "Parquet": parquetReport(t, pod, machine, fargate, costless), "legacy": csvReport(t, legacy, machine, pod, fargate)} {
		rows, err := rowsOfReport(t, content)
		if billed, effective := totals(rows); err != nil || len(rows) != 2 || billed.String() != "13" || effective.String() != "13" {
			t.Errorf("%s: %d rows, billed %s, effective %s, %v", format, len(rows), billed, effective, err)
		}
	}
	pod.Unblended, pod.Net = 0.5, usd(0.5) // which AWS does not write; the invoice would have it
	rows, err := rowsOfReport(t, csvReport(t, all, machine, pod))
	if billed, _ := totals(rows); err != nil || !billed.Equal(decimal.RequireFromString("10.5")) {
		t.Errorf("billed %s, %v", billed, err)
	}
}
