package stepfunctions

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// specCase is a machine with an input, and what the specification says comes of it.
type specCase struct {
	Name       string             `json:"name"`
	Definition json.RawMessage    `json:"definition"`
	Input      json.RawMessage    `json:"input"`
	Functions  map[string][]reply `json:"functions"`
	Objects    objects            `json:"objects"` // by "bucket/key"
	Output     json.RawMessage    `json:"output"`
	Error      string             `json:"error"`  // of a failed execution
	Cause      string             `json:"cause"`  // checked when given
	States     []string           `json:"states"` // entered, in order; checked when given
	AnyOrder   bool               `json:"any_order"`
	Oracle     string             `json:"oracle"` // "same": the oracle must agree; else why it is not asked
}

func specCases(t *testing.T) []specCase {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var all []specCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var some []specCase
		if err := json.Unmarshal(text, &some); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for i := range some {
			some[i].Name = filepath.Base(file) + "/" + some[i].Name
		}
		all = append(all, some...)
	}
	return all
}

func TestSpecification(t *testing.T) {
	t.Parallel()
	for _, c := range specCases(t) {
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
			c.check(t, finish(t, e, arn), visited(t, e, arn))
		})
	}
}

func (c specCase) check(t *testing.T, x Execution, states []string) {
	t.Helper()
	switch {
	case c.Output != nil:
		want, err := decode(c.Output)
		if err != nil {
			t.Fatal(err)
		}
		if x.Status != Succeeded || !equal(stored(x.Output), want) {
			t.Errorf("%s %s %s %s\nwant %s", x.Status, x.Output, x.Error, x.Cause, encode(want))
		}
	default:
		if x.Status != Failed || x.Error != c.Error || c.Cause != "" && x.Cause != c.Cause {
			t.Errorf("%s %q %q %s, want failure %q %q", x.Status, x.Error, x.Cause, x.Output, c.Error, c.Cause)
		}
	}
	if c.AnyOrder {
		states, c.States = sorted(states), sorted(c.States)
	}
	if c.States != nil && !slices.Equal(states, c.States) {
		t.Errorf("went through %v, want %v", states, c.States)
	}
}
