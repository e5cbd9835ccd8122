package aws

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// perPage is how many things a page has at most.
const perPage = 1000

// readEC2 lists instances, volumes, snapshots and addresses of one region: all or none.
func readEC2(ctx context.Context, p place) ([]resource.Resource, error) {
	client := ec2.NewFromConfig(p.account.in(p.region))
	var out []resource.Resource
	for _, read := range []func(context.Context, place, *ec2.Client) ([]resource.Resource, error){instances, volumes, snapshots, addresses} {
		found, err := read(ctx, p, client)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// resource is what every resource of the place has.
func (p place) resource(t resource.Type, id string, tags []types.Tag, created *time.Time) resource.Resource {
	r := resource.Resource{
		Ref:        resource.Ref{Cloud: resource.AWS, Account: p.account.id, Region: p.region, Type: t, ID: id},
		Attributes: map[string]string{}, Tags: map[string]string{}, SeenAt: p.find.now().UTC(),
	}
	for _, t := range tags {
		r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	r.Name = r.Tags["Name"]
	if created != nil {
		r.CreatedAt = created.UTC()
	}
	return r
}

func instances(ctx context.Context, p place, client *ec2.Client) ([]resource.Resource, error) {
	var out []resource.Resource
	sizes := map[types.InstanceType]bool{}
	pages := ec2.NewDescribeInstancesPaginator(client, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(perPage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "ec2:DescribeInstances")
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				if i.State == nil || i.State.Name == types.InstanceStateNameTerminated || i.State.Name == types.InstanceStateNameShuttingDown {
					continue
				}
				sizes[i.InstanceType] = true
				out = append(out, p.instance(i))
			}
		}
	}
	known, err := capacities(ctx, client, sizes)
	if err != nil {
		return nil, err
	}
	for _, r := range out {
		c := known[r.Attributes[resource.AttrSize]]
		for name, value := range map[string]string{resource.AttrVCPU: c.vcpu, resource.AttrMemoryGiB: c.memory} {
			if _, own := r.Attributes[name]; !own && value != "" {
				r.Attributes[name] = value
			}
		}
	}
	return out, nil
}

func (p place) instance(i types.Instance) resource.Resource {
	r := p.resource(resource.Instance, aws.ToString(i.InstanceId), i.Tags, i.LaunchTime)
	r.Attributes[resource.AttrState] = string(i.State.Name)
	r.Attributes[resource.AttrSize] = string(i.InstanceType)
	r.Attributes[resource.AttrOS] = "linux"
	if details := strings.ToLower(aws.ToString(i.PlatformDetails) + string(i.Platform)); strings.Contains(details, "windows") {
		r.Attributes[resource.AttrOS] = "windows"
		if strings.Contains(details, "byol") {
			r.Attributes[resource.AttrLicence] = resource.OwnLicence
		}
	}
	if strings.Contains(aws.ToString(i.PlatformDetails), "SQL Server") { // on Linux too
		r.Attributes[resource.AttrLicence] = resource.SQLServerLicence
	}
	if o := i.CpuOptions; o != nil && o.CoreCount != nil && o.ThreadsPerCore != nil {
		r.Attributes[resource.AttrVCPU] = strconv.Itoa(int(*o.CoreCount * *o.ThreadsPerCore))
	}
	return r
}

// capacity is what an instance type offers.
type capacity struct{ vcpu, memory string }

// sizesPerCall is how many instance types a call may name.
const sizesPerCall = 100

func capacities(ctx context.Context, client *ec2.Client, sizes map[types.InstanceType]bool) (map[string]capacity, error) {
	out := map[string]capacity{}
	var names []types.InstanceType
	for s := range sizes {
		names = append(names, s)
	}
	for len(names) > 0 {
		batch := names[:min(len(names), sizesPerCall)]
		names = names[len(batch):]
		pages := ec2.NewDescribeInstanceTypesPaginator(client, &ec2.DescribeInstanceTypesInput{InstanceTypes: batch})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, translate(err, "ec2:DescribeInstanceTypes")
			}
			for _, t := range page.InstanceTypes {
				var c capacity
				if t.VCpuInfo != nil && t.VCpuInfo.DefaultVCpus != nil {
					c.vcpu = strconv.Itoa(int(*t.VCpuInfo.DefaultVCpus))
				}
				if t.MemoryInfo != nil && t.MemoryInfo.SizeInMiB != nil {
					c.memory = strconv.FormatFloat(float64(*t.MemoryInfo.SizeInMiB)/1024, 'f', -1, 64)
				}
				out[string(t.InstanceType)] = c
			}
		}
	}
	return out, nil
}

