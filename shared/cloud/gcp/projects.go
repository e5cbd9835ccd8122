package gcp

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/api/cloudresourcemanager/v1"
)

// everyProject in the setting stands for all projects that the service account sees. No project can be called so: ids are longer.
const everyProject = "all"

// owned lists the projects whose resources are read: those that are named, or all that are seen. Google makes projects of its
// own for scripts, which hold nothing that costs; their ids begin with "sys-".
func (c *Collector) owned(ctx context.Context) ([]string, error) {
	if !slices.Equal(c.settings.projects, []string{everyProject}) {
		return c.settings.projects, nil
	}
	var out []string
	err := c.projects.Projects.List().Filter("lifecycleState:ACTIVE").PageSize(500).Pages(ctx, func(p *cloudresourcemanager.ListProjectsResponse) error {
		for _, one := range p.Projects {
			if !strings.HasPrefix(one.ProjectId, "sys-") {
				out = append(out, one.ProjectId)
			}
		}
		return nil
	})
	slices.Sort(out)
	return slices.Compact(out), translate(err, "the list of projects")
}
