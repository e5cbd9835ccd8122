package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	hub "github.com/aws/aws-sdk-go-v2/service/costoptimizationhub"
	"github.com/aws/aws-sdk-go-v2/service/costoptimizationhub/types"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

var _ ingest.Adviser = (*Collector)(nil)

const (
	hubName        = "Cost Optimization Hub"
	hubService     = "cost-optimization-hub"
	enrolmentRight = "cost-optimization-hub:ListEnrollmentStatuses"
	adviceRight    = "cost-optimization-hub:ListRecommendations"
)

// advised are the types of the resources that the hub speaks of. What it says of others, purchases among them, has no type here.
var advised = map[types.ResourceType]resource.Type{
	types.ResourceTypeEc2Instance: resource.Instance, types.ResourceTypeLambdaFunction: resource.Function, types.ResourceTypeEbsVolume: resource.Volume,
	types.ResourceTypeEc2AutoScalingGroup: resource.ScalingGroup, types.ResourceTypeRdsDbInstance: resource.Database, types.ResourceTypeRdsDbInstanceStorage: resource.Database,
}

// Advice implements ingest.Adviser: the recommendations of Cost Optimization Hub, which gathers those of Compute Optimizer and of
// the reservation and savings plans tools. It is free, and has to be switched on; where it is not, the part is disabled.
func (c *Collector) Advice(ctx context.Context) (ingest.Advice, error) {
	if c.settings.noAdvice {
		return ingest.Advice{}, nil
	}
	client := hub.NewFromConfig(c.account.in(global)) // it has no other region
	on, err := client.ListEnrollmentStatuses(ctx, &hub.ListEnrollmentStatusesInput{})
	if err != nil {
		return c.unadvised(translate(err, enrolmentRight))
	}
	if !slices.ContainsFunc(on.Items, func(a types.AccountEnrollmentStatus) bool { return a.Status == types.EnrollmentStatusActive }) {
		return ingest.Advice{Parts: []ingest.Part{{Account: c.account.id, Region: anywhere, Service: hubService, Status: ingest.Disabled, Reason: "Cost Optimization Hub is not switched on for this account."}}}, nil
	}
	var out ingest.Advice
	for pages := hub.NewListRecommendationsPaginator(client, c.wanted()); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.unadvised(translate(err, adviceRight))
		}
		for _, r := range page.Items {
			out.Given = append(out.Given, adviceOf(r))
		}
	}
	out.Parts = []ingest.Part{{Account: c.account.id, Region: anywhere, Service: hubService, Status: ingest.OK}}
	return out, nil
}

// unadvised is a part for what may not be read; all else is a failure.
func (c *Collector) unadvised(err error) (ingest.Advice, error) {
	p := partOf(anywhere, hubService, c.account.id, err)
	if p.Status == ingest.Failed {
		return ingest.Advice{}, err
	}
	return ingest.Advice{Parts: []ingest.Part{p}}, nil
}

// wanted narrows down to the accounts and regions of the settings.
func (c *Collector) wanted() *hub.ListRecommendationsInput {
	in := &hub.ListRecommendationsInput{MaxResults: aws.Int32(100)}
	if len(c.settings.accounts) > 0 || len(c.settings.regions) > 0 {
		in.Filter = &types.Filter{AccountIds: c.settings.accounts, Regions: c.settings.regions}
	}
	return in
}

func adviceOf(r types.Recommendation) resource.Advice {
	kind, known := advised[types.ResourceType(aws.ToString(r.CurrentResourceType))]
	id := aws.ToString(r.ResourceId)
	switch kind { // as the bill names them
	case resource.Database, resource.Function, resource.ScalingGroup:
		id = aws.ToString(r.ResourceArn)
	}
	if !known {
		kind, id = "", aws.ToString(r.ResourceArn)
	}
	a := resource.Advice{
		Ref:    resource.Ref{Cloud: resource.AWS, Account: aws.ToString(r.AccountId), Region: aws.ToString(r.Region), Type: kind, ID: id},
		Source: hubName, Advice: aws.ToString(r.RecommendationId), Kind: aws.ToString(r.ActionType),
		Current: aws.ToString(r.CurrentResourceSummary), Advised: aws.ToString(r.RecommendedResourceSummary), At: aws.ToTime(r.LastRefreshTimestamp).UTC(),
	}
	a.Text = a.Kind + " " + aws.ToString(r.CurrentResourceType)
	if a.Advised != "" {
		a.Text = a.Kind + ": " + a.Advised
	}
	if r.EstimatedMonthlySavings != nil {
		saving := decimal.NewFromFloat(*r.EstimatedMonthlySavings)
		a.Saving, a.Currency = &saving, cost.Currency(aws.ToString(r.CurrencyCode))
	}
	return a
}
