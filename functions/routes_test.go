package functions_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cost-agent/cost-agent/shared/api"
)

// resources are those that the mains name, by the name of their type.
var resources = map[string]api.Resource{
	"Advice": api.Advice{}, "Analysis": api.Analysis{}, "Commitments": api.Commitments{}, "Connections": api.Connections{}, "Costs": api.Costs{},
	"Executions": api.Executions{}, "Health": api.Health{Database: answers, Cache: answers}, "Learning": api.Learning{},
	"Recommendations": api.Recommendations{}, "Scenarios": api.Scenarios{}, "Charts": api.Charts{}, "Budgets": api.Budgets{}, "Settings": api.Settings{}, "Uploads": api.Uploads{}, "Workflows": api.Workflows{},
}

func answers(context.Context) error { return nil }

// served lists the resources that a main names.
func served(t *testing.T, function string) []api.Resource {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(function, "main.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []api.Resource
	ast.Inspect(f, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if of, ok := literal.Type.(*ast.SelectorExpr); ok {
			if pkg, ok := of.X.(*ast.Ident); ok && pkg.Name == "api" {
				if of.Sel.Name == "Runs" { // what resources are made of
					return true
				}
				r, known := resources[of.Sel.Name]
				if !known {
					t.Errorf("%s serves api.%s, which this test does not know", function, of.Sel.Name)
				}
				out = append(out, r)
			}
		}
		return true
	})
	return out
}

func routesOf(resources []api.Resource) []string {
	var out []string
	for path, item := range api.Describe(resources...).Paths {
		for method, has := range map[string]bool{
			http.MethodGet: item.Get != nil, http.MethodPost: item.Post != nil, http.MethodPut: item.Put != nil,
			http.MethodPatch: item.Patch != nil, http.MethodDelete: item.Delete != nil,
		} {
			if has {
				out = append(out, method+" "+path)
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestEveryOperationHasItsRoute(t *testing.T) {
	t.Parallel()
	_, parsed := readTemplate(t)
	byFunction, open := map[string][]string{}, []string{}
	for _, r := range parsed.Routes {
		byFunction[r.Function] = append(byFunction[r.Function], r.Method+" "+r.Path)
		if r.Open {
			open = append(open, r.Path)
		}
	}
	for _, f := range folders(t) {
		want := routesOf(served(t, f))
		if f == "health" {
			want = append(want, "GET "+api.DocumentPath)
		}
		slices.Sort(want)
		slices.Sort(byFunction[f])
		if !slices.Equal(byFunction[f], want) {
			t.Errorf("%s: template.yaml routes %v, the code has %v", f, byFunction[f], want)
		}
	}
	slices.Sort(open)
	if want := []string{"/api/v1/health", api.DocumentPath}; !slices.Equal(open, want) {
		t.Errorf("open without a key: %v, want %v", open, want)
	}
}

func TestEveryResourceIsDescribed(t *testing.T) {
	t.Parallel()
	all := make([]api.Resource, 0, len(resources))
	for _, r := range resources {
		all = append(all, r)
	}
	if got, want := routesOf(api.All()), routesOf(all); !slices.Equal(got, want) {
		t.Errorf("the document describes %v, the functions serve %v", got, want)
	}
}
