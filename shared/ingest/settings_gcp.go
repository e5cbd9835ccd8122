package ingest

// gcpSettings are those of Google Cloud.
var gcpSettings = []Setting{
	{
		Name: "billing_table", Required: true,
		Pattern: `([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]\.\w+\.gcp_billing_export_(resource_v1|v1|focus)_\w+`,
		Text:    "The table or view of the billing export in BigQuery, as project.dataset.table: my-project.billing.gcp_billing_export_resource_v1_012345_6789AB_CDEF01.",
	},
	{Name: "query_project", Pattern: `([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]`, Text: "The id of the project that queries run in and that pays for them; without it that of the billing table."},
	{
		Name: "projects", Pattern: `\s*[a-z0-9.:-]+(\s*,\s*[a-z0-9.:-]+)*\s*`,
		Text: "The ids of the projects whose resources are read, with commas between them, or all for those that the service account sees; without it only the bill is read.",
	},
	{
		Name: "bill_projects", Pattern: `\s*[a-z0-9.:-]+(\s*,\s*[a-z0-9.:-]+)*\s*`,
		Text: "The ids of the projects whose charges are taken from the bill, with commas between them; without it all. With it, taxes and other charges that belong to no project are left out.",
	},
	{
		Name: "regions", Pattern: `\s*[a-z0-9-]+(\s*,\s*[a-z0-9-]+)*\s*`,
		Text: "The regions whose resources are read, and wider places, as europe-west3, eu, global, with commas between them; without it all. The bill has every region.",
	},
	{
		Name: "services",
		Text: "The services to take from the bill, as it names them, with commas between them, and to list the resources of: Compute Engine, Cloud SQL, Cloud Storage; without it all.",
	},
	{
		Name: "labels", Pattern: `\s*[\p{L}\p{N}_-]+(\s*=[\p{L}\p{N} _-]*)?(\s*,\s*[\p{L}\p{N}_-]+(\s*=[\p{L}\p{N} _-]*)?)*\s*`,
		Text: "Only resources with one of these labels are read, each key or key=value, with commas between them; without it all. The bill has every label.",
	},
	{
		Name: "commitment_use", Pattern: `on|off`,
		Text: "off does not ask the bill how commitments were used, which costs a query of a month; without it, it is asked.",
	},
	{
		Name: "workload_identity_provider", Pattern: `projects/\d+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}`,
		Text: "The provider that trusts Cost Agent's AWS identity: projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER. Not needed with the key of a service account.",
	},
	{
		Name: "service_account", Pattern: `[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9.-]+\.gserviceaccount\.com`,
		Text: "The service account that Cost Agent acts as: cost-agent@my-project.iam.gserviceaccount.com. Not needed with its key.",
	},
}
