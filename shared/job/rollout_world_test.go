package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/truora/minidyn/server"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/dynamo"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const meridian tenant.ID = "6f1f9f5e-0000-4000-8000-000000000001"

var approver = tenant.Principal{Tenant: meridian, Subject: "anna", Role: tenant.Approver}

// world is everything an execution meets: the real record, locks and state machine, and the simulated clouds.
type world struct {
	*testing.T
	estate  *sandbox.Estate
	db      *postgres.DB
	staging *staged
	known   *known
	rollout job.Rollout
	execute job.Execute
	history stepfunctions.Store
	engine  *stepfunctions.Engine
	tasks   map[string]map[string]awslambda.Task // by function and task
	around  func(ctx context.Context, function, task string, call func(context.Context) ([]byte, error)) ([]byte, error)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	estate, err := sandbox.Open(sandbox.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = estate.Close() })
	w := &world{T: t, estate: estate, db: pgtest.Open(t), staging: &staged{objects: map[string][]byte{}}, history: stepfunctions.NewMemory()}
	w.known = &known{estate: estate, recommendations: map[string]recommend.Recommendation{}}
	if err := w.db.SaveTenant(t.Context(), meridian, "tenant"); err != nil {
		t.Fatal(err)
	}
	functions := map[resource.Cloud]string{}
	collectors := map[resource.Cloud]string{}
	for _, c := range resource.Clouds {
		functions[c], collectors[c] = "act", "collect"
	}
	now := estate.Clock().Now
	w.rollout = job.Rollout{
		Store: w.db, Locks: newLocks(t, now), Recommendations: w.known, Inventory: w.known, Connections: w.known, Staging: w.staging,
		Actors: functions, Collectors: collectors, Thresholds: rollout.DefaultThresholds, Now: now,
	}
	w.execute = job.Execute{Store: w.db, Recommendations: w.known, Starter: w, Actors: functions, Collectors: collectors, Now: now}
	w.wire()
	w.boot()
	return w
}

func (w *world) wire() {
	act := job.Act{Actors: func(c ingest.Connection) (rollout.Actor, error) { return w.estate.Actor(c.Cloud), nil }}
	w.tasks = map[string]map[string]awslambda.Task{
		"rollout": {
			"begin": awslambda.TaskOf(w.rollout.Begin), "check": awslambda.TaskOf(w.rollout.Check), "phase": awslambda.TaskOf(w.rollout.Phase),
			"record": awslambda.TaskOf(w.rollout.Record), "watch": awslambda.TaskOf(w.rollout.Watch), "judge": awslambda.TaskOf(w.rollout.Judge),
			"rollback": awslambda.TaskOf(w.rollout.Rollback), "restored": awslambda.TaskOf(w.rollout.Restored),
			"complete": awslambda.TaskOf(w.rollout.Complete), "stuck": awslambda.TaskOf(w.rollout.Stuck),
		},
		"act": {
			"capture": awslambda.TaskOf(act.Capture), "apply": awslambda.TaskOf(act.Apply),
			"verify": awslambda.TaskOf(act.Verify), "revert": awslambda.TaskOf(act.Revert),
		},
		"collect": {"usage": awslambda.TaskOf(w.usage)},
	}
}

// boot starts an engine over the history so far.
func (w *world) boot() {
	w.Helper()
	definition, err := os.ReadFile("../../statemachines/execution.asl.json")
	if err != nil {
		w.Fatal(err)
	}
	w.engine, err = stepfunctions.New(stepfunctions.Options{Store: w.history, Invoke: w.invoke, Clock: w.estate.Clock()})
	if err != nil {
		w.Fatal(err)
	}
	if err := w.engine.Define(job.ExecutionMachine, definition, map[string]string{"RolloutFunction": "rollout"}); err != nil {
		w.Fatal(err)
	}
	engine := w.engine
	w.Cleanup(func() { _ = engine.Close(context.Background()) })
}

