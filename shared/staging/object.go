package staging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// The reader fetches whole blocks and keeps a few: a scan then costs one request per block, with the next one on its way,
// and the small reads of a Parquet footer cost one request together. An open object holds at most blockSize*blocksKept bytes.
const (
	blockSize  = 4 << 20
	blocksKept = 4
)

// object reads a staged object from any position; its methods may be called concurrently.
type object struct {
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	bucket Bucket
	key    string
	etag   string // reading stops with a conflict when the object is replaced meanwhile
	size   int64

	mu     sync.Mutex
	blocks map[int64]*block
	order  []int64 // least recently used first
	last   int64   // the block read last, to see a scan
}

// block is one fetched, or just being fetched, piece of the object.
type block struct {
	ready chan struct{} // closed when data and err are set
	data  []byte
	err   error
}

func newObject(ctx context.Context, b Bucket, key, etag string, size int64) *object {
	ctx, cancel := context.WithCancel(ctx)
	return &object{ctx: ctx, cancel: cancel, bucket: b, key: key, etag: etag, size: size, blocks: map[int64]*block{}, last: -1}
}

// Size is the number of bytes.
func (o *object) Size() int64 { return o.size }

// Close lets everything go.
func (o *object) Close() error {
	o.cancel()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.blocks, o.order = map[int64]*block{}, nil
	return nil
}

// ReadAt fills p from the given position, as io.ReaderAt has it.
func (o *object) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 {
		return 0, errors.New("a position before the beginning")
	}
	n := 0
	for n < len(p) && at+int64(n) < o.size {
		position := at + int64(n)
		data, err := o.read(position / blockSize)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[position%blockSize:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// read gives one block, and starts the one after it when the last read was the one before.
func (o *object) read(index int64) ([]byte, error) {
	o.mu.Lock()
	scanning := index == o.last+1 && index > 0
	o.last = index
	b := o.fetch(index)
	if scanning && (index+1)*blockSize < o.size {
		o.fetch(index + 1)
	}
	o.mu.Unlock()

	<-b.ready
	if b.err != nil {
		o.forget(index, b)
	}
	return b.data, b.err
}

// fetch gives the block, from memory or newly asked for. The caller holds the lock.
func (o *object) fetch(index int64) *block {
	if b, ok := o.blocks[index]; ok {
		o.used(index)
		return b
	}
	b := &block{ready: make(chan struct{})}
	o.blocks[index] = b
	o.used(index)
	if len(o.order) > blocksKept {
		delete(o.blocks, o.order[0])
		o.order = o.order[1:]
	}
	go func() {
		defer close(b.ready)
		b.data, b.err = o.get(index)
	}()
	return b
}

func (o *object) used(index int64) {
	for i, have := range o.order {
		if have == index {
			o.order = append(o.order[:i], o.order[i+1:]...)
			break
		}
	}
	o.order = append(o.order, index)
}

// forget drops a block that failed, so that a second try asks again.
func (o *object) forget(index int64, b *block) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.blocks[index] == b {
		delete(o.blocks, index)
		for i, have := range o.order {
			if have == index {
				o.order = append(o.order[:i], o.order[i+1:]...)
				break
			}
		}
	}
}

func (o *object) get(index int64) ([]byte, error) {
	start := index * blockSize
	end := min(start+blockSize, o.size)
	span := fmt.Sprintf("bytes=%d-%d", start, end-1)
	out, err := o.bucket.API.GetObject(o.ctx, &s3.GetObjectInput{Bucket: &o.bucket.Name, Key: &o.key, Range: &span, IfMatch: aws.String(o.etag)})
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = out.Body.Close() }()
	data := make([]byte, end-start)
	_, err = io.ReadFull(out.Body, data)
	return data, fault.Wrap(err, fault.Unavailable, "The staged object could not be read to its end; try again in a moment.")
}
