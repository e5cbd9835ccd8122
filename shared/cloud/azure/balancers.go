package azure

import (
	"context"
	"iter"
	"strconv"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v7"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// What AttrScheme says.
const (
	internetFacing = "internet-facing"
	internal       = "internal"
)

// balancers lists load balancers of the transport layer.
func (c *Collector) balancers(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		client, err := armnetwork.NewLoadBalancersClient(s.id, c.credential, c.client)
		if err != nil {
			yield(resource.Resource{}, err)
			return
		}
		for b, err := range items(ctx, client.NewListAllPager(nil), func(p armnetwork.LoadBalancersClientListAllResponse) ([]*armnetwork.LoadBalancer, *string) {
			return p.Value, p.NextLink
		}) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			if !yield(balancerOf(s, b), nil) {
				return
			}
		}
	}
}

func balancerOf(s subscription, b *armnetwork.LoadBalancer) resource.Resource {
	r := found(s, resource.LoadBalancer, b.ID, b.Name, b.Location, b.Tags, nil)
	p := deref(b.Properties)
	if b.SKU != nil {
		set(&r, resource.AttrSize, string(deref(b.SKU.Name)))
	}
	r.Attributes[resource.AttrScheme] = internal
	for _, front := range p.FrontendIPConfigurations {
		if at := deref(deref(front).Properties); at.PublicIPAddress != nil || at.PublicIPPrefix != nil {
			r.Attributes[resource.AttrScheme] = internetFacing
		}
	}
	targets := 0
	for _, pool := range p.BackendAddressPools {
		// Machines stand in the first list, in the second all that has an address: the same ones again, or addresses alone.
		at := deref(deref(pool).Properties)
		targets += max(len(at.BackendIPConfigurations), len(at.LoadBalancerBackendAddresses))
	}
	r.Attributes[resource.AttrTargets] = strconv.Itoa(targets)
	return r
}

// gateway is an application gateway, a load balancer of the application layer, as far as it matters here: the SDK's own type is
// long.
type gateway struct {
	armResource

	Properties struct {
		SKU struct {
			Name     string `json:"name"`
			Tier     string `json:"tier"`
			Capacity *int64 `json:"capacity"`
		} `json:"sku"`
		OperationalState string `json:"operationalState"`
		Frontends        []struct {
			Properties struct {
				PublicIPAddress *struct{} `json:"publicIPAddress"`
			} `json:"properties"`
		} `json:"frontendIPConfigurations"`
		Pools []struct {
			Properties struct {
				Addresses []struct{} `json:"backendAddresses"`
				Machines  []struct{} `json:"backendIPConfigurations"`
			} `json:"properties"`
		} `json:"backendAddressPools"`
	} `json:"properties"`
}

// gateways lists application gateways.
func (c *Collector) gateways(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	q := subscriptionListing(s, "ApplicationGatewaysClient.NewListAllPager", "/providers/Microsoft.Network/applicationGateways", "2024-05-01")
	return each(ctx, c, q, func(g gateway) (resource.Resource, bool) {
		r := g.found(s, resource.LoadBalancer)
		p := g.Properties
		set(&r, resource.AttrSize, p.SKU.Name)
		r.Attributes[resource.AttrState] = map[string]string{"Running": "running", "Starting": "running", "Stopped": "stopped", "Stopping": "stopped"}[p.OperationalState]
		r.Attributes[resource.AttrScheme] = internal
		for _, front := range p.Frontends {
			if front.Properties.PublicIPAddress != nil {
				r.Attributes[resource.AttrScheme] = internetFacing
			}
		}
		targets := 0
		for _, pool := range p.Pools {
			targets += max(len(pool.Properties.Addresses), len(pool.Properties.Machines))
		}
		r.Attributes[resource.AttrTargets] = strconv.Itoa(targets)
		return r, true
	})
}
