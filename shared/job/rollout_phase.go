package job

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// What Phase hands out commands for.
const (
	toChange = "change"
	toVerify = "verify"
)

// PhaseOutput is what comes next.
type PhaseOutput struct {
	Kind     string            `json:"kind"`   // "change", or "verify" when all phases are done
	Number   int               `json:"number"` // of the phase; 0 to verify
	Commands []rollout.Command `json:"commands"`
}

// Phase hands out the commands of the next phase, once the journal says what they intend; or those of all targets, to be
// verified, when no phase is left. It renews the locks.
func (r Rollout) Phase(ctx context.Context, in ExecutionInput) (PhaseOutput, error) {
	e, err := r.running(ctx, in)
	if err != nil {
		return PhaseOutput{}, err
	}
	if err := r.lock(ctx, in.Tenant, e, lease); err != nil {
		return PhaseOutput{}, err
	}
	p, left := e.Next()
	if !left {
		return PhaseOutput{Kind: toVerify, Commands: e.Commands(rollout.Phase{Targets: targetsOf(e)})}, nil
	}
	if p.Verdict == rollout.Unhealthy {
		return PhaseOutput{}, fault.New(fault.Conflict, "Phase %d of execution %s was unhealthy, so it cannot go on.", p.Number, e.ID)
	}
	now := r.Now()
	if err := r.Store.AppendJournal(ctx, in.Tenant, e.ID, rollout.Intents(e, p, now)...); err != nil {
		return PhaseOutput{}, err
	}
	if p.StartedAt.IsZero() {
		p.StartedAt = now
		if err := r.Store.SavePhase(ctx, in.Tenant, e.ID, p); err != nil {
			return PhaseOutput{}, err
		}
	}
	return PhaseOutput{Kind: toChange, Number: p.Number, Commands: e.Commands(p)}, nil
}

// RecordInput is what came of one command.
type RecordInput struct {
	Tenant    tenant.ID       `json:"tenant"`
	Execution string          `json:"execution"`
	Step      rollout.Step    `json:"step"` // applied, reverted or failed
	Ref       resource.Ref    `json:"ref"`  // the target as the plan names it
	Receipt   rollout.Receipt `json:"receipt,omitzero"`
	Captured  plan.State      `json:"captured,omitempty"` // of reverted: as read anew afterwards
	Error     Caught          `json:"error,omitzero"`     // of failed
}

// Record writes into the journal what came of one command. A reverted target that was not read back as captured is refused
// with fault.Drifted.
func (r Rollout) Record(ctx context.Context, in RecordInput) (Empty, error) {
	e, err := r.running(ctx, ExecutionInput{Tenant: in.Tenant, Execution: in.Execution})
	if err != nil {
		return Empty{}, err
	}
	var entry rollout.Entry
	switch in.Step {
	case rollout.Applied, rollout.Reverted:
		if entry, err = rollout.Outcome(e, in.Step, in.Ref, in.Receipt, in.Captured, r.Now()); err != nil {
			return Empty{}, err
		}
	case rollout.Failed:
		entry = rollout.Entry{At: r.Now(), Step: rollout.Failed, Ref: in.Ref, Note: in.Error.Text()}
	default:
		return Empty{}, fault.Input("step", string(in.Step), "must be applied, reverted or failed")
	}
	return Empty{}, r.Store.AppendJournal(ctx, in.Tenant, e.ID, entry)
}

// WatchInput names a phase all of whose targets are changed.
type WatchInput struct {
	Tenant    tenant.ID `json:"tenant"`
	Execution string    `json:"execution"`
	Phase     int       `json:"phase"`
}

// WatchOutput says how long to watch and what to measure then.
type WatchOutput struct {
	Verdict     rollout.Verdict `json:"verdict,omitempty"` // of Judge
	Observe     bool            `json:"observe"`           // false: nothing depends on the targets
	WaitSeconds int             `json:"wait_seconds"`
	Round       int             `json:"round"` // how often the watch has been extended
	Key         string          `json:"key"`   // where the usage is to be staged
	Usage       UsageRequest    `json:"usage"`
}

// UsageRequest is the input of a collector's task "usage": it stages an ingest.Measured at Key.
type UsageRequest struct {
	Task         string            `json:"task"`
	Tenant       tenant.ID         `json:"tenant"`
	Connection   string            `json:"connection"`
	Cloud        resource.Cloud    `json:"cloud"`
	Refs         []resource.Ref    `json:"refs"`
	Metrics      []resource.Metric `json:"metrics"`
	From         time.Time         `json:"from"`
	To           time.Time         `json:"to"`
	EverySeconds int               `json:"every_seconds"`
	Key          string            `json:"key"`
	Settings     map[string]string `json:"settings"`
	Secret       string            `json:"secret"` // the name of the credentials
}

