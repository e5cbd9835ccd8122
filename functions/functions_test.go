// Package functions_test holds functions, template, state machines and sample events to each other.
package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"go.yaml.in/yaml/v3"

	"github.com/cost-agent/cost-agent/local/template"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/job"
)

// resources are those that the mains name, by the name of their type.
var resources = map[string]api.Resource{
	"Analysis": api.Analysis{}, "Connections": api.Connections{}, "Costs": api.Costs{}, "Executions": api.Executions{},
	"Health":   api.Health{Database: answers, Cache: answers},
	"Learning": api.Learning{}, "Recommendations": api.Recommendations{}, "Scenarios": api.Scenarios{}, "Uploads": api.Uploads{}, "Workflows": api.Workflows{},
}

func answers(context.Context) error { return nil }

// reading are the tasks of every function that reads a cloud.
var reading = map[string]any{"bill": job.BillInput{}, "inventory": job.InventoryInput{}, "usage": job.UsageRequest{}, "check": job.RightsInput{}}

// inputs are the types that tasks take.
var inputs = map[string]map[string]any{
	"load":    {"plan": job.PlanInput{}, "sum": job.CollectedInput{}, "load": job.LoadInput{}, "load-inventory": job.LoadInventoryInput{}, "summary": job.SummaryInput{}},
	"analyze": {"analyze": job.AnalyzeInput{}}, "recommend": {"recommend": job.RecommendInput{}}, "learn": {"learn": job.LearnInput{}},
	"collect-aws": reading, "collect-azure": reading, "collect-gcp": reading, "collect-vultr": reading,
	"migrate": {"migrate": struct{}{}, "tenant": struct{ Tenant, Name string }{}},
	"rollout": {
		"begin": job.ExecutionInput{}, "check": job.CheckInput{}, "phase": job.WatchInput{}, "record": job.RecordInput{}, "watch": job.WatchInput{},
		"judge": job.JudgeInput{}, "rollback": job.FailureInput{}, "restored": job.ExecutionInput{}, "complete": job.CompleteInput{},
		"stuck": job.FailureInput{}, "ended": struct {
			Detail job.EndedInput `json:"detail"`
		}{},
	},
}

// deployed is a function as the template has it.
type deployed struct {
	Type       string `yaml:"Type"`
	Properties struct {
		FunctionName string    `yaml:"FunctionName"`
		Reserved     yaml.Node `yaml:"ReservedConcurrentExecutions"`
		Vpc          any       `yaml:"VpcConfig"`
		Environment  struct {
			Variables map[string]any `yaml:"Variables"`
		} `yaml:"Environment"`
	} `yaml:"Properties"`
}

type document struct {
	Parameters map[string]struct {
		Default any `yaml:"Default"`
	} `yaml:"Parameters"`
	Resources map[string]deployed `yaml:"Resources"`
}

func readTemplate(t *testing.T) (document, *template.Template) {
	t.Helper()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	parsed, err := template.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc, parsed
}

func functionsOf(doc document) map[string]deployed {
	out := map[string]deployed{}
	for id, r := range doc.Resources {
		if r.Type == "AWS::Serverless::Function" {
			out[template.FunctionName(id)] = r
		}
	}
	return out
}

func folders(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob("*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("no functions found: %v", err)
	}
	for i, m := range mains {
		mains[i] = filepath.Dir(m)
	}
	return mains
}

func TestEveryFunctionIsDeployed(t *testing.T) {
	t.Parallel()
	doc, _ := readTemplate(t)
	inTemplate := functionsOf(doc)
	for _, f := range folders(t) {
		r, ok := inTemplate[f]
		if !ok {
			t.Errorf("functions/%s is not in template.yaml", f)
		}
		if r.Properties.FunctionName != "${AWS::StackName}-"+f {
			t.Errorf("%s is named %q in the template", f, r.Properties.FunctionName)
		}
		delete(inTemplate, f)
	}
	for f := range inTemplate {
		t.Errorf("template.yaml has %s, which functions/ has not", f)
	}
}

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

// TestConnectionsAreBounded holds the promise of fewer than 100 database connections: each function of the data side has a pool
// of one, so that its reserved concurrency is the number of its connections. Ten are left for people and maintenance.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 90
	doc, _ := readTemplate(t)
	sum := 0
	for name, f := range functionsOf(doc) {
		_, database := f.Properties.Environment.Variables["DATABASE_HOST"]
		if database != (f.Properties.Vpc != nil) {
			t.Errorf("%s: holds the database: %v, is inside the network: %v", name, database, f.Properties.Vpc != nil)
		}
		if !database {
			continue
		}
		reserved, err := strconv.Atoi(f.Properties.Reserved.Value)
		if err != nil {
			n, ok := doc.Parameters[f.Properties.Reserved.Value].Default.(int)
			if !ok {
				t.Errorf("%s has no reserved concurrency", name)
			}
			reserved = n
		}
		sum += reserved
	}
	if sum == 0 || sum > most {
		t.Errorf("%d database connections are possible, at most %d may be", sum, most)
	}
}

