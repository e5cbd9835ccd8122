package azure

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// states are what the power states of machines come to. A machine that was shut down from within keeps its place and is billed
// like a running one: only deallocating ends that.
var states = map[string]string{
	"running": "running", "starting": "running", "deallocated": "stopped", "deallocating": "stopped", "stopped": "stopped-allocated", "stopping": "stopped-allocated",
}

// machines lists virtual machines. Their power state is in a list of its own.
func (c *Collector) machines(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		client, err := armcompute.NewVirtualMachinesClient(s.id, c.credential, c.client)
		if err != nil {
			yield(resource.Resource{}, err)
			return
		}
		running := map[string]string{}
		for vm, err := range machinePages(ctx, client, &armcompute.VirtualMachinesClientListAllOptions{StatusOnly: pointer("true")}) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			running[strings.ToLower(deref(vm.ID))] = powerState(vm)
		}
		for vm, err := range machinePages(ctx, client, nil) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			r, err := c.machine(ctx, s, vm)
			set(&r, resource.AttrState, running[r.ID])
			if !yield(r, err) {
				return
			}
		}
	}
}

func machinePages(ctx context.Context, client *armcompute.VirtualMachinesClient, o *armcompute.VirtualMachinesClientListAllOptions) iter.Seq2[*armcompute.VirtualMachine, error] {
	return items(ctx, client.NewListAllPager(o), func(p armcompute.VirtualMachinesClientListAllResponse) ([]*armcompute.VirtualMachine, *string) {
		return p.Value, p.NextLink
	})
}

func powerState(vm *armcompute.VirtualMachine) string {
	if vm.Properties == nil || vm.Properties.InstanceView == nil {
		return ""
	}
	for _, status := range vm.Properties.InstanceView.Statuses {
		if status == nil {
			continue
		}
		if power, ok := strings.CutPrefix(deref(status.Code), "PowerState/"); ok {
			if state, known := states[power]; known {
				return state
			}
			return power
		}
	}
	return ""
}

func (c *Collector) machine(ctx context.Context, s subscription, vm *armcompute.VirtualMachine) (resource.Resource, error) {
	p := deref(vm.Properties)
	r := found(s, resource.Instance, vm.ID, vm.Name, vm.Location, vm.Tags, p.TimeCreated)
	if p.StorageProfile != nil && p.StorageProfile.OSDisk != nil {
		set(&r, resource.AttrOS, strings.ToLower(string(deref(p.StorageProfile.OSDisk.OSType))))
	}
	if s.unlicensed() || strings.HasPrefix(deref(p.LicenseType), "Windows_") { // Windows_Server, Windows_Client: Azure Hybrid Benefit
		r.Attributes[resource.AttrLicence] = resource.OwnLicence
	}
	if p.HardwareProfile == nil || p.HardwareProfile.VMSize == nil {
		return r, nil
	}
	name := string(*p.HardwareProfile.VMSize)
	return r, c.setSize(ctx, s, &r, name)
}

// setSize writes a size of machine and what it offers.
func (c *Collector) setSize(ctx context.Context, s subscription, r *resource.Resource, name string) error {
	set(r, resource.AttrSize, name)
	sizes, err := c.sizes.in(ctx, c, s, r.Region)
	err = translate(err, "the sizes of machines in "+r.Region)
	if size, ok := sizes[strings.ToLower(name)]; ok {
		set(r, resource.AttrVCPU, size.vcpu)
		set(r, resource.AttrMemoryGiB, size.memoryGiB)
	}
	return err
}

// disks lists managed disks.
func (c *Collector) disks(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		client, err := armcompute.NewDisksClient(s.id, c.credential, c.client)
		if err != nil {
			yield(resource.Resource{}, err)
			return
		}
		for d, err := range items(ctx, client.NewListPager(nil), func(p armcompute.DisksClientListResponse) ([]*armcompute.Disk, *string) {
			return p.Value, p.NextLink
		}) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			if !yield(diskOf(s, d), nil) {
				return
			}
		}
	}
}

func diskOf(s subscription, d *armcompute.Disk) resource.Resource {
	p := deref(d.Properties)
	r := found(s, resource.Volume, d.ID, d.Name, d.Location, d.Tags, p.TimeCreated)
	if d.SKU != nil {
		set(&r, resource.AttrVolumeType, string(deref(d.SKU.Name)))
	}
	setCount(&r, resource.AttrGiB, p.DiskSizeGB)
	setCount(&r, resource.AttrIOPS, p.DiskIOPSReadWrite)
	setCount(&r, resource.AttrThroughput, p.DiskMBpsReadWrite)
	r.Attributes[resource.AttrAttachedTo] = strings.ToLower(deref(d.ManagedBy))
	switch state := deref(p.DiskState); state {
	case armcompute.DiskStateUnattached:
		r.Attributes[resource.AttrState] = "available"
		if p.LastOwnershipUpdateTime != nil {
			r.Attributes[resource.AttrDetachedAt] = p.LastOwnershipUpdateTime.UTC().Format(time.RFC3339)
		}
	case armcompute.DiskStateAttached, armcompute.DiskStateReserved: // reserved: of a machine that is deallocated
		r.Attributes[resource.AttrState] = "in-use"
	default:
		set(&r, resource.AttrState, strings.ToLower(string(state)))
	}
	return r
}

// snapshots lists snapshots of managed disks. Full ones are billed for what is written in them, which Azure does not tell, so
// the size is the disk's.
func (c *Collector) snapshots(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		client, err := armcompute.NewSnapshotsClient(s.id, c.credential, c.client)
		if err != nil {
			yield(resource.Resource{}, err)
			return
		}
		for d, err := range items(ctx, client.NewListPager(nil), func(p armcompute.SnapshotsClientListResponse) ([]*armcompute.Snapshot, *string) {
			return p.Value, p.NextLink
		}) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			p := deref(d.Properties)
			r := found(s, resource.Snapshot, d.ID, d.Name, d.Location, d.Tags, p.TimeCreated)
			setCount(&r, resource.AttrGiB, p.DiskSizeGB)
			if d.SKU != nil {
				set(&r, resource.AttrVolumeType, string(deref(d.SKU.Name)))
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func setCount[N int32 | int64](r *resource.Resource, name string, n *N) {
	if n != nil {
		r.Attributes[name] = strconv.FormatInt(int64(*n), 10)
	}
}

func pointer[T any](v T) *T { return &v }
