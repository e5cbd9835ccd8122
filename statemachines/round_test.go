package statemachines_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	clouds "github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const customer = "0a0a0a0a-0000-4000-8000-000000000001"

// round is a system whose functions are the real planning, and stand-ins for reading and loading.
type round struct {
	*testing.T

	mu       sync.Mutex
	calls    []string
	broken   map[string]error // by "function task" or "function task connection"
	notes    map[string]any
	limit    string // of the only connection, if it has one
	readings []ingest.Reading
	staged   map[string][]byte
	tasks    map[string]awslambda.Handler // by function
	engine   *stepfunctions.Engine
}

// hurried is a clock whose waits are over at once.
type hurried struct{}

func (hurried) Now() time.Time                             { return time.Date(2026, 9, 10, 7, 30, 0, 0, time.UTC) }
func (hurried) Sleep(context.Context, time.Duration) error { return nil }

func (r *round) Connections(context.Context, tenant.ID) ([]ingest.Connection, error) {
	if r.limit != "" {
		return []ingest.Connection{{ID: "aws-main", Cloud: clouds.AWS, Settings: map[string]string{"limit_usd": r.limit}}}, nil
	}
	return []ingest.Connection{{ID: "aws-main", Cloud: clouds.AWS}, {ID: "gcp-main", Cloud: clouds.GCP}, {ID: "old", Cloud: clouds.Azure}}, nil
}

func (*round) Coverage(context.Context, tenant.ID) ([]ingest.Coverage, error) { return nil, nil }

func (*round) Readings(context.Context, tenant.ID) ([]ingest.Reading, error) { return nil, nil }

func (r *round) SaveReadings(_ context.Context, _ tenant.ID, readings []ingest.Reading) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readings = append(r.readings, readings...)
	return nil
}

func (*round) Costs(context.Context, tenant.ID, cost.Query) ([]cost.Group, error) { return nil, nil }

func (*round) Get(context.Context, tenant.ID, string, any) bool { return false }

func (r *round) Set(_ context.Context, _ tenant.ID, key string, v any, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes[key] = v
}

// fixed is a task that always answers the same.
func fixed(answer string) awslambda.Task {
	return func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil }
}

// planned is a task of planning a collection.
func (r *round) planned(task string) awslambda.Task {
	p := job.PlanCollection{Connections: r, Staging: r, Bucket: "staging", Now: hurried{}.Now, Collectors: map[clouds.Cloud]string{clouds.AWS: "collect-aws", clouds.GCP: "collect-gcp"}}
	switch task {
	case "plan":
		return awslambda.TaskOf(p.Run)
	case "note":
		return awslambda.TaskOf(p.Note)
	case "tested":
		return awslambda.TaskOf(p.Tested)
	}
	return awslambda.TaskOf(p.Sum)
}

func newRound(t *testing.T, broken map[string]error) *round {
	t.Helper()
	r := &round{T: t, broken: broken, notes: map[string]any{}}
	r.staged = map[string][]byte{}
	summary := job.Summary{Costs: r, Notes: r, Now: hurried{}.Now}
	collect := map[string]awslambda.Task{
		"check": awslambda.TaskOf(func(_ context.Context, in job.RightsInput) (job.RightsOutput, error) {
			return job.RightsOutput{Missing: []string{"ce:GetCostAndUsage for " + in.Settings["role_arn"]}}, nil
		}),
		"bill": awslambda.TaskOf(func(_ context.Context, in job.BillInput) (job.BillOutput, error) {
			if in.Settings["limit_usd"] == "0" {
				return job.BillOutput{Cost: job.Cost{Spent: []ingest.Spending{}, Stopped: "The limit is reached."}}, nil
			}
			if in.Month.Before(time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)) {
				return job.BillOutput{}, nil // before the first bill
			}
			return job.BillOutput{Key: in.Key, Rows: 10}, nil
		}),
		"inventory": awslambda.TaskOf(func(_ context.Context, in job.InventoryInput) (job.InventoryOutput, error) {
			if in.Settings["limit_usd"] == "0" {
				return job.InventoryOutput{Unread: []ingest.Part{}, Cost: job.Cost{Spent: []ingest.Spending{}, Stopped: "The limit is reached."}}, nil
			}
			return job.InventoryOutput{Key: in.Key, Resources: 3, Unread: []ingest.Part{}}, nil
		}),
	}
	r.tasks = map[string]awslambda.Handler{}
	for name, tasks := range map[string]map[string]awslambda.Task{
		"load": {
			"plan": r.planned("plan"), "note": r.planned("note"), "sum": r.planned("sum"), "tested": r.planned("tested"), "summary": awslambda.TaskOf(summary.Run),
			"load": fixed(`{"accepted":9,"rejected":1,"unchanged":false,"doubled":[]}`), "load-inventory": fixed(`{"resources":3}`),
		},
		"collect-aws": collect, "collect-gcp": collect, "analyze": {"analyze": fixed(`{"series":4}`)},
		"learn": {"learn": fixed(`{"insights":["one"],"problems":[],"outcomes":[]}`)}, "recommend": {"recommend": fixed(`{"found":2}`)},
	} {
		r.tasks[name] = awslambda.Tasks(slog.New(slog.DiscardHandler), tasks)
	}
	var err error
	r.engine, err = stepfunctions.New(stepfunctions.Options{Store: stepfunctions.NewMemory(), Clock: hurried{}, Invoke: r.invoke, Object: r.object})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.engine.Close(context.WithoutCancel(t.Context())) })
	r.define("check", map[string]string{"LoadFunction": "load"})
	r.define("collect", map[string]string{"LoadFunction": "load", "AnalyzeFunction": "analyze"})
	r.define("import", map[string]string{"LoadFunction": "load", "AnalyzeFunction": "analyze"})
	r.define("cost-optimization", map[string]string{
		"CollectMachine": "arn:aws:states:local:000000000000:stateMachine:collect", "LoadFunction": "load",
		"AnalyzeFunction": "analyze", "LearnFunction": "learn", "RecommendFunction": "recommend",
	})
	return r
}

