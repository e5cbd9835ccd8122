package aws

import (
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// advising is a hub with two recommendations on two pages.
func advising(t *testing.T) *wire {
	t.Helper()
	return &wire{t: t, answers: map[string]func(object, string) any{
		"cost-optimization-hub.ListEnrollmentStatuses": says(object{"items": []object{{"accountId": main, "status": "Active"}}}),
		"cost-optimization-hub.ListRecommendations": func(in object, _ string) any {
			if in["nextToken"] == nil {
				return object{"nextToken": "more", "items": []object{{"recommendationId": "r1", "accountId": member, "region": "eu-west-1", "resourceId": "i-1", "resourceArn": "arn:aws:ec2:eu-west-1:" + member + ":instance/i-1",
					"currentResourceType": "Ec2Instance", "recommendedResourceType": "Ec2Instance", "actionType": "Rightsize", "currentResourceSummary": "m5.2xlarge", "recommendedResourceSummary": "m5.large",
					"estimatedMonthlySavings": 210.24, "currencyCode": "USD", "lastRefreshTimestamp": 1794182400}}}
			}
			return object{"items": []object{{"recommendationId": "r2", "accountId": main, "resourceArn": "arn:aws:x", "currentResourceType": "ComputeSavingsPlans", "actionType": "PurchaseSavingsPlans"},
				{"recommendationId": "r3", "accountId": main, "region": "eu-west-1", "resourceId": "orders", "resourceArn": "arn:aws:rds:eu-west-1:" + main + ":db:orders", "currentResourceType": "RdsDbInstance", "actionType": "Stop"}}}
		},
	}}
}

func TestAdviceOfTheHub(t *testing.T) {
	t.Parallel()
	got, err := collector(t, advising(t).start(), nil, map[string]string{"regions": "eu-west-1"}).Advice(t.Context())
	if err != nil || len(got.Given) != 3 || len(got.Parts) != 1 || got.Parts[0].Status != ingest.OK {
		t.Fatalf("%v %+v", err, got)
	}
	first, second, third := got.Given[0], got.Given[1], got.Given[2]
	if first.Ref != (resource.Ref{Cloud: resource.AWS, Account: member, Region: "eu-west-1", Type: resource.Instance, ID: "i-1"}) || first.Kind != "Rightsize" || first.Current != "m5.2xlarge" || first.Advised != "m5.large" ||
		first.Saving.String() != "210.24" || first.Currency != "USD" || !first.At.Equal(time.Unix(1794182400, 0)) || first.Text != "Rightsize: m5.large" {
		t.Errorf("%+v", first)
	}
	if second.Type != "" || second.Saving != nil || second.ID != "arn:aws:x" || second.Text != "PurchaseSavingsPlans ComputeSavingsPlans" {
		t.Errorf("%+v", second)
	}
	if third.ID != "arn:aws:rds:eu-west-1:"+main+":db:orders" || third.Type != resource.Database {
		t.Errorf("%+v", third)
	}
}

func TestAdviceThatCannotBeRead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		operation string
		answer    any
		status    ingest.Status
		code      fault.Code
	}{
		"off":       {"ListEnrollmentStatuses", object{"items": []object{{"accountId": main, "status": "Inactive"}}}, ingest.Disabled, ""},
		"never on":  {"ListEnrollmentStatuses", object{"items": []object{}}, ingest.Disabled, ""},
		"denied":    {"ListEnrollmentStatuses", refusal{400, "AccessDeniedException"}, ingest.Denied, ""},
		"no advice": {"ListRecommendations", refusal{400, "AccessDeniedException"}, ingest.Denied, ""},
		"throttled": {"ListRecommendations", refusal{400, "ThrottlingException"}, "", fault.Throttled},
		"down":      {"ListRecommendations", refusal{500, "InternalServerException"}, "", fault.Unavailable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := advising(t)
			w.answers["cost-optimization-hub."+c.operation] = says(c.answer)
			got, err := collector(t, w.start(), nil, nil).Advice(t.Context())
			if (err != nil) != (c.code != "") || err != nil && fault.CodeOf(err) != c.code {
				t.Fatalf("%v, want %q", err, c.code)
			}
			if err == nil && (len(got.Given) != 0 || len(got.Parts) != 1 || got.Parts[0].Status != c.status || got.Parts[0].Reason == "") {
				t.Errorf("%+v, want %s", got, c.status)
			}
		})
	}
}
