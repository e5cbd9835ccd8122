package gcp

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/api/cloudresourcemanager/v1"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// everyProject in the setting stands for all projects that the service account sees. No project can be called so: ids are longer.
const everyProject = "all"

// seeRight is what a project is listed by.
const seeRight = "resourcemanager.projects.get"

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
	if err != nil {
		return nil, translate(err, "the list of projects")
	}
	if len(out) == 0 { // Google lists those that may be seen, and says nothing of the others
		return nil, fault.New(fault.Forbidden, "The connection sees no project at all. Give its service account %s on the projects to read, or name them.", seeRight)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
