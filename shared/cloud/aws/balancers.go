package aws

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	balancerRight    = "elasticloadbalancing:DescribeLoadBalancers"
	balancerTagRight = "elasticloadbalancing:DescribeTags"
	groupRight       = "elasticloadbalancing:DescribeTargetGroups"
	healthRight      = "elasticloadbalancing:DescribeTargetHealth"
	// balancersPerCall is how many load balancers a call for their tags may name.
	balancersPerCall = 20
)

// readBalancers lists the load balancers of one region, of both generations. The bill names them by ARN.
func readBalancers(ctx context.Context, p place) ([]resource.Resource, error) {
	out, err := balancers(ctx, p)
	if err != nil {
		return nil, err
	}
	older, err := classicBalancers(ctx, p)
	if err != nil {
		return nil, err
	}
	return append(out, older...), nil
}

func balancers(ctx context.Context, p place) ([]resource.Resource, error) {
	client := elb.NewFromConfig(p.account.in(p.region))
	var out []resource.Resource
	for pages := elb.NewDescribeLoadBalancersPaginator(client, &elb.DescribeLoadBalancersInput{PageSize: aws.Int32(400)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, balancerRight)
		}
		for _, b := range page.LoadBalancers {
			r := p.resource(resource.LoadBalancer, aws.ToString(b.LoadBalancerArn), nil, b.CreatedTime)
			r.Name = aws.ToString(b.LoadBalancerName)
			r.Attributes[resource.AttrSize], r.Attributes[resource.AttrScheme] = string(b.Type), string(b.Scheme)
			if b.State != nil {
				r.Attributes[resource.AttrState] = string(b.State.Code)
			}
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	targets, err := targetsOf(ctx, client)
	if err != nil {
		return nil, err
	}
	byARN := map[string]resource.Resource{}
	for _, r := range out {
		r.Attributes[resource.AttrTargets] = strconv.Itoa(targets[r.ID])
		byARN[r.ID] = r
	}
	for batch := range slices.Chunk(out, balancersPerCall) {
		in := &elb.DescribeTagsInput{}
		for _, r := range batch {
			in.ResourceArns = append(in.ResourceArns, r.ID)
		}
		tags, err := client.DescribeTags(ctx, in)
		if err != nil {
			return nil, translate(err, balancerTagRight)
		}
		for _, d := range tags.TagDescriptions {
			for _, t := range d.Tags {
				if r, ok := byARN[aws.ToString(d.ResourceArn)]; ok {
					r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
				}
			}
		}
	}
	return out, nil
}

// targetsOf counts what is registered behind each load balancer, healthy or not.
func targetsOf(ctx context.Context, client *elb.Client) (map[string]int, error) {
	var groups []types.TargetGroup
	for pages := elb.NewDescribeTargetGroupsPaginator(client, &elb.DescribeTargetGroupsInput{PageSize: aws.Int32(400)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, groupRight)
		}
		for _, g := range page.TargetGroups {
			if len(g.LoadBalancerArns) > 0 {
				groups = append(groups, g)
			}
		}
	}
	var mu sync.Mutex
	counted := map[string]int{}
	err := each(ctx, groups, func(ctx context.Context, g types.TargetGroup) error {
		health, err := client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
		if err != nil {
			return translate(err, healthRight)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, balancer := range g.LoadBalancerArns {
			counted[balancer] += len(health.TargetHealthDescriptions)
		}
		return nil
	})
	return counted, err
}

// classicBalancers are those of the first generation, which have instances for targets.
func classicBalancers(ctx context.Context, p place) ([]resource.Resource, error) {
	client := classic.NewFromConfig(p.account.in(p.region))
	var out []resource.Resource
	for pages := classic.NewDescribeLoadBalancersPaginator(client, &classic.DescribeLoadBalancersInput{PageSize: aws.Int32(400)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, balancerRight)
		}
		for _, b := range page.LoadBalancerDescriptions {
			name := aws.ToString(b.LoadBalancerName)
			arn := "arn:" + partition(p.region) + ":elasticloadbalancing:" + p.region + ":" + p.account.id + ":loadbalancer/" + name
			r := p.resource(resource.LoadBalancer, arn, nil, b.CreatedTime)
			r.Name = name
			r.Attributes[resource.AttrSize], r.Attributes[resource.AttrScheme] = "classic", aws.ToString(b.Scheme)
			r.Attributes[resource.AttrState], r.Attributes[resource.AttrTargets] = "active", strconv.Itoa(len(b.Instances))
			out = append(out, r)
		}
	}
	for batch := range slices.Chunk(out, balancersPerCall) {
		in, byName := &classic.DescribeTagsInput{}, map[string]resource.Resource{}
		for _, r := range batch {
			in.LoadBalancerNames = append(in.LoadBalancerNames, r.Name)
			byName[r.Name] = r
		}
		tags, err := client.DescribeTags(ctx, in)
		if err != nil {
			return nil, translate(err, balancerTagRight)
		}
		for _, d := range tags.TagDescriptions {
			for _, t := range d.Tags {
				if r, ok := byName[aws.ToString(d.LoadBalancerName)]; ok {
					r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
				}
			}
		}
	}
	return out, nil
}
