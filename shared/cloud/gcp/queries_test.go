package gcp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/api/bigquery/v2"
)

// queries are all that are ever asked of BigQuery, on tables whose names say which export they are.
func queries() map[string]*bigquery.QueryRequest {
	out := map[string]*bigquery.QueryRequest{}
	for k, name := range map[kind]string{standard: "v1_1", detailed: "resource_v1_1", asFOCUS: "focus_1"} {
		t := table{"billing-prod", "billing", "gcp_billing_export_" + name}
		out[string(k)] = billQuery(t, k, october, nil, nil)
		out[string(k)+"-narrowed"] = billQuery(t, k, october, []string{"Compute Engine"}, []string{"shop-prod"})
		if k != asFOCUS {
			out[string(k)+"-commitments"] = commitmentsQuery(t, lately)
		}
	}
	return out
}

// The files hold the queries as they are sent, with the types of their parameters above. The module sqlcheck, which is apart
// because it takes minutes to build, checks them by the rules of BigQuery's own dialect.
func TestQueriesAreThoseThatAreChecked(t *testing.T) {
	t.Parallel()
	const folder = "testdata/queries"
	files, err := filepath.Glob(folder + "/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	all := queries()
	for name, q := range all {
		var text strings.Builder
		for _, p := range q.QueryParameters {
			typ := p.ParameterType.Type
			if typ == "ARRAY" {
				typ = "ARRAY<" + p.ParameterType.ArrayType.Type + ">"
			}
			fmt.Fprintf(&text, "-- @%s %s\n", p.Name, typ)
		}
		text.WriteString(q.Query)
		file := filepath.Join(folder, name+".sql")
		if *update {
			if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != text.String() {
			t.Errorf("%s holds not the query that is sent; write it anew with -update and check it: %v", file, err)
		}
	}
	if len(files) != len(all) {
		t.Errorf("%d queries are checked, %d are sent", len(files), len(all))
	}
}
