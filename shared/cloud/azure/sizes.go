package azure

import (
	"context"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// machineSize is what a size of machine offers.
type machineSize struct{ name, vcpu, memoryGiB string }

// sizeBook remembers the sizes of regions, whose list is long.
type sizeBook struct {
	mu    sync.Mutex
	known map[string]map[string]machineSize
}

// in lists the sizes of a region by their names in lower case.
func (b *sizeBook) in(ctx context.Context, c *Collector, s subscription, region string) (map[string]machineSize, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if sizes, ok := b.known[region]; ok {
		return sizes, nil
	}
	client, err := armcompute.NewResourceSKUsClient(s.id, c.credential, c.client)
	if err != nil {
		return nil, err
	}
	sizes := map[string]machineSize{}
	for sku, err := range items(ctx, client.NewListPager(&armcompute.ResourceSKUsClientListOptions{Filter: pointer("location eq '" + region + "'")}),
		func(p armcompute.ResourceSKUsClientListResponse) ([]*armcompute.ResourceSKU, *string) {
			return p.Value, p.NextLink
		}) {
		if err != nil {
			return nil, err
		}
		if deref(sku.ResourceType) == "virtualMachines" {
			sizes[strings.ToLower(deref(sku.Name))] = sizeOf(sku)
		}
	}
	if b.known == nil {
		b.known = map[string]map[string]machineSize{}
	}
	b.known[region] = sizes
	return sizes, nil
}

// sizeOf reads the capabilities. Sizes with fewer processors than their hardware name those in vCPUsAvailable.
func sizeOf(sku *armcompute.ResourceSKU) machineSize {
	size := machineSize{name: deref(sku.Name)}
	available := ""
	for _, capability := range sku.Capabilities {
		if capability == nil {
			continue
		}
		switch deref(capability.Name) {
		case "vCPUs":
			size.vcpu = deref(capability.Value)
		case "vCPUsAvailable":
			available = deref(capability.Value)
		case "MemoryGB": // in units of 1024 MiB, whatever its name says
			size.memoryGiB = deref(capability.Value)
		}
	}
	if available != "" {
		size.vcpu = available
	}
	return size
}
