package postgres_test

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const (
	executing tenant.ID = "0e0e0e0e-0000-4000-8000-000000000001"
	bystander tenant.ID = "0e0e0e0e-0000-4000-8000-000000000002"
)

var executedAt = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func openExecutions(t *testing.T) *postgres.DB {
	t.Helper()
	db := pgtest.Open(t)
	for _, id := range []tenant.ID{executing, bystander} {
		if err := db.SaveTenant(t.Context(), id, "tenant"); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func newExecution(recommendation string) rollout.Execution {
	p := plan.Plan{Cloud: resource.AWS, Action: plan.ResizeInstance}
	for i := range 3 {
		r := resource.Ref{Cloud: resource.AWS, Account: "1", Region: "r", Type: resource.Instance, ID: fmt.Sprintf("i-%d", i)}
		p.Targets = append(p.Targets, plan.Target{Ref: r, Before: plan.State{"size": "a"}, After: plan.State{"size": "b"}, Watch: []resource.Ref{r}})
	}
	s, _ := rollout.NewStrategy(rollout.Strategy{Mode: rollout.Scheduled, At: executedAt.Add(time.Hour)})
	return rollout.Execution{
		Recommendation: recommendation, Connection: "aws-main", Plan: p, PlanHash: p.Hash(), Strategy: s,
		Estimated:    cost.Money{Amount: decimal.RequireFromString("12.345678"), Currency: "USD", Basis: cost.Effective},
		Uncalibrated: cost.Money{Amount: decimal.RequireFromString("13.5"), Currency: "USD", Basis: cost.Effective},
		RequestedBy:  "anna", ApprovedBy: "bert", CreatedAt: executedAt, Phases: rollout.Divide(p, s), Journal: []rollout.Entry{},
	}
}

func create(t *testing.T, db *postgres.DB, e rollout.Execution) rollout.Execution {
	t.Helper()
	made, err := db.CreateExecution(t.Context(), executing, e)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestExecutionIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	db := openExecutions(t)
	want := create(t, db, newExecution("rec"))
	got, err := db.Execution(t.Context(), executing, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Plan.Hash() != want.PlanHash || !got.Estimated.Amount.Equal(want.Estimated.Amount) || !got.Uncalibrated.Amount.Equal(want.Uncalibrated.Amount) {
		t.Errorf("plan %v, estimated %v, %v before calibration", got.Plan, got.Estimated, got.Uncalibrated)
	}
	got.Estimated, got.Uncalibrated = want.Estimated, want.Uncalibrated
	for i := range want.Phases {
		want.Phases[i].Reasons = []string{}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%+v, wrote\n%+v", got, want)
	}
	open, err := db.OpenExecution(t.Context(), executing, "rec")
	if err != nil || open.ID != want.ID {
		t.Errorf("open: %v %v", open.ID, err)
	}
}

func TestWhatIsUnderWayOnAConnection(t *testing.T) {
	t.Parallel()
	db, ctx := openExecutions(t), t.Context()
	open := create(t, db, newExecution("rec"))
	dry, elsewhere, over := newExecution("dry"), newExecution("elsewhere"), newExecution("over")
	dry.DryRun, elsewhere.Connection = true, "aws-test"
	create(t, db, dry)
	create(t, db, elsewhere)
	over = create(t, db, over)
	over.Status = rollout.Completed
	if done, err := db.TransitionExecution(ctx, executing, over, rollout.Pending); err != nil || !done {
		t.Fatal(done, err)
	}
	found, err := db.Executing(ctx, executing, "aws-main")
	if err != nil || len(found) != 1 || found[0].ID != open.ID || len(found[0].Plan.Targets) != 3 {
		t.Errorf("%v %+v, want the one that is open", err, found)
	}
	if found, err := db.Executing(ctx, bystander, "aws-main"); err != nil || len(found) != 0 {
		t.Errorf("another tenant sees %+v, %v", found, err)
	}
}

func TestOtherTenantsSeeNoExecution(t *testing.T) {
	t.Parallel()
	db, ctx := openExecutions(t), t.Context()
	e := create(t, db, newExecution("rec"))
	if _, err := db.Execution(ctx, bystander, e.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("read: %v", err)
	}
	if list, err := db.Executions(ctx, bystander, time.Time{}, "", 10); err != nil || len(list) != 0 {
		t.Errorf("list: %v %v", list, err)
	}
	if done, err := db.TransitionExecution(ctx, bystander, e, rollout.Pending); err != nil || done {
		t.Errorf("transition: %v %v", done, err)
	}
	if err := db.AppendJournal(ctx, bystander, e.ID, rollout.Entry{At: executedAt, Step: rollout.Judged}); err == nil {
		t.Error("another tenant wrote into the journal")
	}
	if err := db.SetExecutionFreeze(ctx, bystander, rollout.Freeze{Frozen: true}, "x", executedAt); err != nil {
		t.Fatal(err)
	}
	if f, err := db.ExecutionFreeze(ctx, executing); err != nil || f.Frozen {
		t.Errorf("frozen by another tenant: %v %v", f, err)
	}
}

func TestOneOpenExecutionForARecommendation(t *testing.T) {
	t.Parallel()
	db, ctx := openExecutions(t), t.Context()
	e := create(t, db, newExecution("rec"))
	for _, status := range []rollout.Status{rollout.Pending, rollout.Running, rollout.Stuck} {
		e.Status = status
		if _, err := db.TransitionExecution(ctx, executing, e, rollout.Pending, rollout.Running); err != nil {
			t.Fatal(err)
		}
		if _, err := db.CreateExecution(ctx, executing, newExecution("rec")); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("a second one beside a %s one: %v, want Conflict", status, err)
		}
	}
	e.Status = rollout.RolledBack
	if done, err := db.TransitionExecution(ctx, executing, e, rollout.Stuck); err != nil || !done {
		t.Fatal(done, err)
	}
	create(t, db, newExecution("rec"))
	create(t, db, newExecution("another"))
}

func TestOneOfManyTransitionsWins(t *testing.T) {
	t.Parallel()
	db, ctx := openExecutions(t), t.Context()
	e := create(t, db, newExecution("rec"))
	e.Status, e.StartedAt = rollout.Running, executedAt
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			mine := e
			fence, err := db.NextFence(ctx)
			mine.Fence = fence
			done, errToo := db.TransitionExecution(ctx, executing, mine, rollout.Pending)
			if err != nil || errToo != nil {
				t.Error(err, errToo)
			}
			if done {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 20 made it run", won.Load())
	}
	got, err := db.Execution(ctx, executing, e.ID)
	if err != nil || got.Fence == 0 || !got.StartedAt.Equal(executedAt) {
		t.Fatalf("%+v %v", got, err)
	}
	older := got
	older.Fence = got.Fence - 1
	if done, err := db.TransitionExecution(ctx, executing, older, rollout.Running); err != nil || !done {
		t.Fatal(done, err)
	}
	if again, err := db.Execution(ctx, executing, e.ID); err != nil || again.Fence != got.Fence {
		t.Errorf("the fence fell from %d to %d: %v", got.Fence, again.Fence, err)
	}
}

func TestJournalTakesEachStepOnce(t *testing.T) {
	t.Parallel()
	db, ctx := openExecutions(t), t.Context()
	e := create(t, db, newExecution("rec"))
	intents := rollout.Intents(e, e.Phases[0], executedAt)
	applied := rollout.Entry{At: executedAt, Phase: 1, Step: rollout.Applied, Ref: intents[0].Ref, After: plan.State{"size": "b"},
		Result: &rollout.Receipt{Ref: intents[0].Ref, Changed: true, Handles: map[string]string{"snapshot": "s"}}}
	changed := applied
	changed.After = plan.State{"size": "c"}
	failed := rollout.Entry{At: executedAt, Step: rollout.Failed, Ref: intents[0].Ref, Note: "first"}
	later := failed
	later.At, later.Note = executedAt.Add(time.Hour), "last"
	for _, batch := range [][]rollout.Entry{intents, intents, {applied}, {applied, changed}, {failed}, {later}} {
		if err := db.AppendJournal(ctx, executing, e.ID, batch...); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.Execution(ctx, executing, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := append(append([]rollout.Entry{}, intents...), applied, later)
	if len(got.Journal) != len(want) {
		t.Fatalf("journal %+v", got.Journal)
	}
	for i := range want {
		want[i].Seq = got.Journal[i].Seq
		if i > 0 && want[i].Seq <= want[i-1].Seq {
			t.Error("the journal is out of order")
		}
	}
	if !reflect.DeepEqual(got.Journal, want) {
		t.Errorf("read\n%+v, want\n%+v", got.Journal, want)
	}
}

func TestLateRepetitionsDoNotUndoAPhase(t *testing.T) {
	t.Parallel()
	db, ctx := openExecutions(t), t.Context()
	e := create(t, db, newExecution("rec"))
	early := e.Phases[0]
	early.StartedAt = executedAt
	applied := early
	applied.AppliedAt = executedAt.Add(time.Minute)
	judged := applied
	judged.JudgedAt, judged.Verdict, judged.Reasons = executedAt.Add(time.Hour), rollout.Unhealthy, []string{"because"}
	stale := early
	stale.StartedAt = executedAt.Add(time.Hour)
	for _, p := range []rollout.Phase{early, applied, stale, judged, early, stale} {
		if err := db.SavePhase(ctx, executing, e.ID, p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.Execution(ctx, executing, e.ID)
	if err != nil || !reflect.DeepEqual(got.Phases[0], judged) {
		t.Errorf("phase %+v, want %+v: %v", got.Phases[0], judged, err)
	}
}

func TestListsAndHistory(t *testing.T) {
	t.Parallel()
	db, ctx := openExecutions(t), t.Context()
	var ids []string
	for i, end := range []rollout.Status{rollout.Completed, rollout.RolledBack, rollout.Refused, rollout.Completed, rollout.Pending} {
		e := newExecution(fmt.Sprintf("rec-%d", i))
		e.DryRun = i == 3
		e.CreatedAt = executedAt.Add(time.Duration(i/2) * time.Second) // some at the same moment
		e = create(t, db, e)
		if err := db.AppendJournal(ctx, executing, e.ID, rollout.Intents(e, e.Phases[0], executedAt)...); err != nil {
			t.Fatal(err)
		}
		e.Status = end
		if _, err := db.TransitionExecution(ctx, executing, e, rollout.Pending); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	seen := map[string]bool{}
	var at time.Time
	var id string
	for range ids {
		page, err := db.Executions(ctx, executing, at, id, 1)
		if err != nil || len(page) != 1 || seen[page[0].ID] || !at.IsZero() && page[0].CreatedAt.After(at) || len(page[0].Phases) == 0 {
			t.Fatalf("page %+v: %v", page, err)
		}
		at, id = page[0].CreatedAt, page[0].ID
		seen[id] = true
	}
	if rest, err := db.Executions(ctx, executing, at, id, 1); err != nil || len(rest) != 0 {
		t.Errorf("after the last one: %v %v", rest, err)
	}
	done, err := db.CompletedExecutions(ctx, executing)
	if err != nil || len(done) != 2 || len(done[0].Journal) == 0 || done[0].DryRun || done[1].DryRun {
		t.Errorf("completed: %+v %v", done, err)
	}
}
