// Package anomaly finds the days on which cost left its usual path, judging each day by the days before it only, and
// gathers what belongs together into one incident per cause.
package anomaly

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// Kind is how the cost of a scope left its path.
type Kind string

// The kinds.
const (
	Spike    Kind = "spike"     // a day or a few, then back
	Level    Kind = "level"     // higher from a day on
	Ramp     Kind = "ramp"      // more every day
	Drop     Kind = "drop"      // lower for some days or from a day on
	NewSpend Kind = "new-spend" // a cost that was not there before
	Vanished Kind = "vanished"  // a cost that is no longer there
)

// Severity ranks an incident by its money and by how sure the detector is.
type Severity string

// The severities, least first.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Severities lists them, least first.
var Severities = []Severity{Low, Medium, High, Critical}

// Incident is one deviation with one cause.
type Incident struct {
	// ID is the same for the same cause and first day, so that a later run over more days updates the incident.
	ID       string     `json:"id"`
	Kind     Kind       `json:"kind"`
	Severity Severity   `json:"severity"`
	Scope    cost.Scope `json:"scope"` // the narrowest dimensions that hold it
	Start    time.Time  `json:"start"` // its first day
	End      time.Time  `json:"end,omitzero"`
	// Detected is the day whose cost gave it away; nothing later was needed to tell.
	Detected time.Time `json:"detected"`
	// Until is the day after the last one that Actual, Expected and Impact count: End, or the end of the settled days.
	Until    time.Time  `json:"until"`
	Expected cost.Money `json:"expected"` // what the days from Start to Until would usually have cost
	Actual   cost.Money `json:"actual"`   // what they did cost
	Impact   cost.Money `json:"impact"`   // Actual less Expected; negative when cost fell
	// Confidence is the chance that an ordinary year holds no day as unusual as the one that gave it away.
	Confidence float64 `json:"confidence"`
	Causes     []Cause `json:"causes"`
	// Alternatives are the scopes that explain it next best after Scope, at most two, best first.
	Alternatives []cost.Scope `json:"alternatives,omitempty"`
	Summary      string       `json:"summary"`
}

// Open reports whether the cost had not come back by the end of the settled days.
func (i Incident) Open() bool { return i.End.IsZero() }

// Cause is a part of the bill that explains some of an incident.
type Cause struct {
	Scope cost.Scope `json:"scope"`
	// Share of the incident's impact, 1 is all of it. Parts that moved the other way have negative shares.
	Share float64 `json:"share"`
}

// identify derives the stable ID.
func identify(scope cost.Scope, currency cost.Currency, basis cost.Basis, start time.Time) string {
	sum := sha256.Sum256([]byte(scope.String() + "|" + string(currency) + "|" + string(basis) + "|" + start.Format(time.DateOnly)))
	return "anomaly-" + hex.EncodeToString(sum[:8])
}
