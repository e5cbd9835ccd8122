package gcp

import (
	"context"
	"slices"

	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/cloudresourcemanager/v1"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// What reading needs, by what Google calls it.
var (
	tableRights     = []string{"bigquery.tables.get", "bigquery.tables.getData"}
	jobRights       = []string{"bigquery.jobs.create"}
	inventoryRights = []string{
		"cloudsql.instances.list", "compute.addresses.list", "compute.commitments.list", "compute.disks.list", "compute.instances.list",
		"compute.machineTypes.list", "compute.regions.get", "compute.snapshots.list", "monitoring.timeSeries.list",
		"recommender.cloudsqlIdleInstanceRecommendations.list", "recommender.cloudsqlOverprovisionedInstanceRecommendations.list",
		"recommender.computeAddressIdleResourceRecommendations.list", "recommender.computeDiskIdleResourceRecommendations.list",
		"recommender.computeImageIdleResourceRecommendations.list", "recommender.computeInstanceIdleResourceRecommendations.list",
		"recommender.computeInstanceMachineTypeRecommendations.list", "recommender.usageCommitmentRecommendations.list",
		"storage.buckets.list",
	}
)

// Check signs in, asks Google which of the rights needed the connection has, and, when it has those to the bill, whether the
// query for it would run. None of that costs anything.
func (c *Collector) Check(ctx context.Context) (missing []string, err error) {
	if _, err := c.sign.get(ctx); err != nil {
		return nil, translate(err, "the sign-in")
	}
	t := c.settings.table
	held, err := c.bigquery.Tables.TestIamPermissions(
		"projects/"+t.project+"/datasets/"+t.dataset+"/tables/"+t.name, &bigquery.TestIamPermissionsRequest{Permissions: tableRights},
	).Context(ctx).Do()
	switch code := fault.CodeOf(translate(err, "the table")); {
	case err == nil:
		missing = without(tableRights, held.Permissions, "on table "+t.String())
	case code == fault.Forbidden && !isDisabled(err): // the table may not even be asked about
		missing = without(tableRights, nil, "on table "+t.String())
	default:
		return nil, translate(err, "the billing export "+t.String())
	}
	lacking, err := c.lacking(ctx, c.settings.jobs, jobRights)
	if err != nil {
		return nil, err
	}
	missing = append(missing, lacking...)
	if len(missing) == 0 {
		k, _ := t.kind()
		if _, err := c.scanned(ctx, c.settings.bill(k, cost.MonthStart(c.now()))); err != nil {
			return nil, err
		}
	}
	if lacking, err = c.inventoryRights(ctx); err != nil {
		return nil, err
	}
	return append(missing, lacking...), nil
}

// inventoryRights lists what lacks for the projects whose resources are read.
func (c *Collector) inventoryRights(ctx context.Context) (missing []string, err error) {
	projects, err := c.owned(ctx)
	if err != nil {
		return nil, err
	}
	for _, project := range projects {
		lacking, err := c.lacking(ctx, project, inventoryRights)
		if err != nil {
			return nil, err
		}
		missing = append(missing, lacking...)
	}
	if len(projects) > 0 { // prices need no right, but the API
		_, err := c.catalog.Services.Skus.List(engine).PageSize(1).Fields("skus/skuId").Context(ctx).Do()
		switch translated := translate(err, "the price list"); {
		case err == nil:
		case fault.CodeOf(translated) == fault.Forbidden:
			missing = append(missing, "cloudbilling.googleapis.com switched on for the service account's project")
		default:
			return nil, translated
		}
	}
	return missing, nil
}

// lacking lists those of the rights that the connection does not have on a project. A project that it may not even see is one
// on which it lacks all.
func (c *Collector) lacking(ctx context.Context, project string, rights []string) ([]string, error) {
	held, err := c.projects.Projects.TestIamPermissions(project, &cloudresourcemanager.TestIamPermissionsRequest{Permissions: rights}).Context(ctx).Do()
	if err != nil {
		if translated := translate(err, "the rights on project "+project); fault.CodeOf(translated) != fault.Forbidden || isDisabled(err) {
			return nil, translated
		}
		return without(rights, nil, "on project "+project), nil
	}
	return without(rights, held.Permissions, "on project "+project), nil
}

func without(rights, held []string, where string) (missing []string) {
	for _, r := range rights {
		if !slices.Contains(held, r) {
			missing = append(missing, r+" "+where)
		}
	}
	return missing
}
