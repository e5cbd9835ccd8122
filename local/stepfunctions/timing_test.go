package stepfunctions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Inside a synctest bubble real time is a fake clock, so these engines use it for everything.

func startIn(t *testing.T, o Options, definition string, input string) (*Engine, string) {
	t.Helper()
	o.Clock = RealTime{}
	e := newEngine(t, o)
	define(t, e, "m", definition)
	arn, err := e.Start(t.Context(), "m", "", []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return e, arn
}

func TestRetriersWaitAsTheySay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		retry string
		want  []time.Duration // between the attempts
		most  bool            // jitter: at most that
	}{
		"defaults":      {`{"ErrorEquals": ["E"]}`, seconds(1, 2, 4), false},
		"backoff":       {`{"ErrorEquals": ["E"], "IntervalSeconds": 3, "BackoffRate": 1.5, "MaxAttempts": 3}`, []time.Duration{3 * time.Second, 4500 * time.Millisecond, 6750 * time.Millisecond}, false},
		"capped":        {`{"ErrorEquals": ["E"], "IntervalSeconds": 2, "MaxAttempts": 5, "MaxDelaySeconds": 5}`, seconds(2, 4, 5, 5, 5), false},
		"jitter":        {`{"ErrorEquals": ["E"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 4, "JitterStrategy": "FULL"}`, seconds(10, 10, 10, 10), true},
		"never":         {`{"ErrorEquals": ["E"], "MaxAttempts": 0}`, nil, false},
		"another error": {`{"ErrorEquals": ["F"]}`, nil, false},
		"own counters":  {`{"ErrorEquals": ["F"], "MaxAttempts": 9}, {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 7, "MaxAttempts": 1}`, seconds(7), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				e, arn := startIn(t, Options{Invoke: func(context.Context, string, []byte) ([]byte, error) {
					at = append(at, time.Now())
					return nil, &FunctionError{Type: "E"}
				}}, `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "End": true, "Retry": [`+c.retry+`]}}}`, `{}`)
				if x := finish(t, e, arn); x.Status != Failed || x.Error != "E" {
					t.Errorf("%s %s", x.Status, x.Error)
				}
				var got []time.Duration
				for i := range at[1:] {
					got = append(got, at[i+1].Sub(at[i]))
				}
				same := func(a, b time.Duration) bool { return a == b || c.most && a < b }
				if !slices.EqualFunc(got, c.want, same) {
					t.Errorf("waited %v, want %v", got, c.want)
				}
			})
		})
	}
}

func seconds(n ...int) (d []time.Duration) {
	for _, s := range n {
		d = append(d, time.Duration(s)*time.Second)
	}
	return d
}

func TestWaitsEndAtTheirTime(t *testing.T) {
	t.Parallel()
	// A bubble begins at 2000-01-01T00:00:00Z.
	for field, want := range map[string]time.Duration{
		`"Seconds": 90`:                            90 * time.Second,
		`"Seconds": 0`:                             0,
		`"SecondsPath": "$.s"`:                     45 * time.Second,
		`"Timestamp": "2000-01-01T01:00:00Z"`:      time.Hour,
		`"TimestampPath": "$.at"`:                  30 * time.Minute,
		`"Timestamp": "1999-01-01T00:00:00+01:00"`: 0,
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				e, arn := startIn(t, Options{}, `{"StartAt": "W", "States": {"W": {"Type": "Wait", "End": true, `+field+`}}}`, `{"s": 45, "at": "2000-01-01T00:30:00Z"}`)
				if x := finish(t, e, arn); x.Status != Succeeded || time.Since(start) != want {
					t.Errorf("%s %s after %v, want %v", x.Status, x.Cause, time.Since(start), want)
				}
			})
		})
	}
}

func TestAWaitKeepsItsDeadlineOverARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, store := time.Now(), NewMemory()
		first, arn := startIn(t, Options{Store: store}, `{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100, "End": true}}}`, `{}`)
		time.Sleep(40 * time.Second)
		if err := first.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		second := newEngine(t, Options{Store: store, Clock: RealTime{}})
		if err := second.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		finish(t, second, arn)
		if took := time.Since(start); took != 100*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestRetryCountsSurviveARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, calls := NewMemory(), 0
		invoke := func(context.Context, string, []byte) ([]byte, error) {
			calls++
			return nil, &FunctionError{Type: "E"}
		}
		first, arn := startIn(t, Options{Store: store, Invoke: invoke}, `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "End": true,
			"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 2}]}}}`, `{}`)
		time.Sleep(15 * time.Second) // two attempts made
		if err := first.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := newEngine(t, Options{Store: store, Invoke: invoke, Clock: RealTime{}})
		if err := second.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if x := finish(t, second, arn); x.Status != Failed || calls != 3 {
			t.Errorf("%s after %d attempts, want 3", x.Status, calls)
		}
	})
}

