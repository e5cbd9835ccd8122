// Package resource is what a cloud says about the things it bills: what exists, how it is used, what it would cost.
package resource

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Cloud is a provider that Cost Agent can collect from and act on, named as in paths: /api/v1/{provider}/....
type Cloud string

// The clouds.
const (
	AWS   Cloud = "aws"
	GCP   Cloud = "gcp"
	Azure Cloud = "azure"
	Vultr Cloud = "vultr"
)

// Clouds lists them in the order reports show them.
var Clouds = []Cloud{AWS, GCP, Azure, Vultr}

// BillName is the FOCUS ServiceProviderName that the cloud's own bills carry.
func (c Cloud) BillName() string {
	switch c {
	case AWS:
		return "AWS"
	case GCP:
		return "Google Cloud"
	case Azure:
		return "Microsoft"
	case Vultr:
		return "Vultr"
	}
	return string(c)
}

// Type is the kind of a resource, the same word on every cloud.
type Type string

// The types that rules know.
const (
	Instance  Type = "instance"
	Volume    Type = "volume"
	Database  Type = "database"
	Snapshot  Type = "snapshot"
	Address   Type = "address"
	BareMetal Type = "bare_metal" // a whole server, which no instance action fits
	Bucket    Type = "bucket"     // an object store: a bucket, a storage account

	LoadBalancer Type = "load_balancer"
	Function     Type = "function"      // code that runs on demand
	ScalingGroup Type = "scaling_group" // machines that come and go together
)

// Ref names one resource.
type Ref struct {
	Cloud   Cloud  `json:"cloud"`
	Account string `json:"account"` // FOCUS SubAccountId
	Region  string `json:"region"`  // FOCUS RegionId
	Type    Type   `json:"type"`
	ID      string `json:"id"` // FOCUS ResourceId, as the bill writes it
}

// Attribute names. Values are text, as the cloud writes them.
const (
	AttrState      = "state"       // instance: running, stopped; volume: in-use, available
	AttrSize       = "size"        // instance type or plan: "m5.2xlarge"
	AttrVolumeType = "volume_type" // "gp2"
	AttrGiB        = "gib"         // provisioned size of a volume or snapshot
	AttrIOPS       = "iops"
	AttrThroughput = "throughput_mibps"
	AttrAttachedTo = "attached_to" // instance id, empty when free
	AttrDetachedAt = "detached_at" // RFC 3339, when the provider tells
	AttrVCPU       = "vcpu"
	AttrMemoryGiB  = "memory_gib"
	AttrOS         = "os"
	AttrLicence    = "licence"  // instance: OwnLicence where that of its operating system is not paid with it
	AttrEngine     = "engine"   // database: "postgres"
	AttrMultiZone  = "multi_az" // database: true when another machine stands by in another zone

	AttrArchitecture   = "architecture"    // function: "arm64"
	AttrRuntime        = "runtime"         // function: "python3.13"
	AttrModifiedAt     = "modified_at"     // RFC 3339, when its code or configuration last changed
	AttrScheme         = "scheme"          // load balancer: internet-facing, internal
	AttrTargets        = "targets"         // load balancer: how many machines or functions stand behind it
	AttrMinSize        = "min_size"        // scaling group: the fewest machines it keeps
	AttrMaxSize        = "max_size"        // scaling group: the most it starts
	AttrDesiredSize    = "desired_size"    // scaling group: those it wants now
	AttrInstances      = "instances"       // scaling group: their ids, with commas between them
	AttrMixedInstances = "mixed_instances" // scaling group: true when it mixes sizes or prices
	AttrLifecycleRules = "lifecycle_rules" // bucket: how many rules that move or delete what it holds are on
	AttrStandardGiB    = "standard_gib"    // bucket: what it holds in its standard class
)

// OwnLicence is the AttrLicence of a machine whose operating system is licensed otherwise, so that it costs what one with Linux does.
const OwnLicence = "own"

// SQLServerLicence is the AttrLicence of a machine that pays for SQL Server with each hour. It has a price of its own, which does
// not shrink with the machine as others do, for the licence is of four processors at least.
const SQLServerLicence = "SQL Server"

// Resource is one thing in the inventory, as it was at SeenAt.
type Resource struct {
	Ref
	Name       string            `json:"name"`
	Attributes map[string]string `json:"attributes"`
	Tags       map[string]string `json:"tags"`
	CreatedAt  time.Time         `json:"created_at"`
	SeenAt     time.Time         `json:"seen_at"`
}

// Metric names what is measured.
type Metric string

// The metrics.
const (
	CPU        Metric = "cpu_percent"
	Memory     Metric = "memory_percent"
	DiskOps    Metric = "disk_iops"
	DiskBytes  Metric = "disk_mibps"
	NetBytes   Metric = "network_mibps"
	ErrorRate  Metric = "error_rate"     // failed requests / requests, 0..1: health
	LatencyP95 Metric = "latency_p95_ms" // health
)

// Sample is one measured value; At is the start of its interval.
type Sample struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// Usage is one metric of one resource over time, evenly spaced and ordered; gaps are absent samples.
type Usage struct {
	Ref     Ref           `json:"ref"`
	Metric  Metric        `json:"metric"`
	Every   time.Duration `json:"every"`
	Samples []Sample      `json:"samples"`
}

// Variants of prices. Those of databases are the names of their engines: "postgres".
const (
	SpotPrice     = "spot"      // of capacity that the cloud may take back, in the dearest zone: the mean of the last week where the cloud tells it, else now
	SpotPeakPrice = "spot_peak" // the highest that it was in that week, in any zone
	WindowsPrice  = "windows"   // with its licence
)

// Price is what one unit of a kind costs.
type Price struct {
	Cloud  Cloud  `json:"cloud"`
	Region string `json:"region"`
	Type   Type   `json:"type"`
	Size   string `json:"size"` // instance type, volume type or plan
	Unit   string `json:"unit"` // "hour", "GiB-month", "IOPS-month", "MiBps-month"
	// Variant tells prices of one size apart that are not for the same thing: empty is the usual price, on demand and for Linux.
	Variant  string          `json:"variant,omitempty"`
	Amount   decimal.Decimal `json:"amount"`
	Currency cost.Currency   `json:"currency"`
	// Attributes of the size where it has any: vcpu, memory_gib.
	Attributes map[string]string `json:"attributes,omitempty"`
}
