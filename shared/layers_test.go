// Package shared_test holds the architecture of the code base as a test: who may import whom.
package shared_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cost-agent/cost-agent/"

// layer numbers grow outwards: a package may import only packages of a lower layer.
type layer int

const (
	core layer = iota
	domain
	job
	adapter
	outermost
	testSupport // imported from _test.go files and other test support only
)

var layers = map[string]layer{
	"shared/cost": core, "shared/fault": core, "shared/focus": core, "shared/plan": core,
	"shared/resource": core, "shared/tenant": core,

	"shared/anomaly": domain, "shared/budget": domain, "shared/events": domain, "shared/forecast": domain,
	"shared/ingest": domain, "shared/learn": domain, "shared/recommend": domain, "shared/rollout": domain,
	"shared/trend": domain,

	"shared/job": job,

	"shared/api": adapter, "shared/chart": adapter, "shared/awslambda": adapter, "shared/cloud": adapter, "shared/config": adapter,
	"shared/dynamo": adapter, "shared/groq": adapter, "shared/holidays": adapter, "shared/notify": adapter, "shared/postgres": adapter,
	"shared/redis": adapter, "shared/secrets": adapter, "shared/staging": adapter, "shared/states": adapter, "shared/telemetry": adapter,

	"shared/pgtest": testSupport, "shared/focus/focustest": testSupport, "shared/cloud/cloudtest": testSupport,

	"functions": outermost, "local": outermost, "statemachines": outermost, "events": outermost,
}

// thirdParty lists, for the layers that must stay free of infrastructure, everything they may use beyond the standard
// library, with the packages that may use it ("" is all of them).
var thirdParty = map[string]string{
	"github.com/shopspring/decimal":    "",
	"gonum.org/v1/gonum":               "",
	"github.com/parquet-go/parquet-go": "shared/focus", // Parquet is one of the formats FOCUS comes in
	"github.com/klauspost/compress":    "shared/focus", // gzip, at twice the speed of the standard library
}

// bannedStandard are standard packages that would let infrastructure into the inner layers.
var bannedStandard = []string{"net/http", "database/sql", "os/exec"}

// bannedNames are drawers: a package is named for its one idea.
var bannedNames = []string{"utils", "util", "common", "helpers", "types", "models", "misc"}

// benchmarks are commands beside the domain they measure; they read files, and nothing imports them.
func isCommand(pkg string) bool { return strings.HasSuffix(pkg, "/benchmark") }

type source struct {
	pkg     string // folder relative to the repository
	file    string
	test    bool
	imports []string
	doc     bool
	name    string
}

func TestLayersHold(t *testing.T) {
	for _, s := range sources(t) {
		from, ok := layerOf(s.pkg)
		if !ok {
			t.Errorf("%s: folder %q belongs to no layer; name it in layers_test.go", s.file, s.pkg)
			continue
		}
		for _, imp := range s.imports {
			if complaint := check(s, from, imp); complaint != "" {
				t.Errorf("%s: %s", s.file, complaint)
			}
		}
	}
}

func check(s source, from layer, imp string) string {
	inside, ok := strings.CutPrefix(imp, module)
	if !ok {
		return checkOutside(s, from, imp)
	}
	to, ok := layerOf(inside)
	switch {
	case !ok:
		return "imports " + inside + ", which belongs to no layer"
	case s.test, from == testSupport, isCommand(s.pkg) && to <= domain:
		return ""
	case to == testSupport:
		return "imports test support " + inside + " outside a test"
	case strings.HasPrefix(inside, "functions/internal/") && strings.HasPrefix(s.pkg, "functions/"):
		return "" // what mains have in common
	case strings.HasPrefix(inside, "functions/"):
		return "imports the main package " + inside
	case room(s.pkg) == room(inside), from == core && to == core, to < from:
		return ""
	case from == outermost && to == outermost && strings.HasPrefix(s.pkg, "local") && strings.HasPrefix(inside, "local"):
		return ""
	}
	return "may not import " + inside + " (outwards or sideways)"
}

func checkOutside(s source, from layer, imp string) string {
	if from > job || s.test || isCommand(s.pkg) {
		return ""
	}
	if slices.Contains(bannedStandard, imp) {
		return "may not import " + imp + ": only adapters touch the outside"
	}
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return ""
	}
	for allowed, only := range thirdParty {
		if (imp == allowed || strings.HasPrefix(imp, allowed+"/")) && (only == "" || only == room(s.pkg)) {
			return ""
		}
	}
	return "may not import " + imp + ": inner layers use the standard library and what thirdParty lists"
}

func TestEveryPackageHasOneComment(t *testing.T) {
	docs, seen := map[string][]string{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		seen[s.pkg] = true
		if s.doc {
			docs[s.pkg] = append(docs[s.pkg], s.file)
		}
	}
	for pkg := range seen {
		if n := len(docs[pkg]); n != 1 {
			t.Errorf("%s has %d package comments %v, want exactly one", pkg, n, docs[pkg])
		}
	}
}

func TestNoDrawers(t *testing.T) {
	for _, s := range sources(t) {
		if slices.Contains(bannedNames, s.name) || slices.Contains(bannedNames, filepath.Base(s.pkg)) {
			t.Errorf("%s: package %q is a drawer; name it for its idea", s.file, s.name)
		}
	}
}

func TestMainsOnlyWire(t *testing.T) {
	const most = 40
	files, err := filepath.Glob("../functions/*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > most {
			t.Errorf("%s has %d lines; a main wires in at most %d", f, n, most)
		}
	}
}

// layerOf finds the layer of a folder: its own entry or that of the nearest parent.
func layerOf(pkg string) (layer, bool) {
	for ; pkg != "." && pkg != ""; pkg = filepath.Dir(pkg) {
		if l, ok := layers[pkg]; ok {
			return l, true
		}
	}
	return 0, false
}

// room is the folder that counts as one package with its sub-packages: shared/focus, shared/cloud/aws.
func room(pkg string) string {
	depth := 2
	if strings.HasPrefix(pkg, "shared/cloud/") {
		depth = 3
	}
	parts := strings.SplitN(pkg, "/", depth+1)
	return strings.Join(parts[:min(depth, len(parts))], "/")
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, top := range []string{"shared", "functions", "local", "statemachines", "events"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case os.IsNotExist(err):
				return nil
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
				return fs.SkipDir
			case filepath.Ext(path) != ".go", filepath.Dir(path) == "../shared":
				return nil
			}
			s, err := parse(path)
			all = append(all, s)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) == 0 {
		t.Fatal("no Go source found: is the test running in shared/?")
	}
	return all
}

func parse(path string) (source, error) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	rel := strings.TrimPrefix(filepath.ToSlash(path), "../")
	s := source{
		pkg: filepath.Dir(rel), file: rel, test: strings.HasSuffix(path, "_test.go"),
		doc: f.Doc != nil, name: f.Name.Name,
	}
	for _, imp := range f.Imports {
		s.imports = append(s.imports, strings.Trim(imp.Path.Value, `"`))
	}
	return s, nil
}
