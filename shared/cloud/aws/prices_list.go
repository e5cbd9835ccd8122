package aws

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// priceQuery asks the price list for products of one kind.
type priceQuery struct {
	kind    resource.Type
	service string // of the price list
	unit    string // that the prices are to be in
	filters map[string]string
	// want reads a product's size and variant; an empty size leaves the product out.
	want func(product) (size, variant string)
	// per turns the price of one listed unit into that of one wanted unit, by the listed unit's name.
	per map[string]decimal.Decimal
}

var (
	one     = decimal.NewFromInt(1)
	perGibi = one.Div(decimal.NewFromInt(1024)) // exact in binary: ten decimals
	hours   = map[string]decimal.Decimal{"hrs": one, "hours": one}
)

var priceFor = []priceQuery{
	{
		resource.Instance, "AmazonEC2", "hour",
		map[string]string{"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used", "marketoption": "OnDemand"},
		attribute("instanceType", ""), hours,
	},
	{
		resource.Instance, "AmazonEC2", "hour",
		map[string]string{"operatingSystem": "Windows", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used", "marketoption": "OnDemand", "licenseModel": "No License required"},
		attribute("instanceType", resource.WindowsPrice), hours,
	},
	{
		resource.Volume, "AmazonEC2", "GiB-month", map[string]string{"productFamily": "Storage"},
		attribute("volumeApiName", ""), map[string]decimal.Decimal{"gb-mo": one},
	},
	{
		resource.Volume, "AmazonEC2", "IOPS-month", map[string]string{"productFamily": "System Operation", "volumeApiName": "gp3"},
		attribute("volumeApiName", ""), map[string]decimal.Decimal{"iops-mo": one},
	},
	{
		resource.Volume, "AmazonEC2", "MiBps-month", map[string]string{"productFamily": "Provisioned Throughput", "volumeApiName": "gp3"},
		attribute("volumeApiName", ""), map[string]decimal.Decimal{"gibps-mo": perGibi, "mibps-mo": one},
	},
	{
		resource.Snapshot, "AmazonEC2", "GiB-month", map[string]string{"productFamily": "Storage Snapshot"},
		standardSnapshot, map[string]decimal.Decimal{"gb-mo": one},
	},
	{
		resource.Database, "AmazonRDS", "hour", map[string]string{"productFamily": "Database Instance", "deploymentOption": "Single-AZ"},
		openDatabase, hours,
	},
	{resource.Address, "AmazonVPC", "hour", map[string]string{"group": "VPCPublicIPv4Address"}, addressState, hours},
	{resource.LoadBalancer, "AWSELB", "hour", map[string]string{"productFamily": "Load Balancer-Application"}, balancer("application"), hours},
	{resource.LoadBalancer, "AWSELB", "hour", map[string]string{"productFamily": "Load Balancer-Network"}, balancer("network"), hours},
	{resource.LoadBalancer, "AWSELB", "hour", map[string]string{"productFamily": "Load Balancer-Gateway"}, balancer("gateway"), hours},
	{resource.LoadBalancer, "AWSELB", "hour", map[string]string{"productFamily": "Load Balancer"}, balancer("classic"), hours},
}

// attribute takes the size from an attribute of the product.
func attribute(name, variant string) func(product) (string, string) {
	return func(p product) (string, string) { return p.attributes[name], variant }
}

// standardSnapshot leaves out the archive tier and what is no storage.
func standardSnapshot(p product) (size, variant string) {
	if strings.HasSuffix(p.attributes["usagetype"], "EBS:SnapshotUsage") {
		return "standard", ""
	}
	return "", ""
}

// engines are the price list's names of engines without a licence, and those of RDS.
var engines = map[string]string{
	"PostgreSQL": "postgres", "MySQL": "mysql", "MariaDB": "mariadb", "Aurora PostgreSQL": "aurora-postgresql", "Aurora MySQL": "aurora-mysql",
}

// openDatabase leaves out engines with a licence, and machines of which the price includes the reading and writing.
func openDatabase(p product) (size, variant string) {
	engine, open := engines[p.attributes["databaseEngine"]]
	if !open || strings.Contains(p.attributes["storage"], "IO Optimization") || strings.Contains(p.attributes["usagetype"], "IOOptimized") {
		return "", ""
	}
	return p.attributes["instanceType"], engine
}

// addressState are the states of an address, as the inventory has them.
func addressState(p product) (size, variant string) {
	switch usage := p.attributes["usagetype"]; {
	case strings.HasSuffix(usage, "PublicIPv4:InUseAddress"):
		return "in-use", ""
	case strings.HasSuffix(usage, "PublicIPv4:IdleAddress"):
		return "available", ""
	}
	return "", ""
}

// balancer takes the hours of a load balancer itself, not those of its capacity units, of its trust stores, or of Outposts.
func balancer(size string) func(product) (string, string) {
	return func(p product) (string, string) {
		usage, ok := strings.CutSuffix(p.attributes["usagetype"], "LoadBalancerUsage")
		if !ok || strings.HasSuffix(usage, "TS-") || strings.HasSuffix(usage, "Outposts-") {
			return "", ""
		}
		return size, ""
	}
}
