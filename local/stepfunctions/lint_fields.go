package stepfunctions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// statePaths checks every path and payload template of a state.
func (l *linter) statePaths(where string, st *state) {
	for field, p := range map[string]optionalPath{"InputPath": st.InputPath, "OutputPath": st.OutputPath} {
		if p.text != "" {
			l.path(where+"."+field, p.text)
		}
	}
	l.resultPath(where+".ResultPath", st.ResultPath)
	references := map[string]string{
		"ItemsPath": st.ItemsPath, "SecondsPath": st.SecondsPath, "TimestampPath": st.TimestampPath,
		"TimeoutSecondsPath": st.TimeoutSecondsPath, "HeartbeatSecondsPath": st.HeartbeatSecondsPath,
		"MaxConcurrencyPath": st.MaxConcurrencyPath, "ToleratedFailureCountPath": st.ToleratedFailureCountPath,
		"ToleratedFailurePercentagePath": st.ToleratedFailurePercentagePath,
	}
	for _, field := range slices.Sorted(maps.Keys(references)) {
		if text := references[field]; text != "" {
			if _, err := compileReference(text); err != nil {
				l.problem(where+"."+field, "%s", err)
			}
		}
	}
	for field, text := range map[string]string{"ErrorPath": st.ErrorPath, "CausePath": st.CausePath} {
		if text != "" {
			l.value(where+"."+field, text)
		}
	}
	templates := map[string]dynamic{
		"Parameters": st.Parameters, "ResultSelector": st.ResultSelector, "ItemSelector": st.ItemSelector, "Assign": st.Assign,
	}
	for _, field := range slices.Sorted(maps.Keys(templates)) {
		l.template(where+"."+field, templates[field])
	}
}

func (l *linter) path(where, text string) {
	if _, err := compile(text); err != nil {
		l.problem(where, "%s", err)
	}
}

// resultPath says where a result goes: a reference path into the input, not into the context object or a variable.
func (l *linter) resultPath(where string, p optionalPath) {
	if p.text == "" {
		return
	}
	compiled, err := compileReference(p.text)
	switch {
	case err != nil:
		l.problem(where, "%s", err)
	case compiled.context || compiled.variable != "":
		l.problem(where, "a result can only go into the state's input, at $")
	}
}

// value checks a path or an intrinsic function.
func (l *linter) value(where, text string) {
	if strings.HasPrefix(text, "$") {
		l.path(where, text)
	} else if _, err := parseCall(text); err != nil {
		l.problem(where, "%s", err)
	}
}

// template checks a payload template.
func (l *linter) template(where string, d dynamic) {
	if !d.set {
		return
	}
	if _, ok := d.value.(map[string]any); !ok {
		l.problem(where, "it must be an object")
	}
	l.payload(where, d.value)
}

func (l *linter) payload(where string, v any) {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			l.payload(fmt.Sprintf("%s[%d]", where, i), item)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			plain, dynamic := strings.CutSuffix(name, ".$")
			text, isText := v[name].(string)
			_, twice := v[plain]
			switch {
			case !dynamic:
				l.payload(where+"."+name, v[name])
			case twice:
				l.problem(where, "it has both '%s' and '%s'", plain, name)
			case !isText:
				l.problem(where+"."+name, "it must be a path or an intrinsic function, not %s", encode(v[name]))
			default:
				l.value(where+"."+name, text)
			}
		}
	}
}

// reserved are the error names that begin with "States.".
var reserved = []string{
	errAll, errTaskFailed, errTimeout, errHeartbeatTimeout, errRuntime, errDataLimit, errNoChoice, errResultPath,
	errParameterPath, errIntrinsic, errTolerance, errBranchFailed, errItemReader, "States.Permissions",
	"States.ResultWriterFailed", "States.QueryEvaluationError",
}

