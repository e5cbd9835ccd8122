package aws

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// estate is what the tests create in one region.
type estate struct{ instance, loose, snapshot, address string }

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// seeding is for calls that make something: sent again, they would make two.
func seeding(config aws.Config) aws.Config {
	config.RetryMaxAttempts = 1
	config.HTTPClient = seeder
	return config
}

// plain leaves out what moto does not have.
var plain = map[string]string{"price_list": "off", "commitments": "off", "advice": "off"}

// build creates one of each kind with the account's own rights.
func build(t *testing.T, a account, region string) (e estate) {
	t.Helper()
	ctx := t.Context()
	client := ec2.NewFromConfig(seeding(a.in(region)))
	tags := []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("web-1")}, {Key: aws.String("team"), Value: aws.String("shop")}}}}
	run := must[*ec2.RunInstancesOutput](t)(client.RunInstances(ctx, &ec2.RunInstancesInput{ImageId: aws.String("ami-760aaa0f"), InstanceType: types.InstanceTypeM5Xlarge, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), TagSpecifications: tags}))
	e.instance = *run.Instances[0].InstanceId
	loose := must[*ec2.CreateVolumeOutput](t)(client.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String(region + "a"), Size: aws.Int32(100), VolumeType: types.VolumeTypeGp2}))
	e.loose = *loose.VolumeId
	e.snapshot = *must[*ec2.CreateSnapshotOutput](t)(client.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: loose.VolumeId})).SnapshotId
	e.address = *must[*ec2.AllocateAddressOutput](t)(client.AllocateAddress(ctx, &ec2.AllocateAddressInput{})).AllocationId
	must[*rds.CreateDBInstanceOutput](t)(rds.NewFromConfig(seeding(a.in(region))).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String("orders"),
		DBInstanceClass: aws.String("db.r5.large"), Engine: aws.String("postgres"), AllocatedStorage: aws.Int32(50), MasterUsername: aws.String("u"), MasterUserPassword: aws.String("password1")}))
	return e
}

func find(t *testing.T, all []resource.Resource, id string) resource.Resource {
	t.Helper()
	i := slices.IndexFunc(all, func(r resource.Resource) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("%s is not in the inventory", id)
	}
	return all[i]
}

func attributes(t *testing.T, r resource.Resource, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if r.Attributes[name] != value {
			t.Errorf("%s: %s is %q, want %q", r.ID, name, r.Attributes[name], value)
		}
	}
}

func TestTheInventoryOfAnAccount(t *testing.T) {
	s := moto(t)
	front := refusing(t, s, func(service, _, form string) (int, string) { // moto has all regions switched on
		if service != "ec2" || !strings.Contains(form, "Action=DescribeRegions") {
			return 0, ""
		}
		var text strings.Builder
		text.WriteString("<DescribeRegionsResponse><regionInfo>")
		for name, status := range map[string]string{"us-east-1": "opt-in-not-required", "eu-west-1": "opted-in", "af-south-1": "not-opted-in", "eu-north-1": "opt-in-not-required"} {
			text.WriteString("<item><regionName>" + name + "</regionName><optInStatus>" + status + "</optInStatus></item>")
		}
		return 200, text.String() + "</regionInfo></DescribeRegionsResponse>"
	})
	c := collector(t, front, nil, map[string]string{"regions": "us-east-1,eu-west-1,af-south-1"})
	e := build(t, c.account, "eu-west-1")
	before := runtime.NumGoroutine()
	got, err := c.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got.Parts {
		if want := map[bool]ingest.Status{true: ingest.Disabled, false: ingest.OK}[p.Region == "af-south-1"]; p.Status != want || p.Account != main {
			t.Errorf("%+v, want %s", p, want)
		}
	}
	if len(got.Parts) != 3*len(services) {
		t.Errorf("%d parts, want all services in three regions", len(got.Parts))
	}
	i := find(t, got.Resources, e.instance)
	attributes(t, i, map[string]string{"state": "running", "size": "m5.xlarge", "vcpu": "4", "memory_gib": "16", "os": "linux"})
	if i.Name != "web-1" || i.Tags["team"] != "shop" || i.Account != main || i.Region != "eu-west-1" || i.CreatedAt.IsZero() || !i.SeenAt.Equal(noon) {
		t.Errorf("%+v", i)
	}
	attributes(t, find(t, got.Resources, e.loose), map[string]string{"state": "available", "volume_type": "gp2", "gib": "100", "attached_to": ""})
	attached := slices.IndexFunc(got.Resources, func(r resource.Resource) bool { return r.Attributes["attached_to"] == e.instance })
	if attached < 0 || got.Resources[attached].Attributes["state"] != "in-use" {
		t.Error("the root volume of the instance is not attached to it")
	}
	arn := "arn:aws:ec2:eu-west-1:" + main
	attributes(t, find(t, got.Resources, arn+":snapshot/"+e.snapshot), map[string]string{"gib": "100", "state": "completed"})
	attributes(t, find(t, got.Resources, arn+":elastic-ip/"+e.address), map[string]string{"state": "available"})
	attributes(t, find(t, got.Resources, "arn:aws:rds:eu-west-1:"+main+":db:orders"), map[string]string{"size": "db.r5.large", "gib": "50", "state": "running"})
	noneLeft(t, before)
}

