package postgres

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// copyStream copies encoded rows into one partition after the other while more are being encoded. The connection is busy
// as long as a COPY runs; end it before any other statement.
type copyStream struct {
	conn    *pgconn.PgConn
	table   string        // of the COPY that runs; empty when none does
	chunks  chan []byte   // to the COPY
	spare   chan []byte   // buffers that it has sent
	done    chan struct{} // closed when it has ended
	failure error         // valid once done is closed
}

// buffersInFlight: one being encoded, one being sent, one between them.
const buffersInFlight = 3

func newCopyStream(tx pgx.Tx) *copyStream {
	s := &copyStream{conn: tx.Conn().PgConn(), spare: make(chan []byte, buffersInFlight)}
	for range buffersInFlight {
		s.spare <- nil
	}
	return s
}

// buffer gives an empty buffer to encode rows into; send takes it back.
func (s *copyStream) buffer() []byte {
	select {
	case b := <-s.spare:
		return b[:0]
	default:
		return nil // a batch may fill one for each of many partitions, and some were lost with a COPY that failed
	}
}

// keep takes a buffer for later, unless there are enough.
func keep(spare chan<- []byte, b []byte) {
	select {
	case spare <- b:
	default:
	}
}

// send hands encoded rows over. An error may be that of an earlier send.
func (s *copyStream) send(ctx context.Context, table string, rows []byte) error {
	if len(rows) == 0 {
		keep(s.spare, rows)
		return nil
	}
	if s.table != table {
		if err := s.end(); err != nil {
			return err
		}
		s.begin(ctx, table)
	}
	select {
	case s.chunks <- rows:
		return nil
	case <-s.done:
		return s.end()
	}
}

func (s *copyStream) begin(ctx context.Context, table string) {
	s.table, s.chunks, s.done = table, make(chan []byte), make(chan struct{})
	source := &chunkReader{chunks: s.chunks, spare: s.spare, rest: copyHeader}
	go func() {
		defer close(s.done)
		sql := "copy " + pgx.Identifier{table}.Sanitize() + " from stdin (format binary)"
		_, s.failure = s.conn.CopyFrom(ctx, source, sql)
	}()
}

// end waits until the running COPY has stored everything.
func (s *copyStream) end() error {
	if s.table == "" {
		return nil
	}
	close(s.chunks)
	<-s.done
	s.table = ""
	return s.failure
}

// chunkReader reads chunks one behind the other, between the header and the trailer of the format.
type chunkReader struct {
	chunks <-chan []byte
	spare  chan<- []byte
	chunk  []byte // the one that rest is of; nil for header and trailer
	rest   []byte
	ended  bool
}

func (r *chunkReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.chunk != nil {
			keep(r.spare, r.chunk)
			r.chunk = nil
		}
		if r.ended {
			return 0, io.EOF
		}
		chunk, more := <-r.chunks
		r.chunk, r.rest = chunk, chunk
		if !more {
			r.rest, r.ended = copyTrailer, true
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
