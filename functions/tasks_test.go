package functions_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/cost-agent/cost-agent/shared/job"
)

// reading are the tasks of every function that reads a cloud.
var reading = map[string]any{"bill": job.BillInput{}, "inventory": job.InventoryInput{}, "usage": job.UsageRequest{}, "check": job.RightsInput{}}

// inputs are the types that tasks take.
var inputs = map[string]map[string]any{
	"load": {
		"plan": job.PlanInput{}, "note": job.NoteInput{}, "sum": job.SumInput{}, "tested": job.TestedInput{},
		"load": job.LoadInput{}, "load-inventory": job.LoadInventoryInput{}, "summary": job.SummaryInput{},
	},
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
