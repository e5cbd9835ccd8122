package stepfunctions

import (
	"slices"
	"strings"
	"testing"
)

// good has every kind of state and nothing wrong.
const good = `{"Comment": "good", "StartAt": "T", "TimeoutSeconds": 100, "QueryLanguage": "JSONPath", "States": {
	"T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "${Name}", "Payload.$": "$.a[?(@.b)].c"}, "TimeoutSeconds": 10,
		"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 1, "MaxDelaySeconds": 9, "JitterStrategy": "FULL"}, {"ErrorEquals": ["States.ALL"]}],
		"Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.e", "Next": "F"}, {"ErrorEquals": ["States.ALL"], "Next": "F"}], "Next": "A"},
	"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Comment": "A person answers.", "TimeoutSecondsPath": "$.limit", "HeartbeatSeconds": 5,
		"Parameters": {"FunctionName.$": "$.f", "Payload": {"t.$": "$$.Task.Token"}}, "Next": "N"},
	"N": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Comment": "c", "TimeoutSeconds": 1, "Parameters": {"StateMachineArn": "${M}", "Input.$": "$"}, "Next": "C"},
	"C": {"Type": "Choice", "Choices": [{"And": [{"Variable": "$.n", "IsPresent": true}, {"Not": {"Variable": "$.n", "NumericLessThanPath": "$.m"}}], "Next": "W"},
		{"Variable": "$$.Execution.Name", "StringMatches": "a*", "Next": "P"}], "Default": "M"},
	"W": {"Type": "Wait", "SecondsPath": "$.s", "Next": "P"},
	"P": {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "Result": {"x.$": "not a path"}, "End": true}}}], "Next": "M"},
	"M": {"Type": "Map", "ItemsPath": "$.l", "ItemSelector": {"v.$": "$$.Map.Item.Value"}, "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "I", "States": {"I": {"Type": "Succeed"}}}, "Next": "S"},
	"S": {"Type": "Succeed"}, "F": {"Type": "Fail", "ErrorPath": "$.e.Error", "CausePath": "States.Format('{}', $.e.Cause)"}}}`

func TestAGoodDefinitionHasNoProblems(t *testing.T) {
	t.Parallel()
	for _, p := range Lint([]byte(good)) {
		t.Errorf("%s (advice: %v)", p, p.Advice)
	}
}

