package azure

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// site is a web site, which function apps are one kind of.
type site struct {
	armResource

	Properties struct {
		State        string `json:"state"`
		LastModified string `json:"lastModifiedTimeUtc"`
		SiteConfig   struct {
			LinuxFxVersion string `json:"linuxFxVersion"` // PYTHON|3.11
		} `json:"siteConfig"`
		FunctionAppConfig *struct {
			Runtime struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			} `json:"runtime"`
		} `json:"functionAppConfig"`
	} `json:"properties"`
}

// functionApps lists function apps; other web sites are none.
func (c *Collector) functionApps(ctx context.Context, s subscription) iter.Seq2[resource.Resource, error] {
	q := subscriptionListing(s, "WebAppsClient.NewListPager", "/providers/Microsoft.Web/sites", "2023-12-01")
	return each(ctx, c, q, func(a site) (resource.Resource, bool) {
		if !strings.Contains(strings.ToLower(a.Kind), "functionapp") {
			return resource.Resource{}, false
		}
		r := a.found(s, resource.Function)
		r.Region = strings.ReplaceAll(r.Region, " ", "") // sites say "West Europe"
		set(&r, resource.AttrState, strings.ToLower(a.Properties.State))
		set(&r, resource.AttrRuntime, strings.ToLower(strings.ReplaceAll(a.Properties.SiteConfig.LinuxFxVersion, "|", "")))
		if own := a.Properties.FunctionAppConfig; own != nil {
			set(&r, resource.AttrRuntime, own.Runtime.Name+own.Runtime.Version)
		}
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
			if at, err := time.Parse(layout, a.Properties.LastModified); err == nil {
				set(&r, resource.AttrModifiedAt, at.UTC().Format(time.RFC3339))
				break
			}
		}
		return r, true
	})
}