// errorEquals checks the names that the last-th of n retriers or catchers matches.
func (l *linter) errorEquals(where string, names []string, last bool) {
	if len(names) == 0 {
		l.problem(where, "ErrorEquals must name at least one error")
	}
	for _, name := range names {
		switch {
		case name == errAll && len(names) > 1:
			l.problem(where, "States.ALL must stand alone")
		case name == errAll && !last:
			l.problem(where, "States.ALL must come last")
		case name == errRuntime || name == errDataLimit:
			l.advice(where, "%s ends the execution; nothing catches it", name)
		case strings.HasPrefix(name, "States.") && !slices.Contains(reserved, name):
			l.problem(where, "there is no error '%s'", name)
		}
	}
}

func (l *linter) retriers(where string, st *state, fields map[string]json.RawMessage) {
	raw := innerList(fields, "Retry", len(st.Retry))
	for i, r := range st.Retry {
		at := fmt.Sprintf("%s.Retry[%d]", where, i)
		l.fields(at, raw[i], "ErrorEquals IntervalSeconds MaxAttempts BackoffRate MaxDelaySeconds JitterStrategy Comment")
		l.errorEquals(at, r.ErrorEquals, i == len(st.Retry)-1)
		if r.IntervalSeconds != nil && *r.IntervalSeconds < 1 {
			l.problem(at, "IntervalSeconds must be positive")
		}
		if r.MaxAttempts != nil && (*r.MaxAttempts < 0 || *r.MaxAttempts > mostSeconds) {
			l.problem(at, "MaxAttempts must be from 0 to %d", mostSeconds)
		}
		if r.BackoffRate != nil && *r.BackoffRate < 1 {
			l.problem(at, "BackoffRate must be at least 1")
		}
		if _, ok := raw[i]["MaxDelaySeconds"]; ok && r.MaxDelaySeconds <= r.first() {
			l.problem(at, "MaxDelaySeconds must be greater than IntervalSeconds")
		}
		if !slices.Contains([]string{"", "FULL", "NONE"}, r.JitterStrategy) {
			l.problem(at, "JitterStrategy must be FULL or NONE, not '%s'", r.JitterStrategy)
		}
	}
}

func (l *linter) catchers(where string, st *state, fields map[string]json.RawMessage) {
	raw := innerList(fields, "Catch", len(st.Catch))
	for i, c := range st.Catch {
		at := fmt.Sprintf("%s.Catch[%d]", where, i)
		l.fields(at, raw[i], "ErrorEquals Next ResultPath Assign Comment")
		l.errorEquals(at, c.ErrorEquals, i == len(st.Catch)-1)
		l.resultPath(at+".ResultPath", c.ResultPath)
		l.template(at+".Assign", c.Assign)
	}
}

// task checks what a Task calls, and that somebody thought of its failing and of its never ending.
func (l *linter) task(where string, st *state) {
	target, ok := parseResource(st.Resource)
	if !ok && !strings.Contains(st.Resource, "${") {
		l.problem(where+".Resource", "'%s' is not served: it may be a Lambda ARN, lambda:invoke or states:startExecution", st.Resource)
	}
	parameters, _ := st.Parameters.value.(map[string]any)
	has := func(name string) bool { return parameters[name] != nil || parameters[name+".$"] != nil }
	switch {
	case target.service == "lambda" && !has("FunctionName"):
		l.problem(where+".Parameters", "FunctionName is missing")
	case target.service == "states" && !has("StateMachineArn"):
		l.problem(where+".Parameters", "StateMachineArn is missing")
	case target.service != "":
		l.parameters(where+".Parameters", target, parameters)
	}
	if target.callback && !strings.Contains(string(encode(st.Parameters.value)), "$$.Task") {
		l.problem(where+".Parameters", "nobody gets $$.Task.Token, so nobody can answer")
	}
	l.times(where, st)
	if len(st.Retry) == 0 && len(st.Catch) == 0 && st.Comment == "" {
		l.advice(where, "a task needs Retry, Catch, or a Comment that says why not")
	}
}

