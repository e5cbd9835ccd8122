package job

import (
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/learn"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// InventoryStore keeps what was read of a connection.
type InventoryStore interface {
	// SaveInventory stores a reading. Resources that it no longer holds are gone, but only where every part that they could
	// have been read from was read: a part that failed says nothing. An older reading than the stored one changes nothing.
	SaveInventory(ctx context.Context, t tenant.ID, connection string, s ingest.Snapshot) error
}

// InventoryReader reads what SaveInventory stored.
type InventoryReader interface {
	// InventoryConnections lists the connections that an inventory was read of, with their clouds.
	InventoryConnections(ctx context.Context, t tenant.ID) ([]ingest.Connection, error)
	// Inventory lists what exists.
	Inventory(ctx context.Context, t tenant.ID, connection string) ([]recommend.Observed, error)
	// UsageDays lists use by day, in no order. Resources that are gone may be among them.
	UsageDays(ctx context.Context, t tenant.ID, connection string, period cost.Period) ([]UsageDay, error)
	// Prices lists the last price list.
	Prices(ctx context.Context, t tenant.ID, connection string) ([]resource.Price, error)
}

// UsageDay is how one metric of one resource was distributed on one day.
type UsageDay struct {
	Resource string
	Metric   resource.Metric
	Day      time.Time
	Sketch   recommend.Sketch
}

// DayCost is what the bill says about one resource on one day in one pricing unit: usage charges, without taxes, credits
// and purchases.
type DayCost struct {
	Day       time.Time
	Unit      string // FOCUS PricingUnit
	Quantity  decimal.NullDecimal
	Effective decimal.Decimal
	Committed decimal.Decimal // the part of Effective that a commitment covers
	Currency  cost.Currency
}

// CostStore reads what single resources cost.
type CostStore interface {
	// ResourceCosts lists the charges of resources by id, each in the order of days. A resource or a day that the bill does
	// not hold has no entry.
	ResourceCosts(ctx context.Context, t tenant.ID, connection string, ids []string, period cost.Period) (map[string][]DayCost, error)
	// FinalUntil is the day before which the loaded bill of the connection is final. It fails with fault.NotFound when no
	// bill is loaded.
	FinalUntil(ctx context.Context, t tenant.ID, connection string) (time.Time, error)
}

// RecommendationStore keeps recommendations.
type RecommendationStore interface {
	// SaveGeneration replaces, in one transaction, the recommendations of a connection and its rules by what merge makes of
	// them, and what was rejected by rejected.
	SaveGeneration(ctx context.Context, t tenant.ID, connection string, rules []string,
		merge func(known []recommend.Recommendation) []recommend.Recommendation, rejected []recommend.Rejected) error
	// Executing lists the open executions of a connection, without phases and journals; dry runs are not among them.
	Executing(ctx context.Context, t tenant.ID, connection string) ([]rollout.Execution, error)
	// ChangeRecommendation lets change alter one recommendation, in one transaction. It fails with fault.NotFound when there
	// is none with the id, and with the error of change.
	ChangeRecommendation(ctx context.Context, t tenant.ID, id string, change func(*recommend.Recommendation) error) (recommend.Recommendation, error)
}

// RecommendationFilter chooses recommendations and the place in their order, which is by score, the highest first, and id.
type RecommendationFilter struct {
	Status     []recommend.Status // any of them; empty: all
	Rule       string             // empty: all
	MinSaving  decimal.Decimal    // a month
	AfterScore *float64           // with AfterID, the last one of the page before
	AfterID    string
	Limit      int
}

// RejectedFilter chooses rejected changes and the place in their order, which is by resource and rule.
type RejectedFilter struct {
	Rule          string // empty: all
	AfterResource string // with AfterRule, the last one of the page before
	AfterRule     string
	Limit         int
}

// LearnedReader reads what was learned.
type LearnedReader interface {
	// Calibrations lists the present version of each calibration.
	Calibrations(ctx context.Context, t tenant.ID) ([]learn.Calibration, error)
	// Outcomes lists all outcomes.
	Outcomes(ctx context.Context, t tenant.ID) ([]learn.Outcome, error)
}

// Recommend generates recommendations from what was collected.
type Recommend struct {
	Inventory InventoryReader
	Costs     CostStore
	Store     RecommendationStore
	Learned   LearnedReader
	Now       Clock
}

// RecommendInput says what to generate.
type RecommendInput struct {
	Tenant     tenant.ID        `json:"tenant"`
	Connection string           `json:"connection,omitempty"` // empty: all that have an inventory
	Rules      []string         `json:"rules,omitempty"`      // empty: all
	MinSaving  *decimal.Decimal `json:"min_saving,omitempty"` // a month, per recommendation
}

// RecommendOutput sums a generation up.
type RecommendOutput struct {
	Connections []string     `json:"connections"`
	Found       int          `json:"found"`
	Rejected    int          `json:"rejected"`
	Totals      []cost.Money `json:"totals"` // a month, by currency; no saving is counted twice
	Top         []TopSaving  `json:"top"`    // the highest scores
}

// TopSaving is a recommendation in short.
type TopSaving struct {
	ID     string     `json:"id"`
	Title  string     `json:"title"`
	Score  float64    `json:"score"`
	Saving cost.Money `json:"monthly_saving"`
}

const (
	rateDays = 28 // whole weeks, so that weekends count for what they are
	topShown = 10
)

// Run generates for every wanted connection. A connection that has no inventory is fault.NotFound.
func (j Recommend) Run(ctx context.Context, in RecommendInput) (RecommendOutput, error) {
	options := recommend.Options{Rules: in.Rules, MinSaving: in.MinSaving}
	rules, err := recommend.RuleNames(in.Rules)
	if err != nil {
		return RecommendOutput{}, err
	}
	connections, err := j.connections(ctx, in)
	if err != nil {
		return RecommendOutput{}, err
	}
	learned, err := j.learned(ctx, in.Tenant)
	if err != nil {
		return RecommendOutput{}, err
	}
	out := RecommendOutput{Connections: []string{}, Totals: []cost.Money{}, Top: []TopSaving{}}
	var all []recommend.Recommendation
	for _, c := range connections {
		facts, err := j.facts(ctx, in.Tenant, c, learned)
		if err != nil {
			return out, err
		}
		open, err := j.Store.Executing(ctx, in.Tenant, c.ID)
		if err != nil {
			return out, err
		}
		var executing map[string]bool
		facts.Executing, executing = underWay(open)
		result := recommend.Generate(facts, options)
		merge := func(known []recommend.Recommendation) []recommend.Recommendation {
			return recommend.Merge(known, result.Recommendations, executing, facts.Now)
		}
		if err := j.Store.SaveGeneration(ctx, in.Tenant, c.ID, rules, merge, result.Rejected); err != nil {
			return out, err
		}
		out.Connections = append(out.Connections, c.ID)
		out.Rejected += len(result.Rejected)
		all = append(all, result.Recommendations...)
	}
	recommend.Sort(all)
	out.Found, out.Totals = len(all), recommend.Totals(all)
	for _, r := range all[:min(topShown, len(all))] {
		out.Top = append(out.Top, TopSaving{ID: r.ID, Title: r.Title, Score: r.Score.Total, Saving: r.Saving.Monthly})
	}
	return out, nil
}

// underWay gives the targets of open executions, each with its execution, and the recommendations that they carry out.
func underWay(open []rollout.Execution) (targets map[string]string, recommendations map[string]bool) {
	targets, recommendations = map[string]string{}, map[string]bool{}
	for _, e := range open {
		recommendations[e.Recommendation] = true
		for _, t := range e.Plan.Targets {
			targets[t.Ref.ID] = e.ID
		}
	}
	return targets, recommendations
}

// learned is what earlier executions taught.
type learned struct {
	calibrations []learn.Calibration
	rolledBack   map[string]time.Time // the last time, by recommendation
}

func (j Recommend) learned(ctx context.Context, t tenant.ID) (learned, error) {
	l := learned{rolledBack: map[string]time.Time{}}
	var err error
	if l.calibrations, err = j.Learned.Calibrations(ctx, t); err != nil {
		return l, err
	}
	outcomes, err := j.Learned.Outcomes(ctx, t)
	for _, o := range outcomes {
		if !o.Completed && o.EndedAt.After(l.rolledBack[o.Recommendation]) {
			l.rolledBack[o.Recommendation] = o.EndedAt
		}
	}
	return l, err
}

func (j Recommend) connections(ctx context.Context, in RecommendInput) ([]ingest.Connection, error) {
	all, err := j.Inventory.InventoryConnections(ctx, in.Tenant)
	if err != nil || in.Connection == "" {
		return all, err
	}
	i := slices.IndexFunc(all, func(c ingest.Connection) bool { return c.ID == in.Connection })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "No inventory of the connection %q has been collected. Collect it first.", in.Connection)
	}
	return all[i : i+1], nil
}

