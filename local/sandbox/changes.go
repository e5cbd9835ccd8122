package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// op says what a change does to the estate.
type op string

const (
	opBegin  op = "begin"  // first line: the seed and the dates
	opSet    op = "set"    // attributes of a resource get new values
	opCreate op = "create" // a resource comes into being
	opDelete op = "delete"
	opFence  op = "fence" // a newer fencing token of a target has been seen
	opFault  op = "fault"
	opSpent  op = "spent" // a fault that happens so many times has happened once more
	opClear  op = "clear" // all faults end
)

// change is one line of the log. The base estate and the log are the whole state.
type change struct {
	Seq       int64             `json:"seq"`
	At        time.Time         `json:"at"`
	Op        op                `json:"op"`
	Ref       resource.Ref      `json:"ref,omitzero"`
	Execution string            `json:"execution,omitempty"`
	Action    plan.Action       `json:"action,omitempty"`
	Step      string            `json:"step,omitempty"`
	Set       map[string]string `json:"set,omitempty"`
	Created   *created          `json:"created,omitempty"`
	Fence     int64             `json:"fence,omitempty"`
	Fault     *Fault            `json:"fault,omitempty"`
	FaultID   int               `json:"fault_id,omitempty"`
	Begin     *beginning        `json:"begin,omitempty"`
}

// created describes a resource that an action made, and what it was made from.
type created struct {
	Name       string            `json:"name"`
	Tags       map[string]string `json:"tags"`
	Attributes map[string]string `json:"attributes"`
	From       string            `json:"from"` // id of the volume or snapshot it stems from
}

type beginning struct {
	Seed  int64     `json:"seed"`
	Start time.Time `json:"start"`
	Today time.Time `json:"today"`
}

// changeLog appends lines to a file. Without a folder it keeps nothing.
type changeLog struct {
	file  *os.File
	size  int64  // of the whole lines in it
	clock string // path of the file with the time
}

// openLog reads the log of dir and makes it ready for more. A last line that a crash cut off was never acknowledged, and
// is dropped.
func openLog(dir string) (*changeLog, []change, error) {
	if dir == "" {
		return &changeLog{}, nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("sandbox folder: %w", err)
	}
	path := filepath.Join(dir, "changes.jsonl")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("sandbox change log: %w", err)
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	var changes []change
	for n, line := range bytes.Split(bytes.TrimSuffix(text[:whole], []byte("\n")), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var c change
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, nil, fmt.Errorf("sandbox change log %s line %d: %w", path, n+1, err)
		}
		changes = append(changes, c)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("sandbox change log: %w", err)
	}
	return &changeLog{file: file, size: int64(whole), clock: filepath.Join(dir, "clock")}, changes, nil
}

// append writes one change in one write, so that it survives the process from then on. It first cuts off what a crash or a
// failed write left behind the last whole line.
func (l *changeLog) append(c change) error {
	if l.file == nil {
		return nil
	}
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	n, err := l.file.WriteAt(append(line, '\n'), l.size)
	if err != nil {
		return err
	}
	l.size += int64(n)
	return nil
}

// keepTime writes the time for the next process. That it fails is no reason to stop: the log holds the times of all
// changes, and the clock starts no earlier than the last of them.
func (l *changeLog) keepTime(t time.Time) {
	if l.clock == "" {
		return
	}
	next := l.clock + ".next"
	if err := os.WriteFile(next, []byte(t.Format(time.RFC3339Nano)), 0o644); err == nil {
		_ = os.Rename(next, l.clock)
	}
}

// time reads what keepTime wrote; the zero time when there is nothing.
func (l *changeLog) time() time.Time {
	text, err := os.ReadFile(l.clock)
	if err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, string(bytes.TrimSpace(text)))
	if err != nil {
		return time.Time{}
	}
	return t
}

func (l *changeLog) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
