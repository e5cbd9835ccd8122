// Package sqlcheck_test checks the queries of the bill by the grammar and types of GoogleSQL, which is what BigQuery speaks. It
// is a module of its own, for the analyzer takes minutes and gigabytes to build: no one who does not ask for it waits for it.
package sqlcheck_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-googlesql"
)

// field is a column as BigQuery describes it.
type field struct {
	Name   string  `json:"name"`
	Type   string  `json:"type"`
	Mode   string  `json:"mode"`
	Fields []field `json:"fields"`
}

// tables are the exports, by what their names begin with.
var tables = []struct {
	prefix, schema string
	partitioned    bool
}{
	{"gcp_billing_export_v1_", "v1.json", true},
	{"gcp_billing_export_resource_v1_", "resource_v1.json", true},
	{"gcp_billing_export_focus_", "focus.json", false},
}

// analyzer knows one table.
type analyzer struct {
	t       *testing.T
	types   *googlesql.TypeFactory
	options *googlesql.AnalyzerOptions
	catalog *googlesql.SimpleCatalog
}

func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newAnalyzer makes an analyzer that has the table of the given full name, with the columns of its export.
func newAnalyzer(t *testing.T, name string) *analyzer {
	t.Helper()
	ok(t, googlesql.Init())
	language := must[*googlesql.LanguageOptions](t)(googlesql.NewLanguageOptions())
	ok(t, language.EnableMaximumLanguageFeatures())
	ok(t, language.SetProductMode(googlesql.ProductModeProductExternal))
	a := &analyzer{
		t: t, types: must[*googlesql.TypeFactory](t)(googlesql.NewTypeFactory()),
		options: must[*googlesql.AnalyzerOptions](t)(googlesql.NewAnalyzerOptions2()),
		catalog: must[*googlesql.SimpleCatalog](t)(googlesql.NewSimpleCatalog("bill", nil)),
	}
	ok(t, a.options.SetLanguage(language))
	ok(t, a.catalog.AddBuiltinFunctionsAndTypes(&googlesql.BuiltinFunctionOptions{LanguageOptions: language}))
	for _, known := range tables {
		if strings.HasPrefix(name[strings.LastIndexByte(name, '.')+1:], known.prefix) {
			a.table(name, known.schema, known.partitioned)
			return a
		}
	}
	t.Fatalf("%s is no export", name)
	return nil
}

func (a *analyzer) table(name, schema string, partitioned bool) {
	a.t.Helper()
	text := must[[]byte](a.t)(os.ReadFile(filepath.Join("testdata", schema)))
	var fields []field
	ok(a.t, json.Unmarshal(text, &fields))
	table := must[*googlesql.SimpleTable](a.t)(googlesql.NewSimpleTable(name, 0))
	add := func(f field, pseudo bool) {
		column := must[*googlesql.SimpleColumn](a.t)(googlesql.NewSimpleColumn(name, f.Name, a.typeOf(f), pseudo, true))
		ok(a.t, table.AddColumn2(column, false))
	}
	for _, f := range fields {
		add(f, false)
	}
	if partitioned { // by the day of its writing
		add(field{Name: "_PARTITIONTIME", Type: "TIMESTAMP"}, true)
	}
	ok(a.t, a.catalog.AddTable2(name, table))
}

func (a *analyzer) typeOf(f field) googlesql.Googlesql_TypeNode {
	a.t.Helper()
	if f.Mode == "REPEATED" {
		f.Mode = ""
		return must[googlesql.Googlesql_TypeNode](a.t)(a.types.MakeArrayType2(a.typeOf(f)))
	}
	if f.Type != "RECORD" {
		return a.simple(f.Type)
	}
	var members []*googlesql.StructField
	for _, m := range f.Fields {
		members = append(members, &googlesql.StructField{Name: m.Name, Type_: a.typeOf(m)})
	}
	return must[googlesql.Googlesql_TypeNode](a.t)(a.types.MakeStructType2(members))
}

// simple is a type by its name in schemas or parameters: FLOAT is a double there.
func (a *analyzer) simple(name string) googlesql.Googlesql_TypeNode {
	a.t.Helper()
	if of, isArray := strings.CutPrefix(name, "ARRAY<"); isArray {
		return must[googlesql.Googlesql_TypeNode](a.t)(a.types.MakeArrayType2(a.simple(strings.TrimSuffix(of, ">"))))
	}
	known := map[string]func() (googlesql.Googlesql_TypeNode, error){
		"STRING": a.types.GetString, "FLOAT": a.types.GetDouble, "NUMERIC": a.types.GetNumeric, "BOOLEAN": a.types.GetBool,
		"TIMESTAMP": a.types.GetTimestamp, "INTEGER": a.types.GetInt64,
	}
	get, is := known[name]
	if !is {
		a.t.Fatalf("there is no type %s", name)
	}
	return must[googlesql.Googlesql_TypeNode](a.t)(get())
}

// check analyses a query; its parameters stand above it, as "-- @name TYPE". It gives the names and types of what it selects.
func (a *analyzer) check(query string) ([]string, error) {
	a.t.Helper()
	for line := range strings.Lines(query) {
		parameter, isParameter := strings.CutPrefix(strings.TrimSpace(line), "-- @")
		if !isParameter {
			continue
		}
		name, typ, _ := strings.Cut(parameter, " ")
		ok(a.t, a.options.AddQueryParameter(name, a.simple(typ)))
	}
	out, err := googlesql.AnalyzeStatement(query, a.options, a.catalog, a.types)
	if err != nil {
		return nil, err
	}
	statement := must[googlesql.ResolvedStatementNode](a.t)(out.ResolvedStatement())
	selects, isQuery := statement.(*googlesql.ResolvedQueryStmt)
	if !isQuery {
		return nil, fmt.Errorf("a statement that is no query: %T", statement)
	}
	var columns []string
	for i := range must[int32](a.t)(selects.OutputColumnListSize()) {
		column := must[*googlesql.ResolvedOutputColumn](a.t)(selects.OutputColumnList2(i))
		columns = append(columns, must[string](a.t)(column.Name()))
	}
	return columns, nil
}
