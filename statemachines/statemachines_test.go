// Package statemachines_test holds the project's state machines to the specification and to their places in template.yaml.
package statemachines_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/cost-agent/cost-agent/local/stepfunctions"
)

const template = "../template.yaml"

// machines gives the definitions by file name. There must be some once the template exists.
func machines(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("*.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if _, err := os.Stat(template); err == nil {
			t.Fatal("template.yaml exists, but no *.asl.json beside this test")
		}
		t.Skip("there are no state machines yet")
	}
	all := map[string][]byte{}
	for _, file := range files {
		if all[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestEveryMachineIsSound also takes the linter's advice as a must: each task has a time limit, and Retry, Catch, or a Comment
// that says why not.
func TestEveryMachineIsSound(t *testing.T) {
	t.Parallel()
	for file, definition := range machines(t) {
		for _, p := range stepfunctions.Lint(definition) {
			t.Errorf("%s: %s", file, p)
		}
	}
}

// A task that a machine has given up goes on in its function, and may meet what the machine does next. So those that change
// something are given up only when the function, which has at most 900 seconds, is surely over.
func TestNoChangeIsGivenUpWhileItRuns(t *testing.T) {
	t.Parallel()
	limit := regexp.MustCompile(`(?s)"task": "(apply|revert|load|load-inventory)".*?"TimeoutSeconds": (\d+)`)
	found := 0
	for file, definition := range machines(t) {
		for _, m := range limit.FindAllSubmatch(definition, -1) {
			found++
			if seconds, err := strconv.Atoi(string(m[2])); err != nil || seconds < 930 {
				t.Errorf("%s: %s is given up after %s seconds", file, m[1], m[2])
			}
		}
	}
	if found != 5 {
		t.Errorf("%d tasks that change something, want 5", found)
	}
}

// resource is what the template says of a state machine.
type resource struct {
	Type       string `yaml:"Type"`
	Properties struct {
		DefinitionURI           yaml.Node            `yaml:"DefinitionUri"`
		DefinitionSubstitutions map[string]yaml.Node `yaml:"DefinitionSubstitutions"`
	} `yaml:"Properties"`
}

func TestEverySubstitutionIsGivenByTheTemplate(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(template)
	if os.IsNotExist(err) {
		t.Skip("there is no template.yaml yet, so the substitutions cannot be compared")
	}
	if err != nil {
		t.Fatal(err)
	}
	var tmpl struct {
		Resources map[string]yaml.Node `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &tmpl); err != nil {
		t.Fatal(err)
	}
	given := map[string][]string{} // names by file
	for name, node := range tmpl.Resources {
		var kind struct {
			Type string `yaml:"Type"`
		}
		if err := node.Decode(&kind); err != nil || kind.Type != "AWS::Serverless::StateMachine" {
			continue
		}
		var r resource
		if err := node.Decode(&r); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file := filepath.Base(r.Properties.DefinitionURI.Value)
		for substitution := range r.Properties.DefinitionSubstitutions {
			given[file] = append(given[file], substitution)
		}
		if given[file] == nil {
			given[file] = []string{}
		}
	}
	for file, definition := range machines(t) {
		names, ok := given[file]
		if !ok {
			t.Errorf("%s: no AWS::Serverless::StateMachine of the template has it as its DefinitionUri", file)
			continue
		}
		used := stepfunctions.Placeholders(definition)
		for _, name := range used {
			if !slices.Contains(names, name) {
				t.Errorf("%s: the template gives no ${%s}, only %s", file, name, strings.Join(names, ", "))
			}
		}
		for _, name := range names {
			if !slices.Contains(used, name) {
				t.Errorf("%s: the template gives ${%s}, which the definition does not use", file, name)
			}
		}
	}
}
