package stepfunctions

import (
	"fmt"
	"slices"
)

// The error names that the specification reserves.
const (
	errAll              = "States.ALL"
	errTaskFailed       = "States.TaskFailed"
	errTimeout          = "States.Timeout"
	errHeartbeatTimeout = "States.HeartbeatTimeout"
	errRuntime          = "States.Runtime"
	errDataLimit        = "States.DataLimitExceeded"
	errNoChoice         = "States.NoChoiceMatched"
	errResultPath       = "States.ResultPathMatchFailure"
	errParameterPath    = "States.ParameterPathFailure"
	errIntrinsic        = "States.IntrinsicFailure"
	errTolerance        = "States.ExceedToleratedFailureThreshold"
	errItemReader       = "States.ItemReaderFailed"
	errBranchFailed     = "States.BranchFailed"
)

// dataLimit is the most that a state's input, result or output may hold, bytes of JSON.
const dataLimit = 256 << 10

// failure is how a state, a branch or an execution failed.
type failure struct {
	Name  string `json:"error"`
	Cause string `json:"cause"`
}

func failed(name, format string, args ...any) *failure {
	return &failure{Name: name, Cause: fmt.Sprintf(format, args...)}
}

// output is what a catcher gives to the next state.
func (f *failure) output() map[string]any {
	return map[string]any{"Error": f.Name, "Cause": f.Cause}
}

// terminal failures end the execution: no retrier and no catcher sees them.
func (f *failure) terminal() bool { return f.Name == errRuntime || f.Name == errDataLimit }

// matches tells whether one of the names of an ErrorEquals field means this failure. States.TaskFailed is any failure but a
// timeout. A path that names nothing must be caught by its own name: the wildcards would let a machine pass here that AWS ends,
// because there such a failure mostly comes as States.Runtime.
func (f *failure) matches(names []string) bool {
	if f.terminal() {
		return false
	}
	return slices.ContainsFunc(names, func(name string) bool {
		wide := name == errAll || name == errTaskFailed && f.Name != errTimeout
		return name == f.Name || wide && f.Name != errParameterPath
	})
}

// FunctionError is a failure that the invoked function itself reports: its type is the error name that retriers and
// catchers match.
type FunctionError struct {
	Type    string
	Message string
	Payload []byte // what the function answered, JSON; empty makes {"errorMessage", "errorType"} of the above
}

// Error gives type and message.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }
