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

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// manifest is what a data export, or a legacy report, says about one of its deliveries.
type manifest struct {
	etag  string
	Files []string `json:"dataFiles"`  // s3://bucket/key
	Keys  []string `json:"reportKeys"` // of a legacy report
}

// largestManifest bounds what is read of one.
const largestManifest = 16 << 20

func (c *Collector) bucket() *s3.Client { return newS3(c.account.in(c.settings.bucketRegion)) }

// readExport reads a month from the data export, of FOCUS or of a Cost and Usage Report: the newest manifest first, then every
// file that it names. A delivery that is replaced in the middle is fault.Unavailable, so that what is loaded is one delivery as a
// whole. A month without a delivery has no rows.
func (c *Collector) readExport(ctx context.Context, month time.Time, emit func(focus.Row) error) error {
	key, err := c.newestManifest(ctx, month)
	if err != nil || key == "" {
		return err
	}
	before, err := c.manifest(ctx, key)
	if err != nil {
		return err
	}
	e := exportReader{Collector: c, month: cost.Month(month), bill: newBill(), emit: emit}
	for _, file := range before.Files {
		if err := e.readFile(ctx, file); err != nil {
			return err
		}
	}
	if err := e.bill.rest(e.month, emit); err != nil {
		return err
	}
	after, err := c.manifest(ctx, key)
	if err == nil && after.etag != before.etag {
		err = fault.New(fault.Unavailable, "The data export was delivered anew while it was read; try again in a moment.")
	}
	return err
}

// manifests lists the manifests of a month. Exports write the name of the partition in upper or in lower case; legacy reports name
// it after the days on which it begins and ends.
func (c *Collector) manifests(ctx context.Context, month time.Time) ([]types.Object, error) {
	root := strings.TrimPrefix(c.settings.prefix+"/"+c.settings.export+"/", "/")
	client := c.bucket()
	var out []types.Object
	const day = "20060102"
	for _, partition := range []string{
		"metadata/BILLING_PERIOD=" + month.Format("2006-01"), "metadata/billing_period=" + month.Format("2006-01"),
		month.Format(day) + "-" + month.AddDate(0, 1, 0).Format(day),
	} {
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &c.settings.bucket, Prefix: aws.String(root + partition + "/")})
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
	err = json.Unmarshal(text, &m)
	for _, file := range m.Keys {
		m.Files = append(m.Files, "s3://"+c.settings.bucket+"/"+file)
	}
	if err != nil || len(m.Files) == 0 {
		return m, fault.Wrap(errors.Join(err, errors.New("manifest "+key)), fault.Unprocessable, "The manifest of the data export names no data files. Check that export_name is a data export of FOCUS or of the cost and usage report.")
	}
	return m, nil
}

// exportReader reads the files of one delivery.
type exportReader struct {
	*Collector
	month cost.Period
	bill  *bill
	emit  func(focus.Row) error
}

// readFile copies one data file next to the function, because Parquet is read from its end, and reads it. A row that cannot be
// used fails the month: a bill of which rows were left out is not the bill.
func (e exportReader) readFile(ctx context.Context, uri string) (err error) {
	key, ok := strings.CutPrefix(uri, "s3://"+e.settings.bucket+"/")
	if !ok {
		return fault.New(fault.Unprocessable, "The manifest of the data export names a file in another bucket; it is not read.")
	}
	file, err := os.CreateTemp("", "export-*")
	if err != nil {
		return fault.Wrap(err, fault.Internal, "The data export could not be copied.")
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	size, err := e.download(ctx, key, file)
	if err != nil {
		return err
	}
	rows, err := e.open(file, size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.close()) }()
	for {
		if err := ctx.Err(); err != nil {
			return translate(err, "s3:GetObject")
		}
		row, err := rows.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := e.emit(row); err != nil {
			return err
		}
	}
}

// exportFile is a data file of either kind.
type exportFile interface {
	next() (focus.Row, error)
	close() error
}

// open tells by its columns which kind a file is.
func (e exportReader) open(file io.ReaderAt, size int64) (exportFile, error) {
	if r, err := openReport(file, size, e.month, e.bill); err != nil || r != nil {
		return r, err
	}
	rows, err := focus.Open(file, size, "")
	return focusFile{rows}, err
}

// focusFile is a file of a FOCUS export.
type focusFile struct{ rows *focus.Reader }

func (f focusFile) close() error { return f.rows.Close() }

func (f focusFile) next() (row focus.Row, err error) {
	left, err := f.rows.Next(&row)
	if left != nil {
		err = fault.New(fault.Unprocessable, "Row %d of the data export cannot be used: column %q %s. Check that it is a FOCUS export.", left.Row, left.Column, left.Reason)
	}
	return row, err
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