// invoke is Lambda: it hides what functions are made of, and reports their faults by code.
func (w *world) invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	var which struct {
		Task string `json:"task"`
	}
	if err := json.Unmarshal(payload, &which); err != nil {
		return nil, err
	}
	task, ok := w.tasks[function][which.Task]
	if !ok {
		return nil, fmt.Errorf("no task %s of %s", which.Task, function)
	}
	call := func(ctx context.Context) ([]byte, error) { return task(ctx, payload) }
	run := func(ctx context.Context) ([]byte, error) { return call(ctx) }
	if w.around != nil {
		run = func(ctx context.Context) ([]byte, error) { return w.around(ctx, function, which.Task, call) }
	}
	answer, err := run(ctx)
	if err == nil {
		return answer, nil
	}
	if ctx.Err() != nil { // the engine was killed: nobody hears the answer
		return nil, ctx.Err()
	}
	if own, ok := errors.AsType[*stepfunctions.FunctionError](err); ok {
		return nil, own
	}
	return nil, &stepfunctions.FunctionError{Type: string(fault.CodeOf(err)), Message: fault.Public(err).Message}
}

// Start implements job.Starter.
func (w *world) Start(ctx context.Context, machine, name string, input any) (string, error) {
	body, err := json.Marshal(input)
	if err != nil {
		return "", err
	}
	return w.engine.Start(ctx, machine, name, body)
}

// finish waits until the state machine's execution is over.
func (w *world) finish(name string) stepfunctions.Execution {
	w.Helper()
	arn := "arn:aws:states:local:000000000000:execution:" + job.ExecutionMachine + ":" + name
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		x, err := w.engine.Describe(w.Context(), arn)
		if err != nil {
			w.Fatal(err)
		}
		if x.Status != stepfunctions.Running {
			return x
		}
	}
	w.Fatalf("execution %s does not end", name)
	return stepfunctions.Execution{}
}

// resume resumes an execution and gives its record when the state machine is done with it.
func (w *world) resume(id string) rollout.Execution {
	w.Helper()
	if _, err := w.execute.Resume(w.Context(), approver, id); err != nil {
		w.Fatal(err)
	}
	all, err := w.engine.List(w.Context(), stepfunctions.Filter{Machine: job.ExecutionMachine})
	if err != nil {
		w.Fatal(err)
	}
	for _, x := range all {
		if strings.HasPrefix(x.Name, id+"-resume-") {
			w.finish(x.Name)
		}
	}
	return w.execution(id)
}

// run executes a recommendation to its end and gives the record of it.
func (w *world) run(id string, strategy rollout.Strategy) rollout.Execution {
	w.Helper()
	e, err := w.execute.Run(w.Context(), approver, job.ExecuteInput{Recommendation: id, PlanHash: w.known.recommendations[id].PlanHash, Strategy: strategy})
	if err != nil {
		w.Fatal(err)
	}
	x := w.finish(e.ID)
	e = w.execution(e.ID)
	if x.Error != "" && e.Status != rollout.Stuck {
		w.Fatalf("the state machine failed: %s %s", x.Error, x.Cause)
	}
	return e
}

