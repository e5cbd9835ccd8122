package focus

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
)

// unzipper unpacks gzip in a goroutine of its own, a few blocks ahead, so that unpacking and parsing use two cores.
type unzipper struct {
	full  chan []byte
	free  chan []byte
	stop  chan struct{}
	err   error  // why there are no more blocks; valid once full is closed
	block []byte // the one being read
	rest  []byte // of block
}

const (
	blockSize = 128 << 10
	// blocks in flight: the two sides and the database share the cores by turns, and one turn lasts some blocks.
	blocks = 16
)

func newUnzipper(in io.Reader) (*unzipper, error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(in, blockSize))
	if err != nil {
		return nil, err //nolint:wrapcheck // the source words it
	}
	u := &unzipper{full: make(chan []byte, blocks), free: make(chan []byte, blocks), stop: make(chan struct{})}
	for range blocks {
		u.free <- make([]byte, blockSize)
	}
	go u.run(z)
	return u, nil
}

// run ends with the data, with an error, or with close.
func (u *unzipper) run(z io.Reader) {
	defer close(u.full)
	for u.err == nil {
		select {
		case <-u.stop:
			u.err = io.ErrClosedPipe
		case block := <-u.free:
			var n int
			n, u.err = fillBlock(z, block[:blockSize])
			if n > 0 {
				u.full <- block[:n] // there is room for every block
			}
		}
	}
}

// fillBlock is io.ReadFull, but it does not hide whether the data ended where it may.
func fillBlock(z io.Reader, block []byte) (n int, err error) {
	idle := 0
	for n < len(block) && err == nil {
		var m int
		m, err = z.Read(block[n:])
		n += m
		if idle++; m > 0 {
			idle = 0
		}
		if idle == 100 && err == nil {
			err = io.ErrNoProgress
		}
	}
	return n, err //nolint:wrapcheck // the source words it
}

// Read gives what comes next; the error is the one of the decoder.
func (u *unzipper) Read(p []byte) (int, error) {
	if len(u.rest) == 0 {
		if u.block != nil {
			u.free <- u.block
			u.block = nil
		}
		block, more := <-u.full
		if !more {
			return 0, u.err
		}
		u.block, u.rest = block, block
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// close returns when nothing reads the file any more.
func (u *unzipper) close() {
	close(u.stop)
	for range u.full { // the blocks are of no use any more
	}
}
