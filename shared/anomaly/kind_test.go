package anomaly_test

import (
	"testing"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
)

func TestScopesAreToldInWords(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]cost.Scope{
		"everything":                         nil,
		"everything in eu-west-1 (AWS)":      {cost.Provider: "AWS", cost.Region: "eu-west-1"},
		"EC2 in eu-west-1 of account 12":     {cost.Service: "EC2", cost.Region: "eu-west-1", cost.Account: "12"},
		"Support in no region of no account": {cost.Service: "Support", cost.Region: "", cost.Account: ""},
		"tag team (none) of EC2":             {cost.Service: "EC2", cost.Tag("team"): ""},
	} {
		if got := anomaly.Describe(s); got != want {
			t.Errorf("%s is told as %q, want %q", s, got, want)
		}
	}
}
