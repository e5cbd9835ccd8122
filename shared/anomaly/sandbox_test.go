package anomaly_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

var leafDimensions = []cost.Dimension{cost.Provider, cost.Account, cost.Service, cost.Region}

func valueOf(r focus.Row, d cost.Dimension) string {
	switch d {
	case cost.Provider:
		return r.ServiceProviderName
	case cost.Account:
		return r.SubAccountID
	case cost.Service:
		return r.ServiceName
	case cost.Region:
		return r.RegionID
	case cost.Resource:
		return r.ResourceID
	case cost.ChargeCategory:
		return r.ChargeCategory
	}
	if key, ok := d.TagKey(); ok {
		return r.Tags[key]
	}
	return ""
}

// bill is all rows of the estate.
type bill struct {
	period cost.Period
	final  time.Time
	rows   []focus.Row
}

func readBill(t *testing.T, e *sandbox.Estate) bill {
	t.Helper()
	truthStart := cost.MonthStart(sandbox.DefaultToday).AddDate(0, -17, 0)
	b := bill{period: cost.Period{Start: truthStart, End: cost.Day(e.Clock().Now())}, final: ingest.FinalBefore(e.Clock().Now())}
	for _, c := range e.Connections() {
		for _, month := range b.period.Months() {
			for row, err := range e.Collector(c.Cloud).Costs(context.Background(), month.Start) {
				if err != nil {
					t.Fatal(err)
				}
				b.rows = append(b.rows, row)
			}
		}
	}
	return b
}

// series sums the rows inside a scope by some dimensions.
func (b bill) series(within cost.Scope, by ...cost.Dimension) []cost.Series {
	index := map[string]int{}
	var out []cost.Series
	for _, r := range b.rows {
		if !slices.ContainsFunc(dims(within), func(d cost.Dimension) bool { return valueOf(r, d) != within[d] }) {
			scope := cost.Scope{}
			for _, d := range dims(within) {
				scope[d] = within[d]
			}
			for _, d := range by {
				scope[d] = valueOf(r, d)
			}
			k := scope.String()
			if _, ok := index[k]; !ok {
				index[k] = len(out)
				out = append(out, cost.Series{Scope: scope, Basis: cost.Effective, Currency: r.BillingCurrency, Start: b.period.Start,
					Values: make([]float64, b.period.Len()), Final: cost.Period{Start: b.period.Start, End: b.final}.Len()})
			}
			s := out[index[k]]
			if i := s.Index(r.ChargePeriod.Start); i >= 0 && i < len(s.Values) {
				s.Values[i] += r.EffectiveCost.InexactFloat64()
			}
		}
	}
	return out
}

func dims(s cost.Scope) []cost.Dimension {
	out := []cost.Dimension{}
	for d := range s {
		out = append(out, d)
	}
	return out
}

func TestFindsWhatTheSandboxPlants(t *testing.T) {
	t.Parallel()
	e, err := sandbox.Open(sandbox.Options{Still: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	b := readBill(t, e)
	leaves := b.series(cost.Scope{}, leafDimensions...)
	began := time.Now()
	incidents := anomaly.Detect(leaves, anomaly.Options{})
	t.Logf("%d leaves of %d days in %s, %d incidents", len(leaves), b.period.Len(), time.Since(began).Round(time.Millisecond), len(incidents))
	for i, in := range incidents {
		if drilled, ok := anomaly.Drill(in, cost.Resource, b.series(in.Scope, cost.Resource)); ok {
			incidents[i] = drilled
		}
	}
	truth := e.Truth()
	matched := map[string]bool{}
	for _, p := range truth.Planted {
		i := slices.IndexFunc(incidents, func(in anomaly.Incident) bool {
			return !matched[in.ID] && in.Kind == anomaly.Kind(p.Kind) && p.Scope.Matches(in.Scope) && days(in.Start, p.From) <= 4 && days(in.Detected, p.From) <= 6
		})
		if i < 0 {
			t.Errorf("%s (%s, %v, from %s, impact %s) was not found", p.ID, p.Kind, p.Scope, p.From.Format(time.DateOnly), p.Impact)
			continue
		}
		in := incidents[i]
		matched[in.ID] = true
		if in.Open() != p.To.IsZero() {
			t.Errorf("%s: open is %v, ends %s, planted end %s", p.ID, in.Open(), in.End.Format(time.DateOnly), p.To.Format(time.DateOnly))
		}
		want := p.Impact.InexactFloat64()
		if got := in.Impact.Float(); got < min(0.7*want, 1.4*want) || got > max(0.7*want, 1.4*want) {
			t.Errorf("%s: impact %s, planted %s", p.ID, in.Impact, p.Impact)
		}
	}
	// The first months of a record teach what is usual; after them, nothing but what was planted is told.
	for _, in := range incidents {
		if !matched[in.ID] && in.Start.After(truth.Start.AddDate(0, 3, 0)) {
			t.Errorf("nothing was planted there: %s %s", in.Severity, in.Summary)
		}
	}
}

func days(a, b time.Time) float64 { return max(a.Sub(b).Hours(), b.Sub(a).Hours()) / 24 }