// noneLeft waits until no more goroutines run than before; idle connections of the clients are none of ours.
func noneLeft(t *testing.T, before int) {
	t.Helper()
	for range 100 {
		http.DefaultClient.CloseIdleConnections()
		stacks := make([]byte, 1<<20)
		if text := string(stacks[:runtime.Stack(stacks, true)]); !strings.Contains(text, "aws.(*Collector)") && !strings.Contains(text, "aws.readEC2") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("goroutines of the collector are left; there were %d before", before)
}

func TestTheAccountsOfAnOrganisation(t *testing.T) {
	s := moto(t)
	c := collector(t, s.url, nil, map[string]string{"regions": "us-east-1", "member_role": "CostAgentMember"})
	org := organizations.NewFromConfig(seeding(c.own))
	must[*organizations.CreateOrganizationOutput](t)(org.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{FeatureSet: "ALL"}))
	var ids []string
	for _, name := range []string{"shop", "closed"} {
		out := must[*organizations.CreateAccountOutput](t)(org.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: &name, Email: aws.String(name + "@example.com")}))
		ids = append(ids, *out.CreateAccountStatus.AccountId)
	}
	must[*organizations.CloseAccountOutput](t)(org.CloseAccount(t.Context(), &organizations.CloseAccountInput{AccountId: &ids[1]}))
	e := build(t, c.member(ids[0], "shop"), "us-east-1")
	got, err := c.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := find(t, got.Resources, e.instance); r.Account != ids[0] {
		t.Errorf("the instance is in %s, want %s", r.Account, ids[0])
	}
	for _, p := range got.Parts {
		if p.Account == ids[1] || p.Status != ingest.OK {
			t.Errorf("%+v", p)
		}
	}
	if len(got.Parts) != 2*len(services) {
		t.Errorf("%d parts, want all services of two accounts", len(got.Parts))
	}
	c.settings.noPrices, c.settings.noCommitments, c.settings.noAdvice = true, true, true // moto has none of them
	if missing, err := c.Check(t.Context()); err != nil || len(missing) != 0 {
		t.Errorf("%v %v", missing, err)
	}
}

