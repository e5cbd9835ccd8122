package ingest

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Staging is where the cloud side leaves bulk data for the data side: S3, or a stand-in for it.
type Staging interface {
	// Writer opens an object for writing. The object exists only once Close returned nil.
	Writer(ctx context.Context, key string) (WriteAborter, error)
	// Reader opens an object; fault.NotFound when there is none.
	Reader(ctx context.Context, key string) (Object, error)
}

// WriteAborter writes one staged object. Close publishes it, Abort throws it away.
type WriteAborter interface {
	io.WriteCloser
	Abort() error
}

// Object is a staged object that can be read from any position, which Parquet needs.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Key builds the key of a staged object of the tenant. The parts may hold any characters; each stays one segment.
func Key(t tenant.ID, parts ...string) string {
	segments := make([]string, 0, len(parts)+1)
	for _, p := range append([]string{string(t)}, parts...) {
		escaped := url.PathEscape(p)
		if strings.Trim(escaped, ".") == "" { // "", ".", "..": not segments that a path keeps
			escaped = "%" + escaped
		}
		segments = append(segments, escaped)
	}
	return strings.Join(segments, "/")
}

// Owned checks that the key is one of the tenant's. Every key that came from outside passes it before it is used; a key of
// another tenant is fault.NotFound, so that nobody learns what others have.
func Owned(t tenant.ID, key string) error {
	segments := strings.Split(key, "/")
	odd := func(s string) bool { return s == "" || s == "." || s == ".." || strings.ContainsAny(s, "\\\x00") }
	if t == "" || len(segments) < 2 || segments[0] != string(t) || len(key) > 1024 || slices.ContainsFunc(segments, odd) {
		return fault.New(fault.NotFound, "There is no staged object with this key; ask for an upload first.")
	}
	return nil
}

// Bytes is an object in memory.
func Bytes(content []byte) Object { return inMemory{bytes.NewReader(content)} }

type inMemory struct{ *bytes.Reader }

// Close has nothing to let go.
func (inMemory) Close() error { return nil }
