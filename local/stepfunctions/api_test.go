package stepfunctions

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// approval waits for an answer by token and then passes it on.
const approval = `{"StartAt": "Ask", "States": {
	"Ask": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "HeartbeatSeconds": 3600,
		"Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}}, "End": true}}}`

// client is the ordinary SDK client against the engine's handler.
func client(t *testing.T, e *Engine) *sfn.Client {
	t.Helper()
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	return sfn.New(sfn.Options{
		BaseEndpoint: &server.URL, Region: "eu-west-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
}

// tokens is a function that hands over the tokens it gets.
func tokens() (Function, <-chan string) {
	got := make(chan string, 100)
	return func(_ context.Context, _ string, payload []byte) ([]byte, error) {
		v, err := decode(payload)
		if err != nil {
			return nil, err
		}
		if m, ok := v.(map[string]any); ok {
			if token, ok := m["token"].(string); ok {
				got <- token
			}
		}
		return []byte(`{}`), nil
	}, got
}

func define(t *testing.T, e *Engine, name, definition string) {
	t.Helper()
	if err := e.Define(name, []byte(definition), nil); err != nil {
		t.Fatal(err)
	}
}

func TestSDKRunsAnExecutionFromStartToHistory(t *testing.T) {
	t.Parallel()
	ask, got := tokens()
	e := newEngine(t, Options{Invoke: ask})
	define(t, e, "approval", approval)
	c, ctx := client(t, e), t.Context()
	machine := aws.String("arn:aws:states:eu-west-1:123456789012:stateMachine:approval")

	started, err := c.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: machine, Name: aws.String("one"), Input: aws.String(`{"a": 1}`)})
	if err != nil {
		t.Fatal(err)
	}
	token := <-got
	if _, err := c.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: &token}); err != nil {
		t.Error(err)
	}
	if _, err := c.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String(`{"yes": true}`)}); err != nil {
		t.Fatal(err)
	}
	finish(t, e, *started.ExecutionArn)

	d, err := c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != types.ExecutionStatusSucceeded || *d.Output != `{"yes":true}` || *d.Input != `{"a":1}` || !d.StartDate.Equal(began) {
		t.Errorf("described as %s, output %s, input %s, started %s", d.Status, *d.Output, *d.Input, d.StartDate)
	}
	var kinds []string
	for pages := sfn.NewGetExecutionHistoryPaginator(c, &sfn.GetExecutionHistoryInput{ExecutionArn: started.ExecutionArn, MaxResults: 3}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range page.Events {
			kinds = append(kinds, string(ev.Type))
			if ev.Type == types.HistoryEventTypeTaskStateEntered && *ev.StateEnteredEventDetails.Name != "Ask" {
				t.Errorf("entered %s", *ev.StateEnteredEventDetails.Name)
			}
		}
	}
	want := []string{
		"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded",
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("history is %v, want %v", kinds, want)
	}
	back, err := c.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: started.ExecutionArn, ReverseOrder: true, MaxResults: 1})
	if err != nil || back.Events[0].Type != types.HistoryEventTypeExecutionSucceeded || back.NextToken == nil {
		t.Errorf("the last event comes first in reverse order: %v %v", back, err)
	}
	m, err := c.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: machine})
	if err != nil || *m.Name != "approval" || m.Status != types.StateMachineStatusActive {
		t.Errorf("machine: %v %v", m, err)
	}
}

