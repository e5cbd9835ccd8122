package stepfunctions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Problem is something that Lint found.
type Problem struct {
	Where  string // "States.Load.Retry[0]"
	Text   string
	Advice bool // the machine runs, but should not be written so
}

// String gives place and text.
func (p Problem) String() string { return p.Where + ": " + p.Text }

// Lint checks a definition against the specification and against what this engine runs. ${names} may stand in strings.
func Lint(definition []byte) []Problem {
	l := &linter{names: map[string]bool{}}
	fields, err := objectOf(definition)
	if err != nil {
		l.problem("definition", "it is not a JSON object: %s", err)
		return l.problems
	}
	m, err := parseMachine(definition)
	if err != nil {
		l.problem("definition", "%s", err)
		return l.problems
	}
	l.fields("definition", fields, "Comment StartAt States TimeoutSeconds Version QueryLanguage")
	l.machine("States", m, fields)
	return l.problems
}

type linter struct {
	problems []Problem
	names    map[string]bool // of all states so far: they must differ across the whole definition
}

func (l *linter) problem(where, format string, args ...any) {
	l.problems = append(l.problems, Problem{Where: where, Text: fmt.Sprintf(format, args...)})
}

func (l *linter) advice(where, format string, args ...any) {
	l.problems = append(l.problems, Problem{Where: where, Text: fmt.Sprintf(format, args...), Advice: true})
}

func objectOf(text []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(text, &fields)
	return fields, err
}

// inner reads an object inside another; what is no object was already refused by parseMachine.
func inner(fields map[string]json.RawMessage, name string) map[string]json.RawMessage {
	object, err := objectOf(fields[name])
	if err != nil {
		return nil
	}
	return object
}

// innerList reads a list of n objects inside another. A field in the wrong case, which encoding/json takes all the same and
// fields refuses, leaves them empty.
func innerList(fields map[string]json.RawMessage, name string, n int) []map[string]json.RawMessage {
	list := make([]map[string]json.RawMessage, n)
	if json.Unmarshal(fields[name], &list) != nil || len(list) != n {
		return make([]map[string]json.RawMessage, n)
	}
	return list
}

// fields refuses names that do not belong here, and query languages other than JSONPath.
func (l *linter) fields(where string, fields map[string]json.RawMessage, known string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(strings.Fields(known), name) {
			l.problem(where, "the field '%s' does not belong here", name)
		}
	}
	if language, ok := fields["QueryLanguage"]; ok && string(language) != `"JSONPath"` {
		l.problem(where, "the QueryLanguage must be JSONPath, not %s", language)
	}
}

// machine checks the states of a machine, a branch or an item processor.
func (l *linter) machine(where string, m *machine, fields map[string]json.RawMessage) {
	if m == nil || len(m.States) == 0 {
		l.problem(where, "there are no states")
		return
	}
	if m.States[m.StartAt] == nil {
		l.problem(where, "StartAt names the state '%s', which does not exist", m.StartAt)
	}
	if m.TimeoutSeconds < 0 {
		l.problem(where, "TimeoutSeconds must be positive")
	}
	states, ends := inner(fields, "States"), false
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		at := where + "." + name
		st := m.States[name]
		if st == nil {
			l.problem(at, "it is not a state")
			continue
		}
		if l.names[name] {
			l.problem(at, "another state has the same name")
		}
		if len([]rune(name)) > mostNameCharacters {
			l.problem(at, "the name has more than %d characters", mostNameCharacters)
		}
		l.names[name] = true
		ends = ends || st.End || st.Type == typeSucceed || st.Type == typeFail
		l.state(at, st, inner(states, name))
		l.targets(at, m, st)
	}
	if !ends {
		l.problem(where, "no state ends the machine")
	}
	l.reach(where, m)
}

// edges are the states that a state may lead to, by the field that names them.
func (s *state) edges() map[string]string {
	to := map[string]string{}
	if s.Next != "" {
		to["Next"] = s.Next
	}
	if s.Default != "" {
		to["Default"] = s.Default
	}
	for i, r := range s.Choices {
		if r == nil {
			continue
		}
		to[fmt.Sprintf("Choices[%d].Next", i)] = r.next
	}
	for i, c := range s.Catch {
		to[fmt.Sprintf("Catch[%d].Next", i)] = c.Next
	}
	return to
}

func (l *linter) targets(where string, m *machine, st *state) {
	edges := st.edges()
	for _, field := range slices.Sorted(maps.Keys(edges)) {
		if m.States[edges[field]] == nil {
			l.problem(where+"."+field, "there is no state '%s' here", edges[field])
		}
	}
}

