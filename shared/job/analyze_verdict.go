package job

import (
	"context"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Opinion is what a person thinks of an anomaly.
type Opinion string

// The opinions.
const (
	RealAnomaly     Opinion = "true"     // it was one
	ExpectedAnomaly Opinion = "expected" // the cost moved, and was meant to: the same scope must move farther to be told again
	IgnoredAnomaly  Opinion = "ignore"   // nothing inside its scope is to be told
)

// Opinions lists them.
var Opinions = []Opinion{RealAnomaly, ExpectedAnomaly, IgnoredAnomaly}

// Verdict is an opinion with its reasons. The last one on an anomaly counts.
type Verdict struct {
	Anomaly string     `json:"anomaly"` // ID
	Opinion Opinion    `json:"verdict"`
	Note    string     `json:"note,omitempty"`
	Scope   cost.Scope `json:"scope"` // of the anomaly when the verdict was given
	By      string     `json:"by"`
	At      time.Time  `json:"at"`
}

// VerdictReader reads verdicts.
type VerdictReader interface {
	// Verdicts lists the last verdict on each anomaly, oldest first.
	Verdicts(ctx context.Context, t tenant.ID) ([]Verdict, error)
}

// VerdictStore keeps verdicts.
type VerdictStore interface {
	// Anomaly fails with fault.NotFound when there is none with the id.
	Anomaly(ctx context.Context, t tenant.ID, id string) (Anomaly, error)
	// SaveVerdict stores a verdict in place of the one before, and the anomaly as it stands by it in all analyses that found it.
	SaveVerdict(ctx context.Context, t tenant.ID, v Verdict) error
}

// Assess takes a verdict on an anomaly.
type Assess struct {
	Store VerdictStore
	Now   Clock
}

// AssessInput is a verdict as it is given.
type AssessInput struct {
	Tenant  tenant.ID
	ID      string // of the anomaly
	Opinion Opinion
	Note    string
	By      string
}

// Run stores the verdict and gives the anomaly as it stands by it. It fails with fault.NotFound when there is no such anomaly, and
// with fault.Invalid for an opinion that is none.
func (a Assess) Run(ctx context.Context, in AssessInput) (Anomaly, error) {
	if !slices.Contains(Opinions, in.Opinion) {
		return Anomaly{}, fault.Input("verdict", string(in.Opinion), "is none of true, expected, ignore")
	}
	found, err := a.Store.Anomaly(ctx, in.Tenant, in.ID)
	if err != nil {
		return Anomaly{}, err
	}
	v := Verdict{Anomaly: in.ID, Opinion: in.Opinion, Note: in.Note, Scope: found.Scope, By: in.By, At: a.Now()}
	if err := a.Store.SaveVerdict(ctx, in.Tenant, v); err != nil {
		return Anomaly{}, err
	}
	return found.Assessed(v), nil
}

// Assessed is the anomaly as it stands by a verdict.
func (a Anomaly) Assessed(v Verdict) Anomaly {
	a.Verdict = &v
	switch {
	case v.Opinion != RealAnomaly:
		a.Status = AnomalyDismissed
	case a.Status != AnomalyDismissed:
	case a.Open():
		a.Status = AnomalyOpen
	default:
		a.Status = AnomalyEnded
	}
	return a
}

// verdicts are those that people gave; none without a store.
func (a Analyze) verdicts(ctx context.Context, t tenant.ID) ([]Verdict, error) {
	if a.Verdicts == nil {
		return nil, nil
	}
	return a.Verdicts.Verdicts(ctx, t)
}

// expectedScopes are the scopes whose moves were called expected, as wide as the detector cuts the bill.
func expectedScopes(verdicts []Verdict) []cost.Scope {
	var out []cost.Scope
	for _, v := range verdicts {
		if v.Opinion != ExpectedAnomaly {
			continue
		}
		s := cost.Scope{}
		for _, d := range leafDimensions {
			if value, ok := v.Scope[d]; ok {
				s[d] = value
			}
		}
		out = append(out, s)
	}
	return out
}

// verdictOn is the verdict by which an anomaly stands: its own, else that which ignores its scope; nil when there is none. To
// ignore the whole bill is to ignore what no part of it explains.
func verdictOn(id string, s cost.Scope, verdicts []Verdict) *Verdict {
	for _, v := range verdicts {
		if v.Anomaly == id {
			return &v
		}
	}
	for _, v := range verdicts {
		if v.Opinion == IgnoredAnomaly && v.Scope.Matches(s) && (len(v.Scope) > 0 || len(s) == 0) {
			return &v
		}
	}
	return nil
}
