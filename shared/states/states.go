// Package states starts and watches Step Functions executions.
package states

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
)

// API is what this package calls of Step Functions.
type API interface {
	StartExecution(ctx context.Context, in *sfn.StartExecutionInput, options ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	DescribeExecution(ctx context.Context, in *sfn.DescribeExecutionInput, options ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
}

// Client runs the machines of Machines, which maps their names ("collect") to their ARNs.
type Client struct {
	API      API
	Machines map[string]string
}

// Step Functions takes 80 characters; of them these are safe in ARNs, logs and paths.
var nameShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// Start begins an execution of the machine under the name and gives its ARN. Started again with the same name and input it
// gives the same ARN, whether the execution still runs or is over. It fails with fault.Conflict when the name was used with
// another input, and with fault.NotFound when there is no such machine.
func (c Client) Start(ctx context.Context, machine, name string, input any) (string, error) {
	arn, err := c.machine(machine)
	if err != nil {
		return "", err
	}
	if !nameShape.MatchString(name) {
		return "", fault.Input("name", name, "may have 1 to 80 letters, digits, hyphens and underscores")
	}
	body, err := json.Marshal(input)
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "The input of the run could not be written.")
	}
	out, err := c.API.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &arn, Name: &name, Input: aws.String(string(body))})
	if err == nil {
		return aws.ToString(out.ExecutionArn), nil
	}
	if _, ok := errors.AsType[*types.ExecutionAlreadyExists](err); !ok {
		return "", translate(err)
	}
	// Closed, or open with another input: only the first may be given again.
	run, describeErr := c.Describe(ctx, machine, name)
	if describeErr != nil {
		return "", describeErr
	}
	if !sameJSON(run.Input, body) {
		return "", fault.Wrap(err, fault.Conflict, "A run with this name was started with another input.")
	}
	return execution(arn, name), nil
}

// Describe says how an execution stands; fault.NotFound when there is none.
func (c Client) Describe(ctx context.Context, machine, name string) (job.Run, error) {
	arn, err := c.machine(machine)
	if err != nil {
		return job.Run{}, err
	}
	if !nameShape.MatchString(name) {
		return job.Run{}, fault.New(fault.NotFound, "There is no run with this id.")
	}
	out, err := c.API.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(execution(arn, name))})
	if err != nil {
		return job.Run{}, translate(err)
	}
	return job.Run{
		Machine: machine, Name: name, ARN: execution(arn, name), Status: string(out.Status),
		StartedAt: aws.ToTime(out.StartDate).UTC(), EndedAt: aws.ToTime(out.StopDate).UTC(),
		Input: raw(out.Input), Output: raw(out.Output), Error: aws.ToString(out.Error), Cause: aws.ToString(out.Cause),
	}, nil
}

func (c Client) machine(name string) (string, error) {
	arn, ok := c.Machines[name]
	if !ok {
		return "", fault.New(fault.NotFound, "There is no workflow %q here.", name)
	}
	return arn, nil
}

// execution derives an execution's ARN from its machine's.
func execution(machine, name string) string {
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
}

func raw(s *string) json.RawMessage {
	if s == nil {
		return nil
	}
	return json.RawMessage(*s)
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// translate gives an error of Step Functions its fault code.
func translate(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fault.Wrap(err, fault.Unavailable, "The workflow service cannot be reached; try again in a moment.")
	}
	switch api.ErrorCode() {
	case "ExecutionDoesNotExist", "InvalidArn":
		return fault.Wrap(err, fault.NotFound, "There is no run with this id.")
	case "ThrottlingException", "ExecutionLimitExceeded":
		return fault.Wrap(err, fault.Throttled, "Too many runs were started at once; try again in a moment.")
	case "ServiceUnavailable", "InternalFailure", "InternalServerError":
		return fault.Wrap(err, fault.Unavailable, "The workflow service is not available; try again in a moment.")
	}
	return fault.Wrap(err, fault.Internal, "The workflow service refused the request.")
}