func (r *round) define(name string, substitutions map[string]string) {
	r.Helper()
	definition, err := os.ReadFile(name + ".asl.json")
	if err == nil {
		err = r.engine.Define(name, definition, substitutions)
	}
	if err != nil {
		r.Fatal(err)
	}
}

// invoke is Lambda, with the failures that the test wants.
func (r *round) invoke(ctx context.Context, name string, payload []byte) ([]byte, error) {
	var in struct{ Task, Connection string }
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, err
	}
	what := name + " " + in.Task
	r.mu.Lock()
	r.calls = append(r.calls, what)
	err := errors.Join(r.broken[what], r.broken[what+" "+in.Connection])
	r.mu.Unlock()
	if err != nil {
		return nil, &stepfunctions.FunctionError{Type: string(fault.CodeOf(err)), Message: fault.Public(err).Message}
	}
	f, ok := r.tasks[name]
	if !ok {
		return nil, fmt.Errorf("no function %s", name)
	}
	answer, err := f.Invoke(ctx, payload)
	if own, ok := errors.AsType[messages.InvokeResponse_Error](err); ok {
		return nil, &stepfunctions.FunctionError{Type: own.Type, Message: own.Message}
	}
	return answer, err
}

func (r *round) run(machine, input string) stepfunctions.Execution {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	arn, err := r.engine.Start(ctx, machine, "run-1", []byte(input))
	if err != nil {
		r.Fatal(err)
	}
	x, err := r.engine.Wait(ctx, arn)
	if err != nil {
		r.Fatal(err)
	}
	return x
}

func (r *round) called(what string) int {
	n := 0
	for _, c := range r.calls {
		if c == what {
			n++
		}
	}
	return n
}

const asked = `{"tenant":"` + customer + `","connection":"aws-main","cloud":"aws","collector":"collect-aws","settings":{"role_arn":"arn:x"},"secret":""}`

func TestCheckTellsWhichRightsAreMissing(t *testing.T) {
	t.Parallel()
	r := newRound(t, nil)
	x := r.run("check", asked)
	if x.Status != stepfunctions.Succeeded || !strings.Contains(string(x.Output), `{"missing":["ce:GetCostAndUsage for arn:x"]`) {
		t.Errorf("%s %s %s %s", x.Status, x.Output, x.Error, x.Cause)
	}
	if len(r.readings) != 1 || r.readings[0].What != ingest.TestReading || r.readings[0].Status != ingest.Denied || r.readings[0].Reason != "Missing: ce:GetCostAndUsage for arn:x" {
		t.Errorf("kept %+v", r.readings)
	}
}

func TestACheckThatFailsIsKeptToo(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.Unauthenticated, "The role does not trust us.")
	r := newRound(t, map[string]error{"collect-aws check": refused})
	x := r.run("check", asked)
	if x.Status != stepfunctions.Failed || x.Error != string(fault.Unauthenticated) || !strings.Contains(x.Cause, "The role does not trust us.") {
		t.Errorf("%s %s %s", x.Status, x.Error, x.Cause)
	}
	if len(r.readings) != 1 || r.readings[0].Status != ingest.Denied || r.readings[0].Reason != "The role does not trust us." {
		t.Errorf("kept %+v", r.readings)
	}
}

// What cannot be kept is told all the same.
func TestACheckAnswersWithoutTheRecord(t *testing.T) {
	t.Parallel()
	lost := fault.New(fault.Unprocessable, "The database is away.")
	if x := newRound(t, map[string]error{"load tested": lost}).run("check", asked); x.Status != stepfunctions.Succeeded || !strings.Contains(string(x.Output), `"missing":["ce:`) {
		t.Errorf("%s %s", x.Status, x.Output)
	}
	x := newRound(t, map[string]error{"load tested": lost, "collect-aws check": fault.New(fault.Forbidden, "No right.")}).run("check", asked)
	if x.Status != stepfunctions.Failed || x.Error != string(fault.Forbidden) {
		t.Errorf("%s %s %s", x.Status, x.Error, x.Cause)
	}
}

func TestAnImportLoadsAndAnalyses(t *testing.T) {
	t.Parallel()
	const input = `{"tenant":"0a0a0a0a-0000-4000-8000-000000000001","connection":"","key":"0a0a0a0a-0000-4000-8000-000000000001/uploads/u/bill"}`
	r := newRound(t, nil)
	if x := r.run("import", input); x.Status != stepfunctions.Succeeded || string(x.Output) != `{"analysed":true,"report":{"accepted":9,"doubled":[],"rejected":1,"unchanged":false}}` {
		t.Errorf("%s: %s", x.Status, x.Output)
	}
	// The bill is loaded whatever becomes of its analysis.
	x := newRound(t, map[string]error{"analyze analyze": fault.New(fault.Unprocessable, "There are no costs.")}).run("import", input)
	if text := string(x.Output); x.Status != stepfunctions.Succeeded || !strings.Contains(text, `"analysed":false`) || !strings.Contains(text, "There are no costs.") || !strings.Contains(text, `"accepted":9`) {
		t.Errorf("%s: %s", x.Status, text)
	}
	r = newRound(t, map[string]error{"load load": fault.New(fault.Unprocessable, "The file has no column BilledCost.")})
	if x := r.run("import", input); x.Status != stepfunctions.Failed || x.Error != "Unprocessable" || !strings.Contains(x.Cause, "BilledCost") || r.called("analyze analyze") != 0 {
		t.Errorf("%s: %s %s", x.Status, x.Error, x.Cause)
	}
}

func TestTheRoundGoesThroughAllSteps(t *testing.T) {
	t.Parallel()
	r := newRound(t, nil)
	x := r.run("cost-optimization", `{"tenant":"`+customer+`","cloud":"","connection":"","months":1}`)
	var out job.SummaryOutput
	if err := json.Unmarshal(x.Output, &out); err != nil || x.Status != stepfunctions.Succeeded {
		t.Fatalf("%s %s %s %v", x.Status, x.Error, x.Cause, err)
	}
	if out.Run != "run-1" || !strings.Contains(string(out.Collect), `"resources":6`) || string(out.Analyze) != `{"series":4}` ||
		!strings.Contains(string(out.Learn), "one") || string(out.Recommend) != `{"found":2}` || len(out.Problems) != 0 {
		t.Errorf("got %s", x.Output)
	}
	if n := r.called("analyze analyze"); n != 1 || strings.Contains(string(out.Collect), "analysed") {
		t.Errorf("%d analyses, and the collection says %s; want one, that of the round", n, out.Collect)
	}
	order := []int{slices.Index(r.calls, "load sum"), slices.Index(r.calls, "analyze analyze"), slices.Index(r.calls, "learn learn"), slices.Index(r.calls, "recommend recommend")}
	if !slices.IsSorted(order) {
		t.Errorf("the steps ran as %v", r.calls)
	}
}

func TestAFailedStepIsToldAndKeepsNoOtherFromItsWork(t *testing.T) {
	t.Parallel()
	denied := fault.New(fault.Forbidden, "The key is not valid.")
	for name, broken := range map[string]map[string]error{
		"collect": {"collect-aws bill": denied, "collect-aws inventory": denied, "collect-gcp bill": denied, "collect-gcp inventory": denied},
		"analyze": {"analyze analyze": denied},
		"learn":   {"learn learn": denied},
	} {
		r := newRound(t, broken)
		x := r.run("cost-optimization", `{"tenant":"`+customer+`","months":1}`)
		if x.Status != stepfunctions.Failed || x.Error != "Incomplete" || !strings.Contains(x.Cause, "The key is not valid.") || strings.Contains(x.Cause, "ExecutionArn") {
			t.Errorf("%s: %s %s %s", name, x.Status, x.Error, x.Cause)
		}
		if r.called("recommend recommend") != 1 || r.notes["summary"] == nil {
			t.Errorf("%s: the other steps did not run, or nothing is remembered: %v", name, r.calls)
		}
	}
}
