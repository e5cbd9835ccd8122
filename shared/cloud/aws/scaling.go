package aws

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/cost-agent/cost-agent/shared/resource"
)

const scalingRight = "autoscaling:DescribeAutoScalingGroups"

// readGroups lists the Auto Scaling groups of one region. They are not billed themselves, and are named by ARN.
func readGroups(ctx context.Context, p place) ([]resource.Resource, error) {
	var out []resource.Resource
	client := autoscaling.NewFromConfig(p.account.in(p.region))
	for pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(client, &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: aws.Int32(100)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, scalingRight)
		}
		for _, g := range page.AutoScalingGroups {
			out = append(out, p.group(g))
		}
	}
	return out, nil
}

func (p place) group(g types.AutoScalingGroup) resource.Resource {
	r := p.resource(resource.ScalingGroup, aws.ToString(g.AutoScalingGroupARN), nil, g.CreatedTime)
	r.Name = aws.ToString(g.AutoScalingGroupName)
	for _, t := range g.Tags {
		r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	setNumber(r, resource.AttrMinSize, g.MinSize)
	setNumber(r, resource.AttrMaxSize, g.MaxSize)
	setNumber(r, resource.AttrDesiredSize, g.DesiredCapacity)
	var ids []string
	sizes := map[string]bool{}
	for _, i := range g.Instances {
		ids = append(ids, aws.ToString(i.InstanceId))
		sizes[aws.ToString(i.InstanceType)] = true
	}
	r.Attributes[resource.AttrInstances] = strings.Join(ids, ",")
	r.Attributes[resource.AttrMixedInstances] = strconv.FormatBool(g.MixedInstancesPolicy != nil)
	if len(sizes) == 1 {
		for r.Attributes[resource.AttrSize] = range sizes {
		}
	}
	if status := aws.ToString(g.Status); status != "" { // AWS gives one only while a group is deleted
		r.Attributes[resource.AttrState] = status
	}
	return r
}
