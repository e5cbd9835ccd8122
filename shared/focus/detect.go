package focus

import (
	"bytes"
	"errors"
	"io"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// foreign are beginnings of files that people send by mistake.
var foreign = []struct{ magic, what string }{
	{"PK\x03\x04", "it is a ZIP archive or an Excel workbook"},
	{"\x28\xb5\x2f\xfd", "it is compressed with Zstandard"},
	{"BZh", "it is compressed with bzip2"},
	{"\xfd7zXZ", "it is compressed with xz"},
	{"%PDF", "it is a PDF document"},
	{"ORC", "it is an ORC file"},
	{"Obj\x01", "it is an Avro file"},
	{"\xff\xfe", "it is text in UTF-16"},
	{"\xfe\xff", "it is text in UTF-16"},
	{"<", "it is an HTML or XML page"},
	{"{", "it is JSON"},
	{"[", "it is JSON"},
}

// recognise says why the text that begins with head cannot be CSV, nil when it can.
func recognise(head []byte) error {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(head, bom))
	if len(trimmed) == 0 {
		return notFocus("it is empty")
	}
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) || bytes.HasPrefix(trimmed, []byte(f.magic)) {
			return notFocus("%s", f.what)
		}
	}
	if header, _, _ := bytes.Cut(trimmed, []byte("\n")); bytes.IndexByte(header, 0) >= 0 {
		return notFocus("it is binary data")
	}
	return nil
}

var bom = []byte("\xef\xbb\xbf")

// Detect tells the format by content, not by name. It fails with fault.Unprocessable for what is none of the formats.
func Detect(file io.ReaderAt, size int64) (Format, error) {
	head := make([]byte, min(max(size, 0), 512))
	if n, err := file.ReadAt(head, 0); err != nil && (n < len(head) || !errors.Is(err, io.EOF)) {
		return "", unreadable(err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return CSVGzip, nil
	case bytes.HasPrefix(head, []byte("PAR1")), bytes.HasPrefix(head, []byte("PARE")):
		return Parquet, nil
	}
	if err := recognise(head); err != nil {
		return "", err
	}
	return CSV, nil
}

// unreadable translates a failure of the storage below, which says nothing about the file itself.
func unreadable(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	return fault.Wrap(err, fault.Unavailable, "The file could not be read. Please try again.")
}

// damaged translates a failure of a decoder: the fault of the storage below when it caused it, else of the file.
func damaged(storage *watched, cause error, format string, args ...any) error {
	if storage.err != nil {
		return unreadable(storage.err)
	}
	return fault.Wrap(cause, fault.Unprocessable, format, args...)
}

// watched remembers what the storage below a decoder failed with, which decoders mix up with errors of their own.
type watched struct {
	io.ReaderAt
	err error
}

// ReadAt reads from the storage; an offset that only a damaged file asks for is no failure of it.
func (w *watched) ReadAt(b []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, errors.New("offset before the beginning of the file")
	}
	n, err := w.ReaderAt.ReadAt(b, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err //nolint:wrapcheck // decoders compare with io.EOF
}
