package vultr

import (
	"strings"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// filter is what of the inventory a connection wants to read. An empty set takes everything.
type filter struct {
	regions, services map[string]bool
	tags              []tag
}

// tag is one that a resource may have to be taken, with any value when anyValue is true.
type tag struct {
	key, value string
	anyValue   bool
}

func readFilter(s map[string]string) filter {
	f := filter{regions: set(s["regions"]), services: set(s["services"])}
	for text := range set(s["tags"]) {
		key, value, has := strings.Cut(text, "=")
		f.tags = append(f.tags, tag{strings.TrimSpace(key), strings.TrimSpace(value), !has})
	}
	return f
}

// takes tells whether a resource is wanted. What lies in no region is wanted in all.
func (f filter) takes(r resource.Resource) bool {
	if len(f.regions) > 0 && !f.regions[r.Region] && r.Region != everywhere {
		return false
	}
	for _, t := range f.tags {
		if value, has := r.Tags[t.key]; has && (t.anyValue || value == t.value) {
			return true
		}
	}
	return len(f.tags) == 0
}

// set reads a list with commas between its members.
func set(text string) map[string]bool {
	out := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out[part] = true
		}
	}
	return out
}
