package ingest

// vultrSettings are those of Vultr. Its API key is the connection's secret.
var vultrSettings = []Setting{
	{
		Name: "account", Pattern: `[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}`,
		Text: "What the account is called in bills and reports, for Vultr gives its accounts no id; without it the name that the account has at Vultr. Do not change it later: bills would count as another account's.",
	},
	{
		Name: "regions", Pattern: `\s*[a-z]{3}(\s*,\s*[a-z]{3})*\s*`,
		Text: "The regions whose resources are read, with commas between them: ewr, fra; without it all. The bill is always read whole.",
	},
	{
		Name: "services", Pattern: `\s*[a-z-]+(\s*,\s*[a-z-]+)*\s*`,
		Text: "What is listed of instances, bare-metals, blocks, snapshots, reserved-ips, load-balancers, databases, with commas between them; without it all.",
	},
	{
		Name: "tags",
		Text: "Only resources with one of these tags are read, each key or key=value, with commas between them; without it all. Only servers and databases have tags at Vultr.",
	},
}
