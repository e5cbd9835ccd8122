package ingest

// Shapes that several settings of Azure share.
const (
	azureID    = `[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`
	azureNames = `\s*[\w.() -]+(\s*,\s*[\w.() -]+)*\s*`
)

// azureSettings are those of Azure.
var azureSettings = []Setting{
	{Name: "tenant_id", Required: true, Pattern: azureID, Text: "The id of the Microsoft Entra directory (tenant) that the application is in."},
	{
		Name: "client_id", Required: true, Pattern: azureID,
		Text: "The id of the application (client) that Cost Agent signs in as. It needs a federated credential that trusts Cost Agent's AWS role, or a client secret stored with the connection.",
	},
	{Name: "environment", Pattern: `public|china|government`, Text: "Which of Azure's clouds it is: public, china or government; without it public."},
	{
		Name: "subscriptions", Pattern: `\s*` + azureID + `(\s*,\s*` + azureID + `)*\s*`,
		Text: "The ids of the subscriptions to read, with commas between them; without it all that the application sees.",
	},
	{Name: "resource_groups", Pattern: azureNames, Text: "The resource groups to read, with commas between them; without it all. With it, costs that belong to no resource are left out."},
	{Name: "services", Pattern: azureNames, Text: "The services to take from Cost Management, as FOCUS names them, with commas between them; without it all. An export is read as it is."},
	{Name: "regions", Pattern: `\s*[a-z0-9]+(\s*,\s*[a-z0-9]+)*\s*`, Text: "The regions whose resources are read, as westeurope, northeurope; without it all. The bill has every region."},
	{Name: "tags", Text: "Only resources with one of these tags are read, each key or key=value, with commas between them; without it all. The bill has every tag."},
	{Name: "billing_account", Pattern: `[\w:/.-]{1,200}`, Text: "The id of the billing account that rows from Cost Management get; without it each subscription's own id."},
	{
		Name: "source", Pattern: `query|details|usage|export`,
		Text: "Where the bill comes from: query (Cost Management's query), details (cost details reports, for Enterprise and Microsoft Customer Agreements), usage (usage details, for pay-as-you-go) or export (a FOCUS export). Without it export where export_container is given, and query otherwise.",
	},
	{
		Name: "billing_scope", Pattern: `/providers/Microsoft\.Billing/billingAccounts/[\w:.-]{1,200}(/(billingProfiles|departments|enrollmentAccounts|customers|invoiceSections)/[\w:.-]{1,100}){0,2}`,
		Text: "The billing account or profile whose costs are read at once from the sources details and usage, as /providers/Microsoft.Billing/billingAccounts/1234567; without it each subscription is asked about.",
	},
	{
		Name: "export_account", Pattern: `https://[a-z0-9]{3,24}\.blob\.core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)/?`,
		Text: "The address of the storage account of a FOCUS export, https://bills.blob.core.windows.net, which is then read instead of asking Cost Management. Give export_container with it.",
	},
	{Name: "export_container", Pattern: `[a-z0-9](-?[a-z0-9]){2,62}`, Text: "The container of the export. Give export_account with it."},
	{Name: "export_prefix", Pattern: `[\w./() -]{1,512}`, Text: "The directory and name of the export in its container, as costs/focus; needed when the container has several exports."},
}