// facts gathers what the rules need to know about one connection.
func (j Recommend) facts(ctx context.Context, t tenant.ID, c ingest.Connection, l learned) (recommend.Facts, error) {
	now := j.Now().UTC()
	f := recommend.Facts{Connection: c.ID, Cloud: c.Cloud, Now: now, Calibration: calibrationsOf(c.Cloud, l.calibrations), RolledBack: l.rolledBack}
	var err error
	if f.Resources, err = j.Inventory.Inventory(ctx, t, c.ID); err != nil {
		return f, err
	}
	if f.Prices, err = j.Inventory.Prices(ctx, t, c.ID); err != nil {
		return f, err
	}
	days, err := j.Inventory.UsageDays(ctx, t, c.ID, cost.Period{Start: cost.Day(now).AddDate(0, 0, -recommend.Window), End: now})
	if err != nil {
		return f, err
	}
	since := make(map[string]time.Time, len(f.Resources))
	for _, r := range f.Resources {
		since[r.ID] = r.Since
	}
	f.Usage = usageOf(days, since)
	f.Rates, err = j.rates(ctx, t, c.ID, since)
	return f, err
}

// usageOf summarises the days that lie wholly after the last change of each resource.
func usageOf(days []UsageDay, since map[string]time.Time) map[string]map[resource.Metric]recommend.Stats {
	sketches := map[string]map[resource.Metric][]recommend.Sketch{}
	for _, d := range days {
		from, exists := since[d.Resource]
		if !exists || d.Day.Before(from) {
			continue
		}
		if sketches[d.Resource] == nil {
			sketches[d.Resource] = map[resource.Metric][]recommend.Sketch{}
		}
		sketches[d.Resource][d.Metric] = append(sketches[d.Resource][d.Metric], d.Sketch)
	}
	out := make(map[string]map[resource.Metric]recommend.Stats, len(sketches))
	for id, metrics := range sketches {
		out[id] = map[resource.Metric]recommend.Stats{}
		for metric, list := range metrics {
			if stats, ok := recommend.StatsOf(list); ok {
				out[id][metric] = stats
			}
		}
	}
	return out
}

