package aws

import (
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
		"Windows with SQL Server Standard": {"windows", ""}, "Red Hat BYOL Linux": {"linux", ""}, "": {"linux", ""},
	} {
		r := in.instance(types.Instance{InstanceId: aws.String("i-1"), State: &types.InstanceState{Name: types.InstanceStateNameRunning}, PlatformDetails: &details})
		if got := [2]string{r.Attributes[resource.AttrOS], r.Attributes[resource.AttrLicence]}; got != want {
			t.Errorf("%q is %v, want %v", details, got, want)
		}
	}
}
