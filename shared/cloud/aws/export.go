package aws

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// manifest is what a data export says about one of its deliveries.
type manifest struct {
	etag  string
	Files []string `json:"dataFiles"` // s3://bucket/key
}

// largestManifest bounds what is read of one.
const largestManifest = 16 << 20

func (c *Collector) bucket() *s3.Client {
	return s3.NewFromConfig(c.account.in(c.settings.bucketRegion), func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil // other servers than AWS have no name for every bucket
		o.DisableLogOutputChecksumValidationSkipped = true
	})
}

// readExport reads a month from the FOCUS export: the newest manifest first, then every file that it names. A delivery that is
// replaced in the middle is fault.Unavailable, so that what is loaded is one delivery as a whole. A month without a delivery has
// no rows.
func (c *Collector) readExport(ctx context.Context, month time.Time, emit func(focus.Row) error) error {
	key, err := c.newestManifest(ctx, month)
	if err != nil || key == "" {
		return err
	}
	before, err := c.manifest(ctx, key)
	if err != nil {
		return err
	}
	for _, file := range before.Files {
		if err := c.readFile(ctx, file, emit); err != nil {
			return err
		}
	}
	after, err := c.manifest(ctx, key)
	if err == nil && after.etag != before.etag {
		err = fault.New(fault.Unavailable, "The data export was delivered anew while it was read; try again in a moment.")
	}
	return err
}

// manifests lists the manifests of a month. Exports write the name of the partition in upper or in lower case.
func (c *Collector) manifests(ctx context.Context, month time.Time) ([]types.Object, error) {
	root := strings.TrimPrefix(c.settings.prefix+"/"+c.settings.export+"/metadata/", "/")
	client := c.bucket()
	var out []types.Object
	for _, partition := range []string{"BILLING_PERIOD=", "billing_period="} {
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &c.settings.bucket, Prefix: aws.String(root + partition + month.Format("2006-01") + "/")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, o := range page.Contents {
				if strings.HasSuffix(aws.ToString(o.Key), "Manifest.json") {
					out = append(out, o)
				}
			}
		}
	}
	return out, nil
}

func (c *Collector) newestManifest(ctx context.Context, month time.Time) (string, error) {
	all, err := c.manifests(ctx, month)
	if err != nil {
		return "", c.translateBucket(err, "s3:ListBucket")
	}
	var newest types.Object
	for _, o := range all {
		if newest.Key == nil || aws.ToTime(o.LastModified).After(aws.ToTime(newest.LastModified)) {
			newest = o
		}
	}
	return aws.ToString(newest.Key), nil
}

func (c *Collector) translateBucket(err error, what string) error {
	_, bucket := errors.AsType[*types.NoSuchBucket](err)
	_, key := errors.AsType[*types.NoSuchKey](err)
	switch {
	case bucket:
		return fault.Wrap(err, fault.Unprocessable, "There is no bucket %s. Correct the setting export_bucket.", c.settings.bucket)
	case key:
		return fault.Wrap(err, fault.Unavailable, "A file of the data export is not there (yet); try again in a moment.")
	case codeOf(err) == "PermanentRedirect" || codeOf(err) == "AuthorizationHeaderMalformed":
		return fault.Wrap(err, fault.Unprocessable, "The bucket %s is in another region. Name it in the setting export_region.", c.settings.bucket)
	}
	return translate(err, what)
}

func (c *Collector) manifest(ctx context.Context, key string) (manifest, error) {
	out, err := c.bucket().GetObject(ctx, &s3.GetObjectInput{Bucket: &c.settings.bucket, Key: &key})
	if err != nil {
		return manifest{}, c.translateBucket(err, "s3:GetObject")
	}
	text, err := io.ReadAll(io.LimitReader(out.Body, largestManifest))
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return manifest{}, translate(err, "s3:GetObject")
	}
	m := manifest{etag: aws.ToString(out.ETag)}
	if err := json.Unmarshal(text, &m); err != nil || len(m.Files) == 0 {
		return m, fault.Wrap(errors.Join(err, errors.New("manifest "+key)), fault.Unprocessable, "The manifest of the data export names no data files. Check that export_name is a data export of FOCUS.")
	}
	return m, nil
}

// readFile copies one data file next to the function, because Parquet is read from its end, and reads it. A row that is not
// FOCUS fails the month: a bill of which rows were left out is not the bill.
func (c *Collector) readFile(ctx context.Context, uri string, emit func(focus.Row) error) (err error) {
	key, ok := strings.CutPrefix(uri, "s3://"+c.settings.bucket+"/")
	if !ok {
		return fault.New(fault.Unprocessable, "The manifest of the data export names a file in another bucket; it is not read.")
	}
	file, err := os.CreateTemp("", "export-*")
	if err != nil {
		return fault.Wrap(err, fault.Internal, "The data export could not be copied.")
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	size, err := c.download(ctx, key, file)
	if err != nil {
		return err
	}
	rows, err := focus.Open(file, size, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		if err := ctx.Err(); err != nil {
			return translate(err, "s3:GetObject")
		}
		var row focus.Row
		left, err := rows.Next(&row)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case left != nil:
			return fault.New(fault.Unprocessable, "Row %d of the data export cannot be used: column %q %s. Check that it is a FOCUS export.", left.Row, left.Column, left.Reason)
		}
		if err := emit(row); err != nil {
			return err
		}
	}
}

func (c *Collector) download(ctx context.Context, key string, to io.Writer) (int64, error) {
	out, err := c.bucket().GetObject(ctx, &s3.GetObjectInput{Bucket: &c.settings.bucket, Key: &key})
	if err != nil {
		return 0, c.translateBucket(err, "s3:GetObject")
	}
	n, err := io.Copy(to, out.Body)
	return n, translate(errors.Join(err, out.Body.Close()), "s3:GetObject")
}

// probeObject reads the newest manifest, where there is one.
func (c *Collector) probeObject(ctx context.Context) error {
	key, err := c.newestManifest(ctx, time.Date(c.now().UTC().Year(), c.now().UTC().Month(), 1, 0, 0, 0, 0, time.UTC))
	if err != nil || key == "" {
		return nil //nolint:nilerr // the probe of s3:ListBucket tells
	}
	_, err = c.manifest(ctx, key)
	return err
}
