package azure

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"

	"github.com/cost-agent/cost-agent/shared/fault"
)

type subscription struct {
	id, name string
	state    armsubscriptions.SubscriptionState
	quota    string // Azure's id of the offer that it is under
}

// unlicensed reports whether Windows costs nothing there, as in subscriptions for development and test.
func (s subscription) unlicensed() bool { return strings.HasPrefix(s.quota, "MSDNDevTest") }

func (s subscription) scope() string { return "/subscriptions/" + s.id }

// usable reports whether the subscription can be read at all; a deleted one answers nothing.
func (s subscription) usable() bool { return s.state != armsubscriptions.SubscriptionStateDeleted }

// subscriptions lists those that the connection may see and the setting "subscriptions" names. Those that are named and
// cannot be seen come second.
func (c *Collector) subscriptions(ctx context.Context) (seen []subscription, hidden []string, err error) {
	client, err := armsubscriptions.NewClient(c.credential, c.client)
	if err != nil {
		return nil, nil, translate(err, "its subscriptions")
	}
	named := c.list("subscriptions")
	hiddenOnes := maps.Clone(named)
	for s, err := range items(ctx, client.NewListPager(nil), func(p armsubscriptions.ClientListResponse) ([]*armsubscriptions.Subscription, *string) {
		return p.Value, p.NextLink
	}) {
		if err != nil {
			return nil, nil, translate(err, "its subscriptions")
		}
		id := strings.ToLower(deref(s.SubscriptionID))
		if id == "" || !wanted(named, id) {
			continue
		}
		delete(hiddenOnes, id)
		found := subscription{id: id, name: deref(s.DisplayName), state: deref(s.State)}
		if s.SubscriptionPolicies != nil {
			found.quota = deref(s.SubscriptionPolicies.QuotaID)
		}
		if found.usable() {
			seen = append(seen, found)
		}
	}
	slices.SortFunc(seen, func(a, b subscription) int { return cmp.Compare(a.id, b.id) })
	return slices.CompactFunc(seen, func(a, b subscription) bool { return a.id == b.id }), slices.Sorted(maps.Keys(hiddenOnes)), nil
}

// readable lists the subscriptions to read. It fails with fault.Forbidden when there is none, or one that is named cannot be
// seen: its costs would be missing without anybody noticing.
func (c *Collector) readable(ctx context.Context) ([]subscription, error) {
	seen, hidden, err := c.subscriptions(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(hidden) > 0:
		return nil, fault.New(fault.Forbidden, "The connection cannot see the subscription %s. Give its application the role Reader there, or take it out of the connection's subscriptions.", hidden[0])
	case len(seen) == 0:
		return nil, fault.New(fault.Forbidden, "The connection sees no subscription. Give its application the roles Reader and Cost Management Reader on at least one.")
	}
	return seen, nil
}
