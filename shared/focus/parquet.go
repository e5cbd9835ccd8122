package focus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// parquetSource reads row group by row group, and renders every value as the text it would be in CSV, so that both
// formats go through the same checks.
type parquetSource struct {
	storage *watched
	groups  []parquet.RowGroup // not yet begun
	rows    parquet.Rows       // of the current one
	left    int64              // rows that the current one still owes
	batch   []parquet.Row
	at, n   int
	leaves  []leaf // by column index
	nested  []*nested
	cells   [][]byte
	text    []byte // what the cells point into
	spans   []span
}

// span is where a cell lies in text; text may move while a row is rendered.
type span struct{ from, to int }

const batchRows = 64

func openParquet(storage *watched, size int64) (s *parquetSource, header []string, err error) {
	s = &parquetSource{storage: storage, batch: make([]parquet.Row, batchRows)}
	defer s.translate(&err)
	if err := checkFooter(storage, size); err != nil {
		return nil, nil, err
	}
	file, err := parquet.OpenFile(storage, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, err
	}
	s.groups = file.RowGroups()
	for cell, column := range file.Root().Columns() {
		header = append(header, column.Name())
		s.plan(cell, column)
	}
	s.cells, s.spans = make([][]byte, len(header)), make([]span, len(header))
	if err := sane(file); err != nil {
		return nil, nil, err
	}
	return s, header, nil
}

// maxFooter bounds the metadata of a file; that of a bill with a thousand row groups takes a tenth of it.
const maxFooter = 64 << 20

// checkFooter looks at the length that the footer claims, because the decoder takes that much memory without asking.
func checkFooter(storage *watched, size int64) error {
	var tail [8]byte
	if size < 12 {
		return io.ErrUnexpectedEOF
	}
	if n, err := storage.ReadAt(tail[:], size-8); n < len(tail) {
		return err
	}
	if magic := string(tail[4:]); magic != "PAR1" {
		return fmt.Errorf("the file ends with %q", magic)
	}
	if length := int64(binary.LittleEndian.Uint32(tail[:])); length > size-12 || length > maxFooter {
		return fmt.Errorf("the footer claims %d bytes of %d", length, size)
	}
	return nil
}

// codecs are the compressions that are read. LZ4 is none of them: its decoder answers damaged data by asking for ever
// more memory.
var codecs = []format.CompressionCodec{format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd}

// maxChunk bounds what one column of one row group may take when unpacked.
const maxChunk = 1 << 30

// sane refuses files whose footer alone shows that reading them would take too much.
func sane(file *parquet.File) error {
	for _, group := range file.Metadata().RowGroups {
		for i := range group.Columns {
			c := group.Columns[i].MetaData
			if c.TotalUncompressedSize > maxChunk || c.TotalUncompressedSize < 0 {
				return fault.New(fault.Unprocessable, "The Parquet file has a row group with more than 1 GiB in one column. Write it again with smaller row groups.")
			}
			if !slices.Contains(codecs, c.Codec) {
				return fault.New(fault.Unprocessable, "The Parquet file is compressed with %s. Write it again with Snappy, Zstandard or gzip.", c.Codec)
			}
		}
	}
	return nil
}

// translate is the door: what the decoder fails with becomes a fault, and so do its panics, which damaged files cause.
func (s *parquetSource) translate(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("parquet decoder: %v", p)
	}
	if *err == nil || *err == io.EOF { //nolint:errorlint // next gives it as it is
		return
	}
	if _, ok := errors.AsType[*fault.Error](*err); !ok {
		*err = damaged(s.storage, *err, "The Parquet file is damaged, cut off or encrypted. Write it again and send it anew.")
	}
}

func (s *parquetSource) close() (err error) {
	defer s.translate(&err)
	if s.rows == nil {
		return nil
	}
	rows := s.rows
	s.rows = nil
	return rows.Close()
}

func (s *parquetSource) next() (cells [][]byte, bad string, err error) {
	defer s.translate(&err)
	for s.at == s.n {
		if err := s.read(); err != nil {
			return nil, "", err
		}
	}
	row := s.batch[s.at]
	s.at++
	if s.render(row); len(s.text) > maxRecord {
		return nil, tooLong, nil
	}
	for i, at := range s.spans {
		s.cells[i] = s.text[at.from:at.to:at.to]
	}
	return s.cells, "", nil
}

// read fills the batch from the current row group or the next one that has rows.
func (s *parquetSource) read() error {
	if s.rows == nil {
		if len(s.groups) == 0 {
			return io.EOF
		}
		s.rows, s.left = s.groups[0].Rows(), s.groups[0].NumRows()
		s.groups = s.groups[1:]
	}
	n, err := s.rows.ReadRows(s.batch)
	s.at, s.n = 0, n
	s.left -= int64(n)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case err == nil && n > 0:
		return nil
	case s.left != 0:
		return errors.New("the row group holds another number of rows than it says")
	}
	rows := s.rows
	s.rows = nil
	return rows.Close()
}

// render makes the text of every cell of a row.
func (s *parquetSource) render(row parquet.Row) {
	s.text = s.text[:0]
	clear(s.spans)
	for _, nest := range s.nested {
		nest.reset()
	}
	for _, v := range row {
		l := &s.leaves[v.Column()]
		switch {
		case l.nest != nil:
			l.nest.add(l, v)
		case !v.IsNull():
			from := len(s.text)
			s.text = l.render(s.text, v)
			s.spans[l.cell] = span{from, len(s.text)}
		}
	}
	for _, nest := range s.nested {
		from := len(s.text)
		s.text = nest.render(s.text)
		s.spans[nest.cell] = span{from, len(s.text)}
	}
}
