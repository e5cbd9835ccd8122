package aws

import (
	"context"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/smithy-go/middleware"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// prefixes are IAM's names of the services, by the SDK's.
var prefixes = map[string]string{
	"Auto Scaling": "autoscaling", "CloudWatch": "cloudwatch", "Cost Explorer": "ce", "Cost Optimization Hub": "cost-optimization-hub", "EC2": "ec2",
	"Elastic Load Balancing": "elasticloadbalancing", "Elastic Load Balancing v2": "elasticloadbalancing", "Lambda": "lambda", "Organizations": "organizations",
	"Pricing": "pricing", "RDS": "rds", "Resource Groups Tagging API": "tag", "S3": "s3", "savingsplans": "savingsplans",
}

// actions are IAM's names of operations that are not called as they are.
var actions = map[string]string{
	"s3:ListBuckets": "s3:ListAllMyBuckets", "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration", "s3:ListObjectsV2": "s3:ListBucket",
	"STS:GetCallerIdentity": "", // which needs no right
}

// called notes every action that a collector needs, as the SDK is about to make the call.
type called struct {
	mu      sync.Mutex
	actions map[string]bool
}

func (c *called) note(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Noted", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		service := awsmiddleware.GetServiceID(ctx)
		if prefix, known := prefixes[service]; known {
			service = prefix
		}
		action := service + ":" + awsmiddleware.GetOperationName(ctx)
		if name, differs := actions[action]; differs {
			action = name
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if action != "" {
			c.actions[action] = true
		}
		return next.HandleInitialize(ctx, in)
	}), middleware.After)
}

// listening makes the collector note its calls.
func (c *called) listening(k *Collector) *Collector {
	k.own.APIOptions = append(slices.Clone(k.own.APIOptions), c.note)
	k.account.config.APIOptions = append(slices.Clone(k.account.config.APIOptions), c.note)
	return k
}

// all are the calls in order.
func (c *called) all() []string { return slices.Sorted(maps.Keys(c.actions)) }

// TestThePolicyIsWhatIsCalled: reading everything calls every action of the policy, and no other.
func TestThePolicyIsWhatIsCalled(t *testing.T) {
	s := moto(t)
	plainly := collector(t, s.url, nil, nil)
	build(t, plainly.account, "us-east-1")
	buildMore(t, s, seeding(plainly.account.in("us-east-1")))
	must[*organizations.CreateOrganizationOutput](t)(organizations.NewFromConfig(seeding(plainly.own)).CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{FeatureSet: "ALL"}))
	w := &world{moto: proxyTo(t, s.url), beside: besideMoto(t), charges: cloudtest.Charges(3), denied: map[string]bool{}}
	front := httptest.NewServer(w)
	t.Cleanup(front.Close)

	everything := called{actions: map[string]bool{}}
	readAll(t, everything.listening(collector(t, front.URL, nil, map[string]string{"regions": "us-east-1", "member_role": "CostAgentMember"})))
	for _, document := range [][]string{
		policy(t, "../../../docs/clouds/aws.md", `"Action": [`, "]"),
		policy(t, "../../../docs/clouds/aws-role.yaml", "Sid: Read", "Resource:"),
	} {
		if !slices.Equal(document, everything.all()) {
			t.Errorf("the policy has\n%s\ncalled are\n%s", strings.Join(document, "\n"), strings.Join(everything.all(), "\n"))
		}
	}

	bill := called{actions: map[string]bool{}}
	c := bill.listening(collector(t, s.url, nil, exported))
	d := newDelivery(t, collector(t, s.url, nil, exported))
	d.manifest("BILLING_PERIOD=2026-11/daily-Manifest.json", d.put("focus/daily/data/a.parquet", parquetFile(t, someRows(t)...)))
	if rows, err := rowsOf(t.Context(), c, november); err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if document := policy(t, "../../../docs/clouds/aws-role.yaml", "PolicyName: read-export", "AWS::NoValue"); !slices.Equal(document, bill.all()) {
		t.Errorf("the policy of exports has %v, called are %v", document, bill.all())
	}
}

// readAll calls all that a collector can do.
func readAll(t *testing.T, c *Collector) {
	t.Helper()
	ctx := t.Context()
	found, err := c.Resources(ctx)
	if err != nil || !ingest.Whole(found.Parts) {
		t.Fatalf("%v %+v", err, found.Parts)
	}
	var refs []resource.Ref
	for _, r := range found.Resources {
		refs = append(refs, r.Ref)
	}
	q := ingest.UsageQuery{Refs: refs, Metrics: []resource.Metric{resource.CPU}, Every: time.Hour, Period: cost.Period{Start: noon.Add(-time.Hour), End: noon}}
	if _, err := c.Usage(ctx, q); err != nil {
		t.Error(err)
	}
	if rows, err := rowsOf(ctx, c, november.AddDate(0, -1, 0)); err != nil || len(rows) == 0 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if prices, err := c.Prices(ctx, []string{"us-east-1"}); err != nil || len(prices) == 0 {
		t.Errorf("%d prices, %v", len(prices), err)
	}
	if held, err := c.Commitments(ctx, thirtyDays); err != nil || len(held.Held) == 0 || !ingest.Whole(held.Parts) {
		t.Errorf("%v %+v", err, held)
	}
	if advice, err := c.Advice(ctx); err != nil || len(advice.Given) == 0 {
		t.Errorf("%v %+v", err, advice)
	}
}
