package job_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

var morning = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// shop is a connection with one idle instance, and the record of what is recommended for it.
type shop struct {
	*ledger

	instance recommend.Observed
	kept     []recommend.Recommendation
	open     []rollout.Execution
	rejected []recommend.Rejected
}

func newShop() *shop {
	return &shop{ledger: &ledger{costs: map[string][]job.DayCost{}}, instance: recommend.Observed{Since: morning.AddDate(-1, 0, 0), Resource: resource.Resource{
		Ref:        resource.Ref{Cloud: resource.AWS, Region: "east", Type: resource.Instance, ID: "i-1"},
		Attributes: map[string]string{resource.AttrState: "running", resource.AttrSize: "m5.xlarge"},
	}}}
}

func (s *shop) InventoryConnections(context.Context, tenant.ID) ([]ingest.Connection, error) {
	return []ingest.Connection{{ID: "main", Cloud: resource.AWS}}, nil
}

func (s *shop) Inventory(context.Context, tenant.ID, string) ([]recommend.Observed, error) {
	return []recommend.Observed{s.instance}, nil
}

func (s *shop) UsageDays(_ context.Context, _ tenant.ID, _ string, period cost.Period) ([]job.UsageDay, error) {
	var out []job.UsageDay
	for day := period.Start; day.Before(period.End); day = day.AddDate(0, 0, 1) {
		for _, metric := range []resource.Metric{resource.CPU, resource.Memory} {
			u := job.UsageDay{Resource: "i-1", Metric: metric, Day: day}
			for range 24 {
				u.Sketch.Add(10, 3600)
			}
			out = append(out, u)
		}
	}
	return out, nil
}

func (s *shop) Prices(context.Context, tenant.ID, string) ([]resource.Price, error) {
	var out []resource.Price
	for size, usd := range map[string][2]string{"m5.large": {"0.1", "2"}, "m5.xlarge": {"0.2", "4"}} {
		out = append(out, resource.Price{Region: "east", Type: resource.Instance, Size: size, Unit: "hour", Amount: decimal.RequireFromString(usd[0]), Currency: "USD",
			Attributes: map[string]string{resource.AttrVCPU: usd[1], resource.AttrMemoryGiB: usd[1]}})
	}
	return out, nil
}

func (s *shop) SaveGeneration(_ context.Context, _ tenant.ID, _ string, _ []string, merge func([]recommend.Recommendation) []recommend.Recommendation, rejected []recommend.Rejected) error {
	s.kept, s.rejected = merge(s.kept), rejected
	return nil
}

func (s *shop) Executing(context.Context, tenant.ID, string) ([]rollout.Execution, error) {
	return s.open, nil
}

func (s *shop) ChangeRecommendation(context.Context, tenant.ID, string, func(*recommend.Recommendation) error) (recommend.Recommendation, error) {
	return recommend.Recommendation{}, fault.New(fault.NotFound, "None.")
}

func (s *shop) run(in job.RecommendInput) (job.RecommendOutput, error) {
	in.Tenant = learner
	return job.Recommend{Inventory: s, Costs: s, Store: s, Learned: s, Now: func() time.Time { return morning }}.Run(context.Background(), in)
}

// A round that runs while an execution is halfway must neither plan what is left of its targets nor void its approval.
func TestAnOpenExecutionKeepsItsRecommendation(t *testing.T) {
	t.Parallel()
	s := newShop()
	if _, err := s.run(job.RecommendInput{}); err != nil || len(s.kept) != 1 {
		t.Fatalf("%v %+v", err, s.kept)
	}
	if err := s.kept[0].Approve("anna", s.kept[0].PlanHash, morning); err != nil {
		t.Fatal(err)
	}
	s.open = []rollout.Execution{{ID: "e-1", Recommendation: s.kept[0].ID, Plan: s.kept[0].Plan}}
	out, err := s.run(job.RecommendInput{})
	if err != nil || out.Found != 0 || len(s.kept) != 1 || s.kept[0].Status != recommend.Approved || len(s.rejected) == 0 {
		t.Errorf("%v, found %d, kept %+v, rejected %+v", err, out.Found, s.kept, s.rejected)
	}
	s.open = nil
	if out, err := s.run(job.RecommendInput{}); err != nil || out.Found != 1 {
		t.Errorf("when it has ended: %v, found %d", err, out.Found)
	}
}

func TestSavingsComeFromTheBillWhereItShowsThem(t *testing.T) {
	t.Parallel()
	listed, billed := newShop(), newShop()
	billed.final = cost.Day(morning)
	for d := 1; d <= 28; d++ {
		billed.costs["i-1"] = append(billed.costs["i-1"], job.DayCost{Day: cost.Day(morning).AddDate(0, 0, -d), Unit: "Hours",
			Quantity: decimal.NewNullDecimal(decimal.NewFromInt(24)), Effective: decimal.RequireFromString("3.6"), Currency: "USD"})
	}
	for name, tt := range map[string]struct {
		shop   *shop
		saving string
		source recommend.Source
	}{
		"no bill": {listed, "73", recommend.FromPriceList},
		"a bill":  {billed, "54.75", recommend.FromBill}, // 0.15 an hour instead of 0.20
	} {
		out, err := tt.shop.run(job.RecommendInput{})
		if err != nil || out.Found != 1 || len(out.Top) != 1 || out.Totals[0].Amount.String() != tt.saving || tt.shop.kept[0].Saving.Source != tt.source {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

func TestWhatWasMeasuredBeforeAChangeDoesNotCount(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.instance.Since = morning.AddDate(0, 0, -6)
	if out, err := s.run(job.RecommendInput{}); err != nil || out.Found != 0 || out.Rejected != 1 || !strings.Contains(s.rejected[0].Reason, "6 days only") {
		t.Errorf("%+v, %v, rejected %v", out, err, s.rejected)
	}
}

func TestWhatWasLearnedOnThisCloudApplies(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.learned = []learn.Calibration{
		{Action: plan.ResizeInstance, Cloud: resource.GCP, Version: 1, SavingsRatio: 0.1, SuccessRate: 1, Executions: 3},
		{Action: plan.ResizeInstance, Cloud: resource.AWS, Version: 2, SavingsRatio: 0.9, SuccessRate: 1, Executions: 3},
	}
	if out, err := s.run(job.RecommendInput{}); err != nil || out.Totals[0].Amount.String() != "65.7" || s.kept[0].Saving.CalibrationVersion != 2 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestGenerationRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	if _, err := newShop().run(job.RecommendInput{Connection: "other"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("an unknown connection gave %v", err)
	}
	if _, err := newShop().run(job.RecommendInput{Rules: []string{"magic"}}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("an unknown rule gave %v", err)
	}
}
