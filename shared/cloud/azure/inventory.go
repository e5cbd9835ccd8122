package azure

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// lister lists what one service has in a subscription, in all its regions.
type lister struct {
	service string // Azure's name of it, which permissions begin with
	list    func(c *Collector, ctx context.Context, s subscription) iter.Seq2[resource.Resource, error]
}

// listers are the services that inventories are read from.
var listers = []lister{
	{"Microsoft.Compute/virtualMachines", (*Collector).machines},
	{"Microsoft.Compute/disks", (*Collector).disks},
	{"Microsoft.Compute/snapshots", (*Collector).snapshots},
	{"Microsoft.Compute/virtualMachineScaleSets", (*Collector).scaleSets},
	{"Microsoft.Network/publicIPAddresses", (*Collector).addresses},
	{"Microsoft.Network/loadBalancers", (*Collector).balancers},
	{"Microsoft.Network/applicationGateways", (*Collector).gateways},
	{"Microsoft.Web/sites", (*Collector).functionApps},
	{"Microsoft.Sql/servers/databases", (*Collector).databases},
	{"Microsoft.Storage/storageAccounts", (*Collector).accounts},
}

// Resources implements ingest.Collector. Azure lists a service for all regions of a subscription at once, so a list that
// cannot be read leaves all regions unread for its service.
func (c *Collector) Resources(ctx context.Context) (ingest.Inventory, error) {
	out := ingest.Inventory{Resources: []resource.Resource{}, Parts: []ingest.Part{}}
	all, err := c.readable(ctx)
	if err != nil {
		return out, err
	}
	seenAt := c.options.Now().UTC()
	for _, s := range all {
		regions, err := c.regions(ctx, s)
		if err != nil {
			return out, err
		}
		for _, l := range listers {
			found, failure := c.listed(ctx, s, l)
			if failure != nil && ctx.Err() != nil {
				return out, failure
			}
			status, reason := outcome(failure)
			for _, r := range found {
				r.SeenAt = seenAt
				out.Resources = append(out.Resources, r)
				regions[r.Region] = true
			}
			for region := range regions {
				out.Parts = append(out.Parts, ingest.Part{Account: s.id, Region: region, Service: l.service, Status: status, Reason: reason})
			}
		}
	}
	slices.SortFunc(out.Parts, func(a, b ingest.Part) int {
		return cmp.Or(cmp.Compare(severity[b.Status], severity[a.Status]), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Service, b.Service))
	})
	slices.SortFunc(out.Resources, func(a, b resource.Resource) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// severity orders parts, so that what is wrong comes first.
var severity = map[ingest.Status]int{ingest.OK: 0, ingest.Disabled: 1, ingest.Denied: 2, ingest.Failed: 3}

// listed reads a list to its end. Of one that breaks off nothing is kept: it would look like the whole.
func (c *Collector) listed(ctx context.Context, s subscription, l lister) ([]resource.Resource, error) {
	var out []resource.Resource
	regions, groups, tags := c.list("regions"), c.list("resource_groups"), c.list("tags")
	for r, err := range l.list(c, ctx, s) {
		if err != nil {
			return nil, translate(err, l.service+" of subscription "+s.id)
		}
		if wanted(regions, r.Region) && wanted(groups, groupOf(r.ID)) && tagged(tags, r.Tags) {
			out = append(out, r)
		}
	}
	return out, nil
}

// tagged reports whether one of the wanted tags, written key or key=value, is there.
func tagged(wantedTags map[string]bool, tags map[string]string) bool {
	for key, value := range tags {
		if wantedTags[strings.ToLower(key)] || wantedTags[strings.ToLower(key+"="+value)] {
			return true
		}
	}
	return len(wantedTags) == 0
}

// regions lists those that the subscription may use. All of them are read, whether or not there is anything in them.
func (c *Collector) regions(ctx context.Context, s subscription) (map[string]bool, error) {
	what := "the regions of subscription " + s.id
	client, err := armsubscriptions.NewClient(c.credential, c.client)
	if err != nil {
		return nil, translate(err, what)
	}
	named, out := c.list("regions"), map[string]bool{}
	for l, err := range items(ctx, client.NewListLocationsPager(s.id, nil), func(p armsubscriptions.ClientListLocationsResponse) ([]*armsubscriptions.Location, *string) {
		return p.Value, nil
	}) {
		if err != nil {
			return nil, translate(err, what)
		}
		if name := strings.ToLower(deref(l.Name)); name != "" && wanted(named, name) {
			out[name] = true
		}
	}
	return out, nil
}

// outcome is how reading a list went.
func outcome(failure error) (ingest.Status, string) {
	if failure == nil {
		return ingest.OK, ""
	}
	reason := fault.Public(failure).Message
	if answer, ok := errors.AsType[*azcore.ResponseError](failure); ok && slices.Contains(switchedOff, answer.ErrorCode) {
		return ingest.Disabled, reason
	}
	if code := fault.CodeOf(failure); code == fault.Forbidden || code == fault.Unauthenticated {
		return ingest.Denied, reason
	}
	return ingest.Failed, reason
}

// switchedOff are Azure's words for a service that a subscription does not use, or a subscription that is closed.
var switchedOff = []string{"MissingSubscriptionRegistration", "SubscriptionNotRegistered", "SubscriptionNotFound", "ReadOnlyDisabledSubscription", "DisallowedProvider"}

// found is a resource with what all resources of Azure have. Its id is in lower case, as it is in bills.
func found(s subscription, typ resource.Type, id, name, region *string, tags map[string]*string, created *time.Time) resource.Resource {
	r := resource.Resource{
		Ref:  resource.Ref{Cloud: resource.Azure, Account: s.id, Region: strings.ToLower(deref(region)), Type: typ, ID: strings.ToLower(deref(id))},
		Name: deref(name), Attributes: map[string]string{}, Tags: make(map[string]string, len(tags)), CreatedAt: deref(created).UTC(),
	}
	for key, value := range tags {
		r.Tags[key] = deref(value)
	}
	return r
}

// set writes an attribute that has a value.
func set(r *resource.Resource, name, value string) {
	if value != "" {
		r.Attributes[name] = value
	}
}
