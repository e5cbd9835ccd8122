package job

import (
	"context"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// AnalysisReader reads what SaveAnalysis stored.
type AnalysisReader interface {
	// Anomalies lists anomalies, the last detected first.
	Anomalies(ctx context.Context, t tenant.ID, f AnomalyFilter) ([]Anomaly, error)
	// Anomaly fails with fault.NotFound when there is none with the id.
	Anomaly(ctx context.Context, t tenant.ID, id string) (Anomaly, error)
	// Forecasts lists the forecasts of the last analysis at one level of the bill.
	Forecasts(ctx context.Context, t tenant.ID, f ResultFilter) ([]Forecast, error)
	// Trends lists its trends.
	Trends(ctx context.Context, t tenant.ID, f ResultFilter) ([]Trend, error)
}

// AnomalyFilter chooses anomalies and the place in their order, which is by the day of detection, the last first, and id.
type AnomalyFilter struct {
	Analysis      string           // empty: the one of the whole bill
	Basis         cost.Basis       // empty: effective
	Status        []AnomalyStatus  // any of them; empty: all
	Severity      anomaly.Severity // at least; empty: all
	Provider      string           // empty: all
	Service       string           // empty: all
	Account       string           // empty: all
	Region        string           // empty: all
	Since         time.Time        // detected on that day or later; zero: all
	AfterDetected time.Time        // with AfterID, the last one of the page before
	AfterID       string
	Limit         int
}

// Level is how fine the bill is cut.
type Level string

// The levels.
const (
	WholeLevel    Level = "total"
	ProviderLevel Level = "provider"
	AccountLevel  Level = "account" // of a provider, over all services
	RegionLevel   Level = "region"  // of a provider, over all services
	ServiceLevel  Level = "service"
	LeafLevel     Level = "leaf" // the account and region of a service
)

// Levels lists them, widest first.
var Levels = []Level{WholeLevel, ProviderLevel, AccountLevel, RegionLevel, ServiceLevel, LeafLevel}

// LevelOf is the level whose parts fix just the dimensions of the scope; empty where there is none.
func LevelOf(s cost.Scope) Level {
	if len(s) == 0 {
		return WholeLevel
	}
	for _, c := range slices.Concat(cuts, crossingCuts) {
		if len(c.by) == len(s) && !slices.ContainsFunc(c.by, func(d cost.Dimension) bool { _, ok := s[d]; return !ok }) {
			return c.level
		}
	}
	return ""
}

// ResultFilter chooses forecasts or trends.
type ResultFilter struct {
	Analysis string     // empty: the one of the whole bill
	Basis    cost.Basis // empty: effective
	Level    Level
	Provider string // empty: all
	Service  string // empty: all
	Account  string // empty: all
	Region   string // empty: all
}

// Widest is the widest level that fixes all that the filter names.
func (f ResultFilter) Widest() Level {
	named := 0
	for _, s := range []string{f.Account, f.Region, f.Service} {
		if s != "" {
			named++
		}
	}
	switch {
	case named > 1:
		return LeafLevel
	case f.Account != "":
		return AccountLevel
	case f.Region != "":
		return RegionLevel
	case f.Service != "":
		return ServiceLevel
	case f.Provider != "":
		return ProviderLevel
	}
	return WholeLevel
}
