package stepfunctions

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Handler serves the Step Functions API in the AWS JSON 1.0 protocol, so that an ordinary client works against it. Signatures
// are not checked: bind it to the loopback interface only.
func (e *Engine) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 4*dataLimit))
		if err != nil {
			e.refuse(w, apiErrorf(validation, "The request is too large."))
			return
		}
		_, action, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
		serve, ok := operations[action]
		if !ok {
			e.refuse(w, apiErrorf("UnknownOperationException", "The operation '%s' is not served here.", action))
			return
		}
		answer, err := serve(req.Context(), e, body)
		if err != nil {
			e.refuse(w, err)
			return
		}
		respond(w, http.StatusOK, answer)
	})
}

func respond(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) //nolint:errchkjson // maps of plain values; a client that is gone needs no answer
}

// refuse answers with an exception. Errors that are not the caller's lose their text.
func (e *Engine) refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	refused, ok := errors.AsType[*APIError](err)
	if !ok {
		e.log.Error("a request to Step Functions failed", "error", err)
		status, refused = http.StatusInternalServerError, apiErrorf("InternalFailure", "Something went wrong; it has been logged.")
	}
	respond(w, status, map[string]string{"__type": "com.amazonaws.swf.service.v2.model#" + refused.Name, "message": refused.Message})
}

type operation func(ctx context.Context, e *Engine, body []byte) (any, error)

// serves decodes an operation's input.
func serves[In any](serve func(ctx context.Context, e *Engine, in In) (any, error)) operation {
	return func(ctx context.Context, e *Engine, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, apiErrorf("SerializationException", "The request is not the JSON that the operation takes.")
		}
		return serve(ctx, e, in)
	}
}

var operations = map[string]operation{
	"StartExecution":       serves(startExecution),
	"DescribeExecution":    serves(describeExecution),
	"StopExecution":        serves(stopExecution),
	"ListExecutions":       serves(listExecutions),
	"GetExecutionHistory":  serves(getHistory),
	"DescribeStateMachine": serves(describeMachine),
	"ListStateMachines":    serves(listMachines),
	"SendTaskSuccess": serves(func(ctx context.Context, e *Engine, in taskInput) (any, error) {
		return struct{}{}, e.SendTaskSuccess(ctx, in.TaskToken, []byte(in.Output))
	}),
	"SendTaskFailure": serves(func(ctx context.Context, e *Engine, in taskInput) (any, error) {
		return struct{}{}, e.SendTaskFailure(ctx, in.TaskToken, in.Error, in.Cause)
	}),
	"SendTaskHeartbeat": serves(func(ctx context.Context, e *Engine, in taskInput) (any, error) {
		return struct{}{}, e.SendTaskHeartbeat(ctx, in.TaskToken)
	}),
}

type taskInput struct{ TaskToken, Output, Error, Cause string }

type executionInput struct {
	ExecutionARN    string `json:"executionArn"`
	StateMachineARN string `json:"stateMachineArn"`
	Name            string `json:"name"`
	Input           string `json:"input"`
	Error           string `json:"error"`
	Cause           string `json:"cause"`
	StatusFilter    Status `json:"statusFilter"`
	MaxResults      int    `json:"maxResults"`
	NextToken       string `json:"nextToken"`
	ReverseOrder    bool   `json:"reverseOrder"`
}

// page is how many items an answer holds at most.
func (in executionInput) page() int {
	const usual, most = 100, 1000
	if in.MaxResults <= 0 {
		return usual
	}
	return min(in.MaxResults, most)
}

// epoch writes a time as the protocol does: seconds with a fraction.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func startExecution(ctx context.Context, e *Engine, in executionInput) (any, error) {
	x, err := e.start(ctx, in.StateMachineARN, in.Name, []byte(in.Input), "")
	return map[string]any{"executionArn": x.ARN, "startDate": epoch(x.Started)}, err
}

func stopExecution(ctx context.Context, e *Engine, in executionInput) (any, error) {
	if err := e.Stop(ctx, in.ExecutionARN, in.Error, in.Cause); err != nil {
		return nil, err
	}
	x, err := e.Describe(ctx, in.ExecutionARN)
	return map[string]any{"stopDate": epoch(x.Stopped)}, err
}

