package vultr

import (
	"context"
	"strconv"
	"strings"

	"github.com/vultr/govultr/v3"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	instancesPath = "/v2/instances"
	metalPath     = "/v2/bare-metals"
	blocksPath    = "/v2/blocks"
	snapshotsPath = "/v2/snapshots"
	addressesPath = "/v2/reserved-ips"
	balancersPath = "/v2/load-balancers"
	databasesPath = "/v2/databases"

	// everywhere is the region of what has none: Vultr's lists, and its snapshots.
	everywhere = "global"
)

// thing is a resource with the address that bills know it by.
type thing struct {
	resource.Resource

	address string
}

// block is a volume. The SDK's own type has its cost as a 32-bit float.
type block struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	Region      string `json:"region"`
	BlockType   string `json:"block_type"`
	SizeGB      int64  `json:"size_gb"`
	AttachedTo  string `json:"attached_to_instance"`
	DateCreated string `json:"date_created"`
	Cost        *money `json:"cost"` // a month
}

// database is a managed database. The SDK's own type would hold its password too.
type database struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	Region      string `json:"region"`
	Plan        string `json:"plan"`
	Disk        int64  `json:"plan_disk"` // GB
	RAM         int64  `json:"plan_ram"`  // MB
	VCPUs       int    `json:"plan_vcpus"`
	Engine      string `json:"database_engine"`
	Status      string `json:"status"`
	Tag         string `json:"tag"`
	DateCreated string `json:"date_created"`
}

// lists are the parts of the inventory. Vultr lists all regions at once.
var lists = []struct {
	service string
	read    func(ctx context.Context, c *Collector) ([]thing, error)
}{
	{"instances", reading(instancesPath, "instances", ofInstance)},
	{"bare-metals", reading(metalPath, "bare_metals", ofMetal)},
	{"blocks", reading(blocksPath, "blocks", ofBlock)},
	{"snapshots", reading(snapshotsPath, "snapshots", ofSnapshot)},
	{"reserved-ips", reading(addressesPath, "reserved_ips", ofAddress)},
	{"load-balancers", reading(balancersPath, "load_balancers", ofBalancer)},
	{"databases", reading(databasesPath, "databases", ofDatabase)},
}

func reading[T any](path, member string, of func(T) thing) func(context.Context, *Collector) ([]thing, error) {
	return func(ctx context.Context, c *Collector) ([]thing, error) {
		all, err := list[T](ctx, c, path, member)
		out := make([]thing, 0, len(all))
		for _, one := range all {
			out = append(out, of(one))
		}
		return out, err
	}
}

// part is one list as it was read, or why not.
type part struct {
	service string
	found   []thing
	err     error
}

// inventory reads the lists, only those that are wanted or all. It fails as a whole when no list can succeed: without a key that counts, or when ctx ends.
func (c *Collector) inventory(ctx context.Context, wanted bool) ([]part, error) {
	parts := make([]part, 0, len(lists))
	for _, l := range lists {
		if all := c.only.services; wanted && len(all) > 0 && !all[l.service] {
			continue
		}
		found, err := l.read(ctx, c)
		if fault.CodeOf(err) == fault.Unauthenticated || ctx.Err() != nil {
			return nil, err
		}
		parts = append(parts, part{l.service, found, err})
	}
	return parts, nil
}

// Resources implements ingest.Collector. The parts are Vultr's lists, which hold all regions.
func (c *Collector) Resources(ctx context.Context) (ingest.Inventory, error) {
	account, err := c.accountName(ctx)
	if err != nil {
		return ingest.Inventory{}, err
	}
	parts, err := c.inventory(ctx, true)
	if err != nil {
		return ingest.Inventory{}, err
	}
	seen := c.now().UTC()
	var out ingest.Inventory
	for _, p := range parts {
		status := ingest.Part{Region: everywhere, Service: p.service, Status: ingest.OK}
		if p.err != nil {
			status.Status, status.Reason = statusOf(p.err)
			out.Parts = append(out.Parts, status)
			continue
		}
		out.Parts = append(out.Parts, status)
		for _, t := range p.found {
			if !c.only.takes(t.Resource) {
				continue
			}
			t.Account, t.SeenAt = account, seen
			out.Resources = append(out.Resources, t.Resource)
		}
	}
	return out, nil
}

func made(typ resource.Type, id, region, label, created string, attributes, tags map[string]string) resource.Resource {
	r := resource.Resource{Name: label, Attributes: attributes, Tags: tags}
	r.Ref = resource.Ref{Cloud: resource.Vultr, Region: region, Type: typ, ID: id}
	var at moment
	if at.UnmarshalJSON([]byte(created)) == nil { // an odd date is an unknown one
		r.CreatedAt = at.Time
	}
	return r
}

