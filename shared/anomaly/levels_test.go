package anomaly_test

import (
	"fmt"
	"testing"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

// What moves a little in many parts at once is seen where they sum up: in an account, a region, a service.
func TestWhatManyPartsShareIsNamed(t *testing.T) {
	t.Parallel()
	const parts = 12
	for _, d := range []cost.Dimension{cost.Account, cost.Region, cost.Service} {
		var leaves []cost.Series
		for i := range 2 * parts {
			s := leaf("EC2", "us", build(170, func(day int) float64 {
				v := 100 + 30*noise(1000*i+day)
				if i < parts && day >= 150 {
					v += 32
				}
				return v
			}))
			for k, other := range []cost.Dimension{cost.Account, cost.Region, cost.Service} {
				s.Scope[other] = fmt.Sprint(other, (i%parts+k*i/3)%parts)
			}
			s.Scope[d] = map[bool]string{true: "moved", false: "calm"}[i < parts]
			leaves = append(leaves, s)
		}
		got := anomaly.Detect(leaves, anomaly.Options{MinDaily: 5})
		want := cost.Scope{cost.Provider: "AWS", d: "moved"}
		if len(got) != 1 || got[0].Scope.String() != want.String() {
			t.Errorf("%d incidents, want one of %s", len(got), want)
			for _, i := range got {
				t.Logf("%s from %s", i.Scope, i.Start)
			}
		}
	}
}
