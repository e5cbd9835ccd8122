package azure

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v7"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/sql/armsql"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// addresses lists public addresses.
func (c *Collector) addresses(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		client, err := armnetwork.NewPublicIPAddressesClient(s.id, c.credential, c.client)
		if err != nil {
			yield(resource.Resource{}, err)
			return
		}
		for a, err := range items(ctx, client.NewListAllPager(nil), func(p armnetwork.PublicIPAddressesClientListAllResponse) ([]*armnetwork.PublicIPAddress, *string) {
			return p.Value, p.NextLink
		}) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			r := found(s, resource.Address, a.ID, a.Name, a.Location, a.Tags, nil)
			p := deref(a.Properties)
			attached := ""
			switch {
			case p.IPConfiguration != nil:
				attached = deref(p.IPConfiguration.ID)
			case p.NatGateway != nil:
				attached = deref(p.NatGateway.ID)
			}
			r.Attributes[resource.AttrAttachedTo] = strings.ToLower(attached)
			r.Attributes[resource.AttrState] = "available"
			if attached != "" {
				r.Attributes[resource.AttrState] = "in-use"
			}
			if a.SKU != nil {
				set(&r, resource.AttrSize, string(deref(a.SKU.Name)))
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// databases lists SQL databases, server by server. The system database of a server costs nothing and is left out.
func (c *Collector) databases(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		factory, err := armsql.NewClientFactory(s.id, c.credential, c.client)
		if err != nil {
			yield(resource.Resource{}, err)
			return
		}
		for server, err := range items(ctx, factory.NewServersClient().NewListPager(nil), func(p armsql.ServersClientListResponse) ([]*armsql.Server, *string) {
			return p.Value, p.NextLink
		}) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			pager := factory.NewDatabasesClient().NewListByServerPager(groupOf(strings.ToLower(deref(server.ID))), deref(server.Name), nil)
			for d, err := range items(ctx, pager, func(p armsql.DatabasesClientListByServerResponse) ([]*armsql.Database, *string) {
				return p.Value, p.NextLink
			}) {
				if err != nil {
					yield(resource.Resource{}, err)
					return
				}
				if deref(d.Name) != "master" && !yield(databaseOf(s, d), nil) {
					return
				}
			}
		}
	}
}

func databaseOf(s subscription, d *armsql.Database) resource.Resource {
	p, sku := deref(d.Properties), deref(d.SKU)
	r := found(s, resource.Database, d.ID, d.Name, d.Location, d.Tags, p.CreationDate)
	set(&r, resource.AttrSize, deref(p.CurrentServiceObjectiveName))
	if strings.Contains(deref(sku.Name), "_") { // sizes by processors, such as GP_Gen5; the others are sold in units of their own
		setCount(&r, resource.AttrVCPU, sku.Capacity)
	}
	if p.MaxSizeBytes != nil {
		r.Attributes[resource.AttrGiB] = strconv.FormatInt(*p.MaxSizeBytes>>30, 10)
	}
	switch status := deref(p.Status); status {
	case armsql.DatabaseStatusOnline:
		r.Attributes[resource.AttrState] = "running"
	case armsql.DatabaseStatusPaused, armsql.DatabaseStatusStopped:
		r.Attributes[resource.AttrState] = "stopped"
	default:
		set(&r, resource.AttrState, strings.ToLower(string(status)))
	}
	return r
}

// accounts lists storage accounts.
func (c *Collector) accounts(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		client, err := armstorage.NewAccountsClient(s.id, c.credential, c.client)
		if err != nil {
			yield(resource.Resource{}, err)
			return
		}
		for a, err := range items(ctx, client.NewListPager(nil), func(p armstorage.AccountsClientListResponse) ([]*armstorage.Account, *string) {
			return p.Value, p.NextLink
		}) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			r := found(s, resource.Bucket, a.ID, a.Name, a.Location, a.Tags, deref(a.Properties).CreationTime)
			if a.SKU != nil {
				set(&r, resource.AttrSize, string(deref(a.SKU.Name)))
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}
