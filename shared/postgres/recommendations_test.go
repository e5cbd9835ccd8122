package postgres_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// company is the sandbox estate beside a database that lives in its time.
type company struct {
	*testing.T
	estate *sandbox.Estate
	db     *postgres.DB
}

func newCompany(t *testing.T) company {
	t.Helper()
	e, err := sandbox.Open(sandbox.Options{Still: true})
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), postgres.Options{URL: pgtest.URL(t), Now: e.Clock().Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(); _ = e.Close() })
	if err := db.SaveTenant(t.Context(), acme, "Acme"); err != nil {
		t.Fatal(err)
	}
	for _, c := range e.Connections() {
		c.Tenant = acme
		if err := db.SaveConnection(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	return company{t, e, db}
}

// collect loads the bills of the last months and the inventory of every cloud.
func (c company) collect(months int) {
	c.Helper()
	for _, connection := range c.estate.Connections() {
		c.loadBills(connection, months)
		if err := c.db.SaveInventory(c.Context(), acme, connection.ID, c.read(connection.Cloud)); err != nil {
			c.Fatal(err)
		}
	}
}

func (c company) loadBills(connection ingest.Connection, months int) {
	c.Helper()
	for back := range months {
		month := cost.MonthStart(c.estate.Clock().Now()).AddDate(0, -back, 0)
		var out bytes.Buffer
		w := focus.NewParquetWriter(&out)
		for row, err := range c.estate.Collector(connection.Cloud).Costs(c.Context(), month) {
			if err != nil {
				c.Fatal(err)
			}
			if err := w.Write(&row); err != nil {
				c.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			c.Fatal(err)
		}
		load(c, c.db, acme, ingest.Bill{Connection: connection.ID, File: content(out.Bytes())})
	}
}

func (c company) read(cloud resource.Cloud) ingest.Snapshot {
	c.Helper()
	now, collector := c.estate.Clock().Now(), c.estate.Collector(cloud)
	inventory, err := collector.Resources(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	s := ingest.Snapshot{Inventory: inventory, At: now}
	regions := map[string]bool{}
	var refs []resource.Ref
	for _, r := range inventory.Resources {
		regions[r.Region] = true
		refs = append(refs, r.Ref)
	}
	if s.Prices, err = collector.Prices(c.Context(), slices.Sorted(maps.Keys(regions))); err != nil {
		c.Fatal(err)
	}
	measured, err := collector.Usage(c.Context(), ingest.UsageQuery{Refs: refs, Every: time.Hour, Period: cost.Period{Start: now.AddDate(0, 0, -30), End: now},
		Metrics: []resource.Metric{resource.CPU, resource.Memory, resource.DiskOps, resource.DiskBytes}})
	if err != nil {
		c.Fatal(err)
	}
	s.Usage = measured.Usage
	return s
}

func (c company) recommend() job.RecommendOutput {
	c.Helper()
	run := job.Recommend{Inventory: c.db, Costs: c.db, Store: c.db, Learned: c.db, Now: c.estate.Clock().Now}
	out, err := run.Run(c.Context(), job.RecommendInput{Tenant: acme})
	if err != nil {
		c.Fatal(err)
	}
	return out
}

func (c company) list(f job.RecommendationFilter) []recommend.Recommendation {
	c.Helper()
	if f.Limit == 0 {
		f.Limit = 100
	}
	found, err := c.db.Recommendations(c.Context(), acme, f)
	if err != nil {
		c.Fatal(err)
	}
	return found
}

// titled finds the recommendation whose title holds the text.
func (c company) titled(text string) recommend.Recommendation {
	c.Helper()
	for _, r := range c.list(job.RecommendationFilter{}) {
		if strings.Contains(r.Title, text) {
			return r
		}
	}
	c.Fatalf("no recommendation is titled %q", text)
	return recommend.Recommendation{}
}

// execute approves and carries out a recommendation at once; a rolled back one is undone an hour later.
func (c company) execute(text string, back bool) rollout.Execution {
	c.Helper()
	clock := c.estate.Clock()
	r := c.titled(text)
	decide := job.Decide{Store: c.db, Now: clock.Now}
	if _, err := decide.Approve(c.Context(), job.ApproveInput{Tenant: acme, ID: r.ID, PlanHash: r.PlanHash, By: "anna"}); err != nil {
		c.Fatal(err)
	}
	e := rollout.Execution{ID: "execution of " + text, Recommendation: r.ID, Connection: r.Connection, Plan: r.Plan, PlanHash: r.PlanHash,
		Estimated: r.Saving.Monthly, Uncalibrated: r.Saving.Uncalibrated, Status: rollout.Completed, StartedAt: clock.Now()}
	actor := c.estate.Actor(r.Cloud)
	for _, target := range r.Plan.Targets {
		command := rollout.Command{Execution: e.ID, Fence: 1, Action: r.Plan.Action, Target: target}
		receipt, err := actor.Apply(context.Background(), command)
		if err != nil {
			c.Fatal(err)
		}
		e.Journal = append(e.Journal, rollout.Entry{Step: rollout.Applied, Ref: target.Ref, Result: &receipt})
		if !back {
			continue
		}
		clock.Advance(time.Hour)
		command.Handles = receipt.Handles
		if receipt, err = actor.Revert(context.Background(), command); err != nil {
			c.Fatal(err)
		}
		e.Status = rollout.RolledBack
		e.Journal = append(e.Journal, rollout.Entry{Step: rollout.Reverted, Ref: target.Ref, Result: &receipt})
	}
	e.EndedAt = clock.Now()
	if !back {
		if _, err := c.db.ChangeRecommendation(c.Context(), acme, r.ID, func(r *recommend.Recommendation) error { r.Implement(e.EndedAt); return nil }); err != nil {
			c.Fatal(err)
		}
	}
	return e
}

func TestRecommendationsFollowTheEstate(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.collect(2)
	out := c.recommend()
	if len(out.Connections) != 4 || out.Found != len(c.list(job.RecommendationFilter{})) || out.Rejected == 0 || len(out.Top) != 10 || len(out.Totals) != 1 {
		t.Fatalf("the generation sums up as %+v", out)
	}
	want := cost.Money{}
	for _, r := range c.list(job.RecommendationFilter{}) {
		if want.Currency == "" {
			want = r.Saving.Monthly
		} else {
			want, _ = want.Add(r.Saving.Monthly)
		}
		if r.Saving.Source != recommend.FromBill {
			t.Errorf("%s is priced by %s, though the bill shows it", r.Title, r.Saving.Source)
		}
	}
	if !want.Amount.Equal(out.Totals[0].Amount) {
		t.Errorf("the list adds up to %s, the summary says %s", want, out.Totals[0])
	}
	approved := c.titled("of storefront")
	decide := job.Decide{Store: c.db, Now: c.estate.Clock().Now}
	if _, err := decide.Approve(t.Context(), job.ApproveInput{Tenant: acme, ID: approved.ID, PlanHash: "stale", By: "anna"}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("approving another plan gave %v", err)
	}
	if _, err := decide.Approve(t.Context(), job.ApproveInput{Tenant: acme, ID: approved.ID, PlanHash: approved.PlanHash, By: "anna"}); err != nil {
		t.Fatal(err)
	}
	if _, err := decide.Dismiss(t.Context(), job.DismissInput{Tenant: acme, ID: c.titled("of checkout").ID, Reason: "fragile", By: "anna"}); err != nil {
		t.Fatal(err)
	}
	again := c.recommend()
	if again.Found != out.Found || len(c.list(job.RecommendationFilter{})) != out.Found {
		t.Errorf("generating again gives %d of %d", again.Found, out.Found)
	}
	if a := c.titled("of storefront"); a.Status != recommend.Approved || a.Approval.By != "anna" {
		t.Errorf("the approval of the same plan is gone: %+v", a)
	}
	if d := c.titled("of checkout"); d.Status != recommend.Dismissed || d.Dismissal.Reason != "fragile" {
		t.Errorf("the dismissal is gone: %+v", d)
	}
	if _, err := c.db.Recommendation(t.Context(), other, approved.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("another tenant reads it: %v", err)
	}
	c.checkPages()
}

func (c company) checkPages() {
	c.Helper()
	all := c.list(job.RecommendationFilter{})
	var paged []string
	f := job.RecommendationFilter{Limit: 3}
	for page := c.list(f); len(page) > 0; page = c.list(f) {
		for _, r := range page {
			paged = append(paged, r.ID)
		}
		last := page[len(page)-1]
		f.AfterScore, f.AfterID = &last.Score.Total, last.ID
	}
	for i, r := range all {
		if len(paged) != len(all) || paged[i] != r.ID || i > 0 && all[i-1].Score.Total < r.Score.Total {
			c.Fatalf("pages give %v, the list gives %d", paged, len(all))
		}
	}
	if got := c.list(job.RecommendationFilter{Status: []recommend.Status{recommend.Dismissed}}); len(got) != 1 {
		c.Errorf("%d are dismissed, want one", len(got))
	}
	for _, r := range c.list(job.RecommendationFilter{Rule: "right-size", MinSaving: all[0].Saving.Monthly.Amount}) {
		if r.Rule != "right-size" || r.Saving.Monthly.Amount.LessThan(all[0].Saving.Monthly.Amount) {
			c.Errorf("the filter let %s through", r.Title)
		}
	}
	rejected, err := c.db.RejectedRecommendations(c.Context(), acme, job.RejectedFilter{Limit: 1000})
	if err != nil {
		c.Fatal(err)
	}
	next, err := c.db.RejectedRecommendations(c.Context(), acme, job.RejectedFilter{AfterResource: rejected[0].Ref.ID, AfterRule: rejected[0].Rule, Limit: 1})
	if err != nil || len(next) != 1 || next[0] != rejected[1] {
		c.Errorf("the second rejected one is %v, %v, want %v", next, err, rejected[1])
	}
}

func TestTheBillSaysWhatWasSaved(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.collect(3)
	c.recommend()
	history := executions{
		c.execute("of storefront", false), c.execute("of events", false), c.execute("warehouse-migration-1", false),
		c.execute("of suggestions", true), c.execute("portal-upgrade-copy", true),
	}
	learner := job.Learn{Executions: history, Costs: c.db, Bills: c.db, Outcomes: c.db, Now: c.estate.Clock().Now}
	measure := func() []learn.Outcome {
		out, err := learner.Run(t.Context(), job.LearnInput{Tenant: acme})
		if err != nil || len(out.Problems) != 0 {
			t.Fatalf("%v, problems %v", err, out.Problems)
		}
		return out.Outcomes
	}
	for _, o := range measure() {
		if o.State != learn.TooEarly || o.Realised != nil {
			t.Errorf("%s on the first day: %+v", o.Execution, o)
		}
	}
	c.estate.Clock().Advance(18 * 24 * time.Hour)
	if early := measure(); early[0].State != learn.TooEarly {
		t.Errorf("without a new bill it is %s: days that nobody loaded must not look free", early[0].State)
	}
	c.collect(2)
	outcomes := measure()
	for i, o := range outcomes {
		c.checkOutcome(history[i], o)
	}
	if final := measure(); len(final) != 0 {
		t.Errorf("final outcomes were measured again: %d", len(final))
	}
	c.checkCalibrations()
	c.checkNextGeneration()
}

// executions are a history that the test made.
type executions []rollout.Execution

func (e executions) CompletedExecutions(context.Context, tenant.ID) ([]rollout.Execution, error) {
	return e, nil
}

// checkOutcome compares with what the estate knows.
func (c company) checkOutcome(e rollout.Execution, o learn.Outcome) {
	c.Helper()
	if o.State != learn.Final || o.Days < learn.FinalDays {
		c.Errorf("%s after 18 days is %s with %d days", e.ID, o.State, o.Days)
		return
	}
	var refs []resource.Ref
	for _, target := range e.Plan.Targets {
		refs = append(refs, target.Ref)
	}
	want := c.estate.TrueSaving(refs, o.Period.Start, o.Period.End).InexactFloat64()
	got := o.Realised.Amount.Float()
	spent := o.Counterfactual.Float()
	if off := (got - want) / spent; off > 0.01 || off < -0.01 {
		c.Errorf("%s: realised %.2f, in truth %.2f (%.1f %% of the cost off)", e.ID, got, want, 100*off)
	}
	if e.Status == rollout.Completed && (o.Ratio == nil || o.Ratio.Value < 0.97 || o.Ratio.Value > 1.03) {
		c.Errorf("%s: ratio %+v", e.ID, o.Ratio)
	}
	if e.Status == rollout.RolledBack && (o.Ratio != nil || got > 0.01*spent || got < -0.01*spent) {
		c.Errorf("%s was rolled back, and realised %.2f with ratio %v", e.ID, got, o.Ratio)
	}
	c.Log(o.Text)
}

func (c company) checkCalibrations() {
	c.Helper()
	learned, err := c.db.Calibrations(c.Context(), acme)
	if err != nil || len(learned) != 5 {
		c.Fatalf("%d calibrations, %v", len(learned), err)
	}
	for _, l := range learned {
		c.Log(l.Text)
		if l.Action == plan.ResizeInstance && l.Cloud == resource.AWS && (l.Measured != 1 || l.SavingsRatio < 0.97 || l.SuccessRate <= 0.9) {
			c.Errorf("resizing on AWS: %+v", l)
		}
		if l.Action == plan.ResizeInstance && l.Cloud == resource.GCP && (l.Measured != 0 || l.SavingsRatio != 1 || l.SuccessRate >= 0.9) {
			c.Errorf("resizing on Google Cloud: %+v", l)
		}
	}
	versions, err := c.db.CalibrationVersions(c.Context(), acme)
	if err != nil || len(versions) <= len(learned) {
		c.Errorf("%d versions of %d calibrations, %v: the ones before must be kept", len(versions), len(learned), err)
	}
}

// checkNextGeneration expects that what was done is not proposed again, and that what was rolled back can be.
func (c company) checkNextGeneration() {
	c.Helper()
	c.recommend()
	for text, want := range map[string]recommend.Status{
		"of storefront": recommend.Implemented, "of events": recommend.Implemented, "warehouse-migration-1": recommend.Implemented,
		"of checkout": recommend.Open, "of suggestions": recommend.Approved, // its approval still holds for its plan
	} {
		if got := c.titled(text); got.Status != want {
			c.Errorf("%s is %s, want %s", got.Title, got.Status, want)
		}
	}
	if r := c.titled("of suggestions"); len(r.Warnings) == 0 || !strings.Contains(r.Warnings[0], "rolled back on 2026-11-20") {
		c.Errorf("nothing warns of the rollback: %v", r.Warnings)
	}
	if r := c.titled("of checkout"); r.Saving.CalibrationVersion == 0 {
		c.Errorf("the next estimate does not know what was learned: %+v", r.Saving)
	}
}