// rates are the effective rates of the last final days on which each resource already was what it is. Without a bill there
// are none.
func (j Recommend) rates(ctx context.Context, t tenant.ID, connection string, since map[string]time.Time) (map[string]recommend.Rate, error) {
	end, err := j.Costs.FinalUntil(ctx, t, connection)
	if err != nil && fault.CodeOf(err) == fault.NotFound {
		return map[string]recommend.Rate{}, nil
	}
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(since))
	for id := range since {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	costs, err := j.Costs.ResourceCosts(ctx, t, connection, ids, cost.Period{Start: end.AddDate(0, 0, -rateDays), End: end})
	if err != nil {
		return nil, err
	}
	out := make(map[string]recommend.Rate, len(costs))
	for id, days := range costs {
		var charges []recommend.Charge
		for _, d := range days {
			if !d.Day.Before(since[id]) {
				charges = append(charges, recommend.Charge(d))
			}
		}
		if rate, ok := recommend.NewRate(charges); ok {
			out[id] = rate
		}
	}
	return out, nil
}

func calibrationsOf(cloud resource.Cloud, learned []learn.Calibration) map[plan.Action]recommend.Calibration {
	out := map[plan.Action]recommend.Calibration{}
	for _, c := range learned {
		if c.Cloud == cloud {
			out[c.Action] = recommend.Calibration{Version: c.Version, SavingsRatio: c.SavingsRatio, SuccessRate: c.SuccessRate, Executions: c.Executions}
		}
	}
	return out
}

// Decide records what somebody decided about a recommendation.
type Decide struct {
	Store RecommendationStore
	Now   Clock
}

// ApproveInput binds an approval to one plan.
type ApproveInput struct {
	Tenant   tenant.ID `json:"tenant"`
	ID       string    `json:"id"`
	PlanHash string    `json:"plan_hash"`
	By       string    `json:"by"`
}

// Approve fails with fault.Conflict when the plan has changed or the recommendation is not open.
func (j Decide) Approve(ctx context.Context, in ApproveInput) (recommend.Recommendation, error) {
	return j.Store.ChangeRecommendation(ctx, in.Tenant, in.ID, func(r *recommend.Recommendation) error {
		return r.Approve(in.By, in.PlanHash, j.Now().UTC())
	})
}

// DismissInput says why a recommendation is not wanted.
type DismissInput struct {
	Tenant tenant.ID `json:"tenant"`
	ID     string    `json:"id"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
}

// Dismiss fails with fault.Conflict when the recommendation is neither open nor approved.
func (j Decide) Dismiss(ctx context.Context, in DismissInput) (recommend.Recommendation, error) {
	return j.Store.ChangeRecommendation(ctx, in.Tenant, in.ID, func(r *recommend.Recommendation) error {
		return r.Dismiss(in.By, in.Reason, j.Now().UTC())
	})
}
