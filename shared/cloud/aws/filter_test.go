package aws

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

func TestFiltersOfCostExplorer(t *testing.T) {
	t.Parallel()
	kind := only(types.DimensionRecordType, "Usage")
	cases := map[string]struct {
		settings map[string]string
		want     string // without what is null
	}{
		"nothing but the cut": {nil, `{"Dimensions":{"Key":"RECORD_TYPE","Values":["Usage"]}}`},
		"a tag":               {map[string]string{"tags": "team=shop"}, `{"And":[{"Dimensions":{"Key":"RECORD_TYPE","Values":["Usage"]}},{"Tags":{"Key":"team","MatchOptions":["EQUALS"],"Values":["shop"]}}]}`},
		"either of two tags": {map[string]string{"tags": "team=shop,env", "accounts": main}, `{"And":[{"Dimensions":{"Key":"RECORD_TYPE","Values":["Usage"]}},{"Dimensions":{"Key":"LINKED_ACCOUNT","Values":["` + main + `"]}},` +
			`{"Or":[{"Tags":{"Key":"team","MatchOptions":["EQUALS"],"Values":["shop"]}},{"Not":{"Tags":{"Key":"env","MatchOptions":["ABSENT"]}}}]}]}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(collector(t, "http://127.0.0.1:1", nil, c.settings).filter(kind))
			if err != nil {
				t.Fatal(err)
			}
			var whole any
			if err := json.Unmarshal(text, &whole); err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(withoutNulls(whole)); string(got) != c.want {
				t.Errorf("%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func withoutNulls(v any) any {
	switch v := v.(type) {
	case object:
		for key, inner := range v {
			if inner == nil {
				delete(v, key)
				continue
			}
			v[key] = withoutNulls(inner)
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return v
}