// times checks how long a Task may take.
func (l *linter) times(where string, st *state) {
	if st.TimeoutSeconds < 0 || st.HeartbeatSeconds < 0 {
		l.problem(where, "TimeoutSeconds and HeartbeatSeconds must be positive")
	}
	if st.TimeoutSeconds > 0 && st.HeartbeatSeconds >= st.TimeoutSeconds {
		l.problem(where, "HeartbeatSeconds must be less than TimeoutSeconds")
	}
	if st.TimeoutSeconds > 0 && st.TimeoutSecondsPath != "" || st.HeartbeatSeconds > 0 && st.HeartbeatSecondsPath != "" {
		l.problem(where, "a time and its path exclude each other")
	}
	if st.TimeoutSeconds == 0 && st.TimeoutSecondsPath == "" {
		l.advice(where, "a task needs TimeoutSeconds, else it may never end")
	}
}

// parameters refuses what the call would ignore.
func (l *linter) parameters(where string, target integration, parameters map[string]any) {
	known := []string{"FunctionName", "Payload", "Qualifier"}
	if target.service == "states" {
		known = []string{"StateMachineArn", "Input", "Name"}
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if plain, _ := strings.CutSuffix(name, ".$"); !slices.Contains(known, plain) {
			l.problem(where, "'%s' is not served", plain)
		}
	}
}

func (l *linter) choice(where string, st *state) {
	if len(st.Choices) == 0 {
		l.problem(where, "it has no Choices")
	}
	for i, r := range st.Choices {
		at := fmt.Sprintf("%s.Choices[%d]", where, i)
		if r == nil {
			l.problem(at, "it is not a rule")
			continue
		}
		l.template(at+".Assign", r.assign)
		l.rule(at, r)
	}
	if st.Default == "" {
		l.advice(where, "without Default the execution fails when no rule holds")
	}
}

// rule checks a choice rule and those inside it.
func (l *linter) rule(where string, r *rule) {
	kinds := 0
	for name, rules := range map[string][]*rule{"And": r.and, "Or": r.or, "Not": {r.not}} {
		if len(rules) == 0 || rules[0] == nil && name == "Not" {
			continue
		}
		kinds++
		for i, inner := range rules {
			at := fmt.Sprintf("%s.%s[%d]", where, name, i)
			switch {
			case inner == nil:
				l.problem(at, "it is not a rule")
				continue
			case inner.next != "":
				l.problem(at, "only the outermost rule has Next")
			}
			l.rule(at, inner)
		}
	}
	if r.operator != "" {
		kinds++
		l.comparison(where, r)
	}
	if kinds != 1 {
		l.problem(where, "it needs exactly one comparison, And, Or or Not")
	}
	for _, text := range r.problems {
		l.problem(where, "%s", text)
	}
}

func (l *linter) comparison(where string, r *rule) {
	l.path(where+".Variable", r.variable)
	_, isTest := typeTests[r.operator]
	if isTest || r.operator == "IsPresent" || r.operator == "BooleanEquals" {
		if _, ok := r.operand.(bool); !ok {
			l.problem(where, "%s takes true or false", r.operator)
		}
		return
	}
	plain, isPath := strings.CutSuffix(r.operator, "Path")
	if comparisons[plain] == nil || r.operator == "StringMatchesPath" {
		l.problem(where, "there is no comparison '%s'", r.operator)
		return
	}
	text, isText := r.operand.(string)
	_, isNumber := asFloat(r.operand)
	_, isTime := asTime(r.operand)
	switch {
	case isPath:
		l.path(where+"."+r.operator, text)
	case strings.HasPrefix(plain, "Numeric") && !isNumber:
		l.problem(where, "%s takes a number", r.operator)
	case strings.HasPrefix(plain, "String") && !isText:
		l.problem(where, "%s takes a string", r.operator)
	case strings.HasPrefix(plain, "Timestamp") && !isTime:
		l.problem(where, "%s takes a timestamp: RFC 3339 with T and Z in upper case", r.operator)
	}
}
