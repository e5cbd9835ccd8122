// Package functions_test holds functions, template, state machines and sample events to each other.
package functions_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/cost-agent/cost-agent/local/template"
)

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
