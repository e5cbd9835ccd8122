package focus

import (
	"io"
	"time"

	"github.com/shopspring/decimal"
)

// Table reads the records of any CSV or Parquet file as cells of text, with the same checks as Open but for the columns: for
// bills that are not FOCUS and are made into it. Lists, maps and structs of Parquet are JSON. It is for one goroutine.
type Table struct {
	source source
	header []string
	failed error
}

// OpenTable gets ready to read. It fails as Open does, but asks for no columns. The file must stay open until Close.
func OpenTable(file io.ReaderAt, size int64) (*Table, error) {
	found, err := Detect(file, size)
	if err != nil {
		return nil, err
	}
	src, header, err := openSource(&watched{ReaderAt: file}, size, found)
	if err != nil {
		return nil, err
	}
	return &Table{source: src, header: header}, nil
}

func openSource(storage *watched, size int64, f Format) (source, []string, error) {
	if f == Parquet {
		return openParquet(storage, size)
	}
	return openCSV(storage, size, f == CSVGzip)
}

// Header names the columns.
func (t *Table) Header() []string { return t.header }

// Next gives the cells of the next record, valid until the call after; a null is an empty cell. A text says why the record
// cannot be read. The error is io.EOF at the end; any other is a fault of the file as a whole, and stays.
func (t *Table) Next() (cells [][]byte, bad string, err error) {
	if t.failed != nil {
		return nil, "", t.failed
	}
	cells, bad, t.failed = t.source.next()
	return cells, bad, t.failed
}

// Close lets go of the decoder. It does not close the file.
func (t *Table) Close() error { return t.source.close() }

// ParseNumber reads a cell as the reader reads FOCUS numbers: "-12.50" or "1E-7", within the bounds of what bills contain.
func ParseNumber(cell []byte) (decimal.Decimal, bool) { return parseNumber(cell, nil) }

// ParseInstant reads a cell as the reader reads FOCUS times: RFC 3339 and what bills write for it. Without a zone it is UTC.
func ParseInstant(cell []byte) (time.Time, bool) { return parseInstant(cell) }

// ParsePairs reads a cell as the reader reads FOCUS tags: a JSON object, or a list of keys and values. Inner values stay JSON.
func ParsePairs(cell []byte) (map[string]string, bool) { return parsePairs(cell) }