func volumes(ctx context.Context, p place, client *ec2.Client) ([]resource.Resource, error) {
	var out []resource.Resource
	pages := ec2.NewDescribeVolumesPaginator(client, &ec2.DescribeVolumesInput{MaxResults: aws.Int32(perPage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "ec2:DescribeVolumes")
		}
		for _, v := range page.Volumes {
			if v.State == types.VolumeStateDeleting || v.State == types.VolumeStateDeleted {
				continue
			}
			r := p.resource(resource.Volume, aws.ToString(v.VolumeId), v.Tags, v.CreateTime)
			r.Attributes[resource.AttrState], r.Attributes[resource.AttrVolumeType] = string(v.State), string(v.VolumeType)
			r.Attributes[resource.AttrAttachedTo] = ""
			if len(v.Attachments) > 0 {
				r.Attributes[resource.AttrAttachedTo] = aws.ToString(v.Attachments[0].InstanceId)
			}
			setNumber(r, resource.AttrGiB, v.Size)
			setNumber(r, resource.AttrIOPS, v.Iops)
			setNumber(r, resource.AttrThroughput, v.Throughput)
			out = append(out, r)
		}
	}
	return out, nil
}

// setNumber sets an attribute that the cloud gives.
func setNumber(r resource.Resource, name string, value *int32) {
	if value != nil {
		r.Attributes[name] = strconv.Itoa(int(*value))
	}
}

// snapshots lists those that the account owns. The bill names them by ARN.
func snapshots(ctx context.Context, p place, client *ec2.Client) ([]resource.Resource, error) {
	var out []resource.Resource
	pages := ec2.NewDescribeSnapshotsPaginator(client, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, MaxResults: aws.Int32(perPage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "ec2:DescribeSnapshots")
		}
		for _, s := range page.Snapshots {
			r := p.resource(resource.Snapshot, p.arn("snapshot", aws.ToString(s.SnapshotId)), s.Tags, s.StartTime)
			r.Attributes[resource.AttrState] = string(s.State)
			setNumber(r, resource.AttrGiB, s.VolumeSize)
			out = append(out, r)
		}
	}
	return out, nil
}

// addresses lists the elastic ones. The bill names them by ARN.
func addresses(ctx context.Context, p place, client *ec2.Client) ([]resource.Resource, error) {
	list, err := client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return nil, translate(err, "ec2:DescribeAddresses")
	}
	var out []resource.Resource
	for _, a := range list.Addresses {
		r := p.resource(resource.Address, p.arn("elastic-ip", aws.ToString(a.AllocationId)), a.Tags, nil)
		if r.Name == "" {
			r.Name = aws.ToString(a.PublicIp)
		}
		r.Attributes[resource.AttrState], r.Attributes[resource.AttrAttachedTo] = "available", ""
		if to := aws.ToString(a.InstanceId); to != "" || a.AssociationId != nil {
			r.Attributes[resource.AttrState], r.Attributes[resource.AttrAttachedTo] = "in-use", to
			if to == "" {
				r.Attributes[resource.AttrAttachedTo] = aws.ToString(a.NetworkInterfaceId)
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func (p place) arn(kind, id string) string {
	return "arn:" + partition(p.region) + ":ec2:" + p.region + ":" + p.account.id + ":" + kind + "/" + id
}
