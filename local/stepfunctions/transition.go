package stepfunctions

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// transition collects what one step changes. All its methods run under the run's lock.
type transition struct {
	run     *run
	now     time.Time
	touched map[string]bool
	removed []string
	events  []Event
	orphans []string // nested executions whose state no longer waits for them
	closed  bool
}

// change is what the store has to write.
func (t *transition) change() Change {
	c := Change{ARN: t.run.execution.ARN, Removed: t.removed, Events: t.events}
	if t.closed {
		x := t.run.execution
		c.Closed = &x
		return c
	}
	for _, path := range slices.Sorted(maps.Keys(t.touched)) {
		if f, ok := t.run.frames[path]; ok {
			c.Frames = append(c.Frames, *f)
		}
	}
	return c
}

// event adds a line of history to a frame. Field and details may be empty.
func (t *transition) event(f *Frame, kind, field string, details map[string]any) {
	t.touched[f.Path] = true
	if t.run.apart(f) {
		return
	}
	e := Event{ID: t.run.lastEvent + 1, Previous: f.LastEvent, Time: t.now, Type: kind, Field: field}
	if details != nil {
		e.Details = encode(details)
	}
	t.events = append(t.events, e)
	t.run.lastEvent, f.LastEvent = e.ID, e.ID
}

func untruncated() map[string]any { return map[string]any{"truncated": false} }

// enter begins a state.
func (t *transition) enter(f *Frame, st *state) {
	f.Entered = t.now
	f.Retries = make([]int64, len(st.Retry))
	t.event(f, st.Type+"StateEntered", "stateEnteredEventDetails", map[string]any{
		"name": f.State, "input": string(f.Input), "inputDetails": untruncated(),
	})
	t.begin(f, st)
}

// begin starts an attempt at a state: the first or one after a retrier's interval. States that need no time end at once.
func (t *transition) begin(f *Frame, st *state) {
	f.Phase, f.WakeAt, f.Task, f.Fan, f.Source, f.Failure = active, time.Time{}, nil, nil, nil, nil
	t.touched[f.Path] = true
	if t.run.lastEvent >= historyLimit {
		t.finish(f, nil, failed(errRuntime, "The execution reached the maximum number of history events, %d.", historyLimit))
		return
	}
	if st.Type == typeTask {
		f.Task = &attempt{Token: newToken(t.run.execution.ARN, f.Path)}
	}
	s := t.scope(f)
	effective, fail := s.input(st)
	if fail == nil {
		s.document = effective
		fail = t.start(f, st, s)
	}
	if fail != nil {
		t.fail(f, st, fail)
	}
}

// start does what the state's type asks for with its effective input, the document of s.
func (t *transition) start(f *Frame, st *state, s scope) *failure {
	switch st.Type {
	case typePass:
		result := s.document
		if st.Result.set {
			result = st.Result.value
		}
		return t.exit(f, st, result)
	case typeSucceed:
		return t.exit(f, st, s.document)
	case typeChoice:
		return t.choose(f, st, s)
	case typeFail:
		return s.failState(st)
	case typeWait:
		return t.wait(f, st, s)
	case typeTask:
		return t.schedule(f, st, s)
	case typeParallel:
		return t.branch(f, st, s)
	}
	return t.iterate(f, st, s)
}

// choose goes where the first rule that holds points.
func (t *transition) choose(f *Frame, st *state, s scope) *failure {
	for _, r := range st.Choices {
		ok, fail := r.holds(s)
		if fail != nil {
			return fail
		}
		if ok {
			return t.leave(f, st, r.next, r.assign, s.document, s.document)
		}
	}
	if st.Default == "" {
		return failed(errNoChoice, "No choice of the state '%s' holds, and it has no Default.", f.State)
	}
	return t.leave(f, st, st.Default, st.Assign, s.document, s.document)
}

// failState gives the failure that a Fail state asks for.
func (s scope) failState(st *state) *failure {
	text := func(plain, path string) (string, *failure) {
		if path == "" {
			return plain, nil
		}
		v, fail := s.value("Fail", path)
		if fail != nil {
			return "", failed(errRuntime, "%s", fail.Cause)
		}
		text, ok := v.(string)
		if !ok {
			return "", failed(errRuntime, "The path '%s' must give a string.", path)
		}
		return text, nil
	}
	name, fail := text(st.Error, st.ErrorPath)
	if fail != nil {
		return fail
	}
	cause, fail := text(st.Cause, st.CausePath)
	if fail != nil {
		return fail
	}
	return &failure{Name: name, Cause: cause}
}

// exit ends a state with its result.
func (t *transition) exit(f *Frame, st *state, result any) *failure {
	s := t.scope(f)
	raw := s.document
	s.document = result
	selected := result
	if st.ResultSelector.set {
		var fail *failure
		if selected, fail = s.payload(st.ResultSelector.value); fail != nil {
			return fail
		}
	}
	output := selected
	switch {
	case st.ResultPath.null:
		output = raw
	case st.ResultPath.text != "":
		var ok bool
		if output, ok = put(raw, st.ResultPath.text, selected); !ok {
			return failed(errResultPath, "The ResultPath '%s' does not fit into the state's input.", st.ResultPath.text)
		}
	}
	return t.leave(f, st, st.Next, st.Assign, result, output)
}

