package stepfunctions

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// integration is what a Task's Resource asks for.
type integration struct {
	service  string // "lambda", "states", or "" for a plain Lambda ARN
	action   string // "invoke" or "startExecution"
	name     string // of the function, for a plain Lambda ARN
	callback bool   // .waitForTaskToken
	sync     string // ".sync" or ".sync:2"
}

// parseResource reads a Task's Resource.
func parseResource(resource string) (integration, bool) {
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return integration{}, false
	}
	if parts[2] == "lambda" {
		name, _, ok := functionOf(resource)
		return integration{name: name}, ok
	}
	switch parts[5] {
	case "lambda:invoke":
		return integration{service: "lambda", action: "invoke"}, parts[2] == "states"
	case "lambda:invoke.waitForTaskToken":
		return integration{service: "lambda", action: "invoke", callback: true}, parts[2] == "states"
	case "states:startExecution", "states:startExecution.sync", "states:startExecution.sync:2":
		sync := strings.TrimPrefix(parts[5], "states:startExecution")
		return integration{service: "states", action: "startExecution", sync: sync}, parts[2] == "states"
	case "states:startExecution.waitForTaskToken":
		return integration{service: "states", action: "startExecution", callback: true}, parts[2] == "states"
	}
	return integration{}, false
}

// functionOf takes a function's name and its version or alias from a name, a partial ARN or an ARN.
func functionOf(text string) (name, qualifier string, ok bool) {
	if strings.HasPrefix(text, "arn:") {
		parts := strings.Split(text, ":")
		if len(parts) < 7 || parts[2] != "lambda" || parts[5] != "function" {
			return "", "", false
		}
		text = strings.Join(parts[6:], ":")
	} else if _, after, partial := strings.Cut(text, ":function:"); partial {
		text = after
	}
	name, qualifier, _ = strings.Cut(text, ":")
	return name, qualifier, name != ""
}

// newToken makes a task token, which says where its answer goes.
func newToken(arn, path string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(arn + "\x00" + path + "\x00" + uuid.NewString()))
}

