package aws

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	classictypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// buildMore creates one of each kind that is not a machine, in us-east-1, and tells the machine of the group.
func buildMore(t *testing.T, s server, config aws.Config) (instance string) {
	t.Helper()
	ctx := t.Context()
	machines := ec2.NewFromConfig(config)
	networks := must[*ec2.DescribeSubnetsOutput](t)(machines.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{}))
	subnets := []string{*networks.Subnets[0].SubnetId, *networks.Subnets[1].SubnetId}
	scale := autoscaling.NewFromConfig(config)
	must[*autoscaling.CreateLaunchConfigurationOutput](t)(scale.CreateLaunchConfiguration(ctx, &autoscaling.CreateLaunchConfigurationInput{LaunchConfigurationName: aws.String("lc"), ImageId: aws.String("ami-760aaa0f"), InstanceType: aws.String("m5.large")}))
	must[*autoscaling.CreateAutoScalingGroupOutput](t)(scale.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{AutoScalingGroupName: aws.String("web"), LaunchConfigurationName: aws.String("lc"),
		MinSize: aws.Int32(1), MaxSize: aws.Int32(4), DesiredCapacity: aws.Int32(1), VPCZoneIdentifier: &subnets[0],
		Tags: []scaling.Tag{{Key: aws.String("team"), Value: aws.String("shop"), ResourceId: aws.String("web"), ResourceType: aws.String("auto-scaling-group"), PropagateAtLaunch: aws.Bool(false)}}}))
	groups := must[*autoscaling.DescribeAutoScalingGroupsOutput](t)(scale.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{}))
	instance = *groups.AutoScalingGroups[0].Instances[0].InstanceId

	balance := elb.NewFromConfig(config)
	made := must[*elb.CreateLoadBalancerOutput](t)(balance.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: subnets, Scheme: elbtypes.LoadBalancerSchemeEnumInternetFacing, Type: elbtypes.LoadBalancerTypeEnumApplication,
		Tags: []elbtypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}}))
	group := must[*elb.CreateTargetGroupOutput](t)(balance.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{Name: aws.String("backs"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: networks.Subnets[0].VpcId})).TargetGroups[0].TargetGroupArn
	must[*elb.RegisterTargetsOutput](t)(balance.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: group, Targets: []elbtypes.TargetDescription{{Id: &instance}}}))
	must[*elb.CreateListenerOutput](t)(balance.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: made.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group}}}))
	must[*classic.CreateLoadBalancerOutput](t)(classic.NewFromConfig(config).CreateLoadBalancer(ctx, &classic.CreateLoadBalancerInput{LoadBalancerName: aws.String("old"), AvailabilityZones: []string{"us-east-1a"},
		Listeners: []classictypes.Listener{{Protocol: aws.String("HTTP"), LoadBalancerPort: 80, InstancePort: aws.Int32(80)}}, Tags: []classictypes.Tag{{Key: aws.String("env"), Value: aws.String("test")}}}))

	iam(t, s, url.Values{"Action": {"CreateRole"}, "RoleName": {"f"}, "AssumeRolePolicyDocument": {"{}"}})
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	must[io.Writer](t)(z.Create("f.py"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	must[*lambda.CreateFunctionOutput](t)(lambda.NewFromConfig(config).CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String("resize"), Role: aws.String("arn:aws:iam::" + main + ":role/f"), Runtime: lambdatypes.RuntimePython313,
		Handler: aws.String("f.f"), MemorySize: aws.Int32(512), Architectures: []lambdatypes.Architecture{lambdatypes.ArchitectureArm64}, Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()}, Tags: map[string]string{"team": "shop"}}))
	buildBuckets(t, config)
	return instance
}