// sdks are the packages by which a function would reach a cloud's resources.
var sdks = map[string][]string{
	"aws":   {"aws-sdk-go-v2/service/ec2", "aws-sdk-go-v2/service/costexplorer", "shared/cloud/aws"},
	"azure": {"github.com/Azure/azure-sdk-for-go", "shared/cloud/azure"},
	"gcp":   {"cloud.google.com/go/", "google.golang.org/api", "shared/cloud/gcp"},
	"vultr": {"github.com/vultr/govultr", "shared/cloud/vultr"},
}

// A function of the cloud side links no database, and of the clouds only its own.
func TestTheCloudSideHoldsNoDatabase(t *testing.T) {
	t.Parallel()
	sides := []string{"authorizer"}
	for _, f := range folders(t) {
		if strings.HasPrefix(f, "collect-") {
			sides = append(sides, f)
		}
	}
	for _, f := range sides {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./"+f).Output()
		if err != nil {
			t.Fatal(err)
		}
		banned := []string{"github.com/jackc/pgx", "github.com/redis/go-redis", "shared/postgres"}
		for cloud, packages := range sdks {
			if f != "collect-"+cloud {
				banned = append(banned, packages...)
			}
		}
		for _, b := range banned {
			if bytes.Contains(out, []byte(b)) {
				t.Errorf("%s links %s", f, b)
			}
		}
	}
}

var called = regexp.MustCompile(`"FunctionName": "\$\{(\w+)\}",\s+"Payload": \{ "task": "([\w-]+)"`)

func TestMachinesCallTasksThatExist(t *testing.T) {
	t.Parallel()
	_, parsed := readTemplate(t)
	files, err := filepath.Glob("../statemachines/*.asl.json")
	if err != nil || len(files) != len(parsed.Machines) {
		t.Fatalf("%d definitions, %d machines in the template, %v", len(files), len(parsed.Machines), err)
	}
	for _, m := range parsed.Machines {
		text, err := os.ReadFile(filepath.Join("..", m.Definition))
		if err != nil {
			t.Fatal(err)
		}
		calls := called.FindAllStringSubmatch(string(text), -1)
		if len(calls) == 0 && !bytes.Contains(text, []byte(`"FunctionName.$"`)) {
			t.Errorf("%s calls nothing", m.Name)
		}
		for _, c := range calls {
			function, ok := m.Substitutions[c[1]]
			if !ok {
				t.Errorf("%s: the template does not substitute ${%s}", m.Name, c[1])
				continue
			}
			if _, ok := inputs[function][c[2]]; !ok {
				t.Errorf("%s calls the task %s of %s, which there is not", m.Name, c[2], function)
			}
		}
	}
}

func TestMainsHaveTheTasks(t *testing.T) {
	t.Parallel()
	task := regexp.MustCompile(`"([\w-]+)": awslambda\.TaskOf`)
	for _, f := range folders(t) {
		text, err := os.ReadFile(filepath.Join(f, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range task.FindAllStringSubmatch(string(text), -1) {
			found++
			if _, ok := inputs[f][m[1]]; !ok {
				t.Errorf("%s has the task %s, which this test does not know", f, m[1])
			}
		}
		if found != len(inputs[f]) {
			t.Errorf("%s has %d tasks, want %d", f, found, len(inputs[f]))
		}
	}
}

func TestSampleEventsReachTheirFunction(t *testing.T) {
	t.Parallel()
	for _, f := range folders(t) {
		files, err := filepath.Glob(filepath.Join("..", "events", f, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("there is no sample event of %s", f)
		}
		for _, file := range files {
			event, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case f == "authorizer":
				decodesInto(t, file, event, &events.APIGatewayCustomAuthorizerRequestTypeRequest{})
			case inputs[f] != nil:
				reachesTask(t, file, event, inputs[f])
			default:
				reachesOperation(t, file, event, served(t, f))
			}
		}
	}
}

func decodesInto(t *testing.T, file string, event []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(event))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}

func reachesTask(t *testing.T, file string, event []byte, tasks map[string]any) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(event, &members); err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	name := strings.Trim(string(members["task"]), `"`)
	input, ok := tasks[name]
	if !ok {
		t.Errorf("%s asks for the task %q, which there is not", file, name)
		return
	}
	delete(members, "task")
	delete(members, "request") // may hold more than is looked at
	rest, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	decodesInto(t, file, rest, reflect.New(reflect.TypeOf(input)).Interface())
}

// reachesOperation sends the event to operations that have nothing to work on: the request is in order when it gets as far as
// breaking there.
func reachesOperation(t *testing.T, file string, event []byte, resources []api.Resource) {
	t.Helper()
	decodesInto(t, file, event, &events.APIGatewayProxyRequest{})
	log := slog.New(slog.DiscardHandler)
	answer, err := awslambda.HTTP(log, api.New(log, resources...)).Invoke(t.Context(), event)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	var r events.APIGatewayProxyResponse
	if err := json.Unmarshal(answer, &r); err != nil {
		t.Fatal(err)
	}
	if r.StatusCode >= 400 && r.StatusCode < 500 && r.StatusCode != http.StatusConflict && r.StatusCode != http.StatusNotFound || strings.Contains(r.Body, "openapi.json lists") {
		t.Errorf("%s is refused: %d %s", file, r.StatusCode, r.Body)
	}
}
