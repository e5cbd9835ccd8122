package aws

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// listing is an entry of the price list, in the shape of its JSON documents.
func listing(unit, usd string, attributes object) string {
	dimensions := object{"A.B.C": object{"unit": unit, "beginRange": "0", "endRange": "Inf", "pricePerUnit": object{"USD": usd}, "description": ""}}
	text, _ := json.Marshal(object{"product": object{"productFamily": "-", "sku": "A", "attributes": attributes},
		"terms": object{"OnDemand": object{"A.B": object{"priceDimensions": dimensions, "sku": "A"}}}, "serviceCode": "AmazonEC2"})
	return string(text)
}

// priceList answers GetProducts as the price list does: by product family and operating system, two pages for instances.
func priceList(w http.ResponseWriter, in object) {
	filters := map[string]string{}
	asked, _ := in["Filters"].([]any)
	for _, f := range asked {
		filters[f.(object)["Field"].(string)] = f.(object)["Value"].(string)
	}
	list, token := []string{}, ""
	switch {
	case filters["regionCode"] != "eu-west-1":
	case in["ServiceCode"] != "AmazonEC2":
		list = otherPrices(in["ServiceCode"], filters)
	case filters["operatingSystem"] != "" && (filters["tenancy"] != "Shared" || filters["preInstalledSw"] != "NA" || filters["capacitystatus"] != "Used" || filters["marketoption"] != "OnDemand"):
		list = []string{listing("Hrs", "9", object{"instanceType": "m5.xlarge"})} // of dedicated hosts, of SQL Server, of reserved capacity
	case filters["operatingSystem"] == "Windows" && filters["licenseModel"] == "No License required":
		list = []string{listing("Hrs", "0.398", object{"instanceType": "m5.xlarge", "vcpu": "4", "memory": "16 GiB"})}
	case filters["operatingSystem"] == "Linux" && in["NextToken"] == nil:
		list, token = []string{listing("Hrs", "0.2140000000", object{"instanceType": "m5.xlarge", "vcpu": "4", "memory": "16 GiB"}), listing("Hrs", "0.0000000000", object{"instanceType": "m5.free"})}, "more"
	case filters["operatingSystem"] == "Linux":
		list = []string{listing("Hrs", "13.338", object{"instanceType": "x1.32xlarge", "vcpu": "128", "memory": "1,952 GiB"}), listing("Quantity", "1", object{"instanceType": "odd"})}
	case filters["productFamily"] == "Storage":
		list = []string{listing("GB-Mo", "0.11", object{"volumeApiName": "gp2"}), listing("GB-Mo", "0.088", object{"volumeApiName": "gp3", "locationType": "AWS Region"}), listing("GB-Mo", "0.3", object{"volumeApiName": "gp2", "locationType": "AWS Outposts"})}
	case filters["productFamily"] == "System Operation":
		tiers := strings.Replace(listing("IOPS-Mo", "0.0046", object{"volumeApiName": "gp3"}), `"A.B.C":`, `"A.B.D":{"unit":"IOPS-Mo","beginRange":"80000","pricePerUnit":{"USD":"0.001"}},"A.B.C":`, 1)
		list = []string{listing("IOPS-Mo", "0.0055", object{"volumeApiName": "gp3"}), tiers} // what has tiers has no one price
	case filters["productFamily"] == "Provisioned Throughput":
		list = []string{listing("GiBps-mo", "45.056", object{"volumeApiName": "gp3"})}
	case filters["productFamily"] == "Storage Snapshot":
		list = []string{listing("GB-Mo", "0.05", object{"usagetype": "EU-EBS:SnapshotUsage"}), listing("GB-Mo", "0.0125", object{"usagetype": "EU-EBS:SnapshotArchiveStorage"})}
	}
	answer := object{"FormatVersion": "aws_v1", "PriceList": list}
	if token != "" {
		answer["NextToken"] = token
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// otherPrices are those of what is no machine.
func otherPrices(service any, filters map[string]string) []string {
	switch {
	case service == "AmazonRDS" && filters["deploymentOption"] == "Single-AZ":
		database := func(engine, storage, usd string) string {
			return listing("Hrs", usd, object{"instanceType": "db.r5.large", "databaseEngine": engine, "storage": storage, "vcpu": "2", "memory": "16 GiB"})
		}
		return []string{
			database("PostgreSQL", "EBS Only", "0.282"), database("Oracle", "EBS Only", "0.9"), database("Aurora PostgreSQL", "EBS Only", "0.32"), database("Aurora PostgreSQL", "Aurora IO Optimization Mode", "0.416"),
			database("MySQL", "EBS Only", "0.26"), database("MySQL", "EBS Only", "0.27"), // nobody can tell which
		}
	case service == "AmazonVPC" && filters["group"] == "VPCPublicIPv4Address":
		return []string{listing("Hrs", "0.005", object{"usagetype": "EU-PublicIPv4:InUseAddress"}), listing("Hrs", "0.0051", object{"usagetype": "EU-PublicIPv4:IdleAddress"}), listing("Hrs", "0.00008", object{"usagetype": "EU-ContiguousBlock:Idle"})}
	case service == "AWSELB" && filters["productFamily"] == "Load Balancer-Application":
		return []string{listing("Hrs", "0.0252", object{"usagetype": "EU-LoadBalancerUsage"}), listing("LCU-Hrs", "0.008", object{"usagetype": "EU-LCUUsage"}), listing("Hrs", "0.0056", object{"usagetype": "EU-TS-LoadBalancerUsage"})}
	case service == "AWSELB" && filters["productFamily"] == "Load Balancer":
		return []string{listing("Hrs", "0.028", object{"usagetype": "EU-LoadBalancerUsage"})}
	}
	return nil
}

func TestPrices(t *testing.T) {
	t.Parallel()
	f := fake{answers: []func(http.ResponseWriter, object){priceList}}
	got, err := collector(t, f.start(t), nil, nil).Prices(t.Context(), []string{"eu-west-1", "us-west-2"})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range got {
		lines = append(lines, fmt.Sprint(p.Cloud, p.Region, p.Type, p.Size, p.Unit, p.Variant, p.Amount, p.Currency, p.Attributes))
	}
	machine := func(cpus, gib string) map[string]string { return map[string]string{"vcpu": cpus, "memory_gib": gib} }
	var want []string
	for _, p := range []struct {
		kind, size, unit, variant, amount string
		attributes                        map[string]string
	}{
		{"address", "available", "hour", "", "0.0051", nil},
		{"address", "in-use", "hour", "", "0.005", nil},
		{"database", "db.r5.large", "hour", "aurora-postgresql", "0.32", machine("2", "16")},
		{"database", "db.r5.large", "hour", "postgres", "0.282", machine("2", "16")},
		{"instance", "m5.xlarge", "hour", "", "0.214", machine("4", "16")},
		{"instance", "m5.xlarge", "hour", "windows", "0.398", machine("4", "16")},
		{"instance", "x1.32xlarge", "hour", "", "13.338", machine("128", "1952")},
		{"load_balancer", "application", "hour", "", "0.0252", nil},
		{"load_balancer", "classic", "hour", "", "0.028", nil},
		{"snapshot", "standard", "GiB-month", "", "0.05", nil},
		{"volume", "gp2", "GiB-month", "", "0.11", nil},
		{"volume", "gp3", "GiB-month", "", "0.088", nil},
		{"volume", "gp3", "IOPS-month", "", "0.0055", nil},
		{"volume", "gp3", "MiBps-month", "", "0.044", nil},
	} {
		want = append(want, fmt.Sprint(resource.AWS, "eu-west-1", p.kind, p.size, p.unit, p.variant, p.amount, "USD", p.attributes))
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestPricesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		answer   func(http.ResponseWriter, object)
		settings map[string]string
		code     fault.Code // empty: no prices, and no failure
	}{
		"not allowed": {answer: refuse(400, "AccessDeniedException")},
		"off":         {answer: refuse(500, "InternalErrorException"), settings: map[string]string{"price_list": "off"}},
		"down":        {answer: refuse(500, "InternalErrorException"), code: fault.Unavailable},
		"throttled":   {answer: refuse(400, "ThrottlingException"), code: fault.Throttled},
		"not JSON":    {answer: give(object{"PriceList": []string{"{"}}), code: fault.Unavailable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fake{answers: []func(http.ResponseWriter, object){c.answer}}
			got, err := collector(t, f.start(t), nil, c.settings).Prices(t.Context(), []string{"us-east-1"})
			if len(got) != 0 || (err != nil) != (c.code != "") || err != nil && fault.CodeOf(err) != c.code {
				t.Errorf("%v %v, want %q", got, err, c.code)
			}
		})
	}
}
