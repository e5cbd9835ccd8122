package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// The accounts of the company.
const (
	awsPayer     = "111122223333" // also the production account
	awsProd      = "111122223333"
	awsData      = "222233334444"
	awsDev       = "333344445555"
	gcpBilling   = "01A2B3-C4D5E6-F70819"
	gcpProd      = "meridian-prod"
	gcpAnalytics = "meridian-analytics"
	azureBilling = "7310418"
	azureProd    = "5f0c2f4e-8a41-4d7e-9c55-2f1a6b7c8d90"
	azureERP     = "b2d9a1c6-03ef-4b18-a7a4-61c0d9e8f7a5"
	vultrMain    = "meridian"
)

// accountNames are what FOCUS calls SubAccountName.
var accountNames = map[string]string{
	awsProd: "meridian-prod", awsData: "meridian-data", awsDev: "meridian-dev",
	gcpProd: "Meridian Production", gcpAnalytics: "Meridian Analytics",
	azureProd: "Meridian Portal", azureERP: "Meridian ERP", vultrMain: "Meridian Edge",
}

// schedule is when an instance runs.
type schedule int

const (
	always   schedule = iota
	workdays          // an autoscaled one: Monday to Friday, 8:00 to 20:00 UTC
	monthly           // the closing of the books: the first two days of a month
)

// load is how busy something is with the form it was born with; the highs are its 99th percentiles.
type load struct {
	cpu, cpuHigh float64 // percent
	memory       float64 // percent
	iops         float64 // of a volume, high
	latency      float64 // ms, 95th percentile
}

// form is the part of a resource that actions change and bills follow.
type form struct {
	state      string
	size       string // of an instance or database
	volumeType string
	gib        int
	iops       int
	mibps      int
	attachedTo string
	detachedAt string
}

// item is one resource of the estate as it was born.
type item struct {
	ref     resource.Ref
	name    string
	app     string
	tags    map[string]string
	born    time.Time
	gone    time.Time // zero: still there
	form    form
	load    load
	runs    schedule
	traffic bool   // serves requests, so that it has health
	fragile bool   // breaks when it is made smaller, whatever its CPU says
	covered bool   // by the savings plan
	from    string // id of the volume or snapshot that an action made it from
}

// owner says whose a group of resources is.
type owner struct {
	cloud                  resource.Cloud
	account, region        string
	app, environment, team string
	costCenter             string
	protected              bool
}

// fleet is a group of like instances.
type fleet struct {
	owner
	n        int
	size     string
	load     load
	runs     schedule
	traffic  bool
	fragile  bool
	covered  bool
	growing  bool // half of it was added in the course of the time
	rootDisk string
	rootGiB  int
}

func fleets() []fleet {
	prod := owner{cloud: resource.AWS, account: awsProd, region: "us-east-1", environment: "production"}
	data := owner{cloud: resource.AWS, account: awsData, region: "eu-west-1", environment: "production"}
	dev := owner{cloud: resource.AWS, account: awsDev, region: "us-east-1", environment: "development"}
	google := owner{cloud: resource.GCP, account: gcpProd, region: "us-central1", environment: "production"}
	portal := owner{cloud: resource.Azure, account: azureProd, region: "westeurope", environment: "production"}
	erp := owner{cloud: resource.Azure, account: azureERP, region: "northeurope", environment: "production"}
	edge := owner{cloud: resource.Vultr, account: vultrMain, region: "ewr", environment: "production"}
	return []fleet{
		{owner: prod.of("storefront", "web", "cc-100"), n: 12, size: "m5.2xlarge", load: load{cpu: 8, cpuHigh: 17, memory: 27, latency: 110}, traffic: true, rootDisk: "gp3", rootGiB: 60},
		{owner: prod.of("checkout", "payments", "cc-110"), n: 6, size: "m5.xlarge", load: load{cpu: 6, cpuHigh: 13, memory: 31, latency: 160}, traffic: true, fragile: true, rootDisk: "gp3", rootGiB: 60},
		{owner: prod.of("api", "platform", "cc-120"), n: 10, size: "c5.xlarge", load: load{cpu: 52, cpuHigh: 84, memory: 58, latency: 70}, traffic: true, covered: true, rootDisk: "gp3", rootGiB: 40},
		{owner: prod.of("search", "web", "cc-100"), n: 4, size: "r5.xlarge", load: load{cpu: 8, cpuHigh: 15, memory: 85, latency: 95}, traffic: true, rootDisk: "gp3", rootGiB: 80},
		{owner: prod.of("images", "web", "cc-100"), n: 8, size: "m5.large", load: load{cpu: 45, cpuHigh: 72, memory: 55, latency: 240}, runs: workdays},
		{owner: data.of("events", "data", "cc-200"), n: 12, size: "r5.large", load: load{cpu: 38, cpuHigh: 63, memory: 71, latency: 25}, traffic: true},
		{owner: data.of("warehouse", "data", "cc-200"), n: 6, size: "r5.2xlarge", load: load{cpu: 48, cpuHigh: 79, memory: 68}, growing: true},
		{owner: data.of("closing", "finance", "cc-300"), n: 6, size: "c5.4xlarge", load: load{cpu: 70, cpuHigh: 92, memory: 62}, runs: monthly},
		{owner: dev.of("workbench", "platform", "cc-120"), n: 10, size: "t3.large", load: load{cpu: 30, cpuHigh: 66, memory: 61}, growing: true, runs: workdays},
		{owner: google.of("suggestions", "machine-learning", "cc-210"), n: 8, size: "n2-standard-8", load: load{cpu: 7, cpuHigh: 15, memory: 24, latency: 85}, traffic: true, rootDisk: "pd-balanced", rootGiB: 50},
		{owner: google.of("gateway", "platform", "cc-120"), n: 6, size: "n2-standard-4", load: load{cpu: 47, cpuHigh: 78, memory: 52, latency: 40}, traffic: true, rootDisk: "pd-balanced", rootGiB: 50},
		{owner: portal.of("portal", "partners", "cc-130"), n: 6, size: "Standard_D8s_v5", load: load{cpu: 6, cpuHigh: 12, memory: 29, latency: 180}, traffic: true, rootDisk: "StandardSSD_LRS", rootGiB: 64},
		{owner: erp.of("erp", "finance", "cc-300"), n: 6, size: "Standard_D4s_v5", load: load{cpu: 44, cpuHigh: 74, memory: 66, latency: 320}, traffic: true, rootDisk: "StandardSSD_LRS", rootGiB: 64},
		{owner: edge.of("edge", "platform", "cc-120"), n: 8, size: "vc2-4c-8gb", load: load{cpu: 41, cpuHigh: 70, memory: 50, latency: 30}, traffic: true},
		{owner: edge.of("mirror", "platform", "cc-120"), n: 3, size: "vc2-6c-16gb", load: load{cpu: 4, cpuHigh: 9, memory: 18, latency: 60}, traffic: true},
	}
}

