package recommend_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// collected reads the facts of one cloud of the estate the way that collecting and loading do.
func collected(t *testing.T, e *sandbox.Estate, cloud resource.Cloud) recommend.Facts {
	t.Helper()
	ctx, now, c := context.Background(), e.Clock().Now(), e.Collector(cloud)
	inventory, err := c.Resources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	f := recommend.Facts{Connection: string(cloud) + "-main", Cloud: cloud, Now: now}
	regions := map[string]bool{}
	var refs []resource.Ref
	for _, r := range inventory.Resources {
		f.Resources = append(f.Resources, recommend.Observed{Resource: r, Since: r.CreatedAt, SeenUnchanged: now})
		regions[r.Region] = true
		if r.Type == resource.Instance || r.Type == resource.Volume {
			refs = append(refs, r.Ref)
		}
	}
	if f.Prices, err = c.Prices(ctx, slices.Sorted(maps.Keys(regions))); err != nil {
		t.Fatal(err)
	}
	usage, err := c.Usage(ctx, ingest.UsageQuery{Refs: refs, Every: time.Hour, Period: cost.Period{Start: now.AddDate(0, 0, -recommend.Window), End: now},
		Metrics: []resource.Metric{resource.CPU, resource.Memory, resource.DiskOps, resource.DiskBytes}})
	if err != nil {
		t.Fatal(err)
	}
	f.Usage = stats(usage.Usage)
	f.Rates = rates(t, c, now)
	return f
}

func stats(usage []resource.Usage) map[string]map[resource.Metric]recommend.Stats {
	out := map[string]map[resource.Metric]recommend.Stats{}
	for _, u := range usage {
		byDay := map[time.Time]*recommend.Sketch{}
		for _, s := range u.Samples {
			day := cost.Day(s.At)
			if byDay[day] == nil {
				byDay[day] = &recommend.Sketch{}
			}
			byDay[day].Add(s.Value, int64(u.Every/time.Second))
		}
		var days []recommend.Sketch
		for _, s := range byDay {
			days = append(days, *s)
		}
		if s, ok := recommend.StatsOf(days); ok {
			if out[u.Ref.ID] == nil {
				out[u.Ref.ID] = map[resource.Metric]recommend.Stats{}
			}
			out[u.Ref.ID][u.Metric] = s
		}
	}
	return out
}

func rates(t *testing.T, c ingest.Collector, now time.Time) map[string]recommend.Rate {
	t.Helper()
	end := ingest.FinalBefore(now)
	period := cost.Period{Start: end.AddDate(0, 0, -28), End: end}
	charges := map[string][]recommend.Charge{}
	for _, month := range period.Months() {
		for row, err := range c.Costs(context.Background(), month.Start) {
			if err != nil {
				t.Fatal(err)
			}
			if row.ResourceID != "" && row.ChargeCategory == "Usage" && period.Contains(row.ChargePeriod.Start) {
				charges[row.ResourceID] = append(charges[row.ResourceID], recommend.Charge{Day: cost.Day(row.ChargePeriod.Start), Unit: row.PricingUnit,
					Quantity: row.PricingQuantity, Effective: row.EffectiveCost, Currency: row.BillingCurrency})
			}
		}
	}
	out := map[string]recommend.Rate{}
	for id, list := range charges {
		if r, ok := recommend.NewRate(list); ok {
			out[id] = r
		}
	}
	return out
}

