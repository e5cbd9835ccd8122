package states_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/states"
)

const (
	machineARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:collect"
	runARN     = "arn:aws:states:eu-west-1:123456789012:execution:collect:run-1"
)

// service plays Step Functions: closed executions under their ARN, with the input they had.
type service struct {
	closed map[string]string
	fail   error
}

func (s *service) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	arn := "arn:aws:states:eu-west-1:123456789012:execution:collect:" + *in.Name
	if _, ok := s.closed[arn]; ok {
		return nil, &types.ExecutionAlreadyExists{}
	}
	s.closed[arn] = *in.Input
	return &sfn.StartExecutionOutput{ExecutionArn: &arn}, nil
}

func (s *service) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	input, ok := s.closed[*in.ExecutionArn]
	if !ok {
		return nil, &types.ExecutionDoesNotExist{}
	}
	at := time.Date(2026, 9, 1, 12, 0, 0, 0, time.FixedZone("x", 3600))
	return &sfn.DescribeExecutionOutput{Status: types.ExecutionStatusSucceeded, Input: &input, Output: aws.String(`{"ok":true}`), StartDate: &at, StopDate: &at}, nil
}

func client(fail error) states.Client {
	return states.Client{API: &service{closed: map[string]string{}, fail: fail}, Machines: map[string]string{"collect": machineARN}}
}

func TestStartedAgainWithTheSameInputGivesTheSameRun(t *testing.T) {
	t.Parallel()
	c := client(nil)
	type input struct {
		Tenant string `json:"tenant"`
		N      int    `json:"n"`
	}
	for range 2 {
		if arn, err := c.Start(t.Context(), "collect", "run-1", input{"t", 1}); err != nil || arn != runARN {
			t.Fatalf("got %q, %v", arn, err)
		}
	}
	if _, err := c.Start(t.Context(), "collect", "run-1", input{"t", 2}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("other input: got %v, want Conflict", err)
	}
	if arn, err := c.Start(t.Context(), "collect", "run-1", map[string]any{"n": 1, "tenant": "t"}); err != nil || arn != runARN {
		t.Errorf("same JSON in another order: got %q, %v", arn, err)
	}
}

func TestDescribeTellsHowARunStands(t *testing.T) {
	t.Parallel()
	c := client(nil)
	if _, err := c.Start(t.Context(), "collect", "run-1", map[string]int{"n": 1}); err != nil {
		t.Fatal(err)
	}
	run, err := c.Describe(t.Context(), "collect", "run-1")
	if err != nil {
		t.Fatal(err)
	}
	if run.Status != "SUCCEEDED" || string(run.Input) != `{"n":1}` || string(run.Output) != `{"ok":true}` || run.StartedAt.Location() != time.UTC {
		t.Errorf("got %+v", run)
	}
	for machine, name := range map[string]string{"collect": "run-2", "nothing": "run-1"} {
		if _, err := c.Describe(t.Context(), machine, name); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s/%s: got %v, want NotFound", machine, name, err)
		}
	}
	if _, err := c.Describe(t.Context(), "collect", "a:b"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a name that would change the ARN: got %v, want NotFound", err)
	}
}

func TestFailuresHaveCodes(t *testing.T) {
	t.Parallel()
	for want, fail := range map[fault.Code]error{
		fault.Throttled:   &types.ExecutionLimitExceeded{},
		fault.Internal:    &types.InvalidExecutionInput{},
		fault.Unavailable: errors.New("dial tcp: refused"),
	} {
		if _, err := client(fail).Start(t.Context(), "collect", "r", 1); fault.CodeOf(err) != want {
			t.Errorf("%v: got %v, want %s", fail, err, want)
		}
	}
	if _, err := client(nil).Start(t.Context(), "collect", "bad name", 1); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("bad name: got %v, want Invalid", err)
	}
	if _, err := client(nil).Start(t.Context(), "collect", "r", func() {}); fault.CodeOf(err) != fault.Internal {
		t.Errorf("input that is no JSON: got %v, want Internal", err)
	}
}
