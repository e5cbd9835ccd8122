package vultr

import (
	"context"
	"net/netip"
	"strings"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// owners finds the resource of an item, of which a bill only says "203.0.113.7 (8192 MB) [web-1]": by its address, else by
// its label. What fits several resources, or none that existed then, stays without one.
type owners struct {
	byAddress, byLabel map[string][]resource.Resource
}

// owners reads the resources. What the key may not list has no owners, and its items stay unallocated.
func (c *Collector) owners(ctx context.Context) (owners, error) {
	o := owners{map[string][]resource.Resource{}, map[string][]resource.Resource{}}
	found, err := c.inventory(ctx, false)
	if err != nil {
		return o, err
	}
	for _, f := range found {
		if f.err != nil && fault.CodeOf(f.err) != fault.Forbidden && fault.CodeOf(f.err) != fault.NotFound {
			return o, f.err
		}
		for _, r := range f.found {
			if r.address != "" {
				o.byAddress[r.address] = append(o.byAddress[r.address], r.Resource)
			}
			if r.Name != "" {
				o.byLabel[r.Name] = append(o.byLabel[r.Name], r.Resource)
			}
		}
	}
	return o, nil
}

func (o owners) of(description string, typ resource.Type, used cost.Period) (resource.Resource, bool) {
	first, _, _ := strings.Cut(description, " ")
	if _, err := netip.ParseAddr(first); err == nil {
		if r, ok := only(o.byAddress[first], "", used); ok {
			return r, true
		}
	}
	for _, around := range []string{"[]", "()"} { // "8192 MB [web-1]", "Load Balancer (shop)"
		from, to := strings.LastIndexByte(description, around[0]), strings.LastIndexByte(description, around[1])
		if from >= 0 && to > from {
			return only(o.byLabel[description[from+1:to]], typ, used)
		}
	}
	return resource.Resource{}, false
}

// only is the single candidate of the type, if one is known, that existed when the item was used: an address is given on to the
// next who asks.
func only(candidates []resource.Resource, typ resource.Type, used cost.Period) (found resource.Resource, ok bool) {
	for _, r := range candidates {
		if !r.CreatedAt.Before(used.End) || typ != "" && r.Type != typ {
			continue
		}
		if ok {
			return resource.Resource{}, false
		}
		found, ok = r, true
	}
	return found, ok
}

// statusOf is what a part's failure means for it.
func statusOf(err error) (ingest.Status, string) {
	switch fault.CodeOf(err) {
	case fault.Forbidden:
		return ingest.Denied, fault.Public(err).Message
	case fault.NotFound:
		return ingest.Disabled, fault.Public(err).Message
	default:
		return ingest.Failed, fault.Public(err).Message
	}
}
