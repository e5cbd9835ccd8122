package postgres

import (
	"context"
	"errors"
	"io"

	"github.com/cost-agent/cost-agent/shared/focus"
)

// batch is some rows on their way from the parser to the database.
type batch struct {
	rows       []focus.Row // backing store, reused
	n          int         // of rows that are filled
	rejections []focus.Rejection
}

const (
	batchRows = 4096
	// batches in flight: the parser works on while the writer waits for the numbers of new texts.
	batches = 6
)

// feed parses a file in a goroutine of its own, so that parsing and writing use two cores.
type feed struct {
	full chan *batch
	free chan *batch
	err  error // why the file ended early; valid once full is closed
}

// parse starts reading. The goroutine ends with the file, with an error, or with ctx.
func parse(ctx context.Context, r *focus.Reader) *feed {
	f := &feed{full: make(chan *batch, batches), free: make(chan *batch, batches)}
	for range batches {
		f.free <- &batch{rows: make([]focus.Row, batchRows)}
	}
	go func() {
		defer close(f.full)
		f.err = f.run(ctx, r)
	}()
	return f
}

func (f *feed) run(ctx context.Context, r *focus.Reader) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b := <-f.free:
			more, err := b.fill(r)
			if err != nil {
				return err
			}
			f.full <- b // there is room for every batch
			if !more {
				return nil
			}
		}
	}
}

// fill reads until the batch is full, and says whether there may be more.
func (b *batch) fill(r *focus.Reader) (more bool, err error) {
	b.n, b.rejections = 0, b.rejections[:0]
	for b.n < len(b.rows) && len(b.rejections) < len(b.rows) {
		rejection, err := r.Next(&b.rows[b.n])
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case rejection != nil:
			b.rejections = append(b.rejections, *rejection)
		default:
			b.n++
		}
	}
	return true, nil
}

// wait takes what is left until the parser has ended, so that nothing reads the file any more.
func (f *feed) wait() {
	for range f.full { // the batches are of no use any more
	}
}