func ofInstance(i govultr.Instance) thing {
	attributes := map[string]string{
		resource.AttrState: power(i.PowerStatus), resource.AttrSize: i.Plan, resource.AttrOS: i.Os,
		resource.AttrVCPU: strconv.Itoa(i.VCPUCount), resource.AttrMemoryGiB: gib(int64(i.RAM), 1<<10),
	}
	return thing{made(resource.Instance, i.ID, i.Region, i.Label, i.DateCreated, attributes, tags(i.Tags)), address(i.MainIP)}
}

func ofMetal(b govultr.BareMetalServer) thing {
	attributes := map[string]string{resource.AttrState: power(b.PowerStatus), resource.AttrSize: b.Plan, resource.AttrOS: b.Os}
	if b.PowerStatus == "" { // older answers do not have it
		attributes[resource.AttrState] = b.Status
	}
	attributes[resource.AttrVCPU] = strconv.Itoa(b.CPUCount)
	if mb, err := strconv.ParseInt(strings.TrimSuffix(b.RAM, " MB"), 10, 64); err == nil {
		attributes[resource.AttrMemoryGiB] = gib(mb, 1<<10)
	}
	return thing{made(resource.BareMetal, b.ID, b.Region, b.Label, b.DateCreated, attributes, tags(b.Tags)), address(b.MainIP)}
}

func ofBlock(b block) thing {
	attributes := map[string]string{
		resource.AttrState: use(b.AttachedTo), resource.AttrVolumeType: b.BlockType,
		resource.AttrGiB: strconv.FormatInt(b.SizeGB, 10), resource.AttrAttachedTo: b.AttachedTo,
	}
	return thing{Resource: made(resource.Volume, b.ID, b.Region, b.Label, b.DateCreated, attributes, nil)}
}

func ofSnapshot(s govultr.Snapshot) thing {
	attributes := map[string]string{resource.AttrState: s.Status, resource.AttrGiB: gib(s.Size, 1<<30)}
	return thing{Resource: made(resource.Snapshot, s.ID, everywhere, s.Description, s.DateCreated, attributes, nil)}
}

func ofAddress(a govultr.ReservedIP) thing {
	attributes := map[string]string{resource.AttrState: use(a.InstanceID), resource.AttrAttachedTo: a.InstanceID}
	// Its subnet is the address. An item that names it is the server's that has it, so it is no address of its own here.
	return thing{Resource: made(resource.Address, a.ID, a.Region, a.Label, "", attributes, nil)}
}

func ofBalancer(b govultr.LoadBalancer) thing {
	attributes := map[string]string{resource.AttrState: b.Status, resource.AttrTargets: strconv.Itoa(len(b.Instances))}
	return thing{made(resource.LoadBalancer, b.ID, b.Region, b.Label, b.DateCreated, attributes, nil), address(b.IPV4)}
}

func ofDatabase(d database) thing {
	attributes := map[string]string{
		resource.AttrState: strings.ToLower(d.Status), resource.AttrSize: d.Plan, resource.AttrGiB: strconv.FormatInt(d.Disk, 10),
		resource.AttrVCPU: strconv.Itoa(d.VCPUs), resource.AttrMemoryGiB: gib(d.RAM, 1<<10), resource.AttrOS: d.Engine,
	}
	var words []string
	if d.Tag != "" {
		words = append(words, d.Tag)
	}
	return thing{Resource: made(resource.Database, d.ID, d.Region, d.Label, d.DateCreated, attributes, tags(words))}
}

// power is the state of a server: Vultr bills it in either.
func power(status string) string {
	if status == "running" {
		return "running"
	}
	return "stopped"
}

func use(attachedTo string) string {
	if attachedTo == "" {
		return "available"
	}
	return "in-use"
}

// address is one that identifies: servers that are being made, or have none, all say 0.0.0.0.
func address(ip string) string {
	if ip == "0.0.0.0" {
		return ""
	}
	return ip
}

// gib converts a size of which so many make a GiB.
func gib(size, perGiB int64) string {
	return strconv.FormatFloat(float64(size)/float64(perGiB), 'f', -1, 64)
}

// tags are Vultr's, which are words: "team:shop" and "team=shop" count as key and value.
func tags(words []string) map[string]string {
	out := make(map[string]string, len(words))
	for _, word := range words {
		key, value := word, ""
		if at := strings.IndexAny(word, ":="); at > 0 {
			key, value = word[:at], word[at+1:]
		}
		out[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return out
}

// Usage implements ingest.Collector. Vultr's API measures nothing but traffic a day, so no resource has an entry.
func (c *Collector) Usage(ctx context.Context, _ ingest.UsageQuery) (ingest.Measured, error) {
	return ingest.Measured{}, fault.Wrap(ctx.Err(), fault.Unavailable, "The call was given up before it ended; try again.")
}
