package gcp

import (
	"slices"
	"strings"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// filter is what of the inventory a connection wants to read. An empty list takes everything.
type filter struct {
	regions  []string // and wider places: "eu", "global"
	services []string // as the bill names them: "Compute Engine"
	labels   []wanted
}

// wanted is a label that a resource may have to be taken, with any value when anyValue is true.
type wanted struct {
	key, value string
	anyValue   bool
}

func readFilter(s map[string]string) filter {
	f := filter{regions: commas(s["regions"]), services: commas(s["services"])}
	for _, text := range commas(s["labels"]) {
		key, value, has := strings.Cut(text, "=")
		f.labels = append(f.labels, wanted{strings.TrimSpace(key), strings.TrimSpace(value), !has})
	}
	return f
}

// commas reads a list with commas between its members, sorted, each of them once.
func commas(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// takes tells whether a resource is wanted.
func (f filter) takes(r resource.Resource) bool { return f.region(r.Region) && f.labelled(r.Tags) }

func (f filter) region(name string) bool {
	return len(f.regions) == 0 || slices.Contains(f.regions, name)
}

func (f filter) labelled(tags map[string]string) bool {
	return len(f.labels) == 0 || slices.ContainsFunc(f.labels, func(w wanted) bool {
		value, has := tags[w.key]
		return has && (w.anyValue || value == w.value)
	})
}

// parts keeps those of the regions that are wanted: nothing is said about the others.
func (f filter) parts(all []ingest.Part) []ingest.Part {
	return slices.DeleteFunc(all, func(p ingest.Part) bool { return !f.region(p.Region) })
}

// serviceNames are what the bill calls the services of the listings.
var serviceNames = map[string]string{"compute": "Compute Engine", "cloudsql": "Cloud SQL", "storage": "Cloud Storage"}

// lists tells whether a listing is of a service that is wanted.
func (f filter) lists(service string) bool {
	prefix, _, _ := strings.Cut(service, ".")
	return len(f.services) == 0 || slices.Contains(f.services, serviceNames[prefix])
}
