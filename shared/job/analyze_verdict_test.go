package job_test

import (
	"context"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// opinions are verdicts in memory.
type opinions []job.Verdict

func (o opinions) Verdicts(context.Context, tenant.ID) ([]job.Verdict, error) { return o, nil }

func TestVerdictsChangeWhatIsTold(t *testing.T) {
	t.Parallel()
	ec2 := cost.Scope{cost.Provider: "AWS", cost.Account: "1", cost.Service: "EC2", cost.Region: "eu"}
	ignore := func(s cost.Scope) opinions {
		return opinions{{Anomaly: "earlier", Opinion: job.IgnoredAnomaly, Scope: s}}
	}
	expected := job.Verdict{Anomaly: "earlier", Opinion: job.ExpectedAnomaly, Scope: ec2.With(cost.Resource, "i-1")}
	for name, tt := range map[string]struct {
		opinions opinions
		want     job.AnomalyStatus // "" is nothing found
	}{
		"none":                            {nil, job.AnomalyOpen},
		"its scope is ignored":            {ignore(ec2), job.AnomalyDismissed},
		"its account is ignored":          {ignore(cost.Scope{cost.Account: "1"}), job.AnomalyDismissed},
		"another service is ignored":      {ignore(cost.Scope{cost.Service: "S3"}), job.AnomalyOpen},
		"the whole bill is ignored":       {ignore(cost.Scope{}), job.AnomalyOpen},
		"an earlier one was true":         {opinions{{Anomaly: "earlier", Opinion: job.RealAnomaly, Scope: ec2}}, job.AnomalyOpen},
		"one of the like was expected":    {opinions{expected}, job.AnomalyOpen},
		"three of the like were expected": {opinions{expected, expected, expected}, ""},
	} {
		l := &dailyBill{}
		l.add("USD", "AWS", "EC2", "i-1", func(i int) float64 {
			if i >= 300 {
				return 142
			}
			return 100
		})
		out, err := job.Analyze{Series: l, Store: l, Verdicts: tt.opinions, Now: func() time.Time { return analysed }}.
			Run(t.Context(), job.AnalyzeInput{Tenant: buyer, Types: []job.AnalysisType{job.Anomalies}})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case tt.want == "":
			if len(l.known) != 0 {
				t.Errorf("%s: %+v", name, l.known)
			}
		case len(l.known) != 1 || l.known[0].Status != tt.want || (l.known[0].Verdict != nil) != (tt.want == job.AnomalyDismissed):
			t.Errorf("%s: %+v, want one that is %s", name, l.known, tt.want)
		case (out.Anomalies.Open == 1) != (tt.want == job.AnomalyOpen):
			t.Errorf("%s: summary %+v", name, out.Anomalies)
		}
	}
}
