package sandbox

import (
	"hash/fnv"
	"math"
	"strconv"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// meter is a service that bills by use and is no resource of the inventory: traffic, queries, requests, logs.
type meter struct {
	name            string // unique, also the SKU
	cloud           resource.Cloud
	account, region string
	app             string
	service         string
	category        string
	subcategory     string
	resourceID      string // empty: the bill names no resource
	resourceType    string
	unit            string
	unitPrice       string
	daily           float64 // USD on a workday at the start
	weekend         float64 // factor on Saturday and Sunday
	growth          float64 // a month, 0.01 is one percent
	noise           float64 // standard deviation, relative
	monthEnd        float64 // factor on the first two days of a month; 0 is none
	discount        string  // negotiated, off the list price: "0.08"
	deploys         bool    // carries the tag "deploy", the version that ran
	hash            uint64
}

func meters(base beginning) []meter {
	out := []meter{
		{name: "nat-bytes", cloud: resource.AWS, account: awsProd, region: "us-east-1", app: "storefront", service: "Amazon Virtual Private Cloud", category: "Networking", subcategory: "Network Routing", resourceID: "nat-0f3a91c7b25d4e681", resourceType: "NAT gateway", unit: "GB", unitPrice: "0.045", daily: 62, weekend: 0.8, growth: 0.012, noise: 0.035},
		{name: "transfer-out", cloud: resource.AWS, account: awsProd, region: "us-east-1", app: "storefront", service: "Amazon Elastic Compute Cloud", category: "Networking", subcategory: "Network Infrastructure", unit: "GB", unitPrice: "0.09", daily: 74, weekend: 0.85, growth: 0.012, noise: 0.04},
		{name: "load-balancer", cloud: resource.AWS, account: awsProd, region: "us-east-1", app: "storefront", service: "Elastic Load Balancing", category: "Networking", subcategory: "Application Networking", resourceID: "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/front/50dc6c495c0c9188", resourceType: "Load balancer", unit: "LCU-Hour", unitPrice: "0.008", daily: 21, weekend: 0.9, growth: 0.008, noise: 0.02},
		{name: "logs-ingested", cloud: resource.AWS, account: awsProd, region: "us-east-1", app: "storefront", service: "AmazonCloudWatch", category: "Management and Governance", subcategory: "Observability", unit: "GB", unitPrice: "0.50", daily: 36, weekend: 0.88, growth: 0.008, noise: 0.04, deploys: true},
		{name: "functions", cloud: resource.AWS, account: awsProd, region: "us-east-1", app: "checkout", service: "AWS Lambda", category: "Compute", subcategory: "Serverless Compute", resourceID: "arn:aws:lambda:us-east-1:111122223333:function:receipts", resourceType: "Function", unit: "GB-Second", unitPrice: "0.0000166667", daily: 18, weekend: 0.75, growth: 0.015, noise: 0.05},
		{name: "queue-requests", cloud: resource.AWS, account: awsProd, region: "us-east-1", app: "checkout", service: "Amazon Simple Queue Service", category: "Integration", subcategory: "Messaging", unit: "Requests", unitPrice: "0.0000004", daily: 6, weekend: 0.75, growth: 0.01, noise: 0.04},
		{name: "media-storage", cloud: resource.AWS, account: awsProd, region: "us-east-1", app: "images", service: "Amazon Simple Storage Service", category: "Storage", subcategory: "Object Storage", resourceID: "meridian-media", resourceType: "bucket", unit: "GB-Month", unitPrice: "0.023", daily: 44, weekend: 1, growth: 0.018, noise: 0.004},
		{name: "media-requests", cloud: resource.AWS, account: awsProd, region: "us-east-1", app: "images", service: "Amazon Simple Storage Service", category: "Storage", subcategory: "Object Storage", resourceID: "meridian-media", resourceType: "bucket", unit: "Requests", unitPrice: "0.000005", daily: 31, weekend: 0.85, growth: 0.01, noise: 0.045},
		{name: "lake-storage", cloud: resource.AWS, account: awsData, region: "eu-west-1", app: "warehouse", service: "Amazon Simple Storage Service", category: "Storage", subcategory: "Object Storage", resourceID: "meridian-lake", resourceType: "bucket", unit: "GB-Month", unitPrice: "0.023", daily: 58, weekend: 1, growth: 0.022, noise: 0.004},
		{name: "etl", cloud: resource.AWS, account: awsData, region: "eu-west-1", app: "warehouse", service: "AWS Glue", category: "Analytics", subcategory: "Data Processing", unit: "DPU-Hour", unitPrice: "0.44", daily: 39, weekend: 0.6, growth: 0.01, noise: 0.05, monthEnd: 2.6},
		{name: "dev-transfer", cloud: resource.AWS, account: awsDev, region: "us-east-1", app: "workbench", service: "Amazon Elastic Compute Cloud", category: "Networking", subcategory: "Network Infrastructure", unit: "GB", unitPrice: "0.09", daily: 4, weekend: 0.3, growth: 0.01, noise: 0.08},

		{name: "queries", cloud: resource.GCP, account: gcpAnalytics, region: "us-central1", app: "reporting", service: "BigQuery", category: "Analytics", subcategory: "Analytics Platforms", resourceID: "//bigquery.googleapis.com/projects/meridian-analytics", resourceType: "Project", unit: "TiBy", unitPrice: "6.25", daily: 148, weekend: 0.55, growth: 0.012, noise: 0.06, monthEnd: 1.5},
		{name: "objects", cloud: resource.GCP, account: gcpProd, region: "us-central1", app: "suggestions", service: "Cloud Storage", category: "Storage", subcategory: "Object Storage", resourceID: "//storage.googleapis.com/meridian-models", resourceType: "Bucket", unit: "GiBy.mo", unitPrice: "0.020", daily: 17, weekend: 1, growth: 0.015, noise: 0.004},
		{name: "egress", cloud: resource.GCP, account: gcpProd, region: "us-central1", app: "gateway", service: "Networking", category: "Networking", subcategory: "Network Infrastructure", unit: "GiBy", unitPrice: "0.085", daily: 33, weekend: 0.85, growth: 0.01, noise: 0.04},
		{name: "logging", cloud: resource.GCP, account: gcpProd, region: "us-central1", app: "gateway", service: "Cloud Logging", category: "Management and Governance", subcategory: "Observability", unit: "GiBy", unitPrice: "0.50", daily: 14, weekend: 0.9, growth: 0.01, noise: 0.04},
		{name: "topics", cloud: resource.GCP, account: gcpProd, region: "us-central1", app: "suggestions", service: "Cloud Pub/Sub", category: "Integration", subcategory: "Messaging", unit: "TiBy", unitPrice: "40", daily: 11, weekend: 0.8, growth: 0.012, noise: 0.04},

		{name: "blobs", cloud: resource.Azure, account: azureProd, region: "westeurope", app: "portal", service: "Storage Accounts", category: "Storage", subcategory: "Object Storage", resourceID: "/subscriptions/" + azureProd + "/resourcegroups/rg-westeurope/providers/microsoft.storage/storageaccounts/meridianportal", resourceType: "Storage account", unit: "GB/Month", unitPrice: "0.0184", daily: 23, weekend: 1, growth: 0.015, noise: 0.004, discount: "0.08"},
		{name: "bandwidth", cloud: resource.Azure, account: azureProd, region: "westeurope", app: "portal", service: "Bandwidth", category: "Networking", subcategory: "Network Infrastructure", unit: "GB", unitPrice: "0.087", daily: 47, weekend: 0.7, growth: 0.008, noise: 0.04},
		{name: "log-analytics", cloud: resource.Azure, account: azureProd, region: "westeurope", app: "portal", service: "Log Analytics", category: "Management and Governance", subcategory: "Observability", unit: "GB", unitPrice: "2.76", daily: 19, weekend: 0.85, growth: 0.008, noise: 0.04},
		{name: "firewall", cloud: resource.Azure, account: azureERP, region: "northeurope", app: "erp", service: "Azure Firewall", category: "Security", subcategory: "Network Security", resourceID: "/subscriptions/" + azureERP + "/resourcegroups/rg-northeurope/providers/microsoft.network/azurefirewalls/edge", resourceType: "Firewall", unit: "Hour", unitPrice: "1.25", daily: 30, weekend: 1, growth: 0, noise: 0, discount: "0.08"},

		{name: "overage", cloud: resource.Vultr, account: vultrMain, region: "ewr", app: "edge", service: "Bandwidth", category: "Networking", subcategory: "Network Infrastructure", unit: "GB", unitPrice: "0.01", daily: 9, weekend: 0.85, growth: 0.01, noise: 0.05},
		{name: "balancer", cloud: resource.Vultr, account: vultrMain, region: "ewr", app: "edge", service: "Load Balancer", category: "Networking", subcategory: "Application Networking", resourceID: "7c9e1f30-42d7-4c1b-a9d2-90b7c3d4e5f6", resourceType: "Load balancer", unit: "Hour", unitPrice: "0.0137", daily: 0.3288, weekend: 1, growth: 0, noise: 0},
	}
	for i := range out {
		out[i].hash = hashOf(base.Seed, string(out[i].cloud), out[i].account, out[i].name)
	}
	return out
}

// amount is the meter's cost in USD on a whole day, before anything planted.
func (m meter) amount(base beginning, day time.Time) float64 {
	usd := m.daily
	if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
		usd *= m.weekend
	}
	if m.monthEnd > 0 && day.Day() <= 2 {
		usd *= m.monthEnd
	}
	months := day.Sub(base.Start).Hours() / 730
	return usd * math.Pow(1+m.growth, months) * (1 + m.noise*normal(m.hash, day.Unix()))
}

// hashOf names a stream of noise.
func hashOf(seed int64, parts ...string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendInt(nil, seed, 10)) // a hash never fails
	for _, p := range parts {
		_, _ = h.Write([]byte("/" + p))
	}
	return h.Sum64()
}

// uniform is the stream's value at n, in [0, 1). The mixing is SplitMix64's finaliser (Steele, Lea, Flood 2014).
func uniform(stream uint64, n int64) float64 {
	z := stream + uint64(n)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

// normal is close to a standard normal value, bounded at about 3.5: the sum of twelve uniforms less six would be too slow
// for every sample, so four, scaled.
func normal(stream uint64, n int64) float64 {
	sum := 0.0
	for i := range int64(4) {
		sum += uniform(stream, 4*n+i)
	}
	return (sum - 2) * math.Sqrt(3)
}
