package focus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// csvSource reads RFC 4180 records. It is its own reader, because it must bound what one record may take and must find
// its way back after a broken one, so that a stray quotation mark costs one row and not all that follow.
type csvSource struct {
	storage *watched
	in      io.Reader
	zipped  *unzipper // what in is, nil for plain text
	buf     []byte    // buf[at:end] is read and not yet consumed
	at, end int
	eof     bool
	cells   [][]byte
	scratch []byte // unescaped cells
	wasted  int    // bytes read again or skipped because of broken records
}

const (
	firstBuffer = 256 << 10
	// maxWaste bounds the work that broken records may cause; a file that needs more is broken as a whole.
	maxWaste = 64 << 20
)

func openCSV(storage *watched, size int64, zipped bool) (*csvSource, []string, error) {
	s := &csvSource{storage: storage, in: io.NewSectionReader(storage, 0, size), buf: make([]byte, firstBuffer)}
	if zipped {
		z, err := newUnzipper(s.in)
		if err != nil {
			return nil, nil, s.broken(err)
		}
		s.in, s.zipped = z, z
	}
	header, err := s.header()
	if err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	return s, header, nil
}

// header reads the first record, and says what the file is when it is no FOCUS CSV.
func (s *csvSource) header() ([]string, error) {
	if err := s.more(); err != nil {
		return nil, err
	}
	if err := recognise(s.buf[:min(s.end, 512)]); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(s.buf[:s.end], bom) {
		s.at = len(bom)
	}
	first, _, _ := bytes.Cut(s.buf[s.at:s.end], []byte("\n"))
	if err := otherDelimiter(string(first)); err != nil {
		return nil, err
	}
	cells, bad, err := s.next()
	switch {
	case err == io.EOF: //nolint:errorlint // next gives it as it is
		return nil, notFocus("it is empty")
	case err != nil:
		return nil, err
	case bad != "":
		return nil, notFocus("its first line cannot be read as CSV")
	}
	header := make([]string, len(cells))
	for i, cell := range cells {
		header[i] = string(cell)
	}
	return header, nil
}

func (s *csvSource) close() error {
	if s.zipped != nil {
		s.zipped.close()
		s.zipped = nil
	}
	return nil
}

func (s *csvSource) broken(cause error) error {
	return damaged(s.storage, cause, "The gzip data of the file is damaged or cut off. Send the file again.")
}

// more reads on, moving or growing the buffer when it is full.
func (s *csvSource) more() error {
	if s.at > 0 {
		copy(s.buf, s.buf[s.at:s.end])
		s.at, s.end = 0, s.end-s.at
	}
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 { // readers may give nothing for a while
		n, err := s.in.Read(s.buf[s.end:])
		s.end += n
		switch {
		case err == io.EOF:
			s.eof = true
			return nil
		case err != nil:
			return s.broken(err)
		case n > 0:
			return nil
		}
	}
	return s.broken(io.ErrNoProgress)
}

func (s *csvSource) next() (cells [][]byte, bad string, err error) {
	for {
		data := s.buf[s.at:s.end]
		n, state := s.parse(data)
		switch {
		case state == cut && !s.eof && len(data) <= maxRecord:
			if err := s.more(); err != nil {
				return nil, "", err
			}
			continue
		case state == cut && len(data) == 0:
			return nil, "", io.EOF
		case state != whole:
			bad, err = s.skipLine(n)
			return nil, bad, err
		}
		s.at += n
		if len(s.cells) == 1 && len(s.cells[0]) == 0 && data[0] != '"' {
			continue // a blank line
		}
		if n > maxRecord {
			return nil, tooLong, nil
		}
		return s.cells, "", nil
	}
}

const (
	tooLong  = "The row is longer than 1 MiB."
	badQuote = "The row has a quotation mark that is not closed or not doubled."
)

