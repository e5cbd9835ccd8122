package services

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
	"github.com/spf13/afero"
)

// S3 keeps the objects of its buckets in a folder.
type S3 struct{ *Server }

// StartS3 serves the folder, which is made if need be, and makes the bucket.
func StartS3(dir, bucket string) (*S3, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("staging folder: %w", err)
	}
	backend, err := s3afero.MultiBucket(afero.NewBasePathFs(afero.NewOsFs(), dir))
	if err != nil {
		return nil, fmt.Errorf("staging folder %s: %w", dir, err)
	}
	exists, err := backend.BucketExists(bucket)
	if err == nil && !exists {
		err = backend.CreateBucket(bucket)
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", bucket, err)
	}
	quiet := gofakes3.WithLogger(gofakes3.StdLog(log.New(io.Discard, "", 0)))
	s, err := Serve(gofakes3.New(backend, quiet).Server())
	if err != nil {
		return nil, errors.Join(errors.New("staging"), err)
	}
	return &S3{s}, nil
}
