package azure

import (
	"context"
	"iter"
	"net/url"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// armResource is what all resources have in lists that are read by hand.
type armResource struct {
	ID       string             `json:"id"`
	Name     string             `json:"name"`
	Location string             `json:"location"`
	Kind     string             `json:"kind"`
	Tags     map[string]*string `json:"tags"`
}

func (a armResource) found(s subscription, typ resource.Type) resource.Resource {
	return found(s, typ, &a.ID, &a.Name, &a.Location, a.Tags, nil)
}

// subscriptionListing is a list of a service in a subscription.
func subscriptionListing(s subscription, operation, path, version string) listing {
	return listing{operation, s.scope() + path, url.Values{"api-version": {version}}, path[len("/providers/"):] + " of subscription " + s.id}
}

// each lists what of makes resources of.
func each[T any](ctx context.Context, c *Collector, q listing, of func(T) (resource.Resource, bool)) iter.Seq2[resource.Resource, error] {
	return func(yield func(resource.Resource, error) bool) {
		for item, err := range answers[T](ctx, c, q) {
			if err != nil {
				yield(resource.Resource{}, err)
				return
			}
			if r, ok := of(item); ok && !yield(r, nil) {
				return
			}
		}
	}
}