func (in UsageRequest) source() ingest.Connection {
	return ingest.Connection{Tenant: in.Tenant, ID: in.Connection, Cloud: in.Cloud, Settings: in.Settings, Secret: in.Secret}
}

// Watch notes that the phase's changes are complete and begins the watch.
func (r Rollout) Watch(ctx context.Context, in WatchInput) (WatchOutput, error) {
	e, p, err := r.phase(ctx, in)
	if err != nil {
		return WatchOutput{}, err
	}
	if p.AppliedAt.IsZero() {
		p.AppliedAt = r.Now()
		if err := r.Store.SavePhase(ctx, in.Tenant, e.ID, p); err != nil {
			return WatchOutput{}, err
		}
	}
	return r.watch(ctx, in.Tenant, e, p, 0)
}

func (r Rollout) phase(ctx context.Context, in WatchInput) (rollout.Execution, rollout.Phase, error) {
	e, err := r.running(ctx, ExecutionInput{Tenant: in.Tenant, Execution: in.Execution})
	if err != nil {
		return e, rollout.Phase{}, err
	}
	p, err := e.Phase(in.Phase)
	return e, p, err
}

// watch plans one round. The end of a round follows from when the changes were complete, so that a repeated task does not
// begin to wait anew.
func (r Rollout) watch(ctx context.Context, t tenant.ID, e rollout.Execution, p rollout.Phase, round int) (WatchOutput, error) {
	until := p.AppliedAt.Add(time.Duration(round+1) * e.Strategy.Watch)
	o := rollout.Observe(e, p, until)
	key := ingest.Key(t, e.Connection, "execution-"+e.ID, fmt.Sprintf("usage-%d-%d.json", p.Number, round))
	out := WatchOutput{Observe: len(o.Changed) > 0, Round: round, Key: key}
	if !out.Observe {
		return out, nil
	}
	from, err := r.Connections.Connection(ctx, t, e.Connection)
	if err != nil {
		return out, err
	}
	out.WaitSeconds = int(max(0, until.Sub(r.Now())+time.Second-1) / time.Second)
	out.Usage = UsageRequest{
		Task: "usage", Tenant: t, Connection: e.Connection, Cloud: e.Plan.Cloud, Refs: o.Refs(), Metrics: rollout.HealthMetrics(),
		From: o.From(), To: until, EverySeconds: int(rollout.Every(e.Strategy.Watch) / time.Second), Key: key,
		Settings: from.Settings, Secret: from.Secret,
	}
	return out, nil
}

// JudgeInput names a phase that has been watched, and where its usage was staged.
type JudgeInput struct {
	Tenant    tenant.ID `json:"tenant"`
	Execution string    `json:"execution"`
	Phase     int       `json:"phase"`
	Round     int       `json:"round"`
	Key       string    `json:"key"`
}

// Judge gives the verdict on a phase. While it is unclear the watch is extended, a limited number of times; then it counts
// as unhealthy, because to go on without knowing is the greater risk.
func (r Rollout) Judge(ctx context.Context, in JudgeInput) (WatchOutput, error) {
	e, p, err := r.phase(ctx, WatchInput{Tenant: in.Tenant, Execution: in.Execution, Phase: in.Phase})
	if err != nil {
		return WatchOutput{}, err
	}
	if p.Verdict == rollout.Healthy || p.Verdict == rollout.Unhealthy {
		return WatchOutput{Verdict: p.Verdict, Round: in.Round}, nil
	}
	o := rollout.Observe(e, p, r.Now())
	var measured ingest.Measured
	if len(o.Changed) > 0 {
		if measured, err = r.measured(ctx, in.Tenant, in.Key); err != nil {
			return WatchOutput{}, err
		}
	}
	o.Usage = measured.Usage
	p.Verdict, p.Reasons = rollout.Judge(o, r.Thresholds)
	p.Verdict, p.Reasons = doubt(p.Verdict, p.Reasons, measured.Parts)
	if p.Verdict == rollout.Unclear && in.Round >= r.Thresholds.Extensions {
		p.Verdict = rollout.Unhealthy
		p.Reasons = append([]string{fmt.Sprintf("still unclear after %s of watching", time.Duration(in.Round+1)*e.Strategy.Watch)}, p.Reasons...)
	}
	if p.Verdict == rollout.Unclear {
		if err := r.lock(ctx, in.Tenant, e, lease); err != nil {
			return WatchOutput{}, err
		}
		out, err := r.watch(ctx, in.Tenant, e, p, in.Round+1)
		if err != nil {
			return out, err
		}
		out.Verdict = rollout.Unclear
		return out, r.Store.SavePhase(ctx, in.Tenant, e.ID, p)
	}
	p.JudgedAt = r.Now()
	entry := rollout.Entry{At: p.JudgedAt, Phase: p.Number, Step: rollout.Judged, Note: strings.Join(append([]string{string(p.Verdict)}, p.Reasons...), "; ")}
	if err := r.Store.AppendJournal(ctx, in.Tenant, e.ID, entry); err != nil {
		return WatchOutput{}, err
	}
	return WatchOutput{Verdict: p.Verdict, Round: in.Round}, r.Store.SavePhase(ctx, in.Tenant, e.ID, p)
}

