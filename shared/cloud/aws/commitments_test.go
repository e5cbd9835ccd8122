package aws

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// thirtyDays are what is asked for, and usedDays those of them that are over for a day.
var (
	thirtyDays = cost.Days(time.Date(2026, 10, 11, 0, 0, 0, 0, time.UTC), 30)
	usedDays   = cost.Days(time.Date(2026, 10, 11, 0, 0, 0, 0, time.UTC), 29)
)

// committed is an account with two savings plans on two pages, a reservation of each kind, and their use.
func committed(t *testing.T) *wire {
	t.Helper()
	inEurope := func(there, elsewhere string) func(object, string) any {
		return func(_ object, region string) any {
			return map[bool]string{true: there, false: elsewhere}[region == "eu-west-1"]
		}
	}
	paging := func(first, second object, token string) func(object, string) any {
		return func(in object, _ string) any {
			if in[token] == nil {
				first[token] = "more"
				return first
			}
			return second
		}
	}
	byService := func(ec2, rds object) func(object, string) any {
		return func(in object, _ string) any {
			if strings.Contains(strings.Join(valuesOf(in), " "), "Relational") {
				return rds
			}
			return ec2
		}
	}
	plan := func(id, kind, family, region, dollars, pay string) object {
		return object{"savingsPlanArn": "arn:aws:savingsplans::" + main + ":savingsplan/" + id, "savingsPlanId": id, "savingsPlanType": kind, "ec2InstanceFamily": family, "region": region,
			"commitment": dollars, "currency": "USD", "paymentOption": pay, "start": "2026-01-15T10:00:00.000Z", "end": "2027-01-15T09:59:59.000Z", "state": "active"}
	}
	utilization := func(used, unused, total string) object {
		return object{"UsedCommitment": used, "UnusedCommitment": unused, "TotalCommitment": total, "UtilizationPercentage": "0"}
	}
	return &wire{t: t, answers: map[string]func(object, string) any{
		"ec2.DescribeRegions": says(twoRegions),
		"savingsplans.DescribeSavingsPlans": paging(object{"savingsPlans": []object{plan("sp-1", "Compute", "", "", "1.50000000", "No Upfront")}},
			object{"savingsPlans": []object{plan("sp-2", "EC2Instance", "m5", "eu-west-1", "0.25", "All Upfront")}}, "nextToken"),
		"ec2.DescribeReservedInstances": inEurope(`<DescribeReservedInstancesResponse><reservedInstancesSet><item><reservedInstancesId>ri-1</reservedInstancesId><instanceType>m5.large</instanceType><start>2026-02-01T00:00:00.000Z</start><end>2027-02-01T00:00:00.000Z</end><duration>31536000</duration><fixedPrice>87.6</fixedPrice><usagePrice>0.0</usagePrice><instanceCount>3</instanceCount><productDescription>Linux/UNIX</productDescription><state>active</state><currencyCode>USD</currencyCode><offeringType>Partial Upfront</offeringType><recurringCharges><item><frequency>Hourly</frequency><amount>0.02</amount></item></recurringCharges></item></reservedInstancesSet></DescribeReservedInstancesResponse>`,
			`<DescribeReservedInstancesResponse><reservedInstancesSet/></DescribeReservedInstancesResponse>`),
		"rds.DescribeReservedDBInstances": inEurope(`<DescribeReservedDBInstancesResponse><DescribeReservedDBInstancesResult><ReservedDBInstances>
<ReservedDBInstance><ReservedDBInstanceId>orders</ReservedDBInstanceId><ReservedDBInstanceArn>arn:aws:rds:eu-west-1:123456789012:ri:orders</ReservedDBInstanceArn><DBInstanceClass>db.r5.large</DBInstanceClass><DBInstanceCount>1</DBInstanceCount><Duration>31536000</Duration><FixedPrice>0</FixedPrice><StartTime>2026-03-01T00:00:00Z</StartTime><CurrencyCode>USD</CurrencyCode><OfferingType>No Upfront</OfferingType><State>active</State><LeaseId>lease-1</LeaseId><RecurringCharges><RecurringCharge><RecurringChargeAmount>0.19</RecurringChargeAmount><RecurringChargeFrequency>Hourly</RecurringChargeFrequency></RecurringCharge></RecurringCharges></ReservedDBInstance>
<ReservedDBInstance><ReservedDBInstanceId>over</ReservedDBInstanceId><ReservedDBInstanceArn>arn:aws:rds:eu-west-1:123456789012:ri:over</ReservedDBInstanceArn><Duration>31536000</Duration><StartTime>2024-03-01T00:00:00Z</StartTime><State>retired</State></ReservedDBInstance>
</ReservedDBInstances></DescribeReservedDBInstancesResult></DescribeReservedDBInstancesResponse>`, `<DescribeReservedDBInstancesResponse><DescribeReservedDBInstancesResult/></DescribeReservedDBInstancesResponse>`),
		"ce.GetSavingsPlansUtilizationDetails": paging(object{"SavingsPlansUtilizationDetails": []object{{"SavingsPlanArn": "arn:aws:savingsplans::" + main + ":savingsplan/sp-1", "Utilization": utilization("900", "180", "1080")}}},
			object{"SavingsPlansUtilizationDetails": []object{{"SavingsPlanArn": "arn:aws:savingsplans::" + member + ":savingsplan/x", "Utilization": utilization("0", "0", "0")}},
				"Total": object{"Utilization": utilization("900", "180", "1080")}}, "NextToken"),
		"ce.GetSavingsPlansCoverage": says(object{"SavingsPlansCoverages": []object{{"Coverage": object{"SpendCoveredBySavingsPlans": "600", "TotalCost": "800"}}, {"Coverage": object{"SpendCoveredBySavingsPlans": "300", "TotalCost": "400"}}}}),
		"ce.GetReservationUtilization": byService(
			object{"UtilizationsByTime": []object{{"Groups": []object{
				{"Key": "SubscriptionId", "Value": "1", "Attributes": object{"leaseId": "ri-1", "accountId": main}, "Utilization": object{"TotalActualHours": "1080", "PurchasedHours": "2160", "RICostForUnusedHours": "32.4"}},
				{"Key": "SubscriptionId", "Value": "2", "Attributes": object{"leaseId": "ri-9", "accountId": member, "region": "us-west-2"}, "Utilization": object{"TotalActualHours": "720", "PurchasedHours": "720", "RICostForUnusedHours": "0"}},
			}}}},
			object{"UtilizationsByTime": []object{{"Groups": []object{{"Key": "SubscriptionId", "Value": "3", "Attributes": object{"leaseId": "lease-1", "accountId": main}, "Utilization": object{"TotalActualHours": "720", "PurchasedHours": "720", "RICostForUnusedHours": "0"}}}}}}),
		"ce.GetReservationCoverage": byService(object{"CoveragesByTime": []object{{"Total": object{"CoverageHours": object{"ReservedHours": "1800", "TotalRunningHours": "3000"}}}}},
			object{"CoveragesByTime": []object{{"Total": object{"CoverageHours": object{"ReservedHours": "720", "TotalRunningHours": "1200"}}}}}),
	}}
}

