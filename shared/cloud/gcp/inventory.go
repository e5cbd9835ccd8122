package gcp

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// listing reads one kind of resource of one project into f.
type listing struct {
	service string
	read    func(ctx context.Context, c *Collector, project string, f *found) error
}

// listings are in this order because volumes name the instances they are attached to, and sizes are asked for instances.
var listings = append(advised[:len(advised):len(advised)],
	listing{"compute.machineTypes", readSizes}, listing{"compute.snapshots", readSnapshots}, listing{buckets, readBuckets})

// advised are the listings of what Google has advice about.
var advised = []listing{{"compute.instances", readInstances}, {"compute.disks", readDisks}, {"compute.addresses", readAddresses}, {"cloudsql.instances", readDatabases}}

// found collects what was read.
type found struct {
	seenAt    time.Time
	projects  []string // that are read
	project   string   // that is being read
	resources []resource.Resource
	instances map[string]string // path of an instance -> its id in bills
	parts     map[partKey]ingest.Part
	failed    []failure
}

type partKey struct{ account, region, service string }

// failure is a listing of a project that did not come to its end.
type failure struct {
	project, service string
	err              error
	what             string
}

// Resources lists what exists in the projects of the connection. Of a listing that failed the regions are not known, so it
// counts as unread in every region that anything else was read in.
func (c *Collector) Resources(ctx context.Context) (ingest.Inventory, error) {
	f := c.found()
	if err := c.walk(ctx, f, listings); err != nil {
		return ingest.Inventory{}, err
	}
	kept := slices.DeleteFunc(f.resources, func(r resource.Resource) bool { return !c.settings.only.takes(r) })
	slices.SortFunc(kept, func(a, b resource.Resource) int { return cmp.Compare(a.ID, b.ID) })
	return ingest.Inventory{Resources: kept, Parts: c.settings.only.parts(f.finish())}, nil
}

func (c *Collector) found() *found {
	return &found{seenAt: c.now().UTC(), instances: map[string]string{}, parts: map[partKey]ingest.Part{}}
}

// walk reads the listings of every project. One that fails is noted; only a sign-in that is refused, or ctx, ends it.
func (c *Collector) walk(ctx context.Context, f *found, all []listing) error {
	projects, err := c.owned(ctx)
	if err != nil {
		return err
	}
	f.projects = projects
	for _, project := range projects {
		f.project = project
		for _, l := range all {
			if !c.settings.only.lists(l.service) {
				continue
			}
			what := fmt.Sprintf("the %s of project %s", l.service, project)
			err := l.read(ctx, c, project, f)
			if err == nil {
				continue
			}
			translated := translate(err, what)
			if ctx.Err() != nil || fault.CodeOf(translated) == fault.Unauthenticated {
				return translated
			}
			f.failed = append(f.failed, failure{project, l.service, err, what})
		}
	}
	return nil
}

func (f *found) finish() []ingest.Part {
	regions := map[string]bool{global: true}
	for k := range f.parts {
		regions[k.region] = true
	}
	for _, broken := range f.failed {
		status, reason := unreadAs(broken.err, broken.what)
		for region := range regions {
			f.part(ingest.Part{Account: broken.project, Region: region, Service: broken.service, Status: status, Reason: reason})
		}
	}
	return slices.SortedFunc(maps.Values(f.parts), func(a, b ingest.Part) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Service, b.Service))
	})
}

// unreadAs is the status of what could not be read, and why, for people.
func unreadAs(err error, what string) (ingest.Status, string) {
	public := fault.Public(translate(err, what))
	switch {
	case isDisabled(err):
		return ingest.Disabled, public.Message
	case public.Code == fault.Forbidden:
		return ingest.Denied, public.Message
	}
	return ingest.Failed, public.Message
}

// part notes how reading a part of a region went. A region is only as well read as its worst zone.
func (f *found) part(p ingest.Part) {
	k := partKey{p.Account, p.Region, p.Service}
	if old, ok := f.parts[k]; !ok || old.Status == ingest.OK {
		f.parts[k] = p
	}
}

// scope notes how reading one scope of an aggregated list went, by its warning. Without this, a zone that did not answer would
// look like one that is empty.
func (f *found) scope(name, service, warning, message string) {
	p := ingest.Part{Account: f.project, Region: regionOf(name), Service: service, Status: ingest.OK}
	switch warning {
	case "", "NO_RESULTS_ON_PAGE":
	default:
		p.Status, p.Reason = ingest.Failed, cmp.Or(message, name+" could not be read ("+warning+").")
	}
	f.part(p)
}

// global is the region of what has none.
const global = "global"

// regionOf is the region of a scope or zone, written as a name, a path or an address: "zones/us-central1-a" lies in us-central1.
func regionOf(scope string) string {
	name := scope[strings.LastIndexByte(scope, '/')+1:]
	if name == "" || name == global {
		return global
	}
	if dash := strings.LastIndexByte(name, '-'); dash == len(name)-2 && strings.Count(name, "-") > 1 {
		return name[:dash]
	}
	return name
}

// last is the name at the end of a link.
func last(link string) string { return link[strings.LastIndexByte(link, '/')+1:] }

// path is a link without its host and version: "projects/p/zones/z/instances/i".
func path(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	if at := strings.Index(u.Path, "projects/"); at >= 0 {
		return u.Path[at:]
	}
	return u.Path
}

// moment reads a time of RFC 3339 in UTC; zero when there is none.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
