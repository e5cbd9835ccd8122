package stepfunctions

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// python finds an interpreter that has moto, first on PATH and then where make python puts it.
func python(t *testing.T) string {
	t.Helper()
	for _, candidate := range []string{"python3", "../../.local/python/bin/python3"} {
		path, err := exec.LookPath(candidate)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", "import moto, boto3").Run() == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Python with moto: run make python first")
	}
	t.Skip("no Python with moto, so the engine is not compared with another interpreter; make python installs it")
	return ""
}

// job is what the oracle takes, verdict what it gives.
type job struct {
	Definition json.RawMessage    `json:"definition"`
	Input      json.RawMessage    `json:"input"`
	Functions  map[string][]reply `json:"functions"`
	Objects    objects            `json:"objects"`
}

type verdict struct {
	Status Status          `json:"status"`
	Output json.RawMessage `json:"output"`
	Error  string          `json:"error"`
	Cause  string          `json:"cause"`
	States []string        `json:"states"`
}

func askOracle(t *testing.T, cases []specCase) []verdict {
	t.Helper()
	var jobs []job
	for _, c := range cases {
		jobs = append(jobs, job{c.Definition, c.Input, c.Functions, c.Objects})
	}
	in, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python(t), "testdata/oracle.py")
	var complaints bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaints.String())
	}
	var verdicts []verdict
	if err := json.Unmarshal(out, &verdicts); err != nil || len(verdicts) != len(cases) {
		t.Fatalf("%d verdicts on %d cases, %v", len(verdicts), len(cases), err)
	}
	return verdicts
}

// projectCases are the project's own machines with the scenarios that testdata/machines scripts for them.
func projectCases(t *testing.T) []specCase {
	t.Helper()
	files, err := filepath.Glob("../../statemachines/*.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []specCase
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".asl.json")
		definition, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]string{}
		for _, p := range Placeholders(definition) {
			values[p] = "arn:aws:lambda:us-east-1:000000000000:function:" + p
		}
		if definition, err = substitute(definition, values); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile("testdata/machines/" + name + ".json")
		if os.IsNotExist(err) {
			t.Logf("state machine %s has no scenario in testdata/machines", name)
			continue
		}
		var scenarios []specCase
		if err == nil {
			err = json.Unmarshal(text, &scenarios)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, c := range scenarios {
			c.Name, c.Definition = name+"/"+c.Name, definition
			all = append(all, c)
		}
	}
	return all
}

// TestAnotherInterpreterAgrees runs specification cases and the project's machines here and on moto's interpreter. Both must go
// through the same states to the same end.
func TestAnotherInterpreterAgrees(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the other interpreter is slow")
	}
	cases := []specCase{expressionMachine(t)}
	for _, c := range specCases(t) {
		if c.Oracle == "same" {
			cases = append(cases, c)
		}
	}
	cases = append(cases, projectCases(t)...)
	verdicts := askOracle(t, cases)
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, Options{Invoke: newScript(c.Functions).invoke, Object: c.Objects.read})
			if err := e.Define("machine", c.Definition, nil); err != nil {
				t.Fatal(err)
			}
			arn, err := e.Start(t.Context(), "machine", "", c.Input)
			if err != nil {
				t.Fatal(err)
			}
			x, states, theirs := finish(t, e, arn), visited(t, e, arn), verdicts[i]
			if c.AnyOrder {
				states, theirs.States = sorted(states), sorted(theirs.States)
			}
			if x.Status != theirs.Status || x.Error != theirs.Error {
				t.Errorf("%s %s %s, the oracle says %s %s %s", x.Status, x.Error, x.Cause, theirs.Status, theirs.Error, theirs.Cause)
			}
			if out, err := decode(theirs.Output); err != nil || !equal(stored(x.Output), out) {
				t.Errorf("output\n%s\nthe oracle says\n%s", x.Output, theirs.Output)
			}
			if !slices.Equal(states, theirs.States) {
				t.Errorf("went through\n%v\nthe oracle through\n%v", states, theirs.States)
			}
		})
	}
}
