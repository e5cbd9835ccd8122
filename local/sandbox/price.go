package sandbox

import (
	"maps"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// hoursPerMonth turns monthly prices into hourly ones, as providers do.
var hoursPerMonth = decimal.NewFromInt(730)

// size is what an instance or database size offers and costs an hour in the base region of its cloud.
type size struct {
	vcpu   int
	memory float64 // GiB
	hourly string  // USD
}

// disk is what a volume type costs in the base region, and what it performs.
type disk struct {
	gib         string // USD per GiB-month
	iopsMonth   string // USD per provisioned IOPS-month above those included; empty: IOPS cannot be bought
	mibpsMonth  string // USD per provisioned MiBps-month above those included
	iops, mibps int    // included
	perGiB      int    // when set, IOPS grow with the size: so many per GiB, but never less than iops
	most        int    // IOPS
}

var instanceSizes = map[resource.Cloud]map[string]size{
	resource.AWS: {
		"m5.large": {2, 8, "0.096"}, "m5.xlarge": {4, 16, "0.192"}, "m5.2xlarge": {8, 32, "0.384"}, "m5.4xlarge": {16, 64, "0.768"},
		"c5.large": {2, 4, "0.085"}, "c5.xlarge": {4, 8, "0.17"}, "c5.2xlarge": {8, 16, "0.34"}, "c5.4xlarge": {16, 32, "0.68"},
		"r5.large": {2, 16, "0.126"}, "r5.xlarge": {4, 32, "0.252"}, "r5.2xlarge": {8, 64, "0.504"},
		"t3.medium": {2, 4, "0.0416"}, "t3.large": {2, 8, "0.0832"}, "g5.12xlarge": {48, 192, "5.672"},
	},
	resource.GCP: {
		"n2-standard-2": {2, 8, "0.0971"}, "n2-standard-4": {4, 16, "0.1942"}, "n2-standard-8": {8, 32, "0.3885"}, "n2-standard-16": {16, 64, "0.7769"},
	},
	resource.Azure: {
		"Standard_D2s_v5": {2, 8, "0.096"}, "Standard_D4s_v5": {4, 16, "0.192"}, "Standard_D8s_v5": {8, 32, "0.384"}, "Standard_D16s_v5": {16, 64, "0.768"},
	},
	resource.Vultr: {
		"vc2-2c-4gb": {2, 4, "0.0274"}, "vc2-4c-8gb": {4, 8, "0.0548"}, "vc2-6c-16gb": {6, 16, "0.1096"},
	},
}

var databaseSizes = map[resource.Cloud]map[string]size{
	resource.AWS:   {"db.r5.large": {2, 16, "0.25"}, "db.r5.xlarge": {4, 32, "0.5"}, "db.r5.2xlarge": {8, 64, "1.0"}},
	resource.GCP:   {"db-custom-4-16384": {4, 16, "0.2694"}},
	resource.Azure: {"GP_Gen5_4": {4, 20, "0.5044"}},
}

var disks = map[resource.Cloud]map[string]disk{
	resource.AWS: {
		"gp2": {gib: "0.10", iops: 100, mibps: 250, perGiB: 3, most: 16000},
		"gp3": {gib: "0.08", iopsMonth: "0.005", mibpsMonth: "0.04", iops: 3000, mibps: 125, most: 16000},
	},
	resource.GCP: {
		"pd-balanced": {gib: "0.10", iops: 3000, mibps: 240, perGiB: 6, most: 80000},
		"pd-ssd":      {gib: "0.17", iops: 6000, mibps: 480, perGiB: 30, most: 100000},
	},
	resource.Azure: {
		"Premium_LRS":     {gib: "0.12", iops: 5000, mibps: 200},
		"StandardSSD_LRS": {gib: "0.075", iops: 500, mibps: 100},
	},
	resource.Vultr: {"storage_opt": {gib: "0.10", iops: 5000, mibps: 200}},
}

// mostThroughput is what can be provisioned where throughput can be bought, MiB/s.
const mostThroughput = 1000

const (
	databaseDisk  = "0.115" // USD per GiB-month, every cloud
	snapshotMonth = "0.05"  // USD per GiB-month, every cloud; billed for the whole size of the volume
	addressHour   = "0.005" // USD
)

// markup is how much dearer a region is than its cloud's base region.
var markup = map[string]decimal.Decimal{
	"us-east-1": decimal.NewFromInt(1), "eu-west-1": decimal.RequireFromString("1.1"),
	"us-central1": decimal.NewFromInt(1), "europe-west1": decimal.RequireFromString("1.08"),
	"westeurope": decimal.RequireFromString("1.15"), "northeurope": decimal.RequireFromString("1.1"),
	"ewr": decimal.NewFromInt(1),
}

// regional is a base price as it is in a region. Every region of the estate has a markup.
func regional(base, region string) decimal.Decimal {
	return decimal.RequireFromString(base).Mul(markup[region])
}

// performance is what a volume of this type and size does by itself.
func (d disk) performance(gib int) (iops, mibps int) {
	if d.perGiB == 0 {
		return d.iops, d.mibps
	}
	return min(max(d.iops, d.perGiB*gib), d.most), d.mibps
}

// pricesIn lists all prices of a cloud in one region, ordered.
func pricesIn(cloud resource.Cloud, region string) []resource.Price {
	var out []resource.Price
	add := func(typ resource.Type, name, unit, base string, attributes map[string]string) {
		if base != "" {
			out = append(out, resource.Price{Cloud: cloud, Region: region, Type: typ, Size: name, Unit: unit,
				Amount: regional(base, region), Currency: usd, Attributes: attributes})
		}
	}
	for typ, sizes := range map[resource.Type]map[string]size{resource.Instance: instanceSizes[cloud], resource.Database: databaseSizes[cloud]} {
		for name, s := range sizes {
			add(typ, name, "hour", s.hourly, s.attributes())
		}
	}
	for name, d := range disks[cloud] {
		add(resource.Volume, name, "GiB-month", d.gib, d.attributes())
		add(resource.Volume, name, "IOPS-month", d.iopsMonth, nil)
		add(resource.Volume, name, "MiBps-month", d.mibpsMonth, nil)
	}
	add(resource.Snapshot, "standard", "GiB-month", snapshotMonth, nil)
	slices.SortFunc(out, func(a, b resource.Price) int {
		return compareText(string(a.Type)+a.Size+a.Unit, string(b.Type)+b.Size+b.Unit)
	})
	return out
}

func (s size) attributes() map[string]string {
	return map[string]string{resource.AttrVCPU: strconv.Itoa(s.vcpu), resource.AttrMemoryGiB: strconv.FormatFloat(s.memory, 'f', -1, 64)}
}

// attributes tell the performance that is included where it does not depend on the volume's size.
func (d disk) attributes() map[string]string {
	if d.perGiB > 0 {
		return nil
	}
	return map[string]string{resource.AttrIOPS: strconv.Itoa(d.iops), resource.AttrThroughput: strconv.Itoa(d.mibps)}
}

// regionsOf lists the regions where the cloud's part of the estate is, ordered.
func (v *view) regionsOf(cloud resource.Cloud) []string {
	seen := map[string]bool{}
	for _, it := range v.items {
		if it.ref.Cloud == cloud {
			seen[it.ref.Region] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
