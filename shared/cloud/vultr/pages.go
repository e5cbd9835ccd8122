package vultr

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/vultr/govultr/v3"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// perPage is the most that Vultr gives at once.
const perPage = 500

// list reads a whole list: every page, until there is no cursor to a next one. It fails rather than giving a part of it: an
// answer without the list, a cursor that came before, or another number of elements than Vultr counts.
func list[T any](ctx context.Context, c *Collector, path, member string) ([]T, error) {
	query := map[string]string{"per_page": strconv.Itoa(perPage)}
	cursors := map[string]bool{}
	var all []T
	for {
		body, err := c.get(ctx, path, query)
		if err != nil {
			return nil, err
		}
		var page []T
		meta, err := open(body, member, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if meta == nil || meta.Links == nil || meta.Links.Next == "" {
			if meta != nil && meta.Total != len(all) {
				return nil, fault.New(fault.Unavailable, "Vultr counts %d elements of %s and gave %d, so the list changed while it was read; try again in a moment.", meta.Total, path, len(all))
			}
			return all, nil
		}
		if cursors[meta.Links.Next] {
			return nil, fault.New(fault.Unavailable, "The pages of Vultr's %s go round in circles; try again in a moment.", path)
		}
		cursors[meta.Links.Next] = true
		query["cursor"] = meta.Links.Next
	}
}

// open takes one member out of an answer.
func open(body []byte, member string, into any) (*govultr.Meta, error) {
	var members map[string]json.RawMessage
	err := json.Unmarshal(body, &members)
	if err == nil && members[member] == nil {
		return nil, fault.New(fault.Unavailable, "Vultr's answer has no %s; try again in a moment.", member)
	}
	if err == nil {
		err = json.Unmarshal(members[member], into)
	}
	var meta *govultr.Meta
	if err == nil && members["meta"] != nil {
		err = json.Unmarshal(members["meta"], &meta)
	}
	return meta, fault.Wrap(err, fault.Unavailable, "Vultr's answer cannot be read: its %s are not what is documented. Try again in a moment.", member)
}