func readToken(token string) (arn, path string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	parts := strings.Split(string(text), "\x00")
	if err != nil || len(parts) != 3 {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// schedule begins a Task: its deadlines run from now on.
func (t *transition) schedule(f *Frame, st *state, s scope) *failure {
	target, _ := parseResource(st.Resource) // Lint has seen it
	payload := s.document
	if object, ok := payload.(map[string]any); ok && target.action == "startExecution" && object["Name"] == nil {
		object["Name"] = uuid.NewString() // fixed now, so that a second delivery starts nothing new
	}
	f.Task.Payload = encode(payload)
	own := t.scope(f) // paths of times speak of the input before Parameters
	var fail *failure
	if own.document, fail = own.filter("InputPath", st.InputPath, own.document); fail != nil {
		return fail
	}
	if f.Task.Timeout, fail = own.duration("TimeoutSecondsPath", st.TimeoutSeconds, st.TimeoutSecondsPath); fail != nil {
		return fail
	}
	if target.callback { // no one else can send a heartbeat
		f.Task.Heartbeat, fail = own.duration("HeartbeatSecondsPath", st.HeartbeatSeconds, st.HeartbeatSecondsPath)
		if fail != nil {
			return fail
		}
	}
	f.Task.begin(t.run.engine.watch.Now())
	t.taskEvent(f, target, "Scheduled", map[string]any{"parameters": string(f.Task.Payload), "region": region})
	t.taskEvent(f, target, "Started", map[string]any{})
	return nil
}

func (s scope) duration(field string, plain int64, path string) (time.Duration, *failure) {
	if path == "" {
		return time.Duration(plain) * time.Second, nil
	}
	return s.seconds(field, path, 1)
}

// taskEvent adds a line of history about a task, by the names that its kind of resource has.
func (t *transition) taskEvent(f *Frame, target integration, what string, details map[string]any) {
	if target.service == "" {
		if what == "Scheduled" {
			details = map[string]any{"resource": target.name, "input": string(f.Task.Payload), "inputDetails": untruncated()}
		}
		field := "lambdaFunction" + what + "EventDetails"
		if what == "Started" {
			field, details = "", nil
		}
		t.event(f, "LambdaFunction"+what, field, details)
		return
	}
	suffix := target.sync
	if target.callback {
		suffix = ".waitForTaskToken"
	}
	details["resourceType"], details["resource"] = target.service, target.action+suffix
	t.event(f, "Task"+what, "task"+what+"EventDetails", details)
}

// perform runs a Task's attempt to its end.
func (r *run) perform(ctx context.Context, f *Frame, st *state) error {
	target, _ := parseResource(st.Resource)
	inner, cancel := context.WithCancelCause(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		r.watch(inner, f, cancel)
	}()
	result, err := r.deliver(inner, f, target)
	expired := context.Cause(inner)
	cancel(nil)
	<-watching
	var fail *failure
	switch {
	case err == nil:
	case errors.As(err, &fail):
	case errors.As(expired, &fail):
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return err
	}
	return r.commit(ctx, func(t *transition) { t.performed(f, st, target, result, fail) })
}

// performed ends a Task's attempt.
func (t *transition) performed(f *Frame, st *state, target integration, result json.RawMessage, fail *failure) {
	switch {
	case fail == nil && len(result) > dataLimit:
		fail = tooLarge("result", f.State)
		fallthrough
	case fail != nil:
		what := "Failed"
		if fail.Name == errTimeout || fail.Name == errHeartbeatTimeout {
			what = "TimedOut"
		}
		t.taskEvent(f, target, what, map[string]any{"error": fail.Name, "cause": fail.Cause})
	default:
		f.Task.Child = ""
		t.taskEvent(f, target, "Succeeded", map[string]any{"output": string(result), "outputDetails": untruncated()})
		fail = t.exit(f, st, stored(result))
	}
	if fail != nil {
		t.fail(f, st, fail)
	}
}

// watch ends the attempt when its time or that of its heartbeat is over.
func (r *run) watch(ctx context.Context, f *Frame, end context.CancelCauseFunc) {
	clock := r.engine.watch
	for {
		var timeout, heartbeat time.Time
		r.locked(func() { timeout, heartbeat = f.Task.TimeoutAt, f.Task.HeartbeatAt })
		next, fail := timeout, failed(errTimeout, "The task of the state '%s' took longer than its TimeoutSeconds.", f.State)
		if !heartbeat.IsZero() && (next.IsZero() || heartbeat.Before(next)) {
			next, fail = heartbeat, failed(errHeartbeatTimeout, "The task of the state '%s' sent no heartbeat in its HeartbeatSeconds.", f.State)
		}
		switch d := next.Sub(clock.Now()); {
		case next.IsZero():
			return
		case d <= 0:
			end(fail)
			return
		default:
			if clock.Sleep(ctx, d) != nil {
				return
			}
		}
	}
}

// deliver hands the task over and gives its result. A *failure is the task's; any other error leaves it as it is.
func (r *run) deliver(ctx context.Context, f *Frame, target integration) (json.RawMessage, error) {
	var delivered bool
	var child string
	r.locked(func() { delivered, child = f.Task.Delivered, f.Task.Child })
	if !delivered {
		var result json.RawMessage
		var err error
		result, child, err = r.hand(ctx, f, target)
		if err != nil || !target.callback && target.sync == "" {
			return result, err
		}
		err = r.commit(ctx, func(t *transition) {
			f.Task.Delivered = true
			if target.sync != "" {
				f.Task.Child = child
			}
			t.taskEvent(f, target, "Submitted", map[string]any{"output": string(result), "outputDetails": untruncated()})
		})
		if err != nil {
			return nil, err
		}
	}
	if target.callback {
		return r.awaitAnswer(ctx, f)
	}
	return r.awaitChild(ctx, child, target.sync)
}

// hand calls what the task names. For a nested execution it also gives its ARN.
func (r *run) hand(ctx context.Context, f *Frame, target integration) (result json.RawMessage, child string, err error) {
	if target.service == "" {
		result, err = r.invoke(ctx, target.name, f.Task.Payload)
		return result, "", err
	}
	payload, _ := stored(f.Task.Payload).(map[string]any)
	if target.service == "states" {
		return r.startChild(ctx, f.Task.Token, payload)
	}
	text, _ := payload["FunctionName"].(string)
	name, version, ok := functionOf(text)
	if !ok {
		return nil, "", failed(errRuntime, "The FunctionName must name a function, not %s.", encode(payload["FunctionName"]))
	}
	if q, ok := payload["Qualifier"].(string); ok {
		version = q
	}
	if version == "" {
		version = "$LATEST"
	}
	input, ok := payload["Payload"]
	if !ok {
		input = map[string]any{}
	}
	output, err := r.invoke(ctx, name, encode(input))
	if err != nil {
		return nil, "", err
	}
	return encode(map[string]any{"StatusCode": 200, "ExecutedVersion": version, "Payload": stored(output)}), "", nil
}

// invoke calls a function and turns its failure into the error that state machines match. A function that does not heed its
// context is left behind; its result is dropped.
func (r *run) invoke(ctx context.Context, name string, payload json.RawMessage) (json.RawMessage, error) {
	type answer struct {
		result []byte
		err    error
	}
	answers := make(chan answer, 1)
	r.engine.work.Go(func() {
		result, err := r.engine.invoke(ctx, name, payload)
		answers <- answer{result, err}
	})
	var a answer
	select {
	case a = <-answers:
	case <-ctx.Done():
		select { // one that came in the same moment counts
		case a = <-answers:
		default:
			return nil, context.Cause(ctx)
		}
	}
	if a.err != nil && ctx.Err() != nil { // whatever it says, it was cut off
		return nil, context.Cause(ctx)
	}
	if a.err == nil {
		v, err := decode(a.result)
		if err != nil {
			return nil, failed("Lambda.Unknown", "The function %s answered with something that is not JSON.", name)
		}
		return encode(v), nil
	}
	if own, ok := errors.AsType[*FunctionError](a.err); ok {
		return nil, own.failure()
	}
	r.engine.log.Error("a function could not be invoked", "function", name, "error", a.err)
	return nil, &failure{Name: serviceError(a.err), Cause: fault.Public(a.err).Message}
}

func (e *FunctionError) failure() *failure {
	text := e.Payload
	if len(text) == 0 {
		text = encode(map[string]any{"errorMessage": e.Message, "errorType": e.Type})
	}
	return &failure{Name: e.Type, Cause: string(text)}
}

// serviceError is the name that the Lambda service gives to an invocation that it could not make.
func serviceError(err error) string {
	switch fault.CodeOf(err) {
	case fault.NotFound:
		return "Lambda.ResourceNotFoundException"
	case fault.Throttled:
		return "Lambda.TooManyRequestsException"
	}
	return "Lambda.ServiceException"
}

// Error makes a failure an error inside the engine.
func (f *failure) Error() string { return f.Name + ": " + f.Cause }

// awaitAnswer waits for the answer by the task token.
func (r *run) awaitAnswer(ctx context.Context, f *Frame) (json.RawMessage, error) {
	for {
		var a *answer
		var knock chan struct{}
		r.locked(func() { a, knock = f.Task.Answer, r.knock(f.Path) })
		if a != nil {
			if a.Failure != nil {
				return nil, a.Failure
			}
			return a.Output, nil
		}
		select {
		case <-knock:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// knock is the channel that tells a frame of an answer. The caller holds the lock.
func (r *run) knock(path string) chan struct{} {
	if r.knocks[path] == nil {
		r.knocks[path] = make(chan struct{}, 1)
	}
	return r.knocks[path]
}