func buildBuckets(t *testing.T, config aws.Config) {
	t.Helper()
	ctx, store := t.Context(), newS3(config)
	for _, name := range []string{"logs", "plain"} {
		must[*s3.CreateBucketOutput](t)(store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}))
	}
	must[*s3.PutBucketTaggingOutput](t)(store.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: aws.String("logs"), Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}}}))
	rule := func(id string, status s3types.ExpirationStatus) s3types.LifecycleRule {
		return s3types.LifecycleRule{ID: &id, Status: status, Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("")}, Expiration: &s3types.LifecycleExpiration{Days: aws.Int32(30)}}
	}
	must[*s3.PutBucketLifecycleConfigurationOutput](t)(store.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: aws.String("logs"),
		LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{Rules: []s3types.LifecycleRule{rule("on", s3types.ExpirationStatusEnabled), rule("off", s3types.ExpirationStatusDisabled)}}}))
	must[*cloudwatch.PutMetricDataOutput](t)(newCloudWatch(config).PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/S3"),
		MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("BucketSizeBytes"), Timestamp: aws.Time(noon.AddDate(0, 0, -1)), Value: aws.Float64(3 << 30),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("BucketName"), Value: aws.String("logs")}, {Name: aws.String("StorageType"), Value: aws.String("StandardStorage")}}}}}))
}

// iam calls the one service of which the collector uses nothing.
func iam(t *testing.T, s server, form url.Values) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(form.Encode()+"&Version=2010-05-08"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261110/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := seeder.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
}

func ofType(all []resource.Resource, kind resource.Type) (found []resource.Resource) {
	for _, r := range all {
		if r.Type == kind {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b resource.Resource) int { return strings.Compare(a.Name, b.Name) })
	return found
}

func TestTheInventoryOfServices(t *testing.T) {
	s := moto(t)
	meter := ingest.NewMeter(nil)
	c := collector(t, s.url, meter, map[string]string{"regions": "us-east-1,eu-west-1"})
	instance := buildMore(t, s, seeding(c.account.in("us-east-1")))
	got, err := c.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got.Parts {
		if p.Status != ingest.OK {
			t.Errorf("%+v", p)
		}
	}
	if balancers := ofType(got.Resources, resource.LoadBalancer); len(balancers) != 2 {
		t.Errorf("%+v", balancers)
	} else {
		attributes(t, balancers[0], map[string]string{"size": "application", "scheme": "internet-facing", "targets": "1"})
		attributes(t, balancers[1], map[string]string{"size": "classic", "targets": "0", "state": "active"})
		if balancers[0].Tags["team"] != "shop" || balancers[1].Tags["env"] != "test" || balancers[1].ID != "arn:aws:elasticloadbalancing:us-east-1:"+main+":loadbalancer/old" {
			t.Errorf("%+v", balancers)
		}
	}
	f := find(t, got.Resources, "arn:aws:lambda:us-east-1:"+main+":function:resize")
	attributes(t, f, map[string]string{"memory_gib": "0.5", "architecture": "arm64", "runtime": "python3.13"})
	if at, err := time.Parse(time.RFC3339, f.Attributes[resource.AttrModifiedAt]); err != nil || at.IsZero() || f.Tags["team"] != "shop" || f.Name != "resize" {
		t.Errorf("%v %+v", err, f)
	}
	if groups := ofType(got.Resources, resource.ScalingGroup); len(groups) != 1 || groups[0].Tags["team"] != "shop" || !strings.HasPrefix(groups[0].ID, "arn:aws:autoscaling:") {
		t.Errorf("%+v", groups)
	} else {
		attributes(t, groups[0], map[string]string{"min_size": "1", "max_size": "4", "desired_size": "1", "instances": instance, "size": "m5.large", "mixed_instances": "false"})
	}
	if buckets := ofType(got.Resources, resource.Bucket); len(buckets) != 2 || buckets[0].Tags["team"] != "shop" || buckets[0].CreatedAt.IsZero() {
		t.Errorf("%+v", buckets) // each once, though two regions are read
	} else {
		attributes(t, buckets[0], map[string]string{"lifecycle_rules": "1", "standard_gib": "3"})
		attributes(t, buckets[1], map[string]string{"lifecycle_rules": "0", "standard_gib": ""})
	}
	if spent := meter.Spent(); len(spent) != 1 || spent[0].Units != 2 {
		t.Errorf("spent %+v", spent)
	}
	c.settings.tags = wantedTags("team=shop, nothing")
	if got, err = c.Resources(t.Context()); err != nil || len(got.Resources) != 4 {
		t.Errorf("%v: %d resources have the tag, want 4", err, len(got.Resources))
	}
	c.settings.tags, c.settings.service = nil, []string{"AWS Lambda"}
	if got, err = c.Resources(t.Context()); err != nil || len(got.Resources) != 1 || len(got.Parts) != 2 {
		t.Errorf("%v: %+v of one service in two regions", err, got)
	}
}

