package recommend_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
)

var update = flag.Bool("update", false, "write the golden files anew")

// crowd puts the resources and facts of several scenes into one connection, each resource with an id of its own.
func crowd(scenes ...*scene) recommend.Facts {
	all := scenes[0].Facts
	all.Resources = nil
	all.Usage, all.Rates = map[string]map[resource.Metric]recommend.Stats{}, map[string]recommend.Rate{}
	for i, s := range scenes {
		r := *s.only()
		was := r.ID
		r.ID = fmt.Sprintf("%s-%02d", was, i)
		all.Resources = append(all.Resources, r)
		if u, ok := s.Usage[was]; ok {
			all.Usage[r.ID] = u
		}
		if rate, ok := s.Rates[was]; ok {
			all.Rates[r.ID] = rate
		}
	}
	return all
}

func TestLikeTargetsBecomeOneRecommendation(t *testing.T) {
	t.Parallel()
	other := instance()
	other.only().Tags = map[string]string{"application": "till", "environment": "development"}
	got := recommend.Generate(crowd(instance(), instance(), instance(), other), recommend.Options{}).Recommendations
	if len(got) != 2 {
		t.Fatalf("got %d recommendations, want one for each application", len(got))
	}
	fleet := got[0]
	if len(fleet.Plan.Targets) != 3 || !fleet.Saving.Monthly.Amount.Equal(amount("630.72")) {
		t.Errorf("the fleet has %d targets and saves %s", len(fleet.Plan.Targets), fleet.Saving.Monthly)
	}
	for _, target := range fleet.Plan.Targets {
		if len(target.Watch) != 1 || target.Watch[0] != target.Ref {
			t.Errorf("%s must be watched itself, not %v", target.Ref.ID, target.Watch)
		}
	}
}

// both is an unattached gp2 volume that is still measured: it can be archived, and it can be changed.
func both() *scene {
	s := volume(resource.AWS, "gp2", "1000")
	s.only().Attributes[resource.AttrState], s.only().Attributes[resource.AttrAttachedTo] = "available", ""
	s.only().Attributes[resource.AttrDetachedAt] = now.AddDate(0, 0, -60).Format(time.RFC3339)
	return s
}

func TestOfTwoChangesOfOneTargetTheBetterOneWins(t *testing.T) {
	t.Parallel()
	got := recommend.Generate(both().Facts, recommend.Options{})
	if len(got.Recommendations) != 1 || got.Recommendations[0].Rule != "idle-volume" {
		t.Fatalf("got %v, want the archiving alone", got.Recommendations)
	}
	if len(got.Rejected) != 1 || !strings.Contains(got.Rejected[0].Reason, "idle-volume saves more on the same target: 50.00 USD a month instead of 20.00 USD") {
		t.Errorf("rejected %v", got.Rejected)
	}
}

func TestTheFactsAloneDecide(t *testing.T) {
	t.Parallel()
	f := crowd(instance(), both(), volume(resource.AWS, "gp2", "500"), instance(), free())
	first, err := json.Marshal(recommend.Generate(f, recommend.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(f.Resources)
	slices.Reverse(f.Prices)
	again, err := json.Marshal(recommend.Generate(f, recommend.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(again) {
		t.Errorf("another order gave another answer:\n%s\n%s", first, again)
	}
}

func TestCalibrationCorrectsTheSavingAndTheConfidence(t *testing.T) {
	t.Parallel()
	s := instance()
	plain := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0]
	s.Calibration = map[plan.Action]recommend.Calibration{plan.ResizeInstance: {Version: 3, SavingsRatio: 0.5, SuccessRate: 0.6, Executions: 5}}
	taught := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0]
	if !taught.Saving.Monthly.Amount.Equal(amount("105.12")) || !taught.Saving.Uncalibrated.Amount.Equal(amount("210.24")) || taught.Saving.CalibrationVersion != 3 {
		t.Errorf("the saving is %+v", taught.Saving)
	}
	if taught.Score.Factors[3].Points >= plain.Score.Factors[3].Points {
		t.Errorf("the confidence did not fall: %+v", taught.Score.Factors[3])
	}
	if taught.PlanHash != plain.PlanHash || taught.ID != plain.ID {
		t.Error("what was learned must not change the plan")
	}
}

func TestWhatWasRolledBackSaysSo(t *testing.T) {
	t.Parallel()
	s := instance()
	plain := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0]
	s.RolledBack = map[string]time.Time{plain.ID: now.AddDate(0, 0, -3), "rec-other": now}
	wary := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0]
	if wary.Score.Factors[3].Points > plain.Score.Factors[3].Points/2+0.1 || !strings.Contains(wary.Warnings[0], "rolled back on 2026-11-17") {
		t.Errorf("confidence %+v, warnings %v", wary.Score.Factors[3], wary.Warnings)
	}
}

