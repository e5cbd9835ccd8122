package ingest

import (
	"io"
)

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
