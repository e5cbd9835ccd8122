package job

import (
	"encoding/json"
	"time"
)

// Run is one execution of a state machine.
type Run struct {
	Machine   string
	Name      string
	ARN       string
	Status    string // as Step Functions says: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED
	StartedAt time.Time
	EndedAt   time.Time       // zero while it runs
	Input     json.RawMessage // what it was started with
	Output    json.RawMessage // of a run that succeeded
	Error     string          // name of the error of one that failed
	Cause     string          // and its story
}
