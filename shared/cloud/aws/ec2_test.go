package aws

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// TestTheSystemThatAnInstancePaysFor: who brings the licence of Windows along pays what Linux costs.
func TestTheSystemThatAnInstancePaysFor(t *testing.T) {
	t.Parallel()
	in := place{account: account{id: main}, region: "eu-west-1", find: &Collector{now: clock}}
	for details, want := range map[string][2]string{
		"Linux/UNIX": {"linux", ""}, "Windows": {"windows", ""}, "Windows BYOL": {"windows", resource.OwnLicence},
		"Windows with SQL Server Standard": {"windows", resource.SQLServerLicence}, "SQL Server Web": {"linux", resource.SQLServerLicence}, "Red Hat BYOL Linux": {"linux", ""}, "": {"linux", ""},
	} {
		r := in.instance(types.Instance{InstanceId: aws.String("i-1"), State: &types.InstanceState{Name: types.InstanceStateNameRunning}, PlatformDetails: &details})
		if got := [2]string{r.Attributes[resource.AttrOS], r.Attributes[resource.AttrLicence]}; got != want {
			t.Errorf("%q is %v, want %v", details, got, want)
		}
	}
}

// TestAccountsThatAreRead: AWS tells the state of an account, and told its status before; who reads neither would read no account.
func TestAccountsThatAreRead(t *testing.T) {
	t.Parallel()
	w := &wire{t: t, answers: map[string]func(object, string) any{"organizations.ListAccounts": func(in object, _ string) any {
		if in["NextToken"] == nil {
			return object{"Accounts": []object{}, "NextToken": "more"} // an empty page is no end
		}
		return object{"Accounts": []object{{"Id": "1", "State": "ACTIVE"}, {"Id": "2", "Status": "ACTIVE"}, {"Id": "3", "State": "ACTIVE", "Status": "ACTIVE"}, {"Id": main, "State": "ACTIVE"},
			{"Id": "4", "State": "SUSPENDED"}, {"Id": "5", "State": "PENDING_CLOSURE", "Status": "ACTIVE"}, {"Id": "6", "State": "CLOSED"}, {"Id": "7", "State": "PENDING_ACTIVATION"}, {"Id": "8", "Status": "SUSPENDED"}, {"Id": "9"}}}
	}}}
	all, err := collector(t, w.start(), nil, map[string]string{"member_role": "CostAgent"}).accounts(t.Context())
	var ids []string
	for _, a := range all {
		ids = append(ids, a.id)
	}
	if err != nil || !slices.Equal(ids, []string{main, "1", "2", "3"}) {
		t.Errorf("%v %v", err, ids)
	}
}