func TestLintFinds(t *testing.T) {
	t.Parallel()
	task := func(fields string) string {
		return `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:0:function:f", "TimeoutSeconds": 9, "Comment": "c", "End": true, ` + fields + `}}}`
	}
	pass := func(fields string) string {
		return `{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true, ` + fields + `}}}`
	}
	choice := func(rule string) string {
		return `{"StartAt": "C", "States": {"C": {"Type": "Choice", "Default": "S", "Choices": [` + rule + `]}, "S": {"Type": "Succeed"}}}`
	}
	oneMap := func(fields string) string {
		return `{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, ` + fields + `}}}`
	}
	const invoke = `"Resource": "arn:aws:states:::lambda:invoke", `
	const item = `"ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}`
	for _, c := range []struct{ definition, want string }{
		{`[]`, "not a JSON object"},
		{`{"StartAt": "A", "States": {"A": 1}}`, "not a state machine"},
		{`{"StartAt": "A", "States": {}}`, "there are no states"},
		{`{"StartAt": "A", "States": {"A": null}}`, "it is not a state"},
		{`{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}`, "StartAt names the state 'B'"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}`, "States.A.Next: there is no state 'B'"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}`, "no state ends"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}}`, "States.B: nothing leads to this state"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Pause"}}}`, "no state type 'Pause'"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Pass"}}}`, "either Next or End"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B", "End": true}, "B": {"Type": "Succeed"}}}`, "either Next or End"},
		{`{"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": {"Type": "Succeed"}}}`, "must be JSONPath"},
		{`{"StartAt": "A", "States": {"QueryLanguage": "JSONata", "A": {"Type": "Succeed"}}}`, "not a state machine"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Succeed", "Output": 1}}}`, "'Output' does not belong here"},
		{`{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "Name": "x"}`, "'Name' does not belong here"},
		{`{"StartAt": "` + strings.Repeat("x", 81) + `", "States": {"` + strings.Repeat("x", 81) + `": {"Type": "Succeed"}}}`, "more than 80 characters"},
		{pass(`"InputPath": "a"`), "InputPath: \"a\" is not a path"},
		{pass(`"ResultPath": "$.a[*]"`), "not a reference path"},
		{pass(`"ResultPath": "$$.State"`), "only go into the state's input"},
		{pass(`"Parameters": {"a.$": 1}`), "Parameters.a.$: it must be a path"},
		{pass(`"Parameters": {"a.$": "States.Nope()"}`), "there is no States.Nope"},
		{pass(`"Parameters": {"a": 1, "a.$": "$"}`), "both 'a' and 'a.$'"},
		{pass(`"Parameters": {"l": [{"a.$": "$["}]}`), "Parameters.l[0].a.$"},
		{pass(`"Parameters": 1`), "must be an object"},
		{pass(`"result": 1`), "'result' does not belong here"},
		{task(`"retry": [{"ErrorEquals": ["E"]}]`), "'retry' does not belong here"},
		{task(`"Retry": [{"ErrorEquals": []}]`), "at least one error"},
		{task(`"Retry": [{"ErrorEquals": ["States.ALL", "E"]}]`), "must stand alone"},
		{task(`"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]`), "must come last"},
		{task(`"Retry": [{"ErrorEquals": ["States.Oops"]}]`), "no error 'States.Oops'"},
		{task(`"Retry": [{"ErrorEquals": ["States.Runtime"]}]`), "nothing catches it"},
		{task(`"Retry": [{"ErrorEquals": ["E"], "JitterStrategy": "Full"}]`), "FULL or NONE"},
		{task(`"Retry": [{"ErrorEquals": ["E"], "BackoffRate": 0.5}]`), "at least 1"},
		{task(`"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 0}]`), "must be positive"},
		{task(`"Retry": [{"ErrorEquals": ["E"], "MaxAttempts": -1}]`), "MaxAttempts"},
		{task(`"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 5, "MaxDelaySeconds": 5}]`), "greater than IntervalSeconds"},
		{task(`"Retry": [{"ErrorEquals": ["E"], "Backoff": 5}]`), "'Backoff' does not belong here"},
		{task(`"Catch": [{"ErrorEquals": ["E"], "Next": "X"}]`), "Catch[0].Next: there is no state 'X'"},
		{task(`"Catch": [{"ErrorEquals": ["E"], "Next": "T", "ResultPath": "$.."}]`), "Catch[0].ResultPath"},
		{task(`"Resource": "arn:aws:states:::dynamodb:putItem"`), "not served"},
		{task(invoke + `"Parameters": {}`), "FunctionName is missing"},
		{task(invoke + `"Parameters": {"FunctionName": "f", "InvocationType": "Event"}`), "'InvocationType' is not served"},
		{task(`"Resource": "arn:aws:states:::states:startExecution", "Parameters": {"Name": "n"}`), "StateMachineArn is missing"},
		{task(`"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Parameters": {"FunctionName": "f"}`), "nobody can answer"},
		{task(`"HeartbeatSeconds": 9`), "less than TimeoutSeconds"},
		{task(`"TimeoutSecondsPath": "$.t"`), "exclude each other"},
		{task(`"TimeoutSeconds": 0`), "may never end"},
		{task(`"Comment": ""`), "a task needs Retry, Catch, or a Comment"},
		{choice(``), "it has no Choices"},
		{choice(`null`), "it is not a rule"},
		{choice(`{"Variable": "$.a", "StringEqual": "x", "Next": "S"}`), "no comparison 'StringEqual'"},
		{choice(`{"Variable": "$.a", "StringMatchesPath": "$.x", "Next": "S"}`), "no comparison 'StringMatchesPath'"},
		{choice(`{"Variable": "$.a", "NumericEquals": "1", "Next": "S"}`), "takes a number"},
		{choice(`{"Variable": "$.a", "StringEquals": 1, "Next": "S"}`), "takes a string"},
		{choice(`{"Variable": "$.a", "TimestampEquals": "today", "Next": "S"}`), "takes a timestamp"},
		{choice(`{"Variable": "$.a", "IsPresent": "yes", "Next": "S"}`), "takes true or false"},
		{choice(`{"Variable": "a", "IsPresent": true, "Next": "S"}`), "not a path"},
		{choice(`{"Variable": "$.a", "NumericEqualsPath": "b", "Next": "S"}`), "NumericEqualsPath"},
		{choice(`{"Variable": "$.a", "Next": "S"}`), "exactly one comparison"},
		{choice(`{"Variable": "$.a", "IsNull": true, "IsPresent": true, "Next": "S"}`), "one operator"},
		{choice(`{"And": [{"Variable": "$.a", "IsNull": true, "Next": "S"}], "Next": "S"}`), "only the outermost rule has Next"},
		{choice(`{"Or": [null], "Next": "S"}`), "it is not a rule"},
		{choice(`{"Variable": "$.a", "IsNull": true}`), "there is no state ''"},
		{`{"StartAt": "C", "States": {"C": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "S"}]}, "S": {"Type": "Succeed"}}}`, "without Default"},
		{`{"StartAt": "W", "States": {"W": {"Type": "Wait", "End": true}}}`, "exactly one of Seconds"},
		{`{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": -1, "End": true}}}`, "Seconds must be from 0"},
		{`{"StartAt": "W", "States": {"W": {"Type": "Wait", "Timestamp": "soon", "End": true}}}`, "not RFC 3339"},
		{`{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "e", "ErrorPath": "$.e"}}}`, "only one of Error, ErrorPath"},
		{`{"StartAt": "F", "States": {"F": {"Type": "Fail", "CausePath": "States.Oops()"}}}`, "CausePath"},
		{`{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true}}}`, "it has no Branches"},
		{`{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [null]}}}`, "there are no states"},
		{`{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}]}}}`, "same name"},
		{`{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "P"}}}]}}}`, "there is no state 'P' here"},
		{oneMap(`"ItemsPath": "$.a"`), "exactly one of ItemProcessor, Iterator"},
		{oneMap(item + `, "ItemReader": {}`), "only a Map whose Mode is DISTRIBUTED"},
		{oneMap(item + `, "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2"}`), "nothing else is served"},
		{oneMap(item + `, "ItemReader": {"ReaderConfig": {"InputType": "CSV"}}`), "the InputType must be JSON"},
		{oneMap(item + `, "ItemReader": {"Parameters": {"Bucket": "b"}}`), "Key is missing"},
		{oneMap(item + `, "ItemReader": {"ReaderConfig": {"CSVHeaders": []}}`), "'CSVHeaders' does not belong here"},
		{oneMap(item + `, "ItemsPath": "$.a", "ItemReader": {}`), "only one of ItemsPath, ItemReader"},
		{oneMap(item + `, "ToleratedFailurePercentage": 101`), "from 0 to 100"},
		{oneMap(item + `, "MaxConcurrency": -1`), "must not be negative"},
		{oneMap(item + `, "MaxConcurrency": 1, "MaxConcurrencyPath": "$.c"`), "only one of MaxConcurrency"},
		{oneMap(item + `, "ItemsPath": "$.a[*]"`), "ItemsPath: \"$.a[*]\" is not a reference path"},
		{oneMap(`"ItemProcessor": {"ProcessorConfig": {"Mode": "FAST"}, "StartAt": "I", "States": {"I": {"Type": "Succeed"}}}`), "INLINE or DISTRIBUTED"},
	} {
		problems := Lint([]byte(c.definition))
		if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.String(), c.want) }) {
			t.Errorf("%s\n has %v\n want %s", c.definition, problems, c.want)
		}
	}
}

func TestDefineTakesAdviceLightly(t *testing.T) {
	t.Parallel()
	e := newEngine(t, Options{})
	definition := `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:0:function:${F}", "End": true}}}`
	if err := e.Define("m", []byte(definition), map[string]string{"F": "f"}); err != nil {
		t.Fatal(err)
	}
	arn, err := e.Start(t.Context(), "m", "", []byte(`1`))
	if err != nil {
		t.Fatal(err)
	}
	if x := finish(t, e, arn); string(x.Output) != "1" {
		t.Errorf("%s %s %s", x.Status, x.Error, x.Cause)
	}
}

func FuzzLint(f *testing.F) {
	f.Add(good)
	f.Add(journey)
	f.Add(`{"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [null]}}}`)
	f.Fuzz(func(_ *testing.T, definition string) { Lint([]byte(definition)) })
}
