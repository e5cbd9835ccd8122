package staging

import (
	"bytes"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// partSize is what the writer holds in memory. S3 wants at least 5 MiB a part and takes 10,000 parts, so 80 GB is the most.
const partSize = 8 << 20

// writer sends an object in parts, so that its size does not matter. What fits in one part goes in one request.
type writer struct {
	ctx    context.Context
	bucket Bucket
	key    string

	buffer bytes.Buffer
	upload string // id of the multipart upload, empty before the first full part
	parts  []types.CompletedPart
	err    error // the first failure; nothing is sent after it
	done   bool
}

var errDone = errors.New("the object is closed")

// Write takes bytes and sends every full part.
func (w *writer) Write(b []byte) (int, error) {
	if err := w.state(); err != nil {
		return 0, err
	}
	n := 0
	for n < len(b) {
		take := min(partSize-w.buffer.Len(), len(b)-n)
		w.buffer.Write(b[n : n+take])
		n += take
		if w.buffer.Len() == partSize {
			if w.err = w.send(); w.err != nil {
				return n, w.err
			}
		}
	}
	return n, nil
}

// Close sends the rest and publishes the object. When it fails there is no object.
func (w *writer) Close() error {
	if err := w.state(); err != nil {
		return err
	}
	if w.upload == "" {
		w.done = true
		_, err := w.bucket.API.PutObject(w.ctx, &s3.PutObjectInput{Bucket: &w.bucket.Name, Key: &w.key, Body: bytes.NewReader(w.buffer.Bytes())})
		return translate(err)
	}
	if w.buffer.Len() > 0 {
		w.err = w.send()
	}
	if w.err == nil {
		_, err := w.bucket.API.CompleteMultipartUpload(w.ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &w.bucket.Name, Key: &w.key, UploadId: &w.upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
		})
		w.err = translate(err)
	}
	if w.err != nil {
		return errors.Join(w.err, w.Abort())
	}
	w.done = true
	return nil
}

// Abort throws away what was sent. After Close or Abort it does nothing.
func (w *writer) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	if w.upload == "" {
		return nil
	}
	// Parts cost money until they are removed, so the end of the caller's context must not keep them.
	_, err := w.bucket.API.AbortMultipartUpload(context.WithoutCancel(w.ctx), &s3.AbortMultipartUploadInput{Bucket: &w.bucket.Name, Key: &w.key, UploadId: &w.upload})
	return translate(err)
}

func (w *writer) state() error {
	if w.done {
		return fault.Wrap(errDone, fault.Internal, "The staged object is closed.")
	}
	return w.err
}

// send uploads the buffer as the next part.
func (w *writer) send() error {
	if w.upload == "" {
		out, err := w.bucket.API.CreateMultipartUpload(w.ctx, &s3.CreateMultipartUploadInput{Bucket: &w.bucket.Name, Key: &w.key})
		if err != nil {
			return translate(err)
		}
		w.upload = aws.ToString(out.UploadId)
	}
	number := int32(len(w.parts) + 1)
	out, err := w.bucket.API.UploadPart(w.ctx, &s3.UploadPartInput{
		Bucket: &w.bucket.Name, Key: &w.key, UploadId: &w.upload, PartNumber: &number, Body: bytes.NewReader(w.buffer.Bytes()),
	})
	if err != nil {
		return translate(err)
	}
	w.parts = append(w.parts, types.CompletedPart{ETag: out.ETag, PartNumber: &number, ChecksumCRC32: out.ChecksumCRC32})
	w.buffer.Reset()
	return nil
}
