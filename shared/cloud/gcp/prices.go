package gcp

import (
	"context"
	"maps"
	"slices"
	"strings"

	"google.golang.org/api/cloudbilling/v1"
	"google.golang.org/api/compute/v1"
	"google.golang.org/api/sqladmin/v1"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// The services whose catalogue has what is priced here.
const (
	engine      = "services/6F81-5844-456A"
	sqlInstance = "services/9662-B51E-5089"
)

// Prices lists the prices in USD of predefined machine types, on demand, as Spot and with Windows; of Cloud SQL's open engines,
// addresses, persistent disks and snapshots in the regions. A machine or database costs what its cores and its memory cost; where
// the catalogue has not both, or has two prices for one, there is no price. Reading the catalogue is free. Where it may not be
// read, that is fault.Forbidden: prices that were not read are not prices that do not exist.
func (c *Collector) Prices(ctx context.Context, regions []string) ([]resource.Price, error) {
	books := map[string]*book{}
	for _, r := range regions {
		books[r] = newBook()
	}
	if len(books) == 0 {
		return nil, nil
	}
	if err := c.catalogue(ctx, engine, func(s *cloudbilling.Sku) { enter(books, s) }); err != nil {
		return nil, err
	}
	projects, err := c.owned(ctx)
	if err != nil {
		return nil, err
	}
	var tiers []size
	if c.settings.only.lists("cloudsql") {
		if err := c.catalogue(ctx, sqlInstance, func(s *cloudbilling.Sku) { enterDatabase(books, s) }); err != nil {
			return nil, err
		}
		if tiers, err = c.tiers(ctx, projects); err != nil {
			return nil, err
		}
	}
	var out []resource.Price
	for _, region := range slices.Sorted(maps.Keys(books)) {
		sizes, err := c.sizes(ctx, projects, region)
		if err != nil {
			return nil, err
		}
		out = append(out, books[region].prices(region, sizes)...)
		out = append(out, books[region].databases(region, tiers)...)
	}
	return out, nil
}

// catalogue reads the catalogue of a service.
func (c *Collector) catalogue(ctx context.Context, service string, enter func(*cloudbilling.Sku)) error {
	err := c.catalog.Services.Skus.List(service).CurrencyCode("USD").PageSize(5000).Pages(ctx, func(p *cloudbilling.ListSkusResponse) error {
		for _, s := range p.Skus {
			enter(s)
		}
		return nil
	})
	return translate(err, "the price list")
}

// sizes lists the machine types that the zones of a region have, as the first project tells that may ask: in some the API is
// off. What is no region of machines, such as "us", has none.
func (c *Collector) sizes(ctx context.Context, projects []string, region string) (map[string]size, error) {
	out := map[string]size{}
	if !strings.Contains(region, "-") {
		return out, nil
	}
	for _, project := range projects {
		err := c.sizesOf(ctx, project, region, out)
		translated := translate(err, "the machine types of region "+region)
		if err == nil || !unasked(translated) {
			return out, translated
		}
		clear(out)
	}
	return out, nil
}

// unasked tells that a project cannot be asked, which others may be: it is gone, refuses, or has the API switched off.
func unasked(translated error) bool {
	code := fault.CodeOf(translated)
	return code == fault.Forbidden || code == fault.NotFound
}

func (c *Collector) sizesOf(ctx context.Context, project, region string, out map[string]size) error {
	r, err := c.compute.Regions.Get(project, region).Context(ctx).Do()
	if err != nil {
		return err
	}
	for _, zone := range r.Zones {
		err := c.compute.MachineTypes.List(project, last(zone)).MaxResults(pageItems).Pages(ctx, func(p *compute.MachineTypeList) error {
			for _, m := range p.Items {
				if m.Deprecated == nil && !m.IsSharedCpu && len(m.Accelerators) == 0 {
					out[m.Name] = size{m.GuestCpus, m.MemoryMb}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tiers are the sizes that databases of the projects have, and those that Google's console offers: 3.75 GiB for each core.
func (c *Collector) tiers(ctx context.Context, projects []string) ([]size, error) {
	const perCore = 3840
	all := map[size]bool{}
	for _, cores := range []int64{1, 2, 4, 8, 16, 32, 64, 96} {
		all[size{cores, cores * perCore}] = true
	}
	for _, project := range projects {
		err := c.sql.Instances.List(project).MaxResults(pageItems).Fields("items(settings(tier))", "nextPageToken").Pages(ctx, func(p *sqladmin.InstancesListResponse) error {
			for _, i := range p.Items {
				if i.Settings == nil {
					continue
				}
				if s, ok := ofTier(i.Settings.Tier); ok {
					all[s] = true
				}
			}
			return nil
		})
		translated := translate(err, "the databases of project "+project)
		if err != nil && !unasked(translated) {
			return nil, translated
		}
	}
	return slices.SortedFunc(maps.Keys(all), size.compare), nil
}
