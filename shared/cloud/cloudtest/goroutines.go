package cloudtest

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// idle are the goroutines of connections that are kept for the next call, and those of the fake's server.
var idle = []string{"net/http.(*persistConn)", "net/http.(*conn).serve", "net/http.(*Server).Serve", "net/http.(*http2", "net/http/internal/http2.", "net/http.(*connReader).backgroundRead", "net/http/httptest.", "testing.tRunner"}

// goroutines are the stacks of all goroutines by their header's number, without the idle ones.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	out := map[string]string{}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		if !isIdle(stack) {
			out[id] = stack
		}
	}
	return out
}

func isIdle(stack string) bool {
	for _, name := range idle {
		if strings.Contains(stack, name) {
			return true
		}
	}
	return false
}

// leftNothing fails when goroutines that were not there before do not end within a moment.
func leftNothing(t *testing.T, before map[string]string) {
	t.Helper()
	var left map[string]string
	for deadline := time.Now().Add(prompt); time.Now().Before(deadline); {
		left = goroutines()
		for id := range before {
			delete(left, id)
		}
		if len(left) == 0 {
			return
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond) // nothing tells when a goroutine has gone
	}
	for _, stack := range left {
		t.Errorf("still running:\n%s", stack)
	}
}
