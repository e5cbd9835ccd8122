package gcp

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"google.golang.org/api/recommender/v1"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// reach is what places a recommender speaks about.
type reach string

const (
	zones     reach = "zones"
	regions   reach = "regions"
	worldwide reach = "global"
)

// adviser is one of Google's recommenders.
type adviser struct {
	id     string
	places []reach
	of     string // the service that has to be wanted, as listings name it
}

// advisers are those whose advice costs money or saves it, and that have a rule here to be held against
// (cloud.google.com/recommender/docs/recommenders).
var advisers = []adviser{
	{"google.compute.instance.MachineTypeRecommender", []reach{zones}, "compute"},
	{"google.compute.instance.IdleResourceRecommender", []reach{zones}, "compute"},
	{"google.compute.disk.IdleResourceRecommender", []reach{zones, regions}, "compute"},
	{"google.compute.address.IdleResourceRecommender", []reach{regions, worldwide}, "compute"},
	{"google.compute.image.IdleResourceRecommender", []reach{worldwide}, "compute"},
	{"google.compute.commitment.UsageCommitmentRecommender", []reach{regions}, "compute"},
	{"google.cloudsql.instance.IdleRecommender", []reach{regions}, "cloudsql"},
	{"google.cloudsql.instance.OverprovisionedRecommender", []reach{regions}, "cloudsql"},
}

const adviceService = "recommender"

// Advice lists what Google's recommenders say now about the projects, in the places where these hold something. Reading it is
// free.
func (c *Collector) Advice(ctx context.Context) (ingest.Advice, error) {
	f := c.found()
	if err := c.walk(ctx, f, advised); err != nil {
		return ingest.Advice{}, err
	}
	given := c.found()
	for _, broken := range f.failed { // what could not be listed was not asked about either
		given.failed = append(given.failed, failure{broken.project, adviceService, broken.err, broken.what})
	}
	out := ingest.Advice{}
	for _, project := range f.projects {
		known := knownIn(f.resources, project)
		given.project = project
		for _, a := range advisers {
			if !c.settings.only.lists(a.of) {
				continue
			}
			for _, place := range known.places(a.places) {
				if !c.settings.only.region(regionOf(place)) {
					continue
				}
				list, err := c.advise(ctx, given, a, place)
				if err != nil {
					return ingest.Advice{}, err
				}
				for _, r := range list {
					if one, ok := known.advice(r, project, place); ok && c.settings.only.labelled(known.tags(one.Ref)) {
						out.Given = append(out.Given, one)
					}
				}
			}
		}
	}
	out.Parts = given.finish()
	return out, nil
}

// advise asks one recommender about one place. Where it may not be asked, the part of the place says so.
func (c *Collector) advise(ctx context.Context, f *found, a adviser, place string) (out []*recommender.GoogleCloudRecommenderV1Recommendation, err error) {
	parent := fmt.Sprintf("projects/%s/locations/%s/recommenders/%s", f.project, place, a.id)
	call := c.recommender.Projects.Locations.Recommenders.Recommendations.List(parent).Filter("stateInfo.state = ACTIVE").PageSize(1000)
	err = call.Pages(ctx, func(p *recommender.GoogleCloudRecommenderV1ListRecommendationsResponse) error {
		out = append(out, p.Recommendations...)
		return nil
	})
	part := ingest.Part{Account: f.project, Region: regionOf(place), Service: adviceService, Status: ingest.OK}
	if err != nil {
		what := fmt.Sprintf("the advice of %s on project %s", a.id, f.project)
		translated := translate(err, what)
		if ctx.Err() != nil || fault.CodeOf(translated) == fault.Unauthenticated {
			return nil, translated
		}
		part.Status, part.Reason = unreadAs(err, what)
		out = nil
	}
	f.part(part)
	return out, nil
}

// known are the resources of a project, by their full name with their name in place of the id, which is how advice writes it.
type known map[string]resource.Resource

func knownIn(all []resource.Resource, project string) known {
	out := known{}
	for _, r := range all {
		if r.Account == project {
			out[r.ID[:strings.LastIndexByte(r.ID, '/')+1]+r.Name] = r
		}
	}
	return out
}