func (w *world) execution(id string) rollout.Execution {
	w.Helper()
	e, err := w.db.Execution(w.Context(), meridian, id)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

// usage is what a collector's task of that name does.
func (w *world) usage(ctx context.Context, in job.UsageRequest) (map[string]string, error) {
	if in.Settings["of"] != in.Connection || in.Secret != ingest.SecretName(in.Tenant, in.Connection) {
		return nil, fault.New(fault.Invalid, "The watch does not say where to read %s.", in.Connection)
	}
	q := ingest.UsageQuery{Refs: in.Refs, Metrics: in.Metrics, Period: cost.Period{Start: in.From, End: in.To}, Every: time.Duration(in.EverySeconds) * time.Second}
	found, err := w.estate.Collector(in.Cloud).Usage(ctx, q)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(found)
	w.staging.put(in.Key, body)
	return map[string]string{"key": in.Key}, err
}

// recommendation approves a plan that gives every instance of an application the size.
func (w *world) recommendation(id, app, size string) recommend.Recommendation {
	return w.approve(id, plan.ResizeInstance, func(r resource.Resource) (plan.State, []resource.Ref) {
		if r.Type != resource.Instance || r.Tags["application"] != app {
			return nil, nil
		}
		return plan.State{resource.AttrSize: size}, []resource.Ref{r.Ref}
	})
}

func (w *world) approve(id string, action plan.Action, change func(resource.Resource) (plan.State, []resource.Ref)) recommend.Recommendation {
	w.Helper()
	p := plan.Plan{Action: action}
	for _, r := range w.estate.Snapshot() {
		set, watch := change(r)
		if set == nil {
			continue
		}
		before := plan.Pick(action, r.Attributes)
		after := plan.Pick(action, r.Attributes)
		if set[resource.AttrState] == plan.Archived {
			after = plan.State{}
		}
		for k, v := range set {
			after[k] = v
		}
		p.Cloud = r.Cloud
		p.Targets = append(p.Targets, plan.Target{Ref: r.Ref, Before: before, After: after, Watch: watch})
	}
	if len(p.Targets) == 0 {
		w.Fatalf("%s has no targets", id)
	}
	rec := recommend.Recommendation{
		ID: id, Connection: string(p.Cloud) + "-main", Cloud: p.Cloud, Plan: p, PlanHash: p.Hash(), Status: recommend.Approved,
		Approval: &recommend.Approval{By: "bert", PlanHash: p.Hash()},
	}
	w.known.put(rec)
	return rec
}

// known are the recommendations and the inventory.
type known struct {
	estate          *sandbox.Estate
	mu              sync.Mutex
	recommendations map[string]recommend.Recommendation
	tags            map[string]string // on everything
	others          []resource.Ref    // that the estate does not have
}

func (k *known) put(r recommend.Recommendation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.recommendations[r.ID] = r
}

func (k *known) Recommendation(_ context.Context, _ tenant.ID, id string) (recommend.Recommendation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.recommendations[id]
	if !ok {
		return r, fault.New(fault.NotFound, "There is no recommendation %s.", id)
	}
	return r, nil
}

func (k *known) ChangeRecommendation(ctx context.Context, t tenant.ID, id string, change func(*recommend.Recommendation) error) (recommend.Recommendation, error) {
	r, err := k.Recommendation(ctx, t, id)
	if err == nil {
		err = change(&r)
	}
	if err == nil {
		k.put(r)
	}
	return r, err
}

// Connection gives every connection settings of its own.
func (k *known) Connection(_ context.Context, t tenant.ID, id string) (ingest.Connection, error) {
	return ingest.Connection{Tenant: t, ID: id, Settings: map[string]string{"of": id}, Secret: ingest.SecretName(t, id)}, nil
}

func (k *known) Inventory(_ context.Context, _ tenant.ID, _ string) ([]recommend.Observed, error) {
	var out []recommend.Observed
	for _, r := range k.estate.Snapshot() {
		for key, value := range k.tags {
			r.Tags[key] = value
		}
		out = append(out, recommend.Observed{Resource: r})
	}
	for _, ref := range k.others {
		out = append(out, recommend.Observed{Resource: resource.Resource{Ref: ref}})
	}
	return out, nil
}

// staged is a staging area in memory.
type staged struct {
	ingest.Staging // writing is not used
	mu             sync.Mutex
	objects        map[string][]byte
}

func (s *staged) put(key string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = body
}

func (s *staged) get(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key]
}

func (s *staged) Reader(_ context.Context, key string) (ingest.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, ok := s.objects[key]
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no object %s.", key)
	}
	return object{bytes.NewReader(body)}, nil
}

type object struct{ *bytes.Reader }

func (object) Close() error { return nil }

func newLocks(t *testing.T, now func() time.Time) *dynamo.Locks {
	t.Helper()
	srv := httptest.NewServer(server.NewServer())
	t.Cleanup(srv.Close)
	client := dynamodb.New(dynamodb.Options{BaseEndpoint: &srv.URL, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")})
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("keys"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &dynamo.Locks{API: client, Name: "keys", Now: now}
}

// sizes lists the size of every instance by name.
func (w *world) sizes(app string) map[string]string {
	out := map[string]string{}
	for _, r := range w.estate.Snapshot() {
		if r.Type == resource.Instance && r.Tags["application"] == app {
			out[r.Name] = r.Attributes[resource.AttrSize] + " " + r.Attributes[resource.AttrState]
		}
	}
	return out
}

// steps lists what was really done to each target, in order.
func (w *world) steps(rec recommend.Recommendation) map[string]int {
	out := map[string]int{}
	for _, target := range rec.Plan.Targets {
		var steps []string
		for _, m := range w.estate.Mutations(target.Ref) {
			steps = append(steps, m.Step)
		}
		out[strings.Join(steps, " ")]++
	}
	return out
}
