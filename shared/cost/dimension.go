package cost

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Dimension is a FOCUS column that costs are grouped and filtered by, or "Tags/<key>" for one tag.
type Dimension string

// The dimensions that daily rollups keep. Tags come on top, one dimension a key.
const (
	Provider        Dimension = "ServiceProviderName"
	BillingAccount  Dimension = "BillingAccountId"
	Account         Dimension = "SubAccountId"
	Service         Dimension = "ServiceName"
	ServiceCategory Dimension = "ServiceCategory"
	Region          Dimension = "RegionId"
	ChargeCategory  Dimension = "ChargeCategory"
	PricingCategory Dimension = "PricingCategory"
	Resource        Dimension = "ResourceId"
)

const tagPrefix = "Tags/"

// Tag is the dimension of one tag key.
func Tag(key string) Dimension { return Dimension(tagPrefix + key) }

// TagKey gives the key of a tag dimension.
func (d Dimension) TagKey() (string, bool) { return strings.CutPrefix(string(d), tagPrefix) }

// Scope fixes the value of some dimensions; the empty scope is the whole bill. An empty value is a real value:
// the costs for which the provider gave none.
type Scope map[Dimension]string

// String is the canonical form, "RegionId=eu-west-1,ServiceName=Amazon EC2", or "total" for the whole bill.
// Equal scopes have equal strings.
func (s Scope) String() string {
	if len(s) == 0 {
		return "total"
	}
	parts := make([]string, 0, len(s))
	for _, d := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, string(d)+"="+s[d])
	}
	return strings.Join(parts, ",")
}

// MarshalJSON writes the empty scope as an object without members, for it is a scope like any other.
func (s Scope) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[Dimension]string(s))
}

// With is s with one more dimension fixed; s itself stays as it is.
func (s Scope) With(d Dimension, value string) Scope {
	out := make(Scope, len(s)+1)
	maps.Copy(out, s)
	out[d] = value
	return out
}

// Matches reports whether a row or series with the dimensions of other lies inside s.
func (s Scope) Matches(other Scope) bool {
	for d, v := range s {
		if got, ok := other[d]; !ok || got != v {
			return false
		}
	}
	return true
}
