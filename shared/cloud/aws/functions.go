package aws

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"

	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	functionRight = "lambda:ListFunctions"
	tagRight      = "tag:GetResources"
)

// lambdaTimes are how Lambda writes times.
var lambdaTimes = []string{"2006-01-02T15:04:05.000-0700", time.RFC3339}

// readFunctions lists the Lambda functions of one region. The bill names them by ARN.
func readFunctions(ctx context.Context, p place) ([]resource.Resource, error) {
	var out []resource.Resource
	for pages := lambda.NewListFunctionsPaginator(lambda.NewFromConfig(p.account.in(p.region)), &lambda.ListFunctionsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, functionRight)
		}
		for _, f := range page.Functions {
			r := p.resource(resource.Function, aws.ToString(f.FunctionArn), nil, nil)
			r.Name = aws.ToString(f.FunctionName)
			r.Attributes[resource.AttrRuntime], r.Attributes[resource.AttrArchitecture] = string(f.Runtime), "x86_64"
			if f.Runtime == "" {
				r.Attributes[resource.AttrRuntime] = "container"
			}
			if len(f.Architectures) > 0 {
				r.Attributes[resource.AttrArchitecture] = string(f.Architectures[0])
			}
			if f.MemorySize != nil {
				r.Attributes[resource.AttrMemoryGiB] = strconv.FormatFloat(float64(*f.MemorySize)/1024, 'f', -1, 64)
			}
			for _, layout := range lambdaTimes {
				if at, err := time.Parse(layout, aws.ToString(f.LastModified)); err == nil {
					r.Attributes[resource.AttrModifiedAt] = at.UTC().Format(time.RFC3339)
				}
			}
			if f.State != "" {
				r.Attributes[resource.AttrState] = string(f.State)
			}
			out = append(out, r)
		}
	}
	if err := tag(ctx, p, "lambda:function", out, func(r resource.Resource) string { return r.ID }); err != nil {
		return nil, err
	}
	return out, nil
}

// tag gives resources their tags, which one call tells of a hundred of them.
func tag(ctx context.Context, p place, kind string, all []resource.Resource, arn func(resource.Resource) string) error {
	if len(all) == 0 {
		return nil
	}
	byARN := map[string]resource.Resource{}
	for _, r := range all {
		byARN[arn(r)] = r
	}
	in := &tagging.GetResourcesInput{ResourceTypeFilters: []string{kind}, ResourcesPerPage: aws.Int32(100)}
	for pages := tagging.NewGetResourcesPaginator(tagging.NewFromConfig(p.account.in(p.region)), in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return translate(err, tagRight)
		}
		for _, m := range page.ResourceTagMappingList {
			if r, ok := byARN[aws.ToString(m.ResourceARN)]; ok {
				for _, t := range m.Tags {
					r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
				}
			}
		}
	}
	return nil
}