func TestProductionAndTightHeadroomAreRisk(t *testing.T) {
	t.Parallel()
	risk := func(change func(*scene)) float64 {
		s := instance()
		change(s)
		return recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0].Score.Factors[2].Points
	}
	calm := risk(func(s *scene) { s.use(resource.CPU, 5, 30); s.use(resource.Memory, 5, 30) })
	if tight := risk(func(*scene) {}); tight >= calm {
		t.Errorf("tight headroom has %.1f points, calm %.1f", tight, calm)
	}
	for _, tags := range []map[string]string{{"environment": "production"}, {"application": "shop"}} {
		if got := risk(func(s *scene) { s.use(resource.CPU, 5, 30); s.use(resource.Memory, 5, 30); s.only().Tags = tags }); got >= calm {
			t.Errorf("tags %v have %.1f points, development %.1f", tags, got, calm)
		}
	}
}

// TestSavingsNeverExceedTheCost holds for whatever is used, billed and priced.
func TestSavingsNeverExceedTheCost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var scenes []*scene
		cost := decimal.Zero
		for range rapid.IntRange(1, 8).Draw(t, "resources") {
			s := rapid.SampledFrom([]func() *scene{instance, free, both, func() *scene { return volume(resource.AWS, "gp2", "900") }}).Draw(t, "kind")()
			monthly := decimal.New(rapid.Int64Range(0, 1_000_000).Draw(t, "cents"), -2)
			s.bill(monthly.String(), 1, s.only().Type == resource.Instance)
			for m := range s.Usage[s.only().ID] {
				s.use(m, rapid.Float64Range(0, 100).Draw(t, "p99"), 30)
			}
			cost = cost.Add(decimal.Max(monthly, amount("300"))) // an unbilled resource is priced by the list
			scenes = append(scenes, s)
		}
		f := crowd(scenes...)
		for i := range f.Prices {
			f.Prices[i].Amount = f.Prices[i].Amount.Mul(decimal.New(rapid.Int64Range(0, 300).Draw(t, "percent"), -2))
		}
		cost = cost.Mul(decimal.NewFromInt(3))
		got := recommend.Generate(f, recommend.Options{})
		seen := map[string]bool{}
		for _, rec := range got.Recommendations {
			for _, target := range rec.Plan.Targets {
				if seen[target.Ref.ID] {
					t.Fatalf("%s is in two recommendations", target.Ref.ID)
				}
				seen[target.Ref.ID] = true
			}
			now := amount(rec.Evidence[len(rec.Evidence)-1].Value)
			if rec.Saving.Monthly.Amount.GreaterThan(now) || rec.Saving.Monthly.Amount.LessThan(recommend.DefaultMinSaving("USD")) {
				t.Fatalf("%s saves %s of %s", rec.Title, rec.Saving.Monthly, now)
			}
		}
		for _, total := range recommend.Totals(got.Recommendations) {
			if total.Amount.GreaterThan(cost) {
				t.Fatalf("all together save %s, more than everything costs: %s", total, cost)
			}
		}
	})
}

func TestMoneyIsAsInTheGoldenFile(t *testing.T) {
	t.Parallel()
	cheap := instance()
	cheap.only().Tags = map[string]string{"application": "till", "environment": "production"}
	cheap.bill("201.8304", 1, true) // with a commitment
	hot := volume(resource.AWS, "gp2", "2000")
	hot.use(resource.DiskOps, 5500, 30)
	hot.only().Tags = map[string]string{"application": "warehouse"}
	got, err := json.MarshalIndent(recommend.Generate(crowd(instance(), instance(), cheap, volume(resource.AWS, "gp2", "500"), hot, free(), both()), recommend.Options{}), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/recommendations.golden.json"
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("%s differs; look at what -update writes and decide whether it is right", path)
	}
}

