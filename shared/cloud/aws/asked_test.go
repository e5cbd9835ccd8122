package aws

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// TestWhatIsGoneIsNotListed: EC2 lists what is being deleted for a while, and snapshots of everybody to who does not ask for the own.
func TestWhatIsGoneIsNotListed(t *testing.T) {
	t.Parallel()
	instance := func(id, state string) string {
		return "<item><instanceId>" + id + "</instanceId><instanceType>m5.large</instanceType><instanceState><name>" + state + "</name></instanceState></item>"
	}
	volume := func(id, state string) string {
		return "<item><volumeId>" + id + "</volumeId><size>8</size><status>" + state + "</status></item>"
	}
	w := &wire{t: t, answers: map[string]func(object, string) any{
		"ec2.DescribeRegions": says(twoRegions), "ec2.DescribeInstanceTypes": says(sizes), "ec2.DescribeAddresses": says(`<DescribeAddressesResponse><addressesSet/></DescribeAddressesResponse>`),
		"ec2.DescribeInstances": says(`<DescribeInstancesResponse><reservationSet><item><instancesSet>` + instance("i-1", "running") + instance("i-2", "stopped") + instance("i-3", "shutting-down") + instance("i-4", "terminated") +
			`</instancesSet></item></reservationSet></DescribeInstancesResponse>`),
		"ec2.DescribeVolumes": says(`<DescribeVolumesResponse><volumeSet>` + volume("vol-1", "available") + volume("vol-2", "deleting") + volume("vol-3", "deleted") + volume("vol-4", "creating") + `</volumeSet></DescribeVolumesResponse>`),
		"ec2.DescribeSnapshots": func(in object, _ string) any {
			others := "<item><snapshotId>snap-2</snapshotId></item>"
			if in["Owner.1"] == "self" {
				others = ""
			}
			return `<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-1</snapshotId></item>` + others + `</snapshotSet></DescribeSnapshotsResponse>`
		},
	}}
	got, err := collector(t, w.start(), nil, map[string]string{"services": "EC2 - Other", "regions": "us-east-1"}).Resources(t.Context())
	var ids []string
	for _, r := range got.Resources {
		ids = append(ids, r.ID)
	}
	if want := []string{"arn:aws:ec2:us-east-1:" + main + ":snapshot/snap-1", "i-1", "i-2", "vol-1", "vol-4"}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("%v %v, want %v", err, ids, want)
	}
}

// TestCommitmentsThatAreOverAreNotHeld: AWS lists them for years to who does not ask for those that count.
func TestCommitmentsThatAreOverAreNotHeld(t *testing.T) {
	t.Parallel()
	w := committed(t)
	running, reserved := w.answers["savingsplans.DescribeSavingsPlans"], w.answers["ec2.DescribeReservedInstances"]
	w.answers["savingsplans.DescribeSavingsPlans"] = func(in object, region string) any {
		states, _ := in["states"].([]any)
		if !slices.Equal(states, []any{"active", "queued", "payment-pending", "pending-return"}) {
			t.Errorf("asked for plans that are %v", states)
		}
		return running(in, region)
	}
	w.answers["ec2.DescribeReservedInstances"] = func(in object, region string) any {
		if in["Filter.1.Name"] != "state" || in["Filter.1.Value.1"] != "active" || in["Filter.1.Value.2"] != "payment-pending" || in["Filter.1.Value.3"] != "queued" || in["Filter.1.Value.4"] != nil {
			t.Errorf("asked for reservations by %v", in)
		}
		return reserved(in, region)
	}
	old := func(id, state, start string) string {
		return `<ReservedDBInstance><ReservedDBInstanceId>` + id + `</ReservedDBInstanceId><ReservedDBInstanceArn>arn:aws:rds:eu-west-1:123456789012:ri:` + id + `</ReservedDBInstanceArn><DBInstanceCount>1</DBInstanceCount><Duration>31536000</Duration><StartTime>` +
			start + `</StartTime><CurrencyCode>USD</CurrencyCode><State>` + state + `</State></ReservedDBInstance>`
	}
	w.answers["rds.DescribeReservedDBInstances"] = says(`<DescribeReservedDBInstancesResponse><DescribeReservedDBInstancesResult><ReservedDBInstances>` + old("over", "active", "2025-11-10T11:00:00Z") + old("retired", "retired", "2026-03-01T00:00:00Z") +
		old("unpaid", "payment-failed", "2026-03-01T00:00:00Z") + old("held", "active", "2025-11-10T13:00:00Z") + `</ReservedDBInstances></DescribeReservedDBInstancesResult></DescribeReservedDBInstancesResponse>`)
	got, err := collector(t, w.start(), nil, map[string]string{"regions": "eu-west-1"}).Commitments(t.Context(), thirtyDays)
	var databases []string
	for _, h := range got.Held {
		if strings.Contains(h.ID, ":rds:") {
			databases = append(databases, h.Name)
		}
	}
	if err != nil || !slices.Equal(databases, []string{"held"}) || len(got.Held) != 4 {
		t.Errorf("%v %+v", err, got.Held)
	}
}

