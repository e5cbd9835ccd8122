package stepfunctions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The state types.
const (
	typeTask     = "Task"
	typeChoice   = "Choice"
	typeWait     = "Wait"
	typeParallel = "Parallel"
	typeMap      = "Map"
	typePass     = "Pass"
	typeSucceed  = "Succeed"
	typeFail     = "Fail"
)

// machine is a state machine, a branch of a Parallel or the processor of a Map.
type machine struct {
	StartAt        string
	States         map[string]*state
	TimeoutSeconds int64

	ProcessorConfig struct{ Mode string } // of an item processor
}

// state is a state of any type; fields that the type does not know stay empty.
type state struct {
	Type, Next, Comment, Resource string
	End                           bool

	InputPath, OutputPath, ResultPath  optionalPath
	Parameters, ResultSelector, Assign dynamic
	ItemSelector, Result               dynamic
	Retry                              []retrier
	Catch                              []catcher
	TimeoutSeconds, HeartbeatSeconds   int64
	TimeoutSecondsPath                 string
	HeartbeatSecondsPath               string
	Choices                            []*rule
	Default                            string
	Seconds                            *int64
	Timestamp, TimestampPath           string
	SecondsPath                        string
	Error, Cause, ErrorPath, CausePath string
	Branches                           []*machine
	ItemProcessor, Iterator            *machine
	ItemReader                         *itemReader
	ItemsPath                          string
	MaxConcurrency                     int64
	MaxConcurrencyPath                 string
	ToleratedFailureCount              *int64
	ToleratedFailureCountPath          string
	ToleratedFailurePercentage         *float64
	ToleratedFailurePercentagePath     string
}

// processor is what a Map runs for every item, by its present or its legacy name.
func (s *state) processor() *machine {
	if s.ItemProcessor != nil {
		return s.ItemProcessor
	}
	return s.Iterator
}

// distributed Maps may read their items from an object, keep what happens in their iterations out of the history, and fail by
// their threshold even where it is left at zero. Otherwise they run here as inline ones do.
func (s *state) distributed() bool { return s.processor().ProcessorConfig.Mode == "DISTRIBUTED" }

// selector makes an iteration's input, by its present or its legacy name.
func (s *state) selector() dynamic {
	if s.ItemSelector.set {
		return s.ItemSelector
	}
	return s.Parameters
}

type retrier struct {
	ErrorEquals     []string
	IntervalSeconds *int64
	MaxAttempts     *int64
	BackoffRate     *float64
	MaxDelaySeconds int64
	JitterStrategy  string
}

type catcher struct {
	ErrorEquals []string
	Next        string
	ResultPath  optionalPath
	Assign      dynamic
}

// optionalPath is a path field that may be absent, null or a path.
type optionalPath struct {
	text string
	null bool
}

// UnmarshalJSON tells null from absent.
func (p *optionalPath) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		p.null = true
		return nil
	}
	return json.Unmarshal(text, &p.text)
}

// dynamic is a field that holds any JSON.
type dynamic struct {
	value any
	set   bool
}

// UnmarshalJSON keeps whole numbers whole.
func (d *dynamic) UnmarshalJSON(text []byte) (err error) {
	d.set = true
	d.value, err = decode(text)
	return err
}

func parseMachine(definition []byte) (*machine, error) {
	m := &machine{}
	if err := json.Unmarshal(definition, m); err != nil { //nolint:musttag // the language's names are the Go names
		return nil, fmt.Errorf("the definition is not a state machine: %w", err)
	}
	return m, nil
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9_.:]+)\}`)

// Placeholders lists the ${names} of a definition in the order of their first use.
func Placeholders(definition []byte) []string {
	var names []string
	seen := map[string]bool{}
	for _, m := range placeholder.FindAllSubmatch(definition, -1) {
		if name := string(m[1]); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// substitute fills the ${names} of a definition. A value is escaped as part of a JSON string.
func substitute(definition []byte, values map[string]string) ([]byte, error) {
	var missing []string
	filled := placeholder.ReplaceAllFunc(definition, func(found []byte) []byte {
		name := string(found[2 : len(found)-1])
		value, ok := values[name]
		if !ok {
			missing = append(missing, name)
		}
		return bytes.Trim(encode(value), `"`)
	})
	if missing != nil {
		return nil, fmt.Errorf("no substitution is given for %s", strings.Join(missing, ", "))
	}
	return filled, nil
}