func TestMergeKeepsWhatWasDecided(t *testing.T) {
	t.Parallel()
	found := recommend.Generate(instance().Facts, recommend.Options{}).Recommendations
	later := now.AddDate(0, 0, 1)
	with := func(change func(*recommend.Recommendation)) []recommend.Recommendation {
		r := found[0]
		r.CreatedAt = now.AddDate(0, 0, -9)
		change(&r)
		return []recommend.Recommendation{r}
	}
	approved := func(r *recommend.Recommendation) {
		if err := r.Approve("anna", r.PlanHash, now); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		known []recommend.Recommendation
		found []recommend.Recommendation
		want  recommend.Status
		check func(recommend.Recommendation) bool
	}{
		"a new one is open":                    {nil, found, recommend.Open, nil},
		"an open one keeps its age":            {with(func(*recommend.Recommendation) {}), found, recommend.Open, func(r recommend.Recommendation) bool { return r.CreatedAt.Before(now) }},
		"an approval of the same plan holds":   {with(approved), found, recommend.Approved, func(r recommend.Recommendation) bool { return r.Approval != nil }},
		"an approval of another plan is void":  {with(func(r *recommend.Recommendation) { approved(r); r.PlanHash = "another" }), found, recommend.Open, func(r recommend.Recommendation) bool { return r.Approval == nil }},
		"an implemented one stays":             {with(func(r *recommend.Recommendation) { r.Status = recommend.Implemented }), found, recommend.Implemented, nil},
		"an implemented one with a next step":  {with(func(r *recommend.Recommendation) { r.Status, r.PlanHash = recommend.Implemented, "done" }), found, recommend.Open, nil},
		"a dismissed one stays, whatever plan": {with(func(r *recommend.Recommendation) { r.Status, r.PlanHash = recommend.Dismissed, "another" }), found, recommend.Dismissed, nil},
		"an expired one opens again":           {with(func(r *recommend.Recommendation) { r.Status = recommend.Expired }), found, recommend.Open, nil},
		"an open one not found expires":        {with(func(*recommend.Recommendation) {}), nil, recommend.Expired, func(r recommend.Recommendation) bool { return r.UpdatedAt.Equal(later) }},
		"an approved one not found expires":    {with(approved), nil, recommend.Expired, func(r recommend.Recommendation) bool { return r.Approval == nil }},
		"an implemented one not found stays":   {with(func(r *recommend.Recommendation) { r.Status = recommend.Implemented }), nil, recommend.Implemented, nil},
		"a dismissed one not found stays":      {with(func(r *recommend.Recommendation) { r.Status = recommend.Dismissed }), nil, recommend.Dismissed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := recommend.Merge(tt.known, tt.found, nil, later)
			if len(got) != 1 || got[0].Status != tt.want || tt.check != nil && !tt.check(got[0]) {
				t.Errorf("got %+v, want one that is %s", got, tt.want)
			}
		})
	}
}

func TestWhatIsUnderExecutionIsNotJudged(t *testing.T) {
	t.Parallel()
	s := instance()
	before := recommend.Generate(s.Facts, recommend.Options{}).Recommendations[0]
	if err := before.Approve("anna", before.PlanHash, now); err != nil {
		t.Fatal(err)
	}
	s.Executing = map[string]string{before.Plan.Targets[0].Ref.ID: "e-1"}
	meanwhile := recommend.Generate(s.Facts, recommend.Options{})
	i := slices.IndexFunc(meanwhile.Rejected, func(r recommend.Rejected) bool { return r.Rule == before.Rule })
	if len(meanwhile.Recommendations) != 0 || i < 0 || !strings.Contains(meanwhile.Rejected[i].Reason, "e-1") {
		t.Errorf("recommended %v, rejected %v", meanwhile.Recommendations, meanwhile.Rejected)
	}
	kept := recommend.Merge([]recommend.Recommendation{before}, nil, map[string]bool{before.ID: true}, now.Add(time.Hour))
	if len(kept) != 1 || kept[0].Status != recommend.Approved || kept[0].Approval == nil {
		t.Errorf("what is being carried out became %+v", kept)
	}
}

func TestApprovalBindsToThePlan(t *testing.T) {
	t.Parallel()
	r := recommend.Generate(instance().Facts, recommend.Options{}).Recommendations[0]
	if err := r.Approve("anna", "another", now); fault.CodeOf(err) != fault.Conflict || r.Status != recommend.Open {
		t.Errorf("approving another plan gave %v and the status %s", err, r.Status)
	}
	if err := r.Approve("anna", r.PlanHash, now); err != nil || r.Approval.PlanHash != r.PlanHash {
		t.Fatalf("approving gave %v", err)
	}
	if err := r.Approve("otto", r.PlanHash, now.Add(time.Hour)); err != nil || r.Approval.By != "anna" {
		t.Errorf("approving again gave %v, and %s is the approver", err, r.Approval.By)
	}
	other := r
	other.Status = recommend.Open // its approval has become void
	other.Implement(now)
	r.Implement(now)
	if other.Status != recommend.Open || r.Status != recommend.Implemented {
		t.Errorf("implementing made %s of open and %s of approved", other.Status, r.Status)
	}
	if err := r.Dismiss("anna", "no", now); fault.CodeOf(err) != fault.Conflict || r.Status != recommend.Implemented {
		t.Errorf("dismissing what is done gave %v and the status %s", err, r.Status)
	}
}

func TestRollbackTakesTheApprovalBackThatItHad(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status   recommend.Status
		approved time.Time
		want     recommend.Status
	}{
		"approved before":                    {recommend.Approved, now.Add(-time.Hour), recommend.Open},
		"approved again since":               {recommend.Approved, now.Add(time.Hour), recommend.Approved},
		"dismissed while it was carried out": {recommend.Dismissed, now.Add(-time.Hour), recommend.Dismissed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := recommend.Recommendation{Status: tt.status, Approval: &recommend.Approval{At: tt.approved}}
			r.Reopen(now)
			if r.Status != tt.want || (r.Approval == nil) != (tt.want == recommend.Open) {
				t.Errorf("it is %s, want %s", r.Status, tt.want)
			}
		})
	}
}

func TestUnknownRulesAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := recommend.RuleNames([]string{"right-size", "magic"}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("got %v, want fault.Invalid", err)
	}
}
