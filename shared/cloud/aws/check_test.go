package aws

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// everythingDenied is an AWS that lets the role be assumed, lists one bucket, and denies all else.
func everythingDenied(t *testing.T) *wire {
	t.Helper()
	return &wire{t: t, rest: refusal{403, "AccessDenied"}, answers: map[string]func(object, string) any{
		"sts.GetCallerIdentity": says(`<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`),
		"s3.":                   says(`<ListAllMyBucketsResult><Buckets><Bucket><Name>logs</Name></Bucket></Buckets></ListAllMyBucketsResult>`),
	}}
}

// policy reads the actions of a document, where they stand one after another.
func policy(t *testing.T, file, from, to string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), from)
	part, _, ends := strings.Cut(rest, to)
	if !found || !ends {
		t.Fatalf("%s has no part between %q and %q", file, from, to)
	}
	return slices.Sorted(slices.Values(regexp.MustCompile(`[a-z0-9-]+:[A-Z][A-Za-z0-9]+`).FindAllString(part, -1)))
}

// TestThePoliciesAreWhatIsChecked holds both documents against what Check asks for when everything is denied.
func TestThePoliciesAreWhatIsChecked(t *testing.T) {
	t.Parallel()
	meter := ingest.NewMeter(nil)
	missing, err := collector(t, everythingDenied(t).start(), meter, map[string]string{"member_role": "CostAgent"}).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The list of buckets is not denied here, and without knowing the organisation the bill names the role's own account.
	want := slices.Sorted(slices.Values(append(missing, bucketRight, "organizations:DescribeOrganization")))
	for _, document := range [][]string{
		policy(t, "../../../docs/clouds/aws.md", `"Action": [`, "]"),
		policy(t, "../../../docs/clouds/aws-role.yaml", "Sid: Read", "Resource:"),
	} {
		if !slices.Equal(document, want) {
			t.Errorf("the policy has\n%s\nthe collector needs\n%s", strings.Join(document, "\n"), strings.Join(want, "\n"))
		}
	}
	if spent := meter.Spent(); len(spent) != 2 || spent[0].Units != 1 || spent[1].Units != 5 {
		t.Errorf("spent %+v", spent)
	}
}

func TestCheckTriesTheOtherAccounts(t *testing.T) {
	s := moto(t)
	members := []string{"111111111111", "222222222222", "333333333333"}
	front := refusing(t, s, func(service, _, form string) (int, string) {
		switch {
		case service == "organizations" && strings.Contains(form, "MaxResults"):
			return 200, `{"Accounts":[]}`
		case service == "organizations":
			var accounts []object
			for _, id := range members {
				accounts = append(accounts, object{"Id": id, "Status": "ACTIVE"})
			}
			text, _ := json.Marshal(object{"Accounts": accounts})
			return 200, string(text)
		case service == "sts" && strings.Contains(form, members[1]):
			return 403, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`
		}
		return 0, ""
	})
	settings := map[string]string{"member_role": "CostAgentMember", "accounts": main + "," + members[0] + "," + members[1]}
	for k, v := range plain {
		settings[k] = v
	}
	missing, err := collector(t, front, nil, settings).Check(t.Context())
	if want := []string{"sts:AssumeRole (account " + members[1] + ")"}; err != nil || !slices.Equal(missing, want) {
		t.Errorf("%v %v, want %v", missing, err, want)
	}
}

func TestCheckStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	limit := decimal.RequireFromString("0.02")
	missing, err := collector(t, everythingDenied(t).start(), ingest.NewMeter(&limit), nil).Check(t.Context())
	if fault.CodeOf(err) != fault.LimitReached || !slices.Contains(missing, costRight) || !slices.Contains(missing, priceRight) || slices.Contains(missing, reservationCoverRight) {
		t.Errorf("%v %v", err, missing)
	}
}

func TestCheckTellsAFailureFromAMissingRight(t *testing.T) {
	t.Parallel()
	w := everythingDenied(t)
	w.answers["lambda.2015-03-31/functions"] = says(refusal{500, "ServiceException"})
	if _, err := collector(t, w.start(), nil, nil).Check(t.Context()); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), functionRight) {
		t.Error(err)
	}
}
