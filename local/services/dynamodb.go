package services

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	dynamo "github.com/truora/minidyn/server"
)

// DynamoDB keeps its tables in memory and every write that succeeded in a journal, which the next start plays back.
type DynamoDB struct {
	*Server

	tables  *dynamo.Server
	mu      sync.Mutex // writes go to the tables and to the journal in the same order
	journal *os.File
}

// write is one line of the journal.
type write struct {
	Target string          `json:"target"`
	Body   json.RawMessage `json:"body"`
}

const targetHeader = "X-Amz-Target"

// StartDynamoDB serves the tables that the journal at path describes. An empty path keeps nothing.
func StartDynamoDB(path string) (*DynamoDB, error) {
	d := &DynamoDB{tables: dynamo.NewServer()}
	if path != "" {
		if err := d.replay(path); err != nil {
			return nil, fmt.Errorf("journal of the key table %s: %w", path, err)
		}
	}
	s, err := Serve(http.HandlerFunc(d.handle))
	if err != nil {
		return nil, err
	}
	d.Server = s
	return d, nil
}

// Close ends the service and its journal.
func (d *DynamoDB) Close(ctx context.Context) error {
	err := d.Server.Close(ctx)
	if d.journal != nil {
		err = errors.Join(err, d.journal.Close())
	}
	return err
}

// replay brings the tables to where the journal ends. A last line that a crash cut off was never acknowledged.
func (d *DynamoDB) replay(path string) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	lines := bufio.NewScanner(bytes.NewReader(whole))
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var w write
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			return err
		}
		d.call(w.Target, w.Body)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if d.journal, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	if err := d.journal.Truncate(int64(len(whole))); err != nil {
		return err
	}
	_, err = d.journal.Seek(0, io.SeekEnd)
	return err
}

func (d *DynamoDB) call(target string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set(targetHeader, target)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	answer := httptest.NewRecorder()
	d.tables.ServeHTTP(answer, r)
	return answer
}

func (d *DynamoDB) handle(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get(targetHeader)
	if !changes(target) {
		d.tables.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	answer := d.call(target, body)
	if answer.Code == http.StatusOK && d.journal != nil {
		if err := d.keep(target, body); err != nil {
			http.Error(w, "journal: "+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the caller is gone, nobody to tell
}

func (d *DynamoDB) keep(target string, body []byte) error {
	line, err := json.Marshal(write{target, body})
	if err != nil {
		return err
	}
	_, err = d.journal.Write(append(line, '\n'))
	return err
}

// changes reports whether the operation may change a table.
func changes(target string) bool {
	_, op, _ := strings.Cut(target, ".")
	switch op {
	case "GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "DescribeTable":
		return false
	}
	return true
}