// of fills in who runs the application.
func (o owner) of(app, team, costCenter string) owner {
	o.app, o.team, o.costCenter = app, team, costCenter
	return o
}

func (o owner) tags() map[string]string {
	tags := map[string]string{"application": o.app, "environment": o.environment, "owner": o.team, "cost-center": o.costCenter}
	if o.protected {
		tags["cost-agent:protected"] = "true"
	}
	return tags
}

// builder raises the estate. The order in which it is called does not change any identifier.
type builder struct {
	seed         int64
	start, today time.Time
	items        []*item
}

func (b *builder) add(o owner, typ resource.Type, name string, f form) *item {
	it := &item{
		ref:  resource.Ref{Cloud: o.cloud, Account: o.account, Region: o.region, Type: typ, ID: b.id(o, typ, name)},
		name: name, app: o.app, tags: o.tags(), born: b.start.AddDate(0, 0, -40), form: f,
	}
	b.items = append(b.items, it)
	return it
}

// id is the identifier the way the cloud's bill writes it.
func (b *builder) id(o owner, typ resource.Type, name string) string {
	return resourceID(b.seed, o.cloud, o.account, o.region, typ, name)
}

func resourceID(seed int64, cloud resource.Cloud, account, region string, typ resource.Type, name string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%s/%s/%s", seed, cloud, account, typ, name))
	h := hex.EncodeToString(sum[:])
	switch cloud {
	case resource.AWS:
		if typ == resource.Database {
			return "arn:aws:rds:" + region + ":" + account + ":db:" + name
		}
		return map[resource.Type]string{resource.Instance: "i-0", resource.Volume: "vol-0", resource.Snapshot: "snap-0", resource.Address: "eipalloc-0"}[typ] + h[:16]
	case resource.GCP:
		kind := map[resource.Type]string{resource.Instance: "instances", resource.Volume: "disks", resource.Snapshot: "snapshots", resource.Address: "addresses", resource.Database: "databases"}[typ]
		return "//compute.googleapis.com/projects/" + account + "/zones/" + region + "-a/" + kind + "/" + name
	case resource.Azure:
		kind := map[resource.Type]string{resource.Instance: "microsoft.compute/virtualmachines", resource.Volume: "microsoft.compute/disks",
			resource.Snapshot: "microsoft.compute/snapshots", resource.Address: "microsoft.network/publicipaddresses", resource.Database: "microsoft.sql/servers"}[typ]
		return "/subscriptions/" + account + "/resourcegroups/rg-" + region + "/providers/" + kind + "/" + strings.ToLower(name)
	}
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}

// company is the base estate: a pure function of the seed and the two dates.
func company(seed int64, start, today time.Time) []*item {
	b := &builder{seed: seed, start: start, today: today}
	for _, f := range fleets() {
		b.fleet(f)
	}
	b.eventVolumes()
	b.strayVolumes()
	b.premiumDisks()
	b.others()
	return b.items
}

func (b *builder) fleet(f fleet) {
	for i := range f.n {
		name := fmt.Sprintf("%s-%02d", f.app, i+1)
		it := b.add(f.owner, resource.Instance, name, form{state: "running", size: f.size})
		it.load, it.runs, it.traffic, it.fragile, it.covered = f.load, f.runs, f.traffic, f.fragile, f.covered
		if f.growing && i >= f.n/2 {
			it.born = b.start.AddDate(0, 0, 60*(i-f.n/2+1))
		}
		if f.rootDisk != "" {
			b.volume(f.owner, name+"-root", f.rootDisk, f.rootGiB, it.ref.ID, 60)
		}
	}
}

// volume adds an attached volume whose use peaks at iops.
func (b *builder) volume(o owner, name, volumeType string, gib int, attachedTo string, iops float64) *item {
	state := "in-use"
	if attachedTo == "" {
		state = "available"
	}
	f := form{state: state, volumeType: volumeType, gib: gib, attachedTo: attachedTo}
	f.iops, f.mibps = disks[o.cloud][volumeType].performance(gib)
	it := b.add(o, resource.Volume, name, f)
	it.load.iops = iops
	return it
}
