package ingest

// Shapes that several settings of AWS share.
const (
	awsAccounts = `\s*\d{12}(\s*,\s*\d{12})*\s*`
	awsRegion   = `[a-z]{2}(-[a-z]+)+-\d`
	awsTag      = `[^,=]{1,128}(=[^,]{0,256})?`
	awsTags     = awsTag + `(,` + awsTag + `)*`
	awsRole     = `CostAgent[\w+=,.@-]{0,55}` // Cost Agent itself may assume no other roles
)

// awsSettings are those of AWS.
var awsSettings = []Setting{
	{
		Name: "role_arn", Required: true, Pattern: `arn:aws:iam::\d{12}:role/` + awsRole,
		Text: "The role that Cost Agent assumes, as arn:aws:iam::123456789012:role/CostAgent; its name has to begin with CostAgent. It has to trust Cost Agent, with your tenant id as the external id.",
	},
	{
		Name: "member_role", Pattern: awsRole,
		Text: "The name of the role, which begins with CostAgent, in the other accounts of the organisation, whose resources are then read as well; it has to trust Cost Agent as the first one does.",
	},
	{Name: "accounts", Pattern: awsAccounts, Text: "The accounts to read, 12 digits each, with commas between them; without it all."},
	{Name: "regions", Pattern: `\s*` + awsRegion + `(\s*,\s*` + awsRegion + `)*\s*`, Text: "The regions whose resources are read, with commas between them; without it all. The bill has every region."},
	{Name: "services", Text: "The services to take from Cost Explorer, as it names them, with commas between them, and to list the resources of; without it all. A data export is read as it is."},
	{Name: "cost_tag", Pattern: `[^,=$]{1,128}`, Text: "The key of one cost allocation tag by whose values Cost Explorer splits the bill, in place of regions; it takes a request for each account. A data export has all tags without it."},
	{Name: "tags", Pattern: awsTags, Text: "The tags that the resources to list have one of, as key or key=value, with commas between them; without it all resources. Cost Explorer is narrowed down by them too, where the keys are cost allocation tags. A data export is read as it is."},
	{Name: "export_bucket", Pattern: `[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]`, Text: "The bucket of a data export of FOCUS, which is then read instead of Cost Explorer. Give export_name with it."},
	{Name: "export_prefix", Pattern: `[\w!.*'()/-]{1,512}`, Text: "The prefix of the data export in its bucket, if it has one."},
	{Name: "export_name", Pattern: `[\w-]{1,128}`, Text: "The name of the data export. Give export_bucket with it."},
	{Name: "export_region", Pattern: awsRegion, Text: "The region of the bucket of the data export; without it us-east-1."},
	{Name: "advice", Pattern: `on|off`, Text: "off reads no recommendations of AWS's own; without it those of Cost Optimization Hub are read, where it is switched on."},
	{Name: "commitments", Pattern: `on|off`, Text: "off reads no savings plans and reservations, of whose use Cost Explorer is asked for some cents each time; without it they are read."},
	{Name: "price_list", Pattern: `on|off`, Text: "off reads no public prices, so that nothing is recommended that is judged by them; without it they are read."},
}
