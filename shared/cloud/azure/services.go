package azure

import (
	"cmp"
	"strings"
)

// service is what FOCUS calls the service behind a resource.
type service struct{ name, category, subcategory, resourceType string }

// serviceOf follows Microsoft's FinOps toolkit, which goes by the type of the resource, and by the service that the bill
// names where there is no resource.
func serviceOf(resourceType, billed string) service {
	found, ok := services[resourceType]
	if !ok {
		found = billedServices[strings.ToLower(billed)]
		found.name = cmp.Or(billed, found.name, "Unassigned")
		found.resourceType = resourceType
	}
	found.category = cmp.Or(found.category, "Other")
	found.subcategory = cmp.Or(found.subcategory, "Other ("+found.category+")")
	return found
}

var services = map[string]service{
	"microsoft.compute/virtualmachines":          {"Virtual Machines", "Compute", "Virtual Machines", "Virtual machine"},
	"microsoft.compute/virtualmachinescalesets":  {"Virtual Machine Scale Sets", "Compute", "Virtual Machines", "Virtual machine scale set"},
	"microsoft.compute/disks":                    {"Managed Disks", "Storage", "Block Storage", "Disk"},
	"microsoft.compute/snapshots":                {"Managed Disks", "Storage", "Backup Storage", "Snapshot"},
	"microsoft.storage/storageaccounts":          {"Storage Accounts", "Storage", "Object Storage", "Storage account"},
	"microsoft.sql/servers/databases":            {"SQL Database", "Databases", "Relational Databases", "SQL database"},
	"microsoft.sql/servers/elasticpools":         {"SQL Database", "Databases", "Relational Databases", "SQL elastic pool"},
	"microsoft.sql/managedinstances":             {"SQL Managed Instance", "Databases", "Relational Databases", "SQL managed instance"},
	"microsoft.dbforpostgresql/flexibleservers":  {"Azure Database for PostgreSQL", "Databases", "Relational Databases", "Azure Database for PostgreSQL flexible server"},
	"microsoft.dbformysql/flexibleservers":       {"Azure Database for MySQL", "Databases", "Relational Databases", "Azure Database for MySQL flexible server"},
	"microsoft.documentdb/databaseaccounts":      {"Cosmos DB", "Databases", "NoSQL Databases", "Azure Cosmos DB account"},
	"microsoft.cache/redis":                      {"Cache for Redis", "Databases", "Caching", "Redis cache"},
	"microsoft.network/publicipaddresses":        {"Virtual Network", "Networking", "Network Connectivity", "Public IP address"},
	"microsoft.network/natgateways":              {"NAT Gateway", "Networking", "Network Connectivity", "NAT gateway"},
	"microsoft.network/loadbalancers":            {"Load Balancer", "Networking", "Application Networking", "Load balancer"},
	"microsoft.network/applicationgateways":      {"Application Gateway", "Networking", "Application Networking", "Application gateway"},
	"microsoft.network/virtualnetworkgateways":   {"VPN Gateway", "Networking", "Network Connectivity", "Virtual network gateway"},
	"microsoft.network/azurefirewalls":           {"Azure Firewall", "Security", "Network Security", "Firewall"},
	"microsoft.network/privateendpoints":         {"Private Link", "Networking", "Network Connectivity", "Private endpoint"},
	"microsoft.network/dnszones":                 {"Azure DNS", "Networking", "Application Networking", "DNS zone"},
	"microsoft.cdn/profiles":                     {"Content Delivery Network", "Networking", "Content Delivery", "Front Door and CDN profile"},
	"microsoft.web/sites":                        {"Functions", "Compute", "Serverless Compute", "Function app"},
	"microsoft.web/serverfarms":                  {"App Service", "Web", "Application Platforms", "App Service plan"},
	"microsoft.containerservice/managedclusters": {"Azure Kubernetes Service", "Compute", "Containers", "Kubernetes service"},
	"microsoft.containerregistry/registries":     {"Container Registry", "Compute", "Containers", "Container registry"},
	"microsoft.containerinstance/containergroups": {
		"Container Instances", "Compute", "Containers", "Container instances"},
	"microsoft.app/containerapps":              {"Container Apps", "Compute", "Containers", "Container app"},
	"microsoft.operationalinsights/workspaces": {"Log Analytics", "Management and Governance", "Observability", "Log Analytics workspace"},
	"microsoft.insights/components":            {"Azure Monitor", "Management and Governance", "Observability", "Application Insights"},
	"microsoft.recoveryservices/vaults":        {"Azure Backup", "Storage", "Backup Storage", "Recovery Services vault"},
	"microsoft.keyvault/vaults":                {"Key Vault", "Security", "Security Platforms", "Key vault"},
	"microsoft.eventhub/namespaces":            {"Event Hubs", "Analytics", "Streaming Analytics", "Event Hubs namespace"},
	"microsoft.servicebus/namespaces":          {"Service Bus", "Integration", "Messaging", "Service Bus namespace"},
	"microsoft.apimanagement/service":          {"API Management", "Integration", "API Management", "API Management service"},
	"microsoft.datafactory/factories":          {"Data Factory", "Analytics", "Data Processing", "Data factory"},
	"microsoft.databricks/workspaces":          {"Azure Databricks", "Analytics", "Analytics Platforms", "Azure Databricks service"},
	"microsoft.synapse/workspaces":             {"Azure Synapse Analytics", "Analytics", "Analytics Platforms", "Synapse workspace"},
	"microsoft.cognitiveservices/accounts":     {"Azure AI services", "AI and Machine Learning", "AI Platforms", "Azure AI services account"},
	"microsoft.machinelearningservices/workspaces": {
		"Azure Machine Learning", "AI and Machine Learning", "Machine Learning", "Azure Machine Learning workspace"},
}

// billedServices are services by the name in the bill, for charges without a resource of a known type.
var billedServices = map[string]service{
	"virtual machines": {category: "Compute", subcategory: "Virtual Machines"},
	"storage":          {category: "Storage"},
	"bandwidth":        {category: "Networking", subcategory: "Network Infrastructure"},
	"virtual network":  {category: "Networking", subcategory: "Network Connectivity"},
	"sql database":     {category: "Databases", subcategory: "Relational Databases"},
	"azure monitor":    {category: "Management and Governance", subcategory: "Observability"},
	"log analytics":    {category: "Management and Governance", subcategory: "Observability"},
	"azure app service": {
		category: "Web", subcategory: "Application Platforms"},
	"azure dns":                    {category: "Networking", subcategory: "Application Networking"},
	"key vault":                    {category: "Security", subcategory: "Security Platforms"},
	"microsoft defender for cloud": {category: "Security", subcategory: "Security Platforms"},
	"advanced threat protection":   {category: "Security", subcategory: "Security Platforms"},
	"backup":                       {category: "Storage", subcategory: "Backup Storage"},
}
