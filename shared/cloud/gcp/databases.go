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

// customTier says what it holds: "db-custom-4-15360", in MiB.
var customTier = regexp.MustCompile(`^db-custom-(\d+)-(\d+)$`)

func ofTier(tier string) (size, bool) {
	m := customTier.FindStringSubmatch(tier)
	if m == nil {
		return size{}, false
	}
	return ofCustom("custom-" + m[1] + "-" + m[2])
}

func (f *found) database(project string, i *sqladmin.DatabaseInstance) {
	attributes := map[string]string{resource.AttrState: databaseState(i)}
	var tags map[string]string
	if s := i.Settings; s != nil {
		tags = s.UserLabels
		attributes[resource.AttrSize] = s.Tier
		attributes[resource.AttrVolumeType] = strings.ToLower(s.DataDiskType)
		attributes[resource.AttrGiB] = strconv.FormatInt(s.DataDiskSizeGb, 10)
		if custom, ok := ofTier(s.Tier); ok {
			custom.describe(attributes)
		}
		if s.AvailabilityType == "REGIONAL" {
			attributes[resource.AttrMultiZone] = "true"
		}
	}
	if name, _, ok := strings.Cut(i.DatabaseVersion, "_"); ok { // "POSTGRES_16"
		attributes[resource.AttrEngine] = strings.ToLower(name)
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