func TestATaskHandedOverAgainHasItsTimeAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const definition = `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "TimeoutSeconds": 60, "End": true}}}`
		store := NewMemory()
		cut := func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, &FunctionError{Type: "Unavailable", Message: "cut off"} // as a function that hides why
		}
		first, arn := startIn(t, Options{Store: store, Invoke: cut}, definition, `{}`)
		time.Sleep(50 * time.Second)
		if err := first.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		second := newEngine(t, Options{Store: store, Clock: RealTime{}, Invoke: func(context.Context, string, []byte) ([]byte, error) {
			time.Sleep(59 * time.Second)
			return []byte(`"done"`), nil
		}})
		if err := second.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if x := finish(t, second, arn); string(x.Output) != `"done"` {
			t.Errorf("%s %s %s", x.Status, x.Error, x.Cause)
		}
	})
}

// hang never answers and does not even heed its context for a while.
func hang(ctx context.Context, _ string, _ []byte) ([]byte, error) {
	<-ctx.Done()
	time.Sleep(time.Hour)
	return nil, ctx.Err()
}

func TestTasksTimeOut(t *testing.T) {
	t.Parallel()
	const callback = `"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Parameters": {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}}`
	for name, c := range map[string]struct {
		task   string
		invoke Function
		err    string
		after  time.Duration
	}{
		"a function that hangs":      {`"Resource": "arn:aws:lambda:local:0:function:f", "TimeoutSeconds": 30`, hang, errTimeout, 30 * time.Second},
		"a time from the input":      {`"Resource": "arn:aws:lambda:local:0:function:f", "TimeoutSecondsPath": "$.limit"`, hang, errTimeout, 20 * time.Second},
		"an answer that never comes": {callback + `, "TimeoutSeconds": 600`, nil, errTimeout, 600 * time.Second},
		"no heartbeat":               {callback + `, "TimeoutSeconds": 600, "HeartbeatSeconds": 50`, nil, errHeartbeatTimeout, 50 * time.Second},
		"heartbeat from the input":   {callback + `, "HeartbeatSecondsPath": "$.limit"`, nil, errHeartbeatTimeout, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				e, arn := startIn(t, Options{Invoke: c.invoke}, `{"StartAt": "T", "States": {"T": {"Type": "Task", "End": true, `+c.task+`}}}`, `{"limit": 20}`)
				x := finish(t, e, arn)
				if x.Status != Failed || x.Error != c.err || time.Since(start) != c.after {
					t.Errorf("%s %s after %v, want %s after %v", x.Status, x.Error, time.Since(start), c.err, c.after)
				}
			})
		})
	}
}

func TestHeartbeatsKeepATaskAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ask, got := tokens()
		start := time.Now()
		e, arn := startIn(t, Options{Invoke: ask}, `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
			"Parameters": {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}}, "HeartbeatSeconds": 60, "TimeoutSeconds": 1000, "End": true}}}`, `{}`)
		token := <-got
		for range 5 {
			time.Sleep(50 * time.Second)
			if err := e.SendTaskHeartbeat(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		x := finish(t, e, arn)
		if x.Error != errHeartbeatTimeout || time.Since(start) != 310*time.Second {
			t.Errorf("%s %s after %v", x.Status, x.Error, time.Since(start))
		}
		if err := e.SendTaskSuccess(t.Context(), token, []byte(`1`)); apiName(err) != taskGone {
			t.Errorf("answering too late: %v", err)
		}
	})
}

func apiName(err error) string {
	if e, ok := errors.AsType[*APIError](err); ok {
		return e.Name
	}
	return fmt.Sprint(err)
}

func TestStatesTaskFailedDoesNotMeanATimeout(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{errTaskFailed: "failed", errTimeout: "caught", errAll: "caught"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, arn := startIn(t, Options{Invoke: hang}, `{"StartAt": "T", "States": {
					"T": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "TimeoutSeconds": 5, "End": true, "Catch": [{"ErrorEquals": ["`+name+`"], "Next": "C"}]},
					"C": {"Type": "Succeed"}}}`, `{}`)
				got := "failed"
				if finish(t, e, arn).Status == Succeeded {
					got = "caught"
				}
				if got != want {
					t.Errorf("a timeout is %s, want %s", got, want)
				}
			})
		})
	}
}

func TestAnExecutionTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		e, arn := startIn(t, Options{}, `{"TimeoutSeconds": 100, "StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 200, "End": true}}}`, `{}`)
		x := finish(t, e, arn)
		if x.Status != TimedOut || x.Error != errTimeout || time.Since(start) != 100*time.Second {
			t.Errorf("%s %s after %v", x.Status, x.Error, time.Since(start))
		}
	})
}

func TestStoppingAParentStopsTheExecutionItWaitsFor(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(e *Engine, arn string) error{
		"stopped":   func(e *Engine, arn string) error { return e.Stop(context.Background(), arn, "", "") },
		"timed out": func(*Engine, string) error { time.Sleep(time.Minute); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t, Options{Clock: RealTime{}})
				define(t, e, "slow", `{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9000, "End": true}}}`)
				define(t, e, "parent", `{"StartAt": "P", "States": {"P": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync",
					"TimeoutSeconds": 30, "Parameters": {"StateMachineArn": "slow", "Name": "child"}, "End": true}}}`)
				arn, err := e.Start(t.Context(), "parent", "", nil)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if err := end(e, arn); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if x, err := e.Describe(t.Context(), executionARN("slow", "child")); err != nil || x.Status != Aborted {
					t.Errorf("the child is %s, %v", x.Status, err)
				}
			})
		})
	}
}

func TestAFailingBranchCutsItsSiblingsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var cut atomic.Bool
		e, arn := startIn(t, Options{Invoke: func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			<-ctx.Done()
			cut.Store(true)
			return nil, ctx.Err()
		}}, `{"StartAt": "P", "States": {"P": {"Type": "Parallel", "Catch": [{"ErrorEquals": ["Mine"], "Next": "C"}], "End": true, "Branches": [
				{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "F"}, "F": {"Type": "Fail", "Error": "Mine"}}},
				{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "Retry": [{"ErrorEquals": ["States.ALL"]}], "End": true}}},
				{"StartAt": "L", "States": {"L": {"Type": "Wait", "Seconds": 500, "End": true}}}]},
			"C": {"Type": "Pass", "OutputPath": "$.Error", "End": true}}}`, `{}`)
		x := finish(t, e, arn)
		synctest.Wait()
		if string(x.Output) != `"Mine"` || time.Since(start) != time.Second || !cut.Load() {
			t.Errorf("%s %s after %v, the sibling's function was cut off: %v", x.Status, x.Output, time.Since(start), cut.Load())
		}
	})
}

func TestStoppingCutsTheTaskOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cut atomic.Bool
		e, arn := startIn(t, Options{Invoke: func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			<-ctx.Done()
			cut.Store(true)
			return nil, ctx.Err()
		}}, `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}], "End": true},
			"C": {"Type": "Succeed"}}}`, `{}`)
		synctest.Wait()
		if err := e.Stop(t.Context(), arn, "Mine", "why"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if x := finish(t, e, arn); x.Status != Aborted || x.Error != "Mine" || !cut.Load() {
			t.Errorf("%s %s, the function was cut off: %v", x.Status, x.Error, cut.Load())
		}
		if err := e.Stop(t.Context(), arn, "Again", ""); err != nil {
			t.Errorf("stopping what has ended: %v", err)
		}
	})
}

func TestMaxConcurrencyHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, most int
		tasks := make(chan int, 100) // guards the counters
		tasks <- 0
		e, arn := startIn(t, Options{Invoke: func(context.Context, string, []byte) ([]byte, error) {
			<-tasks
			running++
			most = max(most, running)
			tasks <- 0
			time.Sleep(time.Second)
			<-tasks
			running--
			tasks <- 0
			return []byte(`1`), nil
		}}, `{"StartAt": "M", "States": {"M": {"Type": "Map", "MaxConcurrency": 3, "End": true, "ItemProcessor": {"StartAt": "T", "States": {
			"T": {"Type": "Task", "Resource": "arn:aws:lambda:local:0:function:f", "End": true}}}}}}`, `[1,2,3,4,5,6,7,8,9,10]`)
		start := time.Now()
		finish(t, e, arn)
		if most != 3 || time.Since(start) != 4*time.Second {
			t.Errorf("%d ran at a time, in %v", most, time.Since(start))
		}
	})
}
