package gcp

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"google.golang.org/api/compute/v1"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// pageItems is how many things a page of a list holds, the most that Compute Engine gives.
const pageItems = 500

const computeNames = "//compute.googleapis.com/projects/"

func readInstances(ctx context.Context, c *Collector, project string, f *found) error {
	return c.compute.Instances.AggregatedList(project).MaxResults(pageItems).Pages(ctx, func(p *compute.InstanceAggregatedList) error {
		for scope, list := range p.Items {
			warning := list.Warning
			if warning == nil {
				warning = &compute.InstancesScopedListWarning{}
			}
			f.scope(scope, "compute.instances", warning.Code, warning.Message)
			for _, i := range list.Instances {
				f.instance(project, i)
			}
		}
		f.unreachable(p.Unreachables, "compute.instances")
		return nil
	})
}

// unreachable notes the scopes of which a list says that they did not answer.
func (f *found) unreachable(scopes []string, service string) {
	for _, s := range scopes {
		f.scope(s, service, "UNREACHABLE", "")
	}
}

func (f *found) instance(project string, i *compute.Instance) {
	zone := last(i.Zone)
	id := computeNames + project + "/zones/" + zone + "/instances/" + strconv.FormatUint(i.Id, 10)
	f.instances[path(i.SelfLink)] = id
	attributes := map[string]string{resource.AttrState: instanceState(i.Status), resource.AttrSize: last(i.MachineType)}
	if os := operatingSystem(i); os != "" {
		attributes[resource.AttrOS] = os
	}
	if licence := licenceOf(i); licence != "" {
		attributes[resource.AttrLicence] = licence
	}
	f.resources = append(f.resources, resource.Resource{
		Ref:  resource.Ref{Cloud: resource.GCP, Account: project, Region: regionOf(zone), Type: resource.Instance, ID: id},
		Name: i.Name, Attributes: attributes, Tags: i.Labels, CreatedAt: moment(i.CreationTimestamp), SeenAt: f.seenAt,
	})
}

// instanceState is the state in the words that rules know; Google says TERMINATED of what is stopped and can start again.
func instanceState(status string) string {
	switch status {
	case "RUNNING":
		return "running"
	case "TERMINATED", "SUSPENDED":
		return "stopped"
	}
	return strings.ToLower(status)
}

// operatingSystem tells Windows, which is licensed, from the rest by the licences of the boot disk.
func operatingSystem(i *compute.Instance) string {
	for _, d := range i.Disks {
		if !d.Boot || len(d.Licenses) == 0 {
			continue
		}
		if slices.ContainsFunc(d.Licenses, func(l string) bool { return strings.Contains(l, "windows") }) {
			return "windows"
		}
		return "linux"
	}
	return ""
}

// licenceOf tells the licences that make a machine cost otherwise than its operating system says: SQL Server, and Windows that is
// brought along, which Google names "windows-server-2022-byol".
func licenceOf(i *compute.Instance) (out string) {
	for _, d := range i.Disks {
		for _, l := range d.Licenses {
			switch name := last(l); {
			case strings.HasPrefix(name, "sql-server-") && !strings.HasSuffix(name, "-express"): // that one costs nothing
				return resource.SQLServerLicence
			case d.Boot && strings.HasPrefix(name, "windows-") && strings.HasSuffix(name, "-byol"):
				out = resource.OwnLicence
			}
		}
	}
	return out
}

// customSize holds vCPUs and MiB in its name: "n2-custom-4-8192", "custom-2-4096-ext".
var customSize = regexp.MustCompile(`^(?:[a-z]\w*-)?custom-(\d+)-(\d+)(?:-ext)?$`)

// readSizes adds vCPUs and memory to the instances of the project. Only the sizes in use are asked for: there are tens of
// thousands of (zone, size).
func readSizes(ctx context.Context, c *Collector, project string, f *found) error {
	sizes, asked := map[string]size{}, []string{}
	for _, r := range f.resources {
		name := r.Attributes[resource.AttrSize]
		if r.Type != resource.Instance || r.Account != project || name == "" {
			continue
		}
		if custom, ok := ofCustom(name); ok {
			sizes[name] = custom
		} else if !slices.Contains(asked, name) {
			asked = append(asked, name)
		}
	}
	const namesPerFilter = 40 // keeps the address of the request short enough
	for names := range slices.Chunk(asked, namesPerFilter) {
		filter := "(name = " + strings.Join(names, ") OR (name = ") + ")"
		call := c.compute.MachineTypes.AggregatedList(project).Filter(filter).MaxResults(pageItems)
		err := call.Pages(ctx, func(p *compute.MachineTypeAggregatedList) error {
			for _, list := range p.Items {
				for _, m := range list.MachineTypes {
					sizes[m.Name] = size{m.GuestCpus, m.MemoryMb}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, r := range f.resources {
		if s, ok := sizes[r.Attributes[resource.AttrSize]]; ok && r.Type == resource.Instance && r.Account == project {
			s.describe(r.Attributes)
		}
	}
	return nil
}

// size is what a machine type gives.
type size struct{ vcpu, memoryMiB int64 }

func (s size) memoryGiB() decimal.Decimal {
	return decimal.NewFromInt(s.memoryMiB).Div(decimal.NewFromInt(1024))
}

func (s size) describe(attributes map[string]string) {
	attributes[resource.AttrVCPU] = strconv.FormatInt(s.vcpu, 10)
	attributes[resource.AttrMemoryGiB] = s.memoryGiB().String()
}

func ofCustom(name string) (size, bool) {
	m := customSize.FindStringSubmatch(name)
	if m == nil {
		return size{}, false
	}
	cpus, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return size{}, false
	}
	memory, err := strconv.ParseInt(m[2], 10, 64)
	return size{cpus, memory}, err == nil
}
