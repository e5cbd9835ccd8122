package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/local/client"
	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// agent is the program as a user runs it.
type agent struct {
	t             *testing.T
	bin, dir, url string
	cmd           *exec.Cmd
	out           *bytes.Buffer
}

// TestKilledInTheMiddle kills the program while it changes instances, starts it again, and wants the end that it would have
// had: each planned change made once.
func TestKilledInTheMiddle(t *testing.T) {
	a := build(t)
	a.start("200ms")
	a.await("a change of an instance", func() bool { return len(a.mutations("modify")) > 2 })
	if err := a.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = a.cmd.Wait() // it was killed, and says so
	before := a.mutations("")
	a.start("1ms")
	a.await("the end of the story", func() bool { _, err := os.Stat(filepath.Join(a.dir, toldFile)); return err == nil })
	completed := a.wantEnded()
	began := time.Now()
	if err := a.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Wait(); err != nil {
		t.Errorf("it did not stop cleanly: %v\n%s", err, a.out)
	}
	t.Logf("stopped in %s; it was killed after %d changes", time.Since(began).Round(time.Millisecond), len(before))
	changed := map[string]map[string]bool{}
	for _, m := range a.mutations("") {
		if m.Execution != completed.ID {
			continue
		}
		if changed[m.Ref.ID] == nil {
			changed[m.Ref.ID] = map[string]bool{}
		}
		if changed[m.Ref.ID][m.Step] {
			t.Errorf("done twice: %s of %s", m.Step, m.Ref.ID)
		}
		changed[m.Ref.ID][m.Step] = true
	}
	if len(changed) != 12 || len(changed) != len(completed.Plan.Targets) {
		t.Errorf("%d targets were changed, %d planned", len(changed), len(completed.Plan.Targets))
	}
	a.wantQuickSecondStart()
}

func build(t *testing.T) *agent {
	t.Helper()
	dir := openDir(t)
	a := &agent{t: t, bin: filepath.Join(dir, "agent"), dir: filepath.Join(dir, "data"), url: freeAddress(t)}
	if out, err := exec.Command("go", "build", "-o", a.bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return a
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (a *agent) start(pace string) {
	a.t.Helper()
	a.out = &bytes.Buffer{}
	a.cmd = exec.CommandContext(a.t.Context(), a.bin, "-dir", a.dir, "-address", a.url, "-pace", pace, "run")
	a.cmd.Stdout, a.cmd.Stderr = a.out, a.out
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
}

// await looks again and again, for what happens in another process tells nobody.
func (a *agent) await(what string, happened func() bool) {
	a.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(3 * time.Minute)
	for !happened() {
		select {
		case <-tick.C:
		case <-limit:
			a.t.Fatalf("%s did not come:\n%s", what, a.out)
		}
	}
}

// mutations are the real changes in the sandbox's log, of one step or of all. A last line that is being written is left out.
func (a *agent) mutations(step string) []sandbox.Mutation {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, "sandbox", "changes.jsonl"))
	if err != nil {
		return nil
	}
	var out []sandbox.Mutation
	lines := bufio.NewScanner(bytes.NewReader(text[:bytes.LastIndexByte(text, '\n')+1]))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m sandbox.Mutation
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			a.t.Fatal(err)
		}
		if m.Execution != "" && m.Step != "" && (step == "" || m.Step == step) {
			out = append(out, m)
		}
	}
	return out
}

// wantEnded looks at both executions through the API, and gives the one that was completed.
func (a *agent) wantEnded() api.Execution {
	a.t.Helper()
	key, err := os.ReadFile(filepath.Join(a.dir, stack.KeyFile))
	if err != nil {
		a.t.Fatal(err)
	}
	c := client.Client{Base: "http://" + a.url, Key: strings.TrimSpace(string(key)), HTTP: http.DefaultClient}
	var page struct {
		Items []api.Execution `json:"items"`
	}
	if err := c.Get(a.t.Context(), "/api/v1/executions", nil, &page); err != nil {
		a.t.Fatal(err)
	}
	ended := map[rollout.Status]int{}
	var completed api.Execution
	for _, e := range page.Items {
		ended[e.Status]++
		if e.Status == rollout.Completed {
			completed = e
		}
	}
	if len(page.Items) != 2 || ended[rollout.Completed] != 1 || ended[rollout.RolledBack] != 1 {
		a.t.Errorf("the executions ended as %v:\n%s", ended, a.out)
	}
	return completed
}

// wantQuickSecondStart measures from the start of the process to the first answer, with nothing left to do.
func (a *agent) wantQuickSecondStart() {
	a.t.Helper()
	began := time.Now()
	a.start("1ms")
	a.await("an answer", func() bool {
		answer, err := http.Get("http://" + a.url + "/api/v1/health")
		if err != nil {
			return false
		}
		return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
	a.t.Logf("a second start answers after %s", time.Since(began).Round(time.Millisecond))
	if err := a.cmd.Process.Signal(syscall.SIGINT); err != nil {
		a.t.Fatal(err)
	}
	if err := a.cmd.Wait(); err != nil {
		a.t.Errorf("it did not stop cleanly: %v\n%s", err, a.out)
	}
}