// places are where the project holds something, as recommenders name places.
func (k known) places(of []reach) []string {
	at := map[string]bool{}
	for name, r := range k {
		_, rest, _ := strings.Cut(name, "/zones/")
		zone, _, zonal := strings.Cut(rest, "/")
		if zonal && slices.Contains(of, zones) {
			at[zone] = true
		}
		if slices.Contains(of, regions) && strings.Contains(r.Region, "-") {
			at[r.Region] = true
		}
	}
	if slices.Contains(of, worldwide) {
		at[global] = true
	}
	return slices.Sorted(maps.Keys(at))
}

func (k known) tags(of resource.Ref) map[string]string {
	for _, r := range k {
		if r.Ref == of {
			return r.Tags
		}
	}
	return nil
}

// advice reads one recommendation. Those that are not about money are none here.
func (k known) advice(r *recommender.GoogleCloudRecommenderV1Recommendation, project, place string) (resource.Advice, bool) {
	out := resource.Advice{
		Ref:    resource.Ref{Cloud: resource.GCP, Account: project, Region: regionOf(place)},
		Source: "Recommender", Advice: r.Name, Kind: r.RecommenderSubtype, Text: r.Description, At: moment(r.LastRefreshTime),
	}
	var target string
	if len(r.TargetResources) > 0 {
		target = inProject(r.TargetResources[0], project)
	}
	change := changeOf(r)
	if target == "" {
		target = inProject(change.resource, project)
	}
	if of, ok := k[target]; ok {
		out.Ref, out.Current = of.Ref, of.Attributes[resource.AttrSize]
	} else {
		out.ID = target
	}
	out.Advised = change.size
	projection := projectionOf(r)
	if projection == nil {
		return out, false
	}
	saving(projection, &out)
	return out, true
}

// inProject is a full name with the project's id, which advice may have as a number.
func inProject(name, project string) string {
	before, after, ok := strings.Cut(name, "/projects/")
	if !ok {
		return name
	}
	_, rest, _ := strings.Cut(after, "/")
	return before + "/projects/" + project + "/" + rest
}

// change is what a recommendation would replace.
type change struct{ resource, size string }

func changeOf(r *recommender.GoogleCloudRecommenderV1Recommendation) (out change) {
	if r.Content == nil {
		return out
	}
	for _, group := range r.Content.OperationGroups {
		for _, o := range group.Operations {
			if out.resource == "" {
				out.resource = o.Resource
			}
			value, ok := o.Value.(string)
			if ok && o.Action == "replace" && (o.Path == "/machineType" || o.Path == "/settings/tier") {
				out.size = last(value)
			}
		}
	}
	return out
}

func projectionOf(r *recommender.GoogleCloudRecommenderV1Recommendation) *recommender.GoogleCloudRecommenderV1CostProjection {
	for _, impact := range append([]*recommender.GoogleCloudRecommenderV1Impact{r.PrimaryImpact}, r.AdditionalImpact...) {
		if impact != nil && impact.Category == "COST" && impact.CostProjection != nil {
			return impact.CostProjection
		}
	}
	return nil
}

// monthSeconds are those of the month that savings are told for, of 730 hours.
const monthSeconds = 730 * 3600

// saving is the projection turned round, since costs that fall are negative there, and scaled from its duration to a month. In
// the currency of the bill where Google tells it.
func saving(p *recommender.GoogleCloudRecommenderV1CostProjection, a *resource.Advice) {
	money := p.CostInLocalCurrency
	if money == nil {
		money = p.Cost
	}
	duration, err := decimal.NewFromString(strings.TrimSuffix(p.Duration, "s"))
	if money == nil || money.CurrencyCode == "" || err != nil || !duration.IsPositive() {
		return
	}
	const places = 4
	amount := decimal.NewFromInt(money.Units).Add(decimal.New(money.Nanos, -9)).Neg()
	amount = amount.Mul(decimal.NewFromInt(monthSeconds)).DivRound(duration, places)
	a.Saving = &amount
	a.Currency = cost.Currency(money.CurrencyCode)
}