// refusing stands before moto and refuses what the rule names.
func refusing(t *testing.T, s server, refuse func(service, region, form string) (status int, answer string)) string {
	t.Helper()
	proxy := proxyTo(t, s.url)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scope := strings.Split(r.Header.Get("Authorization"), "/") // Credential=key/day/region/service/aws4_request
		if len(scope) > 3 {
			body := peek(r)
			if status, answer := refuse(scope[3], scope[2], body); status != 0 {
				w.Header().Set("Content-Type", "text/xml")
				w.WriteHeader(status)
				fmt.Fprint(w, answer)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// s3Refusing stands before moto and denies the requests to S3 that the rule names.
func s3Refusing(t *testing.T, s server, denied func(*http.Request) bool) string {
	t.Helper()
	proxy := proxyTo(t, s.url)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), "/s3/") && denied(r) {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

func ec2Error(code string) string {
	return `<Response><Errors><Error><Code>` + code + `</Code><Message>refused</Message></Error></Errors><RequestID>1</RequestID></Response>`
}

func TestWhatCannotBeReadIsNotTakenForGone(t *testing.T) {
	s := moto(t)
	cases := map[string]struct {
		status int
		code   string
		want   ingest.Status
	}{
		"denied":      {403, "UnauthorizedOperation", ingest.Denied},
		"region off":  {401, "AuthFailure", ingest.Denied},
		"not opted":   {403, "OptInRequired", ingest.Disabled},
		"throttled":   {503, "RequestLimitExceeded", ingest.Failed},
		"down":        {500, "InternalError", ingest.Failed},
		"session end": {400, "RequestExpired", ingest.Denied},
		"unreadable":  {200, "", ingest.Failed},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			front := refusing(t, s, func(service, region, form string) (int, string) {
				if service == "ec2" && region == "eu-west-1" && strings.Contains(form, "Action=DescribeVolumes") {
					if test.code == "" {
						return test.status, "<DescribeVolumesResponse><volumeSet><item>"
					}
					return test.status, ec2Error(test.code)
				}
				return 0, ""
			})
			got, err := collector(t, front, nil, map[string]string{"regions": "us-east-1,eu-west-1", "services": "EC2 - Other,Amazon Relational Database Service"}).Resources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			first := got.Parts[0]
			if first.Region != "eu-west-1" || first.Service != "ec2" || first.Status != test.want || first.Reason == "" {
				t.Errorf("%+v, want %s", first, test.want)
			}
			for _, p := range got.Parts[1:] {
				if p.Status != ingest.OK {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

func TestARevokedRole(t *testing.T) {
	s := moto(t)
	front := refusing(t, s, func(service, _, _ string) (int, string) {
		if service == "sts" {
			return 403, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`
		}
		return 0, ""
	})
	c := collector(t, front, nil, nil)
	_, read := c.Resources(t.Context())
	_, checked := c.Check(t.Context())
	for _, err := range []error{read, checked} {
		if fault.CodeOf(err) != fault.Forbidden || !strings.Contains(fault.Public(err).Message, "trust policy") {
			t.Error(err)
		}
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	s := moto(t)
	front := refusing(t, s, func(service, _, form string) (int, string) {
		switch {
		case service == "ec2" && strings.Contains(form, "Action=DescribeSnapshots"):
			return 403, ec2Error("UnauthorizedOperation")
		case service == "rds", service == "monitoring":
			return 403, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`
		}
		return 0, ""
	})
	missing, err := collector(t, front, nil, plain).Check(t.Context())
	if want := []string{"ec2:DescribeSnapshots", "rds:DescribeDBInstances", "cloudwatch:GetMetricData"}; err != nil || !slices.Equal(missing, want) {
		t.Errorf("%v %v, want %v", missing, err, want)
	}
}

func TestTheRoleIsAssumedWithTheTenantAsExternalID(t *testing.T) {
	s := moto(t)
	seen := ""
	front := refusing(t, s, func(service, _, form string) (int, string) {
		if service == "sts" && strings.Contains(form, "Action=AssumeRole") {
			seen = form
		}
		return 0, ""
	})
	if _, err := collector(t, front, nil, map[string]string{"regions": "us-east-1"}).Resources(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(seen, "ExternalId="+string(aTenant)) || !strings.Contains(seen, url.QueryEscape(role)) {
		t.Errorf("assumed with %s", seen)
	}
}

func TestUsage(t *testing.T) {
	s := moto(t)
	meter := ingest.NewMeter(nil)
	c := collector(t, s.url, meter, nil)
	put := func(namespace, metric, dimension, id string, value float64) {
		must[*cloudwatch.PutMetricDataOutput](t)(newCloudWatch(seeding(c.account.in("us-east-1"))).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: &namespace,
			MetricData: []cwtypes.MetricDatum{{MetricName: &metric, Timestamp: aws.Time(noon.Add(-90 * time.Minute)), Value: &value, Dimensions: []cwtypes.Dimension{{Name: &dimension, Value: &id}}}}}))
	}
	put("AWS/EC2", "CPUUtilization", "InstanceId", "i-1", 12.5)
	put("AWS/EBS", "VolumeReadOps", "VolumeId", "vol-1", 3600)
	put("AWS/EBS", "VolumeWriteOps", "VolumeId", "vol-1", 7200)
	put("AWS/RDS", "ReadThroughput", "DBInstanceIdentifier", "orders", 3<<20)
	ref := func(typ resource.Type, id string) resource.Ref {
		return resource.Ref{Cloud: resource.AWS, Account: main, Region: "us-east-1", Type: typ, ID: id}
	}
	q := ingest.UsageQuery{Every: time.Hour, Period: cost.Period{Start: noon.Add(-3 * time.Hour), End: noon}, Metrics: []resource.Metric{resource.CPU, resource.Memory, resource.DiskOps, resource.DiskBytes},
		Refs: []resource.Ref{ref(resource.Instance, "i-1"), ref(resource.Instance, "i-2"), ref(resource.Volume, "vol-1"), ref(resource.Database, "arn:aws:rds:us-east-1:"+main+":db:orders")}}
	measured, err := c.Usage(t.Context(), q)
	got := measured.Usage
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"i-1 cpu_percent": 12.5, "vol-1 disk_iops": 3, "arn:aws:rds:us-east-1:" + main + ":db:orders disk_mibps": 3}
	for _, u := range got {
		name := u.Ref.ID + " " + string(u.Metric)
		if len(u.Samples) != 1 || u.Samples[0].Value != want[name] || !u.Samples[0].At.Equal(noon.Add(-2*time.Hour)) {
			t.Errorf("%s: %+v, want %v", name, u.Samples, want[name])
		}
		delete(want, name)
	}
	if len(want) != 0 {
		t.Errorf("no use of %v", want)
	}
	if spent := meter.Spent(); len(spent) != 1 || spent[0].Units != 19 || spent[0].Amount.String() != "0.00019" {
		t.Errorf("spent %+v", spent)
	}
	q.Every = 90 * time.Second
	if _, err := c.Usage(t.Context(), q); fault.CodeOf(err) != fault.Invalid {
		t.Error(err)
	}
	q.Every, q.Refs[0].Account = time.Hour, "210987654321"
	if _, err := c.Usage(t.Context(), q); fault.CodeOf(err) != fault.Unprocessable {
		t.Errorf("an account that the connection does not read: %v", err)
	}
}
