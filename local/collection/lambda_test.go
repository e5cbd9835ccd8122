package collection_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/cost-agent/cost-agent/local/stepfunctions"
)

// function is a function of the template as Lambda runs it: a process of its own for each call that goes on at a time, which is
// kept for later calls.
type function struct {
	tb     testing.TB
	name   string
	binary string
	env    []string

	mu   sync.Mutex
	idle []*process
	all  []*process
}

// process is an execution environment, with the runtime API that it asks for work.
type process struct {
	command *exec.Cmd
	calls   chan []byte
	answers chan answer
	ended   chan struct{}
}

type answer struct {
	body []byte
	err  error
}

const runtimeAPI = "/2018-06-01/runtime/"

// buildFunctions compiles the functions for this machine with the tags that they are deployed with.
func buildFunctions(tb testing.TB, root string, names ...string) (folder string) {
	tb.Helper()
	folder = tb.TempDir()
	arguments := []string{"build", "-tags", "lambda.norpc,grpcnotrace", "-ldflags", "-s -w", "-o", folder + "/"}
	for _, name := range names {
		arguments = append(arguments, "./functions/"+name)
	}
	command := exec.CommandContext(tb.Context(), "go", arguments...)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		tb.Fatalf("%v %s", err, out)
	}
	return folder
}

// deployed are the variables of the Go runtime that the template gives a function, named as its folder.
func deployed(tb testing.TB, root, name string) (env []string) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		tb.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Properties struct {
				Environment struct {
					Variables map[string]any `yaml:"Variables"`
				} `yaml:"Environment"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		tb.Fatal(err)
	}
	var words []string
	for word := range strings.SplitSeq(name+"-function", "-") {
		words = append(words, strings.ToUpper(word[:1])+word[1:])
	}
	part, known := template.Resources[strings.Join(words, "")]
	if !known {
		tb.Fatalf("the template has no function %s", name)
	}
	for key, value := range part.Properties.Environment.Variables {
		if strings.HasPrefix(key, "GO") {
			env = append(env, fmt.Sprintf("%s=%v", key, value))
		}
	}
	return env
}

// Invoke calls the function. An error of it is a stepfunctions.FunctionError.
func (f *function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	p, err := f.take()
	if err != nil {
		return nil, err
	}
	select {
	case p.calls <- payload:
	case <-p.ended:
		return nil, errors.New("the process of " + f.name + " has ended")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-p.answers:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.idle = append(f.idle, p)
		return a.body, a.err
	case <-p.ended:
		return nil, errors.New("the process of " + f.name + " ended while it worked")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *function) take() (*process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.idle); n > 0 {
		p := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return p, nil
	}
	p := &process{calls: make(chan []byte), answers: make(chan answer, 1), ended: make(chan struct{})}
	api := httptest.NewServer(p)
	p.command = exec.Command(filepath.Join(f.binary, f.name)) //nolint:noctx // it ends with the test
	p.command.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=" + f.name, "PATH=" + os.Getenv("PATH"),
	}, f.env...)
	p.command.Stdout, p.command.Stderr = f.tb.Output(), f.tb.Output()
	if err := p.command.Start(); err != nil {
		api.Close()
		return nil, err
	}
	go func() { _ = p.command.Wait(); close(p.ended) }() // it ends by a signal
	f.tb.Cleanup(func() {
		_ = p.command.Process.Kill() // it may have ended
		<-p.ended
		api.CloseClientConnections()
		api.Close()
	})
	f.all = append(f.all, p)
	return p, nil
}

// ServeHTTP is the runtime API.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := strings.TrimPrefix(r.URL.Path, runtimeAPI)
	if what == "invocation/next" {
		select {
		case payload := <-p.calls:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "call")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(15*time.Minute).UnixMilli(), 10))
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(payload) // a process that has gone shows by its end
		case <-r.Context().Done():
		}
		return
	}
	body, err := io.ReadAll(r.Body)
	if strings.HasSuffix(what, "/error") {
		var failed struct{ ErrorType, ErrorMessage string }
		err = errors.Join(err, json.Unmarshal(body, &failed))
		if err == nil {
			err = &stepfunctions.FunctionError{Type: failed.ErrorType, Message: failed.ErrorMessage}
		}
	}
	p.answers <- answer{body, err}
	w.WriteHeader(http.StatusAccepted)
}

// mostMemory is the largest resident size of a process of the function, in MB, and how many processes there were.
func (f *function) mostMemory() (megabytes float64, processes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.all {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
		if err != nil {
			f.tb.Logf("the memory of %s is not known: %v", f.name, err) // only Linux tells
			continue
		}
		_, most, _ := strings.Cut(string(text), "VmHWM:")
		kb, err := strconv.ParseFloat(strings.Fields(most + " 0")[0], 64)
		if err != nil {
			f.tb.Fatal(err)
		}
		megabytes = max(megabytes, kb*1024/1e6)
	}
	return megabytes, len(f.all)
}

// processorTime is what all processes of the function have used.
func (f *function) processorTime() (sum time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.all {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
		if err != nil {
			return 0 // only Linux tells
		}
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after)
		for _, ticks := range fields[11:13] { // utime and stime, in hundredths of a second
			n, err := strconv.Atoi(ticks)
			if err != nil {
				f.tb.Fatal(err)
			}
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum
}
