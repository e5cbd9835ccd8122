package gcp

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/api/sqladmin/v1"

	"github.com/cost-agent/cost-agent/shared/resource"
)

func readDatabases(ctx context.Context, c *Collector, project string, f *found) error {
	err := c.sql.Instances.List(project).MaxResults(pageItems).Pages(ctx, func(p *sqladmin.InstancesListResponse) error {
		for _, w := range p.Warnings {
			region := w.Region
			if region == "" {
				region = global
			}
			f.scope(region, "cloudsql.instances", w.Code, w.Message)
		}
		for _, i := range p.Items {
			f.scope(i.Region, "cloudsql.instances", "", "")
			f.database(project, i)
		}
		return nil
	})
	if err == nil {
		f.scope(global, "cloudsql.instances", "", "")
	}
	return err
}

// Tiers that say what they hold: "db-custom-4-15360" in MiB, "db-n1-standard-4".
var customTier = regexp.MustCompile(`^db-custom-(\d+)-(\d+)$`)

func (f *found) database(project string, i *sqladmin.DatabaseInstance) {
	attributes := map[string]string{resource.AttrState: databaseState(i)}
	var tags map[string]string
	if s := i.Settings; s != nil {
		tags = s.UserLabels
		attributes[resource.AttrSize] = s.Tier
		attributes[resource.AttrVolumeType] = strings.ToLower(s.DataDiskType)
		attributes[resource.AttrGiB] = strconv.FormatInt(s.DataDiskSizeGb, 10)
		if m := customTier.FindStringSubmatch(s.Tier); m != nil {
			if custom, ok := ofCustom("custom-" + m[1] + "-" + m[2]); ok {
				custom.describe(attributes)
			}
		}
	}
	f.resources = append(f.resources, resource.Resource{
		Ref: resource.Ref{
			Cloud: resource.GCP, Account: project, Region: i.Region, Type: resource.Database,
			ID: "//cloudsql.googleapis.com/projects/" + project + "/instances/" + i.Name,
		},
		Name: i.Name, Attributes: attributes, Tags: tags, CreatedAt: moment(i.CreateTime), SeenAt: f.seenAt,
	})
}

// databaseState is stopped when the instance's policy is never to run: its state stays RUNNABLE then.
func databaseState(i *sqladmin.DatabaseInstance) string {
	switch {
	case i.Settings != nil && i.Settings.ActivationPolicy == "NEVER", i.State == "STOPPED", i.State == "SUSPENDED":
		return "stopped"
	case i.State == "RUNNABLE":
		return "running"
	}
	return strings.ToLower(i.State)
}
