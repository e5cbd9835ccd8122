package job_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// blind lets a round of the watch see what is given in place of the metrics.
func (w *world) blind(sees func(round int, measured ingest.Measured) ingest.Measured) (rounds *int) {
	rounds = new(int)
	usage := w.tasks["collect"]["usage"]
	w.tasks["collect"]["usage"] = func(ctx context.Context, payload []byte) ([]byte, error) {
		*rounds++
		answer, err := usage(ctx, payload)
		if err != nil {
			return answer, err
		}
		var in job.UsageRequest
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		var measured ingest.Measured
		if err := json.Unmarshal(w.staging.get(in.Key), &measured); err != nil {
			return nil, err
		}
		body, err := json.Marshal(sees(*rounds, measured))
		w.staging.put(in.Key, body)
		return answer, err
	}
	return rounds
}

func TestUnclearPhaseIsWatchedLonger(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dark   int // rounds without usage
		status rollout.Status
		rounds int
	}{
		"cleared up": {1, rollout.Completed, 4}, "never": {100, rollout.RolledBack, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rec := w.recommendation("resize", "storefront", "m5.xlarge")
			rounds := w.blind(func(round int, measured ingest.Measured) ingest.Measured {
				if round > c.dark {
					return measured
				}
				return ingest.Measured{}
			})
			e := w.run("resize", gradual)
			if e.Status != c.status || *rounds != c.rounds {
				t.Fatalf("%s after %d rounds: %s", e.Status, *rounds, e.Reason)
			}
			first := e.Phases[0]
			if watched, want := first.JudgedAt.Sub(first.AppliedAt), time.Duration(min(c.dark, 2)+1)*gradual.Watch; watched < want || watched > want+time.Minute {
				t.Errorf("watched %s, want %s", watched, want)
			}
			if c.status == rollout.RolledBack && !strings.Contains(e.Reason, "still unclear after 45m") {
				t.Errorf("reason %q", e.Reason)
			}
			free(w, rec)
		})
	}
}

// Metrics that may not be read say nothing, even where others look well: the phase is watched longer and then undone, and the
// reason says what is missing.
func TestDeniedMetricsNeverReadAsHealthy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		part   ingest.Part
		status rollout.Status
	}{
		"denied":       {ingest.Part{Region: "eu-west-1", Service: "cloudwatch", Status: ingest.Denied, Reason: "cloudwatch:GetMetricData is missing."}, rollout.RolledBack},
		"failed":       {ingest.Part{Service: "cloudwatch", Status: ingest.Failed, Reason: "Busy."}, rollout.RolledBack},
		"read":         {ingest.Part{Service: "cloudwatch", Status: ingest.OK}, rollout.Completed},
		"switched off": {ingest.Part{Service: "loadbalancer", Status: ingest.Disabled}, rollout.Completed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			rec := w.recommendation("resize", "storefront", "m5.xlarge")
			w.blind(func(_ int, measured ingest.Measured) ingest.Measured {
				if c.status == rollout.RolledBack { // the processors look well, what requests say is not known
					measured.Usage = only(resource.CPU, measured.Usage)
				}
				measured.Parts = append(measured.Parts, c.part)
				return measured
			})
			e := w.run("resize", gradual)
			if e.Status != c.status {
				t.Fatalf("%s: %s", e.Status, e.Reason)
			}
			if told := strings.Contains(e.Reason, c.part.Service) && strings.Contains(e.Reason, string(c.part.Status)) && strings.Contains(e.Reason, c.part.Reason); told != (c.status == rollout.RolledBack) {
				t.Errorf("reason %q", e.Reason)
			}
			free(w, rec)
		})
	}
}

func only(m resource.Metric, all []resource.Usage) (out []resource.Usage) {
	for _, u := range all {
		if u.Metric == m {
			out = append(out, u)
		}
	}
	return out
}