// valuesOf are the values of a filter by one dimension.
func valuesOf(in object) (out []string) {
	filter, _ := in["Filter"].(object)
	dimensions, _ := filter["Dimensions"].(object)
	values, _ := dimensions["Values"].([]any)
	for _, v := range values {
		text, _ := v.(string)
		out = append(out, text)
	}
	return out
}

func TestCommitmentsAndTheirUse(t *testing.T) {
	t.Parallel()
	w, meter := committed(t), ingest.NewMeter(nil)
	got, err := collector(t, w.start(), meter, nil).Commitments(t.Context(), thirtyDays)
	if err != nil {
		t.Fatal(err)
	}
	europe := "arn:aws:ec2:eu-west-1:" + main + ":reserved-instances/ri-1"
	want := map[string]resource.Commitment{
		"arn:aws:savingsplans::" + main + ":savingsplan/sp-1": {Category: "Spend", Service: "Compute", Unit: "USD/hour", Payment: "no_upfront", Quantity: decimal.RequireFromString("1.5"), Type: "Savings Plan"},
		"arn:aws:savingsplans::" + main + ":savingsplan/sp-2": {Category: "Spend", Service: "EC2Instance", Unit: "USD/hour", Payment: "all_upfront", Quantity: decimal.RequireFromString("0.25"), Type: "Savings Plan", Region: "eu-west-1", Size: "m5"},
		europe: {Category: "Usage", Service: "Amazon Elastic Compute Cloud - Compute", Unit: "instances", Payment: "partial_upfront", Quantity: decimal.RequireFromString("3"), Type: "Reserved Instance", Region: "eu-west-1", Size: "m5.large"},
		"arn:aws:rds:eu-west-1:" + main + ":ri:orders": {Category: "Usage", Service: "Amazon Relational Database Service", Unit: "instances", Payment: "no_upfront", Quantity: decimal.RequireFromString("1"), Type: "Reserved Instance", Region: "eu-west-1", Size: "db.r5.large"},
	}
	// A reservation's upfront payment is spread over its term: 87.60 over 8,760 hours and 0.02, three times.
	hourly := map[string]string{"sp-1": "1.5", "sp-2": "0.25", "ri-1": "0.09", "orders": "0.19"}
	for _, h := range got.Held {
		expect := want[h.ID]
		if h.Category != expect.Category || h.Service != expect.Service || h.Unit != expect.Unit || h.Payment != expect.Payment || !h.Quantity.Equal(expect.Quantity) || h.Type != expect.Type || h.Region != expect.Region || h.Size != expect.Size {
			t.Errorf("%+v, want %+v", h, expect)
		}
		name := h.ID[strings.LastIndexAny(h.ID, "/:")+1:]
		if h.Account != main || h.Currency != "USD" || h.State != "active" || h.Start.IsZero() || !h.End.After(noon) || h.Hourly == nil || h.Hourly.String() != hourly[name] {
			t.Errorf("%s: %+v", name, h)
		}
		delete(want, h.ID)
	}
	if len(want) != 0 {
		t.Errorf("not held: %v", want)
	}
	for _, p := range got.Parts {
		if p.Status != ingest.OK || p.Region == "af-south-1" {
			t.Errorf("%+v", p)
		}
	}
	checkUse(t, got.Use, europe)
	if spent := meter.Spent(); len(spent) != 1 || spent[0].Units != 7 || spent[0].Amount.String() != "0.07" {
		t.Errorf("spent %+v", spent)
	}
}