// TestTheNewestManifestCounts: exports that are not overwritten keep the manifests of all deliveries.
func TestTheNewestManifestCounts(t *testing.T) {
	t.Parallel()
	file := func(key, at string) string {
		return "<Contents><Key>" + key + "</Key><LastModified>2026-11-" + at + "T00:00:00.000Z</LastModified></Contents>"
	}
	w := &wire{t: t, answers: map[string]func(object, string) any{"s3.bills": says(`<ListBucketResult>` + file("a/Manifest.json", "08") + file("b/daily-Manifest.json", "09") + file("c/Manifest.json", "07") + file("d/data.parquet", "10") + `</ListBucketResult>`)}}
	if key, err := collector(t, w.start(), nil, exported).newestManifest(t.Context(), november); err != nil || key != "b/daily-Manifest.json" {
		t.Errorf("%q %v", key, err)
	}
}

// TestABucketWeighsWhatItDoesNow: of the days that CloudWatch knows, the last one counts.
func TestABucketWeighsWhatItDoesNow(t *testing.T) {
	t.Parallel()
	w := &wire{t: t, rest: refusal{404, "NoSuchLifecycleConfiguration"}, answers: map[string]func(object, string) any{
		"ec2.DescribeRegions": says(twoRegions), "tagging.GetResources": says(object{"ResourceTagMappingList": []object{}}),
		"s3.": says(`<ListAllMyBucketsResult><Buckets><Bucket><Name>logs</Name><BucketRegion>us-east-1</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>`),
		"monitoring.GetMetricData": func(in object, _ string) any {
			days, gib := []string{"08", "09"}, []string{"2147483648", "3221225472"}
			if in["ScanBy"] == "TimestampDescending" {
				slices.Reverse(days)
				slices.Reverse(gib)
			}
			return `<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member><Id>q0</Id><Timestamps><member>2026-11-` + days[0] + `T00:00:00Z</member><member>2026-11-` + days[1] + `T00:00:00Z</member></Timestamps><Values><member>` +
				gib[0] + `</member><member>` + gib[1] + `</member></Values></member></MetricDataResults></GetMetricDataResult></GetMetricDataResponse>`
		},
	}}
	got, err := collector(t, w.start(), nil, map[string]string{"services": "Amazon Simple Storage Service", "regions": "us-east-1"}).Resources(t.Context())
	if err != nil || len(got.Resources) != 1 || got.Resources[0].Attributes[resource.AttrStandardGiB] != "3" {
		t.Errorf("%v %+v", err, got.Resources)
	}
}

// TestHowTheUseOfCommitmentsIsAsked: of reservations one by one, which Cost Explorer groups by nothing else, and of all days at
// once, for a page costs a cent.
func TestHowTheUseOfCommitmentsIsAsked(t *testing.T) {
	t.Parallel()
	w := committed(t)
	for operation, want := range map[string]object{
		"ce.GetReservationUtilization": {"GroupBy": []any{object{"Key": "SUBSCRIPTION_ID", "Type": "DIMENSION"}}, "Granularity": nil},
		"ce.GetReservationCoverage":    {"GroupBy": nil, "Granularity": "MONTHLY", "Metrics": []any{"Hour"}},
		"ce.GetSavingsPlansCoverage":   {"GroupBy": nil, "Granularity": "MONTHLY"},
	} {
		answer := w.answers[operation]
		w.answers[operation] = func(in object, region string) any {
			for name, value := range want {
				if !reflect.DeepEqual(in[name], value) {
					t.Errorf("%s asks for %s %v, want %v", operation, name, in[name], value)
				}
			}
			if !reflect.DeepEqual(in["TimePeriod"], object{"Start": "2026-10-11", "End": "2026-11-09"}) {
				t.Errorf("%s asks for %v", operation, in["TimePeriod"])
			}
			return answer(in, region)
		}
	}
	if _, err := collector(t, w.start(), nil, nil).Commitments(t.Context(), thirtyDays); err != nil {
		t.Error(err)
	}
}

// TestAdviceIsAskedForWhereItIsWanted: the hub of a management account speaks of all accounts and regions.
func TestAdviceIsAskedForWhereItIsWanted(t *testing.T) {
	t.Parallel()
	w := advising(t)
	answer := w.answers["cost-optimization-hub.ListRecommendations"]
	w.answers["cost-optimization-hub.ListRecommendations"] = func(in object, region string) any {
		if want := (object{"accountIds": []any{main}, "regions": []any{"eu-west-1"}}); !reflect.DeepEqual(in["filter"], want) || region != global {
			t.Errorf("asked %v in %s, want %v", in["filter"], region, want)
		}
		return answer(in, region)
	}
	if _, err := collector(t, w.start(), nil, map[string]string{"accounts": main, "regions": "eu-west-1"}).Advice(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestASessionIsRenewedBeforeItEnds, and used until then.
func TestASessionIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	now, assumed := noon, 0
	s := &session{now: func() time.Time { return now }, provider: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		assumed++
		return aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s", CanExpire: true, Expires: now.Add(15 * time.Minute)}, nil
	})}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {9 * time.Minute, 1}, {time.Minute, 2}, {9 * time.Minute, 2}, {time.Hour, 3}} {
		now = now.Add(step.after)
		if _, err := s.Retrieve(t.Context()); err != nil || assumed != step.want {
			t.Errorf("after %s: assumed %d times, want %d, %v", step.after, assumed, step.want, err)
		}
	}
}