// reach finds states that nothing leads to.
func (l *linter) reach(where string, m *machine) {
	reached := map[string]bool{}
	next := []string{m.StartAt}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if st := m.States[name]; st != nil && !reached[name] {
			reached[name] = true
			next = slices.AppendSeq(next, maps.Values(st.edges()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		if !reached[name] {
			l.problem(where+"."+name, "nothing leads to this state")
		}
	}
}

// What each type of state may hold.
const (
	anyState  = "Type Comment QueryLanguage "
	paths2    = "InputPath OutputPath "
	goesOn    = "Next End Assign "
	hasResult = "ResultPath ResultSelector "
	mayFail   = "Retry Catch "
)

var stateFields = map[string]string{
	typeTask: anyState + paths2 + goesOn + hasResult + mayFail +
		"Resource Parameters TimeoutSeconds TimeoutSecondsPath HeartbeatSeconds HeartbeatSecondsPath",
	typeParallel: anyState + paths2 + goesOn + hasResult + mayFail + "Branches Parameters",
	typeMap: anyState + paths2 + goesOn + hasResult + mayFail +
		"ItemProcessor Iterator ItemReader ItemsPath ItemSelector Parameters MaxConcurrency MaxConcurrencyPath Label " +
		"ToleratedFailureCount ToleratedFailureCountPath ToleratedFailurePercentage ToleratedFailurePercentagePath",
	typePass:    anyState + paths2 + goesOn + "ResultPath Result Parameters",
	typeWait:    anyState + paths2 + goesOn + "Seconds SecondsPath Timestamp TimestampPath",
	typeChoice:  anyState + paths2 + "Choices Default Assign",
	typeSucceed: anyState + paths2,
	typeFail:    anyState + "Error Cause ErrorPath CausePath",
}

// state checks what a state holds, apart from where it leads.
func (l *linter) state(where string, st *state, fields map[string]json.RawMessage) {
	known, ok := stateFields[st.Type]
	if !ok {
		l.problem(where, "there is no state type '%s'", st.Type)
		return
	}
	l.fields(where, fields, known)
	if strings.Contains(known, goesOn) && st.End == (st.Next != "") {
		l.problem(where, "it needs either Next or End")
	}
	l.statePaths(where, st)
	l.retriers(where, st, fields)
	l.catchers(where, st, fields)
	switch st.Type {
	case typeTask:
		l.task(where, st)
	case typeChoice:
		l.choice(where, st)
	case typeWait:
		l.wait(where, st, fields)
	case typeFail:
		l.atMostOne(where, fields, "Error", "ErrorPath")
		l.atMostOne(where, fields, "Cause", "CausePath")
	case typeParallel:
		l.branches(where, st, fields)
	case typeMap:
		l.iteration(where, st, fields)
	}
}

// wait checks what a Wait state waits for.
func (l *linter) wait(where string, st *state, fields map[string]json.RawMessage) {
	l.exactlyOne(where, fields, "Seconds", "SecondsPath", "Timestamp", "TimestampPath")
	if st.Seconds != nil && (*st.Seconds < 0 || *st.Seconds > mostSeconds) {
		l.problem(where, "Seconds must be from 0 to %d", mostSeconds)
	}
	if _, ok := asTime(st.Timestamp); st.Timestamp != "" && !ok && !strings.Contains(st.Timestamp, "${") {
		l.problem(where, "Timestamp '%s' is not RFC 3339 with T and Z in upper case", st.Timestamp)
	}
}

func count(fields map[string]json.RawMessage, names []string) int {
	n := 0
	for _, name := range names {
		if _, ok := fields[name]; ok {
			n++
		}
	}
	return n
}

func (l *linter) exactlyOne(where string, fields map[string]json.RawMessage, names ...string) {
	if count(fields, names) != 1 {
		l.problem(where, "it needs exactly one of %s", strings.Join(names, ", "))
	}
}

func (l *linter) atMostOne(where string, fields map[string]json.RawMessage, names ...string) {
	if count(fields, names) > 1 {
		l.problem(where, "it may have only one of %s", strings.Join(names, ", "))
	}
}

func (l *linter) branches(where string, st *state, fields map[string]json.RawMessage) {
	if len(st.Branches) == 0 {
		l.problem(where, "it has no Branches")
	}
	raw := innerList(fields, "Branches", len(st.Branches))
	for i, b := range st.Branches {
		at := fmt.Sprintf("%s.Branches[%d]", where, i)
		l.fields(at, raw[i], "Comment StartAt States QueryLanguage")
		l.machine(at, b, raw[i])
	}
}

func (l *linter) iteration(where string, st *state, fields map[string]json.RawMessage) {
	l.exactlyOne(where, fields, "ItemProcessor", "Iterator")
	l.atMostOne(where, fields, "ItemSelector", "Parameters")
	l.atMostOne(where, fields, "ItemsPath", "ItemReader")
	l.reader(where+".ItemReader", st, fields)
	for _, name := range []string{"MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"} {
		l.atMostOne(where, fields, name, name+"Path")
	}
	if p := st.ToleratedFailurePercentage; p != nil && (*p < 0 || *p > 100) {
		l.problem(where, "ToleratedFailurePercentage must be from 0 to 100")
	}
	if n := st.ToleratedFailureCount; n != nil && *n < 0 || st.MaxConcurrency < 0 {
		l.problem(where, "MaxConcurrency and ToleratedFailureCount must not be negative")
	}
	for _, name := range []string{"ItemProcessor", "Iterator"} {
		if raw := inner(fields, name); raw != nil && st.processor() != nil {
			l.fields(where+"."+name, raw, "Comment StartAt States QueryLanguage ProcessorConfig")
			l.machine(where+"."+name, st.processor(), raw)
			if mode := st.processor().ProcessorConfig.Mode; !slices.Contains([]string{"", "INLINE", "DISTRIBUTED"}, mode) {
				l.problem(where+"."+name, "the Mode must be INLINE or DISTRIBUTED, not '%s'", mode)
			}
		}
	}
}
