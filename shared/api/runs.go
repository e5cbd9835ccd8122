package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Machines starts and watches state machines by name.
type Machines interface {
	// Start gives the ARN; the same name and input again gives the same run, another input fault.Conflict.
	Start(ctx context.Context, machine, name string, input any) (arn string, err error)
	// Describe fails with fault.NotFound when there is no such run.
	Describe(ctx context.Context, machine, name string) (job.Run, error)
}

// Runs starts runs of state machines, once for each idempotency key, and waits for those whose caller wants to.
type Runs struct {
	Machines Machines
	Receipts Receipts
	NewID    func() string // of runs: letters, digits, hyphens
	// Pause returns after so long, or with an error when ctx ends before.
	Pause func(ctx context.Context, d time.Duration) error
}

// Starting are the headers of an operation that starts a run. Embed them in the operation's input.
type Starting struct {
	Idempotency

	Prefer string `header:"Prefer" maxLength:"200" example:"wait=10" doc:"wait=N: answer when the run has ended, or after N seconds, at most 20 (RFC 7240). Without it the answer comes at once."`
}

// startedRun is what is remembered of a start.
type startedRun struct {
	ID   string `json:"id"`
	ARN  string `json:"arn"`
	Name string `json:"name"`
}

// runAnswer is the answer to a start.
type runAnswer struct {
	Status   int
	Location string `header:"Location"`
	Applied  string `header:"Preference-Applied"`
	Body     runBody
}

// starter registers an operation that starts a run.
func starter[In any](a huma.API, op huma.Operation, needed tenant.Role, do func(context.Context, tenant.Principal, *In) (*runAnswer, error)) {
	op.DefaultStatus = http.StatusAccepted
	operation(a, op, needed, do)
	responses := a.OpenAPI().Paths[Base+op.Path].Post.Responses
	accepted := responses[strconv.Itoa(http.StatusAccepted)]
	accepted.Description = "The run goes on. Look at it with GET /runs/{id}."
	ended := *accepted
	ended.Description = "The run has ended within the time that Prefer gave it."
	responses[strconv.Itoa(http.StatusOK)] = &ended
}

// start starts a run, and tells of it: 202 with where to look, or 200 with how it ended when the caller waited for that.
func (x Runs) start(ctx context.Context, p tenant.Principal, machine string, asked Starting, input any) (*runAnswer, error) {
	started, err := once(ctx, x.Receipts, p, machine, asked.Idempotency, input, func(ctx context.Context) (*startedRun, error) {
		name := runName(p.Tenant, machine, asked.Key, x.NewID)
		arn, err := x.Machines.Start(ctx, machine, name, input)
		return &startedRun{ID: machine + "." + name, ARN: arn, Name: name}, err
	})
	if err != nil {
		return nil, err
	}
	wait, applied := asked.wait()
	out := &runAnswer{Status: http.StatusAccepted, Location: Base + "/runs/" + started.ID, Applied: applied}
	out.Body = runBody{ID: started.ID, ARN: started.ARN, Machine: machine, Status: "running"}
	if run, ended := x.await(ctx, machine, started.Name, wait); ended {
		out.Status, out.Body = http.StatusOK, bodyOf(run)
	}
	return out, nil
}

const (
	mostWait  = 20 * time.Second // a gateway gives a request 29
	firstLook = 100 * time.Millisecond
	slowest   = time.Second // between looks
)

// wait is how long the caller wants to wait, and what of the header that honours. What cannot be honoured is passed over, as
// the RFC says.
func (s Starting) wait() (wait time.Duration, applied string) {
	for preference := range strings.SplitSeq(s.Prefer, ",") {
		preference, _, _ = strings.Cut(preference, ";")
		name, value, _ := strings.Cut(preference, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		seconds, err := strconv.Atoi(strings.Trim(value, ` "`))
		if err != nil || seconds < 1 {
			return 0, ""
		}
		wait = min(time.Duration(seconds)*time.Second, mostWait)
		return wait, "wait=" + strconv.Itoa(int(wait/time.Second))
	}
	return 0, ""
}

// await looks at a run until it has ended or the time is over. The run has been started, so a look that fails is no failure of
// the request: the caller can look again.
func (x Runs) await(ctx context.Context, machine, name string, wait time.Duration) (job.Run, bool) {
	for pause := firstLook; wait > 0; pause = min(2*pause, slowest) {
		pause = min(pause, wait)
		if x.Pause(ctx, pause) != nil {
			return job.Run{}, false
		}
		wait -= pause
		if run, err := x.Machines.Describe(ctx, machine, name); err == nil && !run.EndedAt.IsZero() {
			return run, true
		}
	}
	return job.Run{}, false
}

// runName follows from the idempotency key, so that even a repetition that the receipts do not know of, because the first
// request died before its answer was kept, finds the run instead of starting a second.
func runName(t tenant.ID, machine, key string, newID func() string) string {
	if key == "" {
		return newID()
	}
	sum := sha256.Sum256([]byte(string(t) + "\x00" + machine + "\x00" + key))
	return "k-" + hex.EncodeToString(sum[:16])
}

// runBody is a run as the API shows it.
type runBody struct {
	ID        string          `json:"id" doc:"For GET /runs/{id}."`
	ARN       string          `json:"arn"`
	Machine   string          `json:"machine"`
	Status    string          `json:"status" enum:"running,succeeded,failed,timed_out,aborted"`
	Reason    string          `json:"reason,omitempty" doc:"Why it failed."`
	StartedAt time.Time       `json:"started_at,omitzero"`
	EndedAt   *time.Time      `json:"ended_at,omitempty"`
	Result    json.RawMessage `json:"result,omitempty" doc:"What a run that succeeded gave."`
}

func bodyOf(run job.Run) runBody {
	b := runBody{ID: run.Machine + "." + run.Name, ARN: run.ARN, Machine: run.Machine, Status: strings.ToLower(run.Status), StartedAt: run.StartedAt, Result: run.Output}
	if !run.EndedAt.IsZero() {
		b.EndedAt = &run.EndedAt
	}
	if run.Error != "" || run.Cause != "" {
		b.Reason = job.Caught{Error: run.Error, Cause: run.Cause}.Text()
	}
	return b
}
