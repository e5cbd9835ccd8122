package job

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// tallies is where what a Differencer read lies, one object for each month of a connection. It is read, changed and written
// without a lock: each holds all that its bill was made from, so that whichever of two was written last is whole.
const tallies = "tallies"

// billing is a month's bill that is being read. Once it is staged, keep keeps what the next reading has to know.
type billing struct {
	rows iter.Seq2[focus.Row, error]
	keep func() error
}

// bill reads the month, which a Differencer does knowing what it read before.
func (c Collect) bill(ctx context.Context, from ingest.Collector, in BillInput) billing {
	differencer, ok := from.(ingest.Differencer)
	if !ok {
		return billing{rows: from.Costs(ctx, in.Month), keep: func() error { return nil }}
	}
	key := ingest.Key(in.Tenant, tallies, in.Connection, in.Month.Format("2006-01")+".json")
	known, err := readBytes(ctx, c.Staging, key)
	var rows []focus.Row
	var read []byte
	if err == nil || fault.CodeOf(err) == fault.NotFound {
		rows, read, err = differencer.CostsSince(ctx, in.Month, known)
	}
	return billing{rows: rowsOr(rows, err), keep: func() error {
		if read == nil {
			return nil
		}
		return stageBytes(ctx, c.Staging, key, read)
	}}
}

// rowsOr streams rows, or the error instead of them.
func rowsOr(rows []focus.Row, err error) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		if err != nil {
			yield(focus.Row{}, err)
			return
		}
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func readBytes(ctx context.Context, from ingest.Staging, key string) ([]byte, error) {
	object, err := from.Reader(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = object.Close() }() // it was only read
	content, err := io.ReadAll(io.NewSectionReader(object, 0, object.Size()))
	return content, staged(err)
}

func stageBytes(ctx context.Context, to ingest.Staging, key string, content []byte) error {
	w, err := to.Writer(ctx, key)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return errors.Join(staged(err), w.Abort())
	}
	return w.Close()
}
