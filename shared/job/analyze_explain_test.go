package job_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// done are executions that are over.
type done []rollout.Execution

func (d done) CompletedExecutions(context.Context, tenant.ID) ([]rollout.Execution, error) {
	return d, nil
}

// A fleet falls by many small parts, of which none explains the fall by itself.
func TestAnalyzeExplainsTheFallOfAFleet(t *testing.T) {
	t.Parallel()
	fell := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		changed int // of twelve that fall
		want    job.AnomalyStatus
	}{"all of it": {12, job.AnomalyExplained}, "most of it": {8, job.AnomalyExplained}, "a quarter of it": {3, job.AnomalyOpen}} {
		l := &dailyBill{}
		e := rollout.Execution{ID: "e-1", StartedAt: fell.Add(-2 * time.Hour), EndedAt: fell.Add(4 * time.Hour)}
		phase := rollout.Phase{Number: 1, StartedAt: e.StartedAt}
		for i := range 12 {
			id := fmt.Sprint("i-", i)
			l.add("USD", "AWS", "EC2", id, func(day int) float64 {
				if billsBegin.AddDate(0, 0, day).Before(fell) {
					return 20
				}
				return 10
			})
			if i < tt.changed {
				phase.Targets = append(phase.Targets, resource.Ref{ID: id})
			}
		}
		e.Phases = []rollout.Phase{phase}
		_, err := job.Analyze{Series: l, Store: l, Executions: done{e}, Now: func() time.Time { return analysed }}.Run(t.Context(), job.AnalyzeInput{Tenant: buyer})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.known) != 1 || l.known[0].Status != tt.want {
			t.Errorf("%s: %+v, want one that is %s", name, l.known, tt.want)
		}
	}
}

func TestAnalyzeExplainsWhatTheAgentDidItself(t *testing.T) {
	t.Parallel()
	fell := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	execution := func(id string, started time.Time, target resource.Ref) rollout.Execution {
		return rollout.Execution{ID: id, StartedAt: started, EndedAt: started.Add(6 * time.Hour),
			Phases: []rollout.Phase{{Number: 1, Targets: []resource.Ref{target}, StartedAt: started}}}
	}
	ours := resource.Ref{Account: "", ID: "i-1"}
	for name, tt := range map[string]struct {
		executions done
		want       job.AnomalyStatus
	}{
		"no execution":                  {nil, job.AnomalyOpen},
		"an execution of the target":    {done{execution("e-1", fell.Add(-14*time.Hour), ours)}, job.AnomalyExplained},
		"one on the same day":           {done{execution("e-1", fell.Add(8*time.Hour), ours)}, job.AnomalyExplained},
		"one of another resource":       {done{execution("e-1", fell.Add(8*time.Hour), resource.Ref{ID: "i-9"})}, job.AnomalyOpen},
		"one in another account":        {done{execution("e-1", fell.Add(8*time.Hour), resource.Ref{ID: "i-1", Account: "elsewhere"})}, job.AnomalyOpen},
		"one that began after":          {done{execution("e-1", fell.Add(30*time.Hour), ours)}, job.AnomalyOpen},
		"one long ago":                  {done{execution("e-1", fell.AddDate(0, 0, -20), ours)}, job.AnomalyOpen},
		"one whose phase never started": {done{{ID: "e-1", StartedAt: fell, EndedAt: fell, Phases: []rollout.Phase{{Targets: []resource.Ref{ours}}}}}, job.AnomalyOpen},
	} {
		l := &dailyBill{}
		day := int(fell.Sub(billsBegin) / (24 * time.Hour))
		l.add("USD", "AWS", "EC2", "i-1", func(i int) float64 {
			if i >= day {
				return 20
			}
			return 100
		})
		l.add("USD", "AWS", "EC2", "i-2", steady(40))
		out, err := job.Analyze{Series: l, Store: l, Executions: tt.executions, Now: func() time.Time { return analysed }}.
			Run(t.Context(), job.AnalyzeInput{Tenant: buyer})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.known) != 1 || l.known[0].Status != tt.want {
			t.Errorf("%s: %+v, want one that is %s", name, l.known, tt.want)
			continue
		}
		explained := tt.want == job.AnomalyExplained
		if (l.known[0].ExplainedBy == "e-1") != explained || (out.Anomalies.Explained == 1) != explained || (out.Anomalies.Open == 1) == explained {
			t.Errorf("%s: by %q, summary %+v", name, l.known[0].ExplainedBy, out.Anomalies)
		}
	}
}
