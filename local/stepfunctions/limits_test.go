package stepfunctions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
)

const catchAll = `{"StartAt": "T", "States": {
	"T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f", "Payload.$": "$"},
		"ResultSelector": {"r.$": "$.Payload"}, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}], "End": true},
	"C": {"Type": "Pass", "Parameters": {"caught.$": "$.Error", "cause.$": "$.Cause"}, "End": true}}}`

func runOnce(t *testing.T, definition string, input []byte, invoke Function) Execution {
	t.Helper()
	e := newEngine(t, Options{Invoke: invoke})
	define(t, e, "m", definition)
	arn, err := e.Start(t.Context(), "m", "", input)
	if err != nil {
		t.Fatal(err)
	}
	return finish(t, e, arn)
}

func TestATooLargeResultEndsTheExecution(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]Status{dataLimit - 200: Succeeded, dataLimit: Failed} {
		x := runOnce(t, catchAll, []byte(`{}`), func(context.Context, string, []byte) ([]byte, error) {
			return encode(strings.Repeat("x", size)), nil
		})
		if x.Status != want || want == Failed && x.Error != errDataLimit {
			t.Errorf("a result of %d bytes: %s %s", size, x.Status, x.Error)
		}
	}
}

func TestDataThatGrowsTooLargeEndsTheExecution(t *testing.T) {
	t.Parallel()
	input := encode(map[string]any{"a": strings.Repeat("x", dataLimit/2)})
	for name, definition := range map[string]string{
		"in Parameters": `{"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"a.$": "$.a", "b.$": "$.a"}, "End": true}}}`,
		"in the output": `{"StartAt": "P", "States": {"P": {"Type": "Pass", "ResultPath": "$.again", "End": true}}}`,
		"for an item":   `{"StartAt": "M", "States": {"M": {"Type": "Map", "ItemsPath": "$.l", "ItemSelector": {"a.$": "$.a", "b.$": "$.a"}, "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}, "End": true}}}`,
	} {
		if name == "for an item" {
			input = append(bytes.TrimSuffix(input, []byte("}")), `,"l":[1]}`...)
		}
		if x := runOnce(t, definition, input, nil); x.Status != Failed || x.Error != errDataLimit {
			t.Errorf("%s: %s %s %s", name, x.Status, x.Error, x.Cause)
		}
	}
}

func TestWhatWentWrongWithAFunctionHasItsName(t *testing.T) {
	t.Parallel()
	secret := errors.New("password=hunter2")
	for name, c := range map[string]struct {
		err    error
		answer string
		want   string
	}{
		"its own":         {&FunctionError{Type: "Drifted", Message: "m"}, "", `{"caught":"Drifted","cause":"{\"errorMessage\":\"m\",\"errorType\":\"Drifted\"}"}`},
		"as it says it":   {&FunctionError{Type: "E", Payload: []byte(`{"errorMessage":"m","errorType":"E","requestId":"1"}`)}, "", `{"caught":"E","cause":"{\"errorMessage\":\"m\",\"errorType\":\"E\",\"requestId\":\"1\"}"}`},
		"wrapped":         {fmt.Errorf("while invoking: %w", &FunctionError{Type: "E", Payload: []byte(`{}`)}), "", `{"caught":"E","cause":"{}"}`},
		"unknown":         {fault.Wrap(secret, fault.NotFound, "There is no function f."), "", `{"caught":"Lambda.ResourceNotFoundException","cause":"There is no function f."}`},
		"too many":        {fault.New(fault.Throttled, "Too many."), "", `{"caught":"Lambda.TooManyRequestsException","cause":"Too many."}`},
		"not reached":     {secret, "", `{"caught":"Lambda.ServiceException","cause":"Something went wrong on our side. It has been logged; please try again."}`},
		"not JSON at all": {nil, "oops", `{"caught":"Lambda.Unknown","cause":"The function f answered with something that is not JSON."}`},
	} {
		x := runOnce(t, catchAll, []byte(`{}`), func(context.Context, string, []byte) ([]byte, error) { return []byte(c.answer), c.err })
		got, want := stored(x.Output), stored([]byte(c.want))
		if x.Status != Succeeded || !equal(got, want) {
			t.Errorf("%s: %s %s, want %s", name, x.Status, x.Output, c.want)
		}
	}
}

func TestAnEndlessLoopEndsWithItsHistory(t *testing.T) {
	t.Parallel()
	x := runOnce(t, `{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "C"},
		"C": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "S"}], "Default": "A"}, "S": {"Type": "Succeed"}}}`, []byte(`{}`), nil)
	if x.Status != Failed || x.Error != errRuntime || !strings.Contains(x.Cause, "25000") {
		t.Errorf("%s %s %s", x.Status, x.Error, x.Cause)
	}
}

func TestTheFunctionGetsWhatTheStateSays(t *testing.T) {
	t.Parallel()
	for parameters, want := range map[string]string{
		`{"FunctionName": "f"}`:                                                                "f {}",
		`{"FunctionName": "f:live", "Payload": {"<": "&"}}`:                                    `f {"<":"&"}`,
		`{"FunctionName.$": "$.fn", "Payload.$": "$.n"}`:                                       "g 1.5",
		`{"FunctionName": "000000000000:function:f", "Qualifier": "2", "Payload": [null, ""]}`: `f [null,""]`,
	} {
		var got string
		x := runOnce(t, `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true, "Parameters": `+parameters+`}}}`,
			[]byte(`{"fn": "arn:aws:lambda:eu-west-1:1:function:g:3", "n": 1.5}`), func(_ context.Context, name string, payload []byte) ([]byte, error) {
				got = name + " " + string(payload)
				return []byte(`null`), nil
			})
		if x.Status != Succeeded || got != want {
			t.Errorf("%s calls %q (%s %s), want %q", parameters, got, x.Error, x.Cause, want)
		}
	}
}