// checkUse checks what the two kinds were used for, by the figures of committed.
func checkUse(t *testing.T, use []resource.CommitmentUse, reservation string) {
	t.Helper()
	type figures struct {
		account       string
		used, covered float64 // -1: not known
		unused        string
	}
	want := map[string]figures{
		"Savings Plan":      {main, 900.0 / 1080, 0.75, "180"},
		"Reserved Instance": {main, 2520.0 / 3600, 2520.0 / 4200, "32.4"},
		"arn:aws:savingsplans::" + main + ":savingsplan/sp-1": {main, 900.0 / 1080, -1, "180"},
		"arn:aws:savingsplans::" + member + ":savingsplan/x":  {member, -1, -1, "0"},
		reservation: {main, 0.5, -1, "32.4"},
		"arn:aws:ec2:us-west-2:" + member + ":reserved-instances/ri-9": {member, 1, -1, "0"},
		"arn:aws:rds:eu-west-1:" + main + ":ri:orders":                 {main, 1, -1, "0"},
	}
	known := func(v *float64) float64 {
		if v == nil {
			return -1
		}
		return *v
	}
	for _, u := range use {
		name := u.Commitment
		if name == "" {
			name = u.Type
		}
		f, expected := want[name]
		if !expected || known(u.Used)-f.used > 1e-9 || f.used-known(u.Used) > 1e-9 || known(u.Covered) != f.covered || u.Unused.String() != f.unused || u.Account != f.account || u.Currency != "USD" || u.Period != usedDays {
			t.Errorf("%s: %+v, want %+v", name, u, f)
		}
		delete(want, name)
	}
	if len(want) != 0 {
		t.Errorf("no use of %v", want)
	}
}

func TestCommitmentsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	denied := says(refusal{403, "AccessDeniedException"})
	cases := map[string]struct {
		operation string
		answer    func(object, string) any
		part      string
		status    ingest.Status
	}{
		"plans denied":        {"savingsplans.DescribeSavingsPlans", denied, "savings-plans", ingest.Denied},
		"plans down":          {"savingsplans.DescribeSavingsPlans", says(refusal{500, "InternalServerException"}), "savings-plans", ingest.Failed},
		"a token twice":       {"savingsplans.DescribeSavingsPlans", says(object{"savingsPlans": []object{}, "nextToken": "x"}), "savings-plans", ingest.Failed},
		"reservations denied": {"ec2.DescribeReservedInstances", says(refusal{403, "UnauthorizedOperation"}), "reserved-instances", ingest.Denied},
		"databases denied":    {"rds.DescribeReservedDBInstances", says(refusal{403, "AccessDenied"}), "reserved-db-instances", ingest.Denied},
		"regions denied":      {"ec2.DescribeRegions", says(refusal{403, "UnauthorizedOperation"}), "reserved-instances", ingest.Denied},
		"use denied":          {"ce.GetSavingsPlansUtilizationDetails", denied, "savings-plans-use", ingest.Denied},
		"coverage denied":     {"ce.GetReservationCoverage", denied, "reservation-use", ingest.Denied},
		"no data":             {"ce.GetSavingsPlansUtilizationDetails", says(refusal{400, "DataUnavailableException"}), "savings-plans-use", ingest.Failed},
		"use throttled":       {"ce.GetReservationUtilization", says(refusal{400, "LimitExceededException"}), "reservation-use", ingest.Failed},
		"use is no number":    {"ce.GetSavingsPlansCoverage", says(object{"SavingsPlansCoverages": []object{{"Coverage": object{"TotalCost": "x"}}}}), "savings-plans-use", ingest.Failed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := committed(t)
			w.answers[c.operation] = c.answer
			got, err := collector(t, w.start(), nil, nil).Commitments(t.Context(), thirtyDays)
			if held := len(got.Held); err != nil || strings.HasSuffix(c.part, "-use") && held != 4 {
				t.Fatalf("%v, and %d commitments", err, held)
			}
			if !slices.ContainsFunc(got.Parts, func(p ingest.Part) bool { return p.Service == c.part }) {
				t.Errorf("no part %s", c.part)
			}
			for _, p := range got.Parts {
				switch {
				case p.Service == c.part && (p.Status != c.status || (p.Reason == "") != (p.Status == ingest.OK)):
					t.Errorf("%+v, want %s", p, c.status)
				case p.Service != c.part && p.Status != ingest.OK:
					t.Errorf("%+v, which could be read", p)
				}
			}
		})
	}
}

func TestUseStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	w, limit := committed(t), decimal.RequireFromString("0.01")
	got, err := collector(t, w.start(), ingest.NewMeter(&limit), nil).Commitments(t.Context(), thirtyDays)
	if err != nil || len(got.Held) != 4 || len(got.Use) != 0 || w.count("ce.GetSavingsPlansUtilizationDetails") != 1 || w.count("ce.GetReservationUtilization") != 0 {
		t.Fatalf("%v %+v", err, got)
	}
	limited := 0
	for _, p := range got.Parts {
		if p.Status == ingest.Limited {
			limited++
		}
	}
	if limited != 2 {
		t.Errorf("%+v", got.Parts)
	}
}

func TestCommitmentsSwitchedOffCostNothing(t *testing.T) {
	t.Parallel()
	w := &wire{t: t}
	got, err := collector(t, w.start(), nil, map[string]string{"commitments": "off"}).Commitments(t.Context(), thirtyDays)
	if err != nil || len(got.Held)+len(got.Parts) != 0 || len(w.asked) != 0 {
		t.Errorf("%v %+v", err, got)
	}
}

func TestYesterdayHasNoUseYet(t *testing.T) {
	t.Parallel()
	w := committed(t)
	got, err := collector(t, w.start(), nil, nil).Commitments(t.Context(), cost.Days(cost.Day(noon).AddDate(0, 0, -1), 1))
	if err != nil || len(got.Use) != 0 || w.count("ce.GetSavingsPlansUtilizationDetails") != 0 {
		t.Errorf("%v %+v", err, got)
	}
}

// TestUseOfWhatNobodyHoldsCostsNothing: it is asked for only where other accounts may hold something that the list does not show.
func TestUseOfWhatNobodyHoldsCostsNothing(t *testing.T) {
	t.Parallel()
	organisation := func(manager string) any { return object{"Organization": object{"MasterAccountId": manager}} }
	cases := map[string]struct {
		settings     map[string]string
		organisation any
		plans        any
		asked        int // for the use of plans, and of reservations of two services
	}{
		"no organisation":      {nil, refusal{400, "AWSOrganizationsNotInUseException"}, nil, 0},
		"a member":             {nil, organisation(member), nil, 0},
		"the manager":          {nil, organisation(main), nil, 3},
		"all that it manages":  {map[string]string{"member_role": "CostAgent"}, organisation(main), nil, 0},
		"nobody knows":         {nil, refusal{400, "AccessDeniedException"}, nil, 3},
		"part is not readable": {nil, refusal{400, "AWSOrganizationsNotInUseException"}, refusal{403, "AccessDeniedException"}, 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := committed(t)
			for operation, answer := range map[string]any{
				"savingsplans.DescribeSavingsPlans": object{"savingsPlans": []object{}}, "ec2.DescribeReservedInstances": `<DescribeReservedInstancesResponse><reservedInstancesSet/></DescribeReservedInstancesResponse>`,
				"rds.DescribeReservedDBInstances":      `<DescribeReservedDBInstancesResponse><DescribeReservedDBInstancesResult/></DescribeReservedDBInstancesResponse>`,
				"ce.GetSavingsPlansUtilizationDetails": object{}, "ce.GetReservationUtilization": object{}, "organizations.DescribeOrganization": c.organisation, "organizations.ListAccounts": object{"Accounts": []object{}},
			} {
				w.answers[operation] = says(answer)
			}
			if c.plans != nil {
				w.answers["savingsplans.DescribeSavingsPlans"] = says(c.plans)
			}
			got, err := collector(t, w.start(), nil, c.settings).Commitments(t.Context(), thirtyDays)
			if asked := w.count("ce.GetSavingsPlansUtilizationDetails") + w.count("ce.GetReservationUtilization"); err != nil || len(got.Held)+len(got.Use) != 0 || asked != c.asked {
				t.Errorf("%v: asked %d times, want %d: %+v", err, asked, c.asked, got)
			}
		})
	}
}
