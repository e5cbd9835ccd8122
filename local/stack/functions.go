package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/cost-agent/cost-agent/local/gateway"
	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/chart"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/holidays"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// The functions that read and change the clouds, in place of one pair per cloud. The first reads the sandbox estate, where there is
// one, for its own connections, and the real clouds for those that people register; the second changes nothing but the estate.
const (
	collectSandbox = "collect-sandbox"
	actSandbox     = "act-sandbox"
)

// everyCloud maps all clouds to one function.
func everyCloud(function string) map[resource.Cloud]string {
	out := map[resource.Cloud]string{}
	for _, c := range resource.Clouds {
		out[c] = function
	}
	return out
}

// functions wires every function of the template as its main does, and the two that stand for the clouds.
func (p *parts) functions(log *slog.Logger) map[string]gateway.Handler {
	out := p.operations(log)
	for name, tasks := range p.tasks() {
		out[name] = awslambda.Tasks(log, tasks)
	}
	out["authorizer"] = awslambda.Authorizer(log, p.keys)
	return out
}

// operations are the functions behind the API.
func (p *parts) operations(log *slog.Logger) map[string]gateway.Handler {
	now := p.now
	web := func(resources ...api.Resource) gateway.Handler {
		return awslambda.HTTP(log, api.New(log, resources...))
	}
	// What people wait for passes in real time, whatever the clock does.
	runs := api.Runs{Machines: p.runs, Receipts: p.keys, NewID: newID, Pause: stepfunctions.RealTime{}.Sleep}
	return map[string]gateway.Handler{
		"health": web(api.Health{Database: p.db.Ping, Cache: p.cache.Ping, Build: "local"}),
		"costs": web(
			api.Costs{Reader: p.db, Load: p.load(), Answers: p.cache, Now: now},
			api.Uploads{Staging: p.staging, NewID: newID, Now: now},
		),
		"connections": web(api.Connections{Runs: runs, Store: p.db, Secrets: p.secrets, Collectors: everyCloud(collectSandbox)}),
		"analysis": web(
			api.Analysis{Run: p.analyze(), Reader: p.db, Assess: job.Assess{Store: p.db, Now: now}, Receipts: p.keys},
			api.Scenarios{Imagine: job.Scenario{Series: p.db, Forecasts: p.db, Savings: p.db, Calendars: p.calendars(), Now: now}},
			api.Charts{Gather: job.Picture{Series: p.db, Reader: p.db, Now: now}, Draw: chart.Draw},
			api.Budgets{Keep: p.budgets(), Record: p.db, Receipts: p.keys, Draw: chart.Draw, Now: now},
			api.Settings{Store: p.db, Holidays: holidays.Book{}, Now: now},
		),
		"recommendations": web(
			api.Recommendations{Reader: p.db, Generate: p.recommend(), Decide: job.Decide{Store: p.db, Now: now}, Receipts: p.keys},
			api.Advice{Reader: p.db},
			api.Commitments{Reader: p.db},
			api.Learning{Reader: p.db},
		),
		"executions": web(api.Executions{
			Reader: p.db, Freezer: p.db, Receipts: p.keys, Now: now,
			Starter: job.Execute{Store: p.db, Recommendations: p.db, Starter: p.runs, Actors: everyCloud(actSandbox),
				Collectors: everyCloud(collectSandbox), Now: now},
		}),
		"workflows": web(api.Workflows{Runs: runs, Summary: p.summary()}),
	}
}

