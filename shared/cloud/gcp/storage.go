package gcp

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"google.golang.org/api/compute/v1"

	"github.com/cost-agent/cost-agent/shared/resource"
)

func readDisks(ctx context.Context, c *Collector, project string, f *found) error {
	return c.compute.Disks.AggregatedList(project).MaxResults(pageItems).Pages(ctx, func(p *compute.DiskAggregatedList) error {
		for scope, list := range p.Items {
			warning := list.Warning
			if warning == nil {
				warning = &compute.DisksScopedListWarning{}
			}
			f.scope(scope, "compute.disks", warning.Code, warning.Message)
			for _, d := range list.Disks {
				f.disk(project, scope, d)
			}
		}
		f.unreachable(p.Unreachables, "compute.disks")
		return nil
	})
}

func (f *found) disk(project, scope string, d *compute.Disk) {
	attributes := map[string]string{
		resource.AttrState: "available", resource.AttrVolumeType: diskType(scope, d), resource.AttrGiB: strconv.FormatInt(d.SizeGb, 10),
		resource.AttrAttachedTo: "",
	}
	if len(d.Users) > 0 {
		user := path(d.Users[0])
		attributes[resource.AttrState], attributes[resource.AttrAttachedTo] = "in-use", cmp.Or(f.instances[user], "//compute.googleapis.com/"+user)
	}
	if d.ProvisionedIops > 0 {
		attributes[resource.AttrIOPS] = strconv.FormatInt(d.ProvisionedIops, 10)
	}
	if d.ProvisionedThroughput > 0 {
		attributes[resource.AttrThroughput] = strconv.FormatInt(d.ProvisionedThroughput, 10)
	}
	if at := moment(d.LastDetachTimestamp); !at.IsZero() && len(d.Users) == 0 {
		attributes[resource.AttrDetachedAt] = at.Format("2006-01-02T15:04:05Z07:00")
	}
	f.resources = append(f.resources, resource.Resource{
		Ref: resource.Ref{
			Cloud: resource.GCP, Account: project, Region: regionOf(scope), Type: resource.Volume,
			ID: computeNames + project + "/" + scope + "/disks/" + strconv.FormatUint(d.Id, 10),
		},
		Name: d.Name, Attributes: attributes, Tags: d.Labels, CreatedAt: moment(d.CreationTimestamp), SeenAt: f.seenAt,
	})
}

// diskType is the type of a disk. Persistent disks that a region keeps in two of its zones bear the same name as those of one, and
// cost twice as much.
func diskType(scope string, d *compute.Disk) string {
	typ := last(d.Type)
	if strings.HasPrefix(scope, "regions/") && strings.HasPrefix(typ, "pd-") {
		return "regional-" + typ
	}
	return typ
}

func readAddresses(ctx context.Context, c *Collector, project string, f *found) error {
	return c.compute.Addresses.AggregatedList(project).MaxResults(pageItems).Pages(ctx, func(p *compute.AddressAggregatedList) error {
		for scope, list := range p.Items {
			warning := list.Warning
			if warning == nil {
				warning = &compute.AddressesScopedListWarning{}
			}
			f.scope(scope, "compute.addresses", warning.Code, warning.Message)
			for _, a := range list.Addresses {
				f.address(project, scope, a)
			}
		}
		f.unreachable(p.Unreachables, "compute.addresses")
		return nil
	})
}

// address adds an external address; internal ones cost nothing.
func (f *found) address(project, scope string, a *compute.Address) {
	if a.AddressType == "INTERNAL" {
		return
	}
	attributes := map[string]string{resource.AttrState: "available", resource.AttrAttachedTo: ""}
	if a.Status == "IN_USE" || len(a.Users) > 0 {
		attributes[resource.AttrState] = "in-use"
	}
	if len(a.Users) > 0 {
		user := path(a.Users[0])
		attributes[resource.AttrAttachedTo] = cmp.Or(f.instances[user], "//compute.googleapis.com/"+user)
	}
	f.resources = append(f.resources, resource.Resource{
		Ref: resource.Ref{
			Cloud: resource.GCP, Account: project, Region: regionOf(scope), Type: resource.Address,
			ID: computeNames + project + "/" + scope + "/addresses/" + strconv.FormatUint(a.Id, 10),
		},
		Name: a.Name, Attributes: attributes, Tags: a.Labels, CreatedAt: moment(a.CreationTimestamp), SeenAt: f.seenAt,
	})
}

func readSnapshots(ctx context.Context, c *Collector, project string, f *found) error {
	err := c.compute.Snapshots.List(project).MaxResults(pageItems).Pages(ctx, func(p *compute.SnapshotList) error {
		for _, s := range p.Items {
			f.snapshot(project, s)
		}
		if p.Warning != nil {
			f.scope(global, "compute.snapshots", p.Warning.Code, p.Warning.Message)
		}
		return nil
	})
	if err == nil {
		for _, place := range wide {
			f.scope(place, "compute.snapshots", "", "")
		}
	}
	return err
}

// wide are the places without zones that snapshots and buckets are kept in, pairs of regions included. The one list covers them
// all, and a place of which nothing is said would keep what it held forever.
var wide = []string{global, "asia", "eu", "us", "asia1", "eur4", "eur5", "eur7", "eur8", "nam4"}

// snapshot adds a snapshot where it is kept: a region, or the wider place that bills name, such as "us".
func (f *found) snapshot(project string, s *compute.Snapshot) {
	place := global
	if len(s.StorageLocations) > 0 {
		place = s.StorageLocations[0]
	}
	f.scope(place, "compute.snapshots", "", "")
	attributes := map[string]string{
		resource.AttrState: strings.ToLower(s.Status), resource.AttrGiB: strconv.FormatInt(s.DiskSizeGb, 10),
	}
	f.resources = append(f.resources, resource.Resource{
		Ref: resource.Ref{
			Cloud: resource.GCP, Account: project, Region: place, Type: resource.Snapshot,
			ID: computeNames + project + "/global/snapshots/" + strconv.FormatUint(s.Id, 10),
		},
		Name: s.Name, Attributes: attributes, Tags: s.Labels, CreatedAt: moment(s.CreationTimestamp), SeenAt: f.seenAt,
	})
}
