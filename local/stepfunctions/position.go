package stepfunctions

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Status is how far an execution has come.
type Status string

// The statuses of an execution.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Execution is one run of a state machine.
type Execution struct {
	ARN        string          `json:"arn"`
	Machine    string          `json:"machine"`
	Name       string          `json:"name"`
	Status     Status          `json:"status"`
	Input      json.RawMessage `json:"input"`
	Output     json.RawMessage `json:"output,omitempty"`
	Error      string          `json:"error,omitempty"`
	Cause      string          `json:"cause,omitempty"`
	Started    time.Time       `json:"started"`
	Stopped    time.Time       `json:"stopped,omitzero"`
	TimeoutAt  time.Time       `json:"timeout_at,omitzero"` // on the watch clock
	Definition json.RawMessage `json:"definition"`          // as it was at the start, substitutions filled
	Origin     string          `json:"origin,omitempty"`    // the task token of the state that started it
}

// phase is what a frame does next.
type phase string

const (
	entering phase = "entering" // the state has not begun
	delayed  phase = "delayed"  // a retrier's interval is running
	active   phase = "active"   // the state's task, wait, branches or iterations are under way
	done     phase = "done"     // the last state ended; Result holds its output
	broken   phase = "broken"   // a failure that nothing caught
)

// Frame is the position in one sequence of states: the execution's own, that of a Parallel's branch or of a Map's
// iteration. The frames of an execution make a tree, which says all that is needed to go on.
type Frame struct {
	Path      string          `json:"path"` // "0" is the root, "0/3" its fourth branch or iteration
	State     string          `json:"state"`
	Phase     phase           `json:"phase"`
	Input     json.RawMessage `json:"input"`               // the state's raw input
	Variables json.RawMessage `json:"variables,omitempty"` // what Assign set, here or further out
	Entered   time.Time       `json:"entered,omitzero"`
	Retries   []int64         `json:"retries,omitempty"` // attempts that each retrier of the state has used
	WakeAt    time.Time       `json:"wake_at,omitzero"`  // end of a wait or a retrier's interval
	LastEvent int64           `json:"last_event,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Failure   *failure        `json:"failure,omitempty"`
	Task      *attempt        `json:"task,omitempty"`
	Fan       *fan            `json:"fan,omitempty"`
	Source    *source         `json:"source,omitempty"` // of a Map whose items are still to be read
}

// attempt is one try of a Task.
type attempt struct {
	Token       string          `json:"token"`
	Payload     json.RawMessage `json:"payload"` // the evaluated Parameters, so that every delivery is alike
	Timeout     time.Duration   `json:"timeout,omitempty"`
	TimeoutAt   time.Time       `json:"timeout_at,omitzero"` // on the watch clock, as HeartbeatAt
	Heartbeat   time.Duration   `json:"heartbeat,omitempty"`
	HeartbeatAt time.Time       `json:"heartbeat_at,omitzero"`
	Delivered   bool            `json:"delivered,omitempty"` // the task has it; now its answer is awaited
	Child       string          `json:"child,omitempty"`     // the nested execution
	Answer      *answer         `json:"answer,omitempty"`    // came by the task token
}

// begin starts the attempt's times.
func (a *attempt) begin(now time.Time) {
	if a.Timeout > 0 {
		a.TimeoutAt = now.Add(a.Timeout)
	}
	if a.Heartbeat > 0 {
		a.HeartbeatAt = now.Add(a.Heartbeat)
	}
}

// answer is what SendTaskSuccess or SendTaskFailure brought.
type answer struct {
	Output  json.RawMessage `json:"output,omitempty"`
	Failure *failure        `json:"failure,omitempty"`
}

// fan is what a Parallel or Map state runs.
type fan struct {
	Items               json.RawMessage `json:"items,omitempty"` // of a Map
	Count               int             `json:"count"`
	Concurrency         int             `json:"concurrency"` // 0 is unlimited
	ToleratedCount      *int64          `json:"tolerated_count,omitempty"`
	ToleratedPercentage *float64        `json:"tolerated_percentage,omitempty"`
}

func (f *Frame) ended() bool { return f.Phase == done || f.Phase == broken }

func (f *Frame) child(i int) string { return f.Path + "/" + strconv.Itoa(i) }

// parent is the path of the frame around this one; the root has none.
func (f *Frame) parent() (path string, index int, ok bool) {
	at := strings.LastIndexByte(f.Path, '/')
	if at < 0 {
		return "", 0, false
	}
	index, err := strconv.Atoi(f.Path[at+1:])
	return f.Path[:at], index, err == nil
}

// Event is a line of an execution's history, shaped as GetExecutionHistory gives it.
type Event struct {
	ID       int64           `json:"id"`
	Previous int64           `json:"previousEventId"`
	Time     time.Time       `json:"timestamp"`
	Type     string          `json:"type"`
	Field    string          `json:"field,omitempty"` // name of the member that holds the details
	Details  json.RawMessage `json:"details,omitempty"`
}

// StateName is the state that an entered or exited event is about, else empty.
func (e Event) StateName() string {
	if !strings.HasSuffix(e.Field, "EnteredEventDetails") && !strings.HasSuffix(e.Field, "ExitedEventDetails") {
		return ""
	}
	var d struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(e.Details, &d) // the engine wrote it
	return d.Name
}
