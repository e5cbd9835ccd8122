package azure

import (
	"context"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// scaleSets lists virtual machine scale sets. How far they may grow stands in settings of their own, so that is unknown here.
func (c *Collector) scaleSets(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		client, err := armcompute.NewVirtualMachineScaleSetsClient(s.id, c.credential, c.client)
		if err != nil {
			yield(resource.Resource{}, err)
			return
		}
		for v, err := range items(ctx, client.NewListAllPager(nil), func(p armcompute.VirtualMachineScaleSetsClientListAllResponse) ([]*armcompute.VirtualMachineScaleSet, *string) {
			return p.Value, p.NextLink
		}) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			r, err := c.scaleSet(ctx, s, v)
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (c *Collector) scaleSet(ctx context.Context, s subscription, v *armcompute.VirtualMachineScaleSet) (resource.Resource, error) {
	p, sku := deref(v.Properties), deref(v.SKU)
	r := found(s, resource.ScalingGroup, v.ID, v.Name, v.Location, v.Tags, p.TimeCreated)
	setCount(&r, resource.AttrDesiredSize, sku.Capacity)
	name := deref(sku.Name)
	if name == mixedSizes || p.PriorityMixPolicy != nil {
		r.Attributes[resource.AttrMixedInstances] = "true"
	}
	if name == "" || name == mixedSizes {
		return r, nil
	}
	return r, c.setSize(ctx, s, &r, name)
}

// mixedSizes is the size of a scale set that has several.
const mixedSizes = "Mix"