func TestStartingAgainFollowsTheNamingRules(t *testing.T) {
	t.Parallel()
	ask, got := tokens()
	e := newEngine(t, Options{Invoke: ask})
	define(t, e, "approval", approval)
	c, ctx := client(t, e), t.Context()
	start := func(input string) (string, error) {
		out, err := c.StartExecution(ctx, &sfn.StartExecutionInput{
			StateMachineArn: aws.String(machineARN("approval")), Name: aws.String("one"), Input: &input,
		})
		if err != nil {
			return "", err
		}
		return *out.ExecutionArn, nil
	}
	first, err := start(`{"a": 1, "b": 2}`)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := start(`{"b":2,"a":1}`); err != nil || again != first {
		t.Errorf("same name and input while open: %s %v", again, err)
	}
	var exists *types.ExecutionAlreadyExists
	if _, err := start(`{"a": 2}`); !errors.As(err, &exists) {
		t.Errorf("other input: %v", err)
	}
	if err := e.SendTaskSuccess(ctx, <-got, []byte(`1`)); err != nil {
		t.Fatal(err)
	}
	finish(t, e, first)
	if _, err := start(`{"a": 1, "b": 2}`); !errors.As(err, &exists) {
		t.Errorf("closed: %v", err)
	}
}

func TestRefusalsAreTheExceptionsOfTheAPI(t *testing.T) {
	t.Parallel()
	e := newEngine(t, Options{})
	define(t, e, "m", `{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}`)
	c, ctx := client(t, e), t.Context()
	start := func(machine, name, input string) error {
		_, err := c.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: &input})
		return err
	}
	_, describe := c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(executionARN("m", "none"))})
	_, stop := c.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: aws.String(executionARN("m", "none"))})
	_, history := c.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(executionARN("m", "none"))})
	_, token := c.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: aws.String("?"), Output: aws.String("1")})
	_, output := c.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: aws.String("?"), Output: aws.String("{")})
	_, unserved := c.ListActivities(ctx, &sfn.ListActivitiesInput{})
	for name, got := range map[string]error{
		"StateMachineDoesNotExist":  start("none", "n", "{}"),
		"InvalidName":               start("m", "a b", "{}"),
		"InvalidExecutionInput":     start("m", "n", "{"),
		"ExecutionDoesNotExist":     describe,
		"InvalidToken":              token,
		"InvalidOutput":             output,
		"UnknownOperationException": unserved,
	} {
		var coded interface{ ErrorCode() string }
		if !errors.As(got, &coded) || coded.ErrorCode() != name {
			t.Errorf("%s: %v", name, got)
		}
	}
	var missing *types.ExecutionDoesNotExist
	if !errors.As(stop, &missing) || !errors.As(history, &missing) {
		t.Errorf("stop %v, history %v", stop, history)
	}
	if err := e.Define("bad", []byte(`{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}`), nil); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a bad definition: %v", err)
	}
	if err := e.Define("bad", []byte(`{"StartAt": "${S}", "States": {"A": {"Type": "Succeed"}}}`), nil); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a missing substitution: %v", err)
	}
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	clock := newLeaping()
	ask, got := tokens()
	e := newEngine(t, Options{Invoke: ask, Clock: clock})
	define(t, e, "approval", approval)
	define(t, e, "other", `{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}`)
	c, ctx := client(t, e), t.Context()
	for _, name := range []string{"a", "b", "c"} {
		if _, err := e.Start(ctx, "approval", name, nil); err != nil {
			t.Fatal(err)
		}
		if err := clock.Sleep(ctx, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		<-got
	}
	if _, err := c.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: aws.String(executionARN("approval", "b")), Error: aws.String("E"), Cause: aws.String("because")}); err != nil {
		t.Fatal(err)
	}
	names := func(status types.ExecutionStatus) (all []string) {
		in := &sfn.ListExecutionsInput{StateMachineArn: aws.String(machineARN("approval")), StatusFilter: status, MaxResults: 2}
		for pages := sfn.NewListExecutionsPaginator(c, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range page.Executions {
				all = append(all, *x.Name)
			}
		}
		return all
	}
	if got := names(""); !slices.Equal(got, []string{"c", "b", "a"}) {
		t.Errorf("all: %v", got)
	}
	if got := names(types.ExecutionStatusRunning); !slices.Equal(got, []string{"c", "a"}) {
		t.Errorf("running: %v", got)
	}
	x, err := e.Describe(ctx, executionARN("approval", "b"))
	if err != nil || x.Status != Aborted || x.Error != "E" || x.Cause != "because" {
		t.Errorf("stopped: %+v %v", x, err)
	}
}