// skipLine leaves out the line that a broken record begins with; what follows is read as if it stood alone. scanned is
// how far parsing came, which may be parsed once more.
func (s *csvSource) skipLine(scanned int) (bad string, err error) {
	s.wasted += scanned
	bad = badQuote
	for s.wasted <= maxWaste {
		if n := bytes.IndexByte(s.buf[s.at:s.end], '\n'); n >= 0 {
			s.at += n + 1
			return bad, nil
		}
		if s.eof {
			s.at = s.end
			return bad, nil
		}
		if s.end-s.at > maxRecord {
			bad = tooLong
			s.wasted += s.end - s.at
			s.at = s.end
		}
		if err := s.more(); err != nil {
			return "", err
		}
	}
	return "", fault.New(fault.Unprocessable, "The file is damaged: too many of its rows have open quotation marks or no end. Export it again as CSV with commas and doubled quotation marks.")
}

// state is how parsing a record ended.
type state uint8

const (
	whole  state = iota
	cut          // the data ends before the record does
	broken       // a quotation mark stands where none may
)

// parse splits the record that data begins with into s.cells and gives its length, line end included. At the end of
// the file the last line end may be missing.
func (s *csvSource) parse(data []byte) (int, state) {
	s.cells, s.scratch = s.cells[:0], s.scratch[:0]
	i := 0
	for i < len(data) {
		var end bool
		var st state
		if data[i] == '"' {
			i, end, st = s.quoted(data, i+1)
		} else {
			i, end, st = s.plain(data, i)
		}
		if st != whole || end {
			return i, st
		}
	}
	if s.eof && len(data) > 0 { // a comma was the last character
		s.cells = append(s.cells, nil)
		return i, whole
	}
	return i, cut
}

// plain reads a cell without quotation marks around it. It gives where the next one begins and whether the record ended.
func (s *csvSource) plain(data []byte, from int) (next int, end bool, st state) {
	i := separator(data, from)
	switch {
	case i < len(data) && data[i] == ',':
		s.cells = append(s.cells, data[from:i])
		return i + 1, false, whole
	case i == len(data) && !s.eof:
		return i, false, cut
	}
	s.cells = append(s.cells, bytes.TrimSuffix(data[from:i], []byte("\r")))
	return min(i+1, len(data)), true, whole
}

// separator gives where the next comma or line end stands, len(data) when there is none. It looks at eight bytes at a
// time: in (x - 0x01..01) &^ x & 0x80..80, the lowest bit that is set belongs to the first byte of x that is zero.
func separator(data []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(data); i += 8 {
		word := binary.LittleEndian.Uint64(data[i:])
		commas, lines := word^(ones*','), word^(ones*'\n')
		if found := ((commas-ones)&^commas | (lines-ones)&^lines) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(data) && data[i] != ',' && data[i] != '\n'; i++ {
	}
	return i
}

// quoted reads a cell behind its opening quotation mark.
func (s *csvSource) quoted(data []byte, from int) (next int, end bool, st state) {
	start := len(s.scratch)
	doubled := false
	for i := from; ; {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return len(data), false, cut
		}
		i += n
		next, end, st = s.closing(data, i+1)
		if st == whole {
			cell := data[from:i]
			if doubled {
				s.scratch = append(s.scratch, cell...)
				cell = s.scratch[start:len(s.scratch):len(s.scratch)]
			}
			s.cells = append(s.cells, cell)
			return next, end, whole
		}
		if i+1 >= len(data) || data[i+1] != '"' {
			return next, false, st
		}
		s.scratch = append(s.scratch, data[from:i+1]...)
		doubled = true
		i += 2
		from = i
	}
}

// closing looks at what stands behind a quotation mark inside a cell: whole when it closes the cell.
func (s *csvSource) closing(data []byte, i int) (next int, end bool, st state) {
	rest := data[i:]
	switch {
	case len(rest) == 0:
		if s.eof {
			return i, true, whole
		}
		return i, false, cut
	case rest[0] == ',':
		return i + 1, false, whole
	case rest[0] == '\n':
		return i + 1, true, whole
	case rest[0] != '\r':
		return i, false, broken
	case len(rest) == 1:
		if s.eof {
			return i + 1, true, whole
		}
		return i, false, cut
	case rest[1] == '\n':
		return i + 2, true, whole
	}
	return i, false, broken
}
