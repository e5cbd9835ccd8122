package sqlcheck_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var from = regexp.MustCompile("FROM `([^`]+)`")

// queries are those that the collector sends, by the name of their file.
func queries(t *testing.T) map[string]string {
	t.Helper()
	files := must[[]string](t)(filepath.Glob("../testdata/queries/*.sql"))
	out := map[string]string{}
	for _, f := range files {
		out[strings.TrimSuffix(filepath.Base(f), ".sql")] = string(must[[]byte](t)(os.ReadFile(f)))
	}
	if len(out) == 0 {
		t.Fatal("there is no query to check")
	}
	return out
}

func tableOf(t *testing.T, query string) string {
	t.Helper()
	m := from.FindStringSubmatch(query)
	if m == nil {
		t.Fatalf("no table is read by %s", query)
	}
	return m[1]
}

func TestQueriesFitTheirTables(t *testing.T) {
	for name, query := range queries(t) {
		columns, err := newAnalyzer(t, tableOf(t, query)).check(query)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		slices.Sort(columns)
		if len(slices.Compact(slices.Clone(columns))) != len(columns) || slices.Contains(columns, "") {
			t.Errorf("%s selects columns without names of their own: %v", name, columns)
		}
	}
}

// A checker that refuses nothing proves nothing.
func TestMistakesAreRefused(t *testing.T) {
	all := queries(t)
	for mistake, tt := range map[string]struct{ query, old, wrong, complaint string }{
		"a typo in a column":           {"standard", "cost_type,", "cost_typ,", "cost_typ"},
		"a typo in a field":            {"detailed", "resource.global_name", "resource.globalname", "globalname"},
		"an array used as a value":     {"standard", "CAST(cost AS NUMERIC)", "CAST(credits.amount AS NUMERIC)", "amount"},
		"a column of another export":   {"standard", "cost_type,", "resource.name AS r, cost_type,", "resource"},
		"an unknown function":          {"standard", "SAFE_CAST(usage.amount", "SAVE_CAST(usage.amount", ""},
		"a parameter nobody gives":     {"standard", "@invoice_month\n", "@month\n", "month"},
		"a parameter of another type":  {"standard", "-- @invoice_month STRING", "-- @invoice_month TIMESTAMP", "="},
		"a column that is not grouped": {"standard-commitments", "GROUP BY subscription_id, sku_name,", "GROUP BY subscription_id,", "sku_name"},
		"FOCUS in lower case only":     {"focus", "BilledCost AS NUMERIC", "billed_cost AS NUMERIC", "billed_cost"},
		"values that are no list":      {"detailed-narrowed", "-- @projects ARRAY<STRING>", "-- @projects STRING", "UNNEST"},
		"half a query":                 {"focus", "\nWHERE", "\nWHERE AND", "AND"},
	} {
		query := strings.Replace(all[tt.query], tt.old, tt.wrong, 1)
		if query == all[tt.query] {
			t.Errorf("%s: there is no %q in %s", mistake, tt.old, tt.query)
			continue
		}
		if _, err := newAnalyzer(t, tableOf(t, query)).check(query); err == nil || !strings.Contains(err.Error(), tt.complaint) {
			t.Errorf("%s: %v", mistake, err)
		}
	}
}