func open(t *testing.T) *sandbox.Estate {
	t.Helper()
	e, err := sandbox.Open(sandbox.Options{Still: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// canonical writes a state, or the attributes of it that another one has.
func canonical(s plan.State, only plan.State) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(s)) {
		if _, wanted := only[k]; wanted || only == nil {
			parts = append(parts, k+"="+s[k])
		}
	}
	return strings.Join(parts, ",")
}

func TestSandboxEstateHoldsWhatIsFound(t *testing.T) {
	t.Parallel()
	e := open(t)
	truth := e.Truth()
	var found []recommend.Recommendation
	var rejected []recommend.Rejected
	for _, cloud := range resource.Clouds {
		r := recommend.Generate(collected(t, e, cloud), recommend.Options{})
		found, rejected = append(found, r.Recommendations...), append(rejected, r.Rejected...)
	}
	explained := map[string]bool{} // ids of recommendations that the truth accounts for
	for _, fix := range truth.Fixes {
		rec := covering(found, fix.Targets)
		if rec == nil {
			t.Errorf("fix %s of %d targets was not found", fix.ID, len(fix.Targets))
			continue
		}
		explained[rec.ID] = true
		for _, target := range rec.Plan.Targets {
			if got, want := canonical(target.After, fix.To), canonical(fix.To, nil); got != want || rec.Plan.Action != fix.Action {
				t.Errorf("fix %s: %s of %s to %s, want %s to %s", fix.ID, rec.Plan.Action, target.Ref.ID, got, fix.Action, want)
			}
		}
		want := fix.Daily.Mul(decimal.NewFromInt(recommend.HoursPerMonth)).Div(decimal.NewFromInt(24))
		if off := rec.Saving.Monthly.Amount.Sub(want).Div(want).Abs().InexactFloat64(); off > 0.03 {
			t.Errorf("fix %s: estimated %s a month, the truth is %s: %.1f %% off", fix.ID, rec.Saving.Monthly, want.StringFixed(2), 100*off)
		}
	}
	for _, trap := range truth.Traps {
		fell := false
		for _, rec := range found {
			for _, target := range rec.Plan.Targets {
				if slices.Contains(trap.Targets, target.Ref) && canonical(target.After, trap.To) == canonical(trap.To, nil) {
					fell = true
					explained[rec.ID] = true
				}
			}
		}
		if want := trap.ID == "fragile-checkout"; fell != want { // its use does not tell that it breaks
			t.Errorf("trap %s: fell into it is %v, want %v", trap.ID, fell, want)
		}
		if !fell && trap.ID != "hot-volume" && !slices.ContainsFunc(rejected, func(r recommend.Rejected) bool { return slices.Contains(trap.Targets, r.Ref) }) {
			t.Errorf("trap %s: nothing says why it is not recommended", trap.ID)
		}
	}
	for _, rec := range found {
		hot := rec.Rule == "volume-type" && len(rec.Plan.Targets) == 1 && rec.Plan.Targets[0].After[resource.AttrIOPS] == "6000"
		if !explained[rec.ID] && !hot {
			t.Errorf("%s is neither a fix nor the hot volume with enough IOPS: %s", rec.Title, canonical(rec.Plan.Targets[0].After, nil))
		}
	}
}

func covering(found []recommend.Recommendation, refs []resource.Ref) *recommend.Recommendation {
	for i := range found {
		var have []resource.Ref
		for _, target := range found[i].Plan.Targets {
			have = append(have, target.Ref)
		}
		if len(have) == len(refs) && !slices.ContainsFunc(refs, func(r resource.Ref) bool { return !slices.Contains(have, r) }) {
			return &found[i]
		}
	}
	return nil
}

func TestPlansBeginFromWhatTheActorCaptures(t *testing.T) {
	t.Parallel()
	e := open(t)
	for _, cloud := range resource.Clouds {
		actor := e.Actor(cloud)
		for _, rec := range recommend.Generate(collected(t, e, cloud), recommend.Options{}).Recommendations {
			for _, target := range rec.Plan.Targets {
				captured, err := actor.Capture(context.Background(), rec.Plan.Action, target.Ref)
				if err != nil {
					t.Fatal(err)
				}
				if !captured.Equal(target.Before) {
					t.Errorf("%s of %s begins from %v, the actor captures %v", rec.Plan.Action, target.Ref.ID, target.Before, captured)
				}
			}
		}
	}
}
