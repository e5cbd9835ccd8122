package gcp

import (
	"slices"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
)

const projectList = "GET cloudresourcemanager.googleapis.com /v1/projects"

func TestAllProjectsThatAreSeenAreRead(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(projectList, paged(reply(`{"projects":[{"projectId":"shop-test","lifecycleState":"ACTIVE"},{"projectId":"sys-12345678901234567890123456","lifecycleState":"ACTIVE"}],"nextPageToken":"n"}`),
		reply(`{"projects":[{"projectId":"shop-prod","lifecycleState":"ACTIVE"}]}`)))
	g.estate(t, "shop-prod")
	g.estate(t, "shop-test")
	c := g.collector(connection("projects", "all"), g.options())
	inv, err := c.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, r := range inv.Resources {
		seen = append(seen, r.Account)
	}
	slices.Sort(seen)
	if got := slices.Compact(seen); !slices.Equal(got, []string{"shop-prod", "shop-test"}) {
		t.Errorf("the inventory is of %v", got)
	}
	if pages := g.of(projectList); len(pages) != 2 || pages[0].query.Get("filter") != "lifecycleState:ACTIVE" {
		t.Errorf("asked for %v", pages)
	}
	g.on(projectList, problem(503, "backendError"))
	if _, err := c.Resources(t.Context()); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a list of projects that does not come is no list without projects: %v", err)
	}
}

// Google lists what may be seen: a list without projects is a right that lacks, and no estate without resources.
func TestToSeeNoProjectIsNotToHaveNone(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(projectList, reply(`{}`))
	c := g.collector(connection("projects", "all"), g.options())
	if inv, err := c.Resources(t.Context()); fault.CodeOf(err) != fault.Forbidden || !strings.Contains(err.Error(), seeRight) {
		t.Errorf("got %v %v", inv, err)
	}
}

func TestAllIsNoProject(t *testing.T) {
	t.Parallel()
	for setting, value := range map[string]string{"bill_projects": "all", "projects": "all, shop-prod"} {
		g := newGoogle(t)
		if _, err := New(t.Context(), connection(setting, value), g.options()); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
