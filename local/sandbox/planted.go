package sandbox

import (
	"fmt"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// eventVolumes are what the event log lives on: 24 gp2 volumes that gp3 would serve as well, and one pair that needs more
// IOPS than gp3 includes.
func (b *builder) eventVolumes() {
	o := owner{cloud: resource.AWS, account: awsData, region: "eu-west-1", environment: "production"}.of("events", "data", "cc-200")
	for i := range 12 {
		broker := b.id(o, resource.Instance, fmt.Sprintf("events-%02d", i+1))
		for j := range 2 {
			b.volume(o, fmt.Sprintf("events-%02d-log%d", i+1, j+1), "gp2", 500, broker, 700)
		}
	}
	o.app = "warehouse"
	node := b.id(o, resource.Instance, "warehouse-01")
	b.volume(o, hotVolume, "gp2", 2000, node, 5500)
}

// Names that the truth refers to.
const (
	hotVolume       = "warehouse-01-scratch"
	freshVolume     = "images-cache-old"
	protectedVolume = "audit-archive-2024"
	reportsDatabase = "reports"
	gpuInstance     = "training-experiment-7"
)

// stray is a volume that nothing uses any more.
type stray struct {
	cloud                       resource.Cloud
	account, region             string
	name, app, volumeType, team string
	gib, days                   int // days since it was detached, before the estate's today
	protected                   bool
}

func strays() []stray {
	return []stray{
		{cloud: resource.AWS, account: awsProd, region: "us-east-1", name: "checkout-data-old", app: "checkout", volumeType: "gp2", team: "payments", gib: 1000, days: 96},
		{cloud: resource.AWS, account: awsProd, region: "us-east-1", name: "search-index-2025", app: "search", volumeType: "gp3", team: "web", gib: 800, days: 61},
		{cloud: resource.AWS, account: awsData, region: "eu-west-1", name: "warehouse-migration-1", app: "warehouse", volumeType: "gp2", team: "data", gib: 2000, days: 133},
		{cloud: resource.AWS, account: awsData, region: "eu-west-1", name: "warehouse-migration-2", app: "warehouse", volumeType: "gp2", team: "data", gib: 2000, days: 133},
		{cloud: resource.AWS, account: awsDev, region: "us-east-1", name: "workbench-image-test", app: "workbench", volumeType: "gp3", team: "platform", gib: 300, days: 45},
		{cloud: resource.GCP, account: gcpProd, region: "us-central1", name: "suggestions-model-v3", app: "suggestions", volumeType: "pd-ssd", team: "machine-learning", gib: 700, days: 74},
		{cloud: resource.GCP, account: gcpAnalytics, region: "us-central1", name: "import-buffer", app: "reporting", volumeType: "pd-balanced", team: "data", gib: 500, days: 38},
		{cloud: resource.Azure, account: azureProd, region: "westeurope", name: "portal-upgrade-copy", app: "portal", volumeType: "Premium_LRS", team: "partners", gib: 512, days: 88},
		{cloud: resource.Azure, account: azureERP, region: "northeurope", name: "erp-restore-test", app: "erp", volumeType: "StandardSSD_LRS", team: "finance", gib: 256, days: 52},
		{cloud: resource.Vultr, account: vultrMain, region: "ewr", name: "edge-logs-old", app: "edge", volumeType: "storage_opt", team: "platform", gib: 400, days: 66},
		// Not waste: detached two days ago, and protected.
		{cloud: resource.AWS, account: awsProd, region: "us-east-1", name: freshVolume, app: "images", volumeType: "gp3", team: "web", gib: 600, days: 2},
		{cloud: resource.AWS, account: awsProd, region: "us-east-1", name: protectedVolume, app: "audit", volumeType: "gp3", team: "finance", gib: 900, days: 200, protected: true},
	}
}

func (b *builder) strayVolumes() {
	for _, s := range strays() {
		o := owner{cloud: s.cloud, account: s.account, region: s.region, environment: "production", protected: s.protected}.of(s.app, s.team, "cc-900")
		it := b.volume(o, s.name, s.volumeType, s.gib, "", 0)
		it.form.detachedAt = b.today.AddDate(0, 0, -s.days).Truncate(time.Hour).Format(time.RFC3339)
	}
}

// premiumDisks are Azure Premium SSDs whose use a Standard SSD would carry, and one that it would not.
func (b *builder) premiumDisks() {
	o := owner{cloud: resource.Azure, account: azureERP, region: "northeurope", environment: "production"}.of("erp", "finance", "cc-300")
	for i := range 6 {
		vm := b.id(o, resource.Instance, fmt.Sprintf("erp-%02d", i+1))
		b.volume(o, fmt.Sprintf("erp-%02d-data", i+1), "Premium_LRS", 1024, vm, 140)
	}
	o.app = "portal"
	o.account, o.region = azureProd, "westeurope"
	b.volume(o, busyDisk, "Premium_LRS", 1024, b.id(o, resource.Instance, "portal-01"), 3900)
}

const busyDisk = "portal-01-queue"

// others are databases, snapshots and addresses, a database that vanished and a GPU that somebody forgot.
func (b *builder) others() {
	aws := owner{cloud: resource.AWS, account: awsProd, region: "us-east-1", environment: "production"}
	data := owner{cloud: resource.AWS, account: awsData, region: "eu-west-1", environment: "production"}.of("reporting", "data", "cc-200")
	b.database(aws.of("checkout", "payments", "cc-110"), "orders", "db.r5.2xlarge", 800)
	b.database(aws.of("storefront", "web", "cc-100"), "catalog", "db.r5.xlarge", 400)
	b.database(aws.of("api", "platform", "cc-120"), "accounts", "db.r5.xlarge", 300)
	reports := b.database(data, reportsDatabase, "db.r5.2xlarge", 600)
	reports.gone = b.ago(48).Add(10 * time.Hour)
	b.database(owner{cloud: resource.GCP, account: gcpProd, region: "us-central1", environment: "production"}.of("suggestions", "machine-learning", "cc-210"), "features", "db-custom-4-16384", 250)
	b.database(owner{cloud: resource.GCP, account: gcpAnalytics, region: "us-central1", environment: "production"}.of("reporting", "data", "cc-200"), "marts", "db-custom-4-16384", 250)
	b.database(owner{cloud: resource.Azure, account: azureERP, region: "northeurope", environment: "production"}.of("erp", "finance", "cc-300"), "ledger", "GP_Gen5_4", 500)
	b.database(owner{cloud: resource.Azure, account: azureProd, region: "westeurope", environment: "production"}.of("portal", "partners", "cc-130"), "partners", "GP_Gen5_4", 200)

	gpu := b.add(data.of("training", "machine-learning", "cc-210"), resource.Instance, gpuInstance, form{state: "running", size: "g5.12xlarge"})
	gpu.tags["environment"] = "development"
	gpu.load, gpu.born = load{cpu: 1, cpuHigh: 3, memory: 5}, b.ago(41).Add(15*time.Hour)
	for i := range 6 {
		s := b.add(aws.of("audit", "finance", "cc-300"), resource.Snapshot, fmt.Sprintf("audit-2025-%02d", i+6), form{gib: 200})
		s.born = b.start.AddDate(0, i+1, 0)
	}
	for i := range 5 {
		b.add(aws.of("storefront", "web", "cc-100"), resource.Address, fmt.Sprintf("storefront-ip-%d", i+1), form{state: "in-use"})
	}
}

func (b *builder) database(o owner, name, size string, gib int) *item {
	it := b.add(o, resource.Database, name, form{state: "running", size: size, gib: gib})
	it.load = load{cpu: 40, cpuHigh: 64, memory: 72}
	return it
}

// ago is the midnight that many days before today.
func (b *builder) ago(days int) time.Time { return midnight(b.today).AddDate(0, 0, -days) }