func summary(x Execution) map[string]any {
	s := map[string]any{
		"executionArn": x.ARN, "stateMachineArn": machineARN(x.Machine), "name": x.Name, "status": x.Status, "startDate": epoch(x.Started),
	}
	if !x.Stopped.IsZero() {
		s["stopDate"] = epoch(x.Stopped)
	}
	return s
}

func describeExecution(ctx context.Context, e *Engine, in executionInput) (any, error) {
	x, err := e.Describe(ctx, in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	d := summary(x)
	included := map[string]any{"included": true}
	d["input"], d["inputDetails"] = string(x.Input), included
	if x.Status == Succeeded {
		d["output"], d["outputDetails"] = string(x.Output), included
	}
	if x.Error != "" {
		d["error"] = x.Error
	}
	if x.Cause != "" {
		d["cause"] = x.Cause
	}
	return d, nil
}

func listExecutions(ctx context.Context, e *Engine, in executionInput) (any, error) {
	f := Filter{Machine: in.StateMachineARN, Status: in.StatusFilter, Limit: in.page() + 1}
	if in.NextToken != "" && readPage(in.NextToken, &f.Before, &f.ARN) != nil {
		return nil, apiErrorf("InvalidToken", "Invalid Token: '%s'", in.NextToken)
	}
	found, err := e.List(ctx, f)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{}
	if n := in.page(); len(found) > n {
		found = found[:n]
		answer["nextToken"] = writePage(found[n-1].Started, found[n-1].ARN)
	}
	all := []any{}
	for _, x := range found {
		all = append(all, summary(x))
	}
	answer["executions"] = all
	return answer, nil
}

// A page token is the list of where the page before ended.
func writePage(at ...any) string {
	text, err := json.Marshal(at)
	if err != nil {
		panic("stepfunctions: " + err.Error()) // times, strings and numbers encode
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func readPage(token string, at ...any) error {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &at)
}

func getHistory(ctx context.Context, e *Engine, in executionInput) (any, error) {
	var after int64
	if in.NextToken != "" && readPage(in.NextToken, &after) != nil {
		return nil, apiErrorf("InvalidToken", "Invalid Token: '%s'", in.NextToken)
	}
	n := in.page()
	if in.ReverseOrder {
		return reverseHistory(ctx, e, in.ExecutionARN, after, n)
	}
	events, err := e.History(ctx, in.ExecutionARN, after, n+1)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{}
	if len(events) > n {
		events = events[:n]
		answer["nextToken"] = writePage(events[n-1].ID)
	}
	answer["events"] = shown(events)
	return answer, nil
}

// reverseHistory gives a page backwards from before, which is 0 on the first page. A history is short enough to be read whole.
func reverseHistory(ctx context.Context, e *Engine, arn string, before int64, n int) (any, error) {
	events, err := e.History(ctx, arn, 0, historyLimit+n)
	if err != nil {
		return nil, err
	}
	if before > 0 {
		events = events[:min(before-1, int64(len(events)))]
	}
	slices.Reverse(events)
	answer := map[string]any{}
	if len(events) > n {
		events = events[:n]
		answer["nextToken"] = writePage(events[n-1].ID)
	}
	answer["events"] = shown(events)
	return answer, nil
}

func shown(events []Event) []any {
	all := []any{}
	for _, ev := range events {
		m := map[string]any{"id": ev.ID, "previousEventId": ev.Previous, "timestamp": epoch(ev.Time), "type": ev.Type}
		if ev.Field != "" {
			m[ev.Field] = ev.Details
		}
		all = append(all, m)
	}
	return all
}

func shownMachine(m Machine) map[string]any {
	return map[string]any{"stateMachineArn": m.ARN, "name": m.Name, "type": "STANDARD", "creationDate": epoch(m.Defined)}
}

func describeMachine(_ context.Context, e *Engine, in executionInput) (any, error) {
	m, err := e.Machine(in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	d := shownMachine(m)
	d["status"], d["definition"], d["roleArn"] = "ACTIVE", string(m.Definition), "arn:aws:iam::"+account+":role/local"
	return d, nil
}

func listMachines(_ context.Context, e *Engine, _ executionInput) (any, error) {
	all := []any{}
	for _, m := range e.Machines() {
		all = append(all, shownMachine(m))
	}
	return map[string]any{"stateMachines": all}, nil
}