// leave applies Assign, whose paths speak of result, and OutputPath, and goes to the next state; with none, the frame is done.
func (t *transition) leave(f *Frame, st *state, next string, assign dynamic, result, output any) *failure {
	variables, fail := t.assign(f, assign, result)
	if fail != nil {
		return fail
	}
	if output, fail = t.scope(f).filter("OutputPath", st.OutputPath, output); fail != nil {
		return fail
	}
	text := encode(output)
	if len(text) > dataLimit {
		return tooLarge("output", f.State)
	}
	f.Variables = variables
	t.exited(f, st, text)
	t.move(f, next, text)
	return nil
}

func tooLarge(what, state string) *failure {
	return failed(errDataLimit, "The %s of the state '%s' is larger than %d bytes.", what, state, dataLimit)
}

// assign computes the frame's variables after an Assign field.
func (t *transition) assign(f *Frame, assign dynamic, document any) (json.RawMessage, *failure) {
	if !assign.set {
		return f.Variables, nil
	}
	s := t.scope(f)
	s.document = document
	filled, fail := s.payload(assign.value)
	if fail != nil {
		return nil, fail
	}
	all := maps.Clone(s.variables)
	if all == nil {
		all = map[string]any{}
	}
	if values, ok := filled.(map[string]any); ok {
		maps.Copy(all, values)
	}
	return encode(all), nil
}

func (t *transition) exited(f *Frame, st *state, output json.RawMessage) {
	t.event(f, st.Type+"StateExited", "stateExitedEventDetails", map[string]any{
		"name": f.State, "output": string(output), "outputDetails": untruncated(),
	})
}

// move goes to the next state; with none, the frame is done.
func (t *transition) move(f *Frame, next string, output json.RawMessage) {
	f.Task, f.Fan, f.Source, f.Retries, f.WakeAt = nil, nil, nil, nil, time.Time{}
	if next == "" {
		t.finish(f, output, nil)
		return
	}
	f.State, f.Input, f.Phase = next, output, entering
}

// fail handles a failed attempt: by a retrier, by a catcher, or by failing the frame.
func (t *transition) fail(f *Frame, st *state, fail *failure) {
	t.abandon(f)
	t.touched[f.Path] = true
	if st.Type != typeFail && (t.retry(f, st, fail) || t.catch(f, st, fail)) {
		return
	}
	t.finish(f, nil, fail)
}

// retry plans another attempt when the first retrier that matches has one left.
func (t *transition) retry(f *Frame, st *state, fail *failure) bool {
	for i, r := range st.Retry {
		if !fail.matches(r.ErrorEquals) {
			continue
		}
		if f.Retries[i] >= r.attempts() {
			return false
		}
		f.WakeAt = t.now.Add(r.interval(f.Retries[i]))
		f.Retries[i]++
		f.Phase, f.Task, f.Fan, f.Source = delayed, nil, nil, nil
		return true
	}
	return false
}

// catch goes where the first catcher that matches points.
func (t *transition) catch(f *Frame, st *state, fail *failure) bool {
	for _, c := range st.Catch {
		if !fail.matches(c.ErrorEquals) {
			continue
		}
		s := t.scope(f)
		output, fits := s.document, true
		if !c.ResultPath.null {
			reference := c.ResultPath.text
			if reference == "" {
				reference = "$"
			}
			output, fits = put(s.document, reference, fail.output())
		}
		variables, bad := t.assign(f, c.Assign, fail.output())
		if !fits || bad != nil {
			return false
		}
		text := encode(output)
		f.Variables = variables
		t.exited(f, st, text)
		t.move(f, c.Next, text)
		return true
	}
	return false
}

// finish ends a frame, and the execution with the root's.
func (t *transition) finish(f *Frame, result json.RawMessage, fail *failure) {
	f.Result, f.Failure, f.Phase = result, fail, done
	if fail != nil {
		f.Phase = broken
	}
	t.touched[f.Path] = true
	path, index, inner := f.parent()
	if inner && fail != nil {
		t.run.broken[path]++
	}
	switch {
	case !inner && fail == nil:
		t.close(Succeeded, result, nil)
	case !inner:
		t.close(Failed, nil, fail)
	case t.run.state(t.run.frames[path]).Type == typeMap:
		kind, field := "MapIterationSucceeded", "mapIterationSucceededEventDetails"
		if fail != nil {
			kind, field = "MapIterationFailed", "mapIterationFailedEventDetails"
		}
		t.event(f, kind, field, map[string]any{"name": t.run.frames[path].State, "index": index})
	}
}

// close ends the execution and drops its position.
func (t *transition) close(s Status, output json.RawMessage, fail *failure) {
	x := &t.run.execution
	x.Status, x.Output, x.Stopped = s, output, t.now
	root := t.run.frames["0"]
	if fail == nil {
		fail = &failure{}
	}
	x.Error, x.Cause = fail.Name, fail.Cause
	details := map[string]any{"error": fail.Name, "cause": fail.Cause}
	switch s {
	case Succeeded:
		t.event(root, "ExecutionSucceeded", "executionSucceededEventDetails", map[string]any{"output": string(output), "outputDetails": untruncated()})
	case TimedOut:
		t.event(root, "ExecutionTimedOut", "executionTimedOutEventDetails", details)
	case Aborted:
		t.event(root, "ExecutionAborted", "executionAbortedEventDetails", details)
	default:
		t.event(root, "ExecutionFailed", "executionFailedEventDetails", details)
	}
	for path, f := range t.run.frames {
		t.abandon(f)
		t.removed = append(t.removed, path)
	}
	t.closed = true
}

// abandon stops the nested execution that a frame waits for.
func (t *transition) abandon(f *Frame) {
	if f.Task != nil && f.Task.Child != "" {
		t.orphans = append(t.orphans, f.Task.Child)
		f.Task.Child = ""
	}
}
