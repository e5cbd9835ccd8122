package aws

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// readRDS lists the database instances of one region. The bill names them by ARN.
func readRDS(ctx context.Context, p place) ([]resource.Resource, error) {
	var out []resource.Resource
	pages := rds.NewDescribeDBInstancesPaginator(rds.NewFromConfig(p.account.in(p.region)), &rds.DescribeDBInstancesInput{MaxRecords: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "rds:DescribeDBInstances")
		}
		for _, d := range page.DBInstances {
			r := p.resource(resource.Database, aws.ToString(d.DBInstanceArn), nil, d.InstanceCreateTime)
			r.Name = aws.ToString(d.DBInstanceIdentifier)
			r.Attributes[resource.AttrSize] = aws.ToString(d.DBInstanceClass)
			r.Attributes[resource.AttrState] = stateOf(aws.ToString(d.DBInstanceStatus))
			r.Attributes[resource.AttrVolumeType] = aws.ToString(d.StorageType)
			r.Attributes[resource.AttrEngine] = aws.ToString(d.Engine)
			r.Attributes[resource.AttrMultiZone] = strconv.FormatBool(aws.ToBool(d.MultiAZ))
			setNumber(r, resource.AttrGiB, d.AllocatedStorage)
			setNumber(r, resource.AttrIOPS, d.Iops)
			setNumber(r, resource.AttrThroughput, d.StorageThroughput)
			for _, t := range d.TagList {
				r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// stateOf calls a database that serves running, as an instance is; every other state keeps its name.
func stateOf(status string) string {
	if status == "available" {
		return "running"
	}
	return status
}

// databaseName is the identifier at the end of a database's ARN, by which CloudWatch knows it.
func databaseName(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
