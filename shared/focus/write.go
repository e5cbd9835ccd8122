package focus

import (
	"bufio"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// appendCell writes what a row has in a column as text, nothing for null. Numbers keep every decimal.
func appendCell(b []byte, c *column, row *Row) []byte {
	switch c.kind {
	case text:
		return append(b, *c.text(row)...)
	case amount:
		return append(b, c.amount(row).String()...)
	case quantity:
		if q := c.quantity(row); q.Valid {
			return append(b, q.Decimal.String()...)
		}
		return b
	case instant:
		return c.instant(row).UTC().AppendFormat(b, "2006-01-02T15:04:05.999999Z")
	case currency:
		return append(b, row.BillingCurrency...)
	case category:
		return append(b, row.ChargeCategory...)
	case tags:
		return appendPairs(b, row.Tags)
	case extras:
		return appendPairs(b, row.Extra)
	}
	return b
}

// CSVWriter writes rows as CSV with the column names of FOCUS 1.4 and x_Extra, which holds Row.Extra as JSON.
type CSVWriter struct {
	out  *bufio.Writer
	line []byte
	cell []byte
	err  error
}

// NewCSVWriter begins a CSV file. Wrap w to compress it.
func NewCSVWriter(w io.Writer) *CSVWriter {
	c := &CSVWriter{out: bufio.NewWriterSize(w, 64<<10)}
	for i := range columns {
		c.line = append(append(c.line, columns[i].name...), ',')
	}
	c.flush()
	return c
}

// Write adds one row. The error is the one of the writer below.
func (w *CSVWriter) Write(row *Row) error {
	for i := range columns {
		w.cell = appendCell(w.cell[:0], &columns[i], row)
		w.line = append(appendQuoted(w.line, w.cell), ',')
	}
	w.flush()
	return w.err
}

// Close finishes the file. It does not close the writer below.
func (w *CSVWriter) Close() error {
	if err := w.out.Flush(); w.err == nil {
		w.err = err
	}
	return w.err
}

func (w *CSVWriter) flush() {
	w.line[len(w.line)-1] = '\n' // for the last comma
	if _, err := w.out.Write(w.line); w.err == nil {
		w.err = err
	}
	w.line = w.line[:0]
}

// appendQuoted puts quotation marks around a cell that needs them.
func appendQuoted(b, cell []byte) []byte {
	special := false
	for _, c := range cell {
		if c == ',' || c == '"' || c == '\n' || c == '\r' {
			special = true
			break
		}
	}
	if !special {
		return append(b, cell...)
	}
	b = append(b, '"')
	for _, c := range cell {
		if c == '"' {
			b = append(b, '"')
		}
		b = append(b, c)
	}
	return append(b, '"')
}

// ParquetWriter writes rows as Parquet with the column names of FOCUS 1.4. Times are timestamps in microseconds.
// Numbers are text, which holds each to its last decimal whatever its scale; Tags and x_Extra, which holds Row.Extra,
// are JSON.
type ParquetWriter struct {
	out   *parquet.GenericWriter[any]
	order []*column // of the schema
	row   parquet.Row
	bytes []byte // what the values of row point into
}

// rowsPerGroup bounds what a writer holds: a row group lies in memory, unpacked, until it is full, and takes as much again while it
// is written. Four times as many rows make files a fifth smaller, and need 30 MB more; reading and writing take as long.
const rowsPerGroup = 12_500

// NewParquetWriter begins a Parquet file.
func NewParquetWriter(w io.Writer) *ParquetWriter {
	group := parquet.Group{}
	byName := map[string]*column{}
	for i := range columns {
		c := &columns[i]
		byName[c.name] = c
		switch c.kind {
		case instant:
			group[c.name] = parquet.Timestamp(parquet.Microsecond)
		default:
			group[c.name] = parquet.Optional(parquet.Encoded(parquet.String(), &parquet.RLEDictionary))
		}
	}
	schema := parquet.NewSchema("focus", group)
	p := &ParquetWriter{out: parquet.NewGenericWriter[any](w, schema, parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}), parquet.MaxRowsPerRowGroup(rowsPerGroup))}
	for _, path := range schema.Columns() {
		p.order = append(p.order, byName[strings.Join(path, ".")])
	}
	return p
}

// Write adds one row. The error is the one of the writer below.
func (w *ParquetWriter) Write(row *Row) error {
	w.row, w.bytes = w.row[:0], w.bytes[:0]
	for i, c := range w.order {
		if c.kind == instant {
			w.row = append(w.row, parquet.Int64Value(c.instant(row).UnixMicro()).Level(0, 0, i))
			continue
		}
		from := len(w.bytes)
		w.bytes = appendCell(w.bytes, c, row)
		if cell := w.bytes[from:]; len(cell) > 0 { // stays valid when bytes moves
			w.row = append(w.row, parquet.ByteArrayValue(cell).Level(0, 1, i))
		} else {
			w.row = append(w.row, parquet.NullValue().Level(0, 0, i))
		}
	}
	_, err := w.out.WriteRows([]parquet.Row{w.row})
	return err //nolint:wrapcheck // it is the caller's writer that failed
}

// Close finishes the file. It does not close the writer below.
func (w *ParquetWriter) Close() error { return w.out.Close() }