// measured reads what the collector staged.
func (r Rollout) measured(ctx context.Context, t tenant.ID, key string) (out ingest.Measured, err error) {
	if err := ingest.Owned(t, key); err != nil {
		return out, err
	}
	object, err := r.Staging.Reader(ctx, key)
	if err != nil {
		return out, err
	}
	defer func() { _ = object.Close() }() // it was only read
	err = json.NewDecoder(io.NewSectionReader(object, 0, object.Size())).Decode(&out)
	return out, fault.Wrap(err, fault.Unavailable, "The measured usage of the phase cannot be read.")
}

// doubt takes no phase for healthy some of whose metrics could not be read: those might have said otherwise. Where metrics are
// switched off there are none, and the rest decides.
func doubt(v rollout.Verdict, reasons []string, parts []ingest.Part) (rollout.Verdict, []string) {
	var unread []string
	for _, p := range parts {
		if p.Status != ingest.OK && p.Status != ingest.Disabled {
			unread = append(unread, fmt.Sprintf("the metrics of %s%s could not be read (%s): %s", p.Service, place(p), p.Status, p.Reason))
		}
	}
	if len(unread) == 0 || v == rollout.Unhealthy {
		return v, reasons
	}
	return rollout.Unclear, append(unread[:min(len(unread), unreadReasons)], reasons...)
}

const unreadReasons = 5

// CompleteInput says which targets were verified.
type CompleteInput struct {
	Tenant    tenant.ID      `json:"tenant"`
	Execution string         `json:"execution"`
	Verified  []VerifyOutput `json:"verified"`
}

// Complete ends an execution all of whose targets were found as planned. It refuses with fault.Drifted when one was not.
func (r Rollout) Complete(ctx context.Context, in CompleteInput) (Empty, error) {
	e, err := r.Store.Execution(ctx, in.Tenant, in.Execution)
	if err != nil {
		return Empty{}, err
	}
	if e.Status == rollout.Completed {
		return Empty{}, r.settle(ctx, in.Tenant, e)
	}
	entries, err := rollout.Verifications(e, verified(in.Verified), r.Now())
	if err != nil {
		return Empty{}, err
	}
	if err := r.Store.AppendJournal(ctx, in.Tenant, e.ID, entries...); err != nil {
		return Empty{}, err
	}
	e.Status, e.EndedAt = rollout.Completed, r.Now()
	switch done, err := r.Store.TransitionExecution(ctx, in.Tenant, e, rollout.Running); {
	case err != nil:
		return Empty{}, err
	case !done:
		return Empty{}, fault.New(fault.Conflict, "Execution %s is no longer running, so it cannot be completed.", e.ID)
	}
	return Empty{}, r.settle(ctx, in.Tenant, e)
}

func verified(list []VerifyOutput) map[resource.Ref]bool {
	out := map[resource.Ref]bool{}
	for _, v := range list {
		out[v.Ref] = v.Verified
	}
	return out
}

// settle does what follows from the end of an execution, again if need be.
func (r Rollout) settle(ctx context.Context, t tenant.ID, e rollout.Execution) error {
	if !e.DryRun && (e.Status == rollout.Completed || e.Status == rollout.RolledBack) {
		_, err := r.Recommendations.ChangeRecommendation(ctx, t, e.Recommendation, func(rec *recommend.Recommendation) error {
			switch {
			case rec.PlanHash != e.PlanHash:
			case e.Status == rollout.Completed: // perhaps expired, where a generation saw the change before the execution was over
				rec.Implement(e.EndedAt)
			default:
				rec.Reopen(e.EndedAt)
			}
			return nil
		})
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
	}
	return r.unlock(ctx, t, e)
}