// TestABucketThatDeniesIsListed: bucket policies may deny more than the role's own.
func TestABucketThatDeniesIsListed(t *testing.T) {
	s := moto(t)
	denied := s3Refusing(t, s, func(r *http.Request) bool {
		return r.URL.Query().Has("lifecycle") && strings.HasPrefix(r.URL.Path, "/plain")
	})
	c := collector(t, denied, nil, map[string]string{"regions": "us-east-1", "services": "Amazon Simple Storage Service"})
	buildBuckets(t, seeding(identity(t, s.url)))
	got, err := c.Resources(t.Context())
	if err != nil || len(got.Resources) != 2 || got.Parts[0].Status != ingest.OK {
		t.Fatalf("%v %+v", err, got)
	}
	if _, known := find(t, got.Resources, "plain").Attributes[resource.AttrLifecycleRules]; known {
		t.Error("what is denied is not known")
	}
	gone := s3Refusing(t, s, func(r *http.Request) bool { return r.URL.Path == "/" })
	got, err = collector(t, gone, nil, map[string]string{"regions": "us-east-1", "services": "Amazon Simple Storage Service"}).Resources(t.Context())
	if err != nil || len(got.Resources) != 0 || got.Parts[0].Status != ingest.Denied || !strings.Contains(got.Parts[0].Reason, bucketRight) {
		t.Errorf("%v %+v", err, got)
	}
}

// TestEachServiceIsAPartOfItsOwn: what one right is missing for takes nothing from the others.
func TestEachServiceIsAPartOfItsOwn(t *testing.T) {
	s := moto(t)
	buildMore(t, s, seeding(identity(t, s.url)))
	text, document := `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`, `{"__type":"AccessDeniedException"}`
	cases := []struct {
		service, call, answer string
		right                 string
		parts                 []string
	}{
		{"elasticloadbalancing", "Action=DescribeLoadBalancers&", text, balancerRight, []string{"elasticloadbalancing"}},
		{"elasticloadbalancing", "Action=DescribeTargetGroups&", text, groupRight, []string{"elasticloadbalancing"}},
		{"elasticloadbalancing", "Action=DescribeTargetHealth&", text, healthRight, []string{"elasticloadbalancing"}},
		{"elasticloadbalancing", "Action=DescribeTags&", text, balancerTagRight, []string{"elasticloadbalancing"}},
		{"autoscaling", "", text, scalingRight, []string{"autoscaling"}},
		{"lambda", "", document, functionRight, []string{"lambda"}},
		{"tagging", "", document, tagRight, []string{"lambda", "s3"}},
	}
	types := map[string]resource.Type{"elasticloadbalancing": resource.LoadBalancer, "autoscaling": resource.ScalingGroup, "lambda": resource.Function, "s3": resource.Bucket}
	for _, c := range cases {
		t.Run(c.right, func(t *testing.T) {
			front := refusing(t, s, func(service, _, form string) (int, string) {
				if service == c.service && strings.Contains(form, c.call) {
					return 403, c.answer
				}
				return 0, ""
			})
			got, err := collector(t, front, nil, map[string]string{"regions": "us-east-1"}).Resources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range got.Parts {
				switch denied := slices.Contains(c.parts, p.Service); {
				case denied && (p.Status != ingest.Denied || !strings.Contains(p.Reason, c.right)):
					t.Errorf("%+v, want it denied for %s", p, c.right)
				case denied && len(ofType(got.Resources, types[p.Service])) != 0:
					t.Errorf("half of %s: %+v", p.Service, ofType(got.Resources, types[p.Service]))
				case !denied && p.Status != ingest.OK:
					t.Errorf("%+v", p)
				}
			}
		})
	}
}
