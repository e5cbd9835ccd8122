// Package staging keeps bulk data between the cloud side and the data side in S3.
package staging

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// API is what this package calls of S3.
type API interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, options ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(ctx context.Context, in *s3.HeadObjectInput, options ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(ctx context.Context, in *s3.PutObjectInput, options ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput, options ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(ctx context.Context, in *s3.UploadPartInput, options ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, options ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput, options ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// Presigner makes URLs that carry their own permission; *s3.PresignClient is one.
type Presigner interface {
	PresignPutObject(ctx context.Context, in *s3.PutObjectInput, options ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
}

// Bucket is the staging area. Its keys are made by ingest.Key, and those from outside checked by ingest.Owned.
type Bucket struct {
	API       API
	Presigner Presigner // for UploadURL only
	Name      string
}

var _ ingest.Staging = Bucket{}

// UploadURL makes a URL to which, until it expires, anybody who has it may PUT the object, once or again.
func (b Bucket) UploadURL(ctx context.Context, key string, valid time.Duration) (string, error) {
	r, err := b.Presigner.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &b.Name, Key: &key}, s3.WithPresignExpires(valid))
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "The upload could not be prepared; try again in a moment.")
	}
	return r.URL, nil
}

// translate gives an error of S3 its fault code. HeadObject has no body, so its "not found" comes under another name; and as
// "Forbidden", for whoever may not list the bucket is not told that an object is missing, and no function may.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return fault.Wrap(err, fault.NotFound, "There is no staged object with this key; it may have expired, so stage it again.")
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch api.ErrorCode() {
		case "NotFound", "NoSuchKey", "Forbidden":
			return fault.Wrap(err, fault.NotFound, "There is no staged object with this key; it may have expired, so stage it again.")
		case "PreconditionFailed":
			return fault.Wrap(err, fault.Conflict, "The staged object was replaced while it was read; start again.")
		case "SlowDown", "ThrottlingException", "RequestLimitExceeded":
			return fault.Wrap(err, fault.Throttled, "The staging area is busy; try again in a moment.")
		case "NoSuchBucket", "AccessDenied", "InvalidRange", "InvalidArgument":
			return fault.Wrap(err, fault.Internal, "The staging area refused the request.")
		}
	}
	return fault.Wrap(err, fault.Unavailable, "The staging area cannot be reached; try again in a moment.")
}

// Reader opens an object. Close ends all its reading.
func (b Bucket) Reader(ctx context.Context, key string) (ingest.Object, error) {
	head, err := b.API.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.Name, Key: &key})
	if err != nil {
		return nil, translate(err)
	}
	return newObject(ctx, b, key, aws.ToString(head.ETag), aws.ToInt64(head.ContentLength)), nil
}

// Writer opens an object for writing.
func (b Bucket) Writer(ctx context.Context, key string) (ingest.WriteAborter, error) {
	return &writer{ctx: ctx, bucket: b, key: key}, nil
}