// tasks are the functions that state machines call.
func (p *parts) tasks() map[string]map[string]awslambda.Task {
	now := p.now
	load := p.load()
	planned := job.PlanCollection{Connections: p.db, Collectors: everyCloud(collectSandbox), Staging: p.staging, Bucket: bucket, Now: now}
	collect := job.Collect{Staging: p.staging, Now: now, Collectors: p.collector}
	act := job.Act{Actors: p.actor}
	roll := job.Rollout{Store: p.db, Locks: p.locks, Recommendations: p.db, Inventory: p.db, Connections: p.db, Staging: p.staging,
		Actors: everyCloud(actSandbox), Collectors: everyCloud(collectSandbox), Thresholds: rollout.DefaultThresholds, Now: now}
	learn := job.Learn{Executions: p.db, Costs: p.db, Bills: p.db, Outcomes: p.db, Calendars: p.calendars(), Now: now}
	return map[string]map[string]awslambda.Task{
		"load": {
			"plan": awslambda.TaskOf(planned.Run), "note": awslambda.TaskOf(planned.Note), "sum": awslambda.TaskOf(planned.Sum), "tested": awslambda.TaskOf(planned.Tested),
			"load": awslambda.TaskOf(load.Run), "load-inventory": awslambda.TaskOf(load.LoadInventory), "summary": awslambda.TaskOf(p.summary().Run),
		},
		"analyze":   {"analyze": awslambda.TaskOf(p.analyze().Run)},
		"recommend": {"recommend": awslambda.TaskOf(p.recommend().Run)},
		"learn":     {"learn": awslambda.TaskOf(learn.Run)},
		"rollout": {
			"begin": awslambda.TaskOf(roll.Begin), "check": awslambda.TaskOf(roll.Check), "phase": awslambda.TaskOf(roll.Phase),
			"record": awslambda.TaskOf(roll.Record), "watch": awslambda.TaskOf(roll.Watch), "judge": awslambda.TaskOf(roll.Judge),
			"rollback": awslambda.TaskOf(roll.Rollback), "restored": awslambda.TaskOf(roll.Restored),
			"complete": awslambda.TaskOf(roll.Complete), "stuck": awslambda.TaskOf(roll.Stuck), "ended": awslambda.TaskOf(roll.Ended),
		},
		collectSandbox: {"bill": awslambda.TaskOf(collect.Bill), "inventory": awslambda.TaskOf(collect.Inventory), "usage": awslambda.TaskOf(collect.Usage),
			"check": awslambda.TaskOf(collect.Check)},
		actSandbox: {"capture": awslambda.TaskOf(act.Capture), "apply": awslambda.TaskOf(act.Apply), "verify": awslambda.TaskOf(act.Verify),
			"revert": awslambda.TaskOf(act.Revert)},
	}
}

// ofEstate tells whether the connection is one of the sandbox estate, as its owner has them.
func (p *parts) ofEstate(c ingest.Connection) bool {
	return p.estate != nil && c.Tenant == Tenant &&
		slices.ContainsFunc(p.estate.Connections(), func(own ingest.Connection) bool { return own.ID == c.ID && own.Cloud == c.Cloud })
}

// actor keeps changes to the estate and its owner, as a cloud's credentials would.
func (p *parts) actor(c ingest.Connection) (rollout.Actor, error) {
	if !p.ofEstate(c) {
		return nil, fault.New(fault.Forbidden, "The connection %s has no credentials for changes here: on this machine only the sandbox estate is changed.", c.ID)
	}
	return p.estate.Actor(c.Cloud), nil
}

func (p *parts) load() job.Load {
	return job.Load{Record: p.db, Inventory: p.db, Staging: p.staging, Versions: p.cache}
}

func (p *parts) analyze() job.AnalyzeAndJudge {
	return job.AnalyzeAndJudge{Analysis: p.analysis(), Budgets: p.budgets()}
}

func (p *parts) budgets() job.Budgets {
	return job.Budgets{Store: p.db, Series: p.db, Costs: p.db, Calendars: p.calendars(), NewID: newID, Now: p.now}
}

func (p *parts) analysis() job.Analyze {
	return job.Analyze{Series: p.db, Store: p.db, Verdicts: p.db, Executions: p.db, Calendars: p.calendars(), Tags: []string{"application"}, Now: p.now}
}

func (p *parts) calendars() job.Calendars {
	return job.Calendars{Settings: p.db, Holidays: holidays.Book{}}
}

func (p *parts) recommend() job.Recommend {
	return job.Recommend{Inventory: p.db, Costs: p.db, Store: p.db, Learned: p.db, Now: p.now}
}

func (p *parts) summary() job.Summary {
	return job.Summary{Costs: p.db, Notes: p.cache, Now: p.now}
}

// newID is unguessable and fits into names of runs and keys.
func newID() string { return strings.ToLower(rand.Text()) }

// invoke calls a function for the engine, and gives its failure the error name that Lambda would.
func invoke(ctx context.Context, functions map[string]gateway.Handler, name string, payload []byte) ([]byte, error) {
	f, ok := functions[name]
	if !ok {
		return nil, fmt.Errorf("there is no function %q here", name)
	}
	answer, err := f.Invoke(ctx, payload)
	if own, ok := errors.AsType[messages.InvokeResponse_Error](err); ok {
		return nil, &stepfunctions.FunctionError{Type: own.Type, Message: own.Message}
	}
	return answer, err
}
