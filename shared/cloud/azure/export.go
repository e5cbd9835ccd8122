package azure

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// manifest is what Cost Management writes beside the files of an export when all of them are there.
type manifest struct {
	ExportConfig struct {
		Type string `json:"type"`
	} `json:"exportConfig"`
	RunInfo struct {
		SubmittedTime string `json:"submittedTime"`
		StartDate     string `json:"startDate"`
		EndDate       string `json:"endDate"`
	} `json:"runInfo"`
	Blobs []struct {
		BlobName     string `json:"blobName"`
		ByteCount    int64  `json:"byteCount"`
		DataRowCount *int64 `json:"dataRowCount"`
	} `json:"blobs"`
}

// mostManifest bounds what is read of a manifest: it names a few hundred files at most.
const mostManifest = 4 << 20

// exported streams the newest complete run of the FOCUS export for the month. A month that was never exported has no rows.
func (c *Collector) exported(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		client, err := c.container()
		if err != nil {
			yield(focus.Row{}, err)
			return
		}
		newest, err := c.newest(ctx, client, month)
		if err != nil {
			yield(focus.Row{}, err)
			return
		}
		if newest == nil {
			return
		}
		stopped := false
		emit := func(row focus.Row, err error) bool {
			stopped = !yield(row, err)
			return !stopped
		}
		for _, file := range newest.Blobs {
			name := c.inContainer(file.BlobName)
			err := c.exportedFile(ctx, client.NewBlobClient(name), file.ByteCount, file.DataRowCount, emit)
			if stopped {
				return // whoever reads has enough, whatever else there would be to say
			}
			if err != nil {
				yield(focus.Row{}, translate(err, "the exported file "+name))
				return
			}
		}
	}
}

func (c *Collector) container() (*container.Client, error) {
	address, err := url.JoinPath(c.settings["export_account"], c.settings["export_container"])
	if err != nil || c.settings["export_account"] == "" {
		return nil, fault.Input("settings.export_account", c.settings["export_account"], "is not the address of a storage account, such as https://bills.blob.core.windows.net")
	}
	client, err := container.NewClient(address, c.credential, &container.ClientOptions{ClientOptions: c.client.ClientOptions})
	return client, translate(err, "the export container")
}

// newest finds the manifest of the month that was written last. Exports write each month into a folder named after its first
// and last day, 20260901-20260930, and each run into one of its own below.
func (c *Collector) newest(ctx context.Context, client *container.Client, month time.Time) (*manifest, error) {
	const what = "the export container"
	period := cost.Month(month)
	folder := period.Start.Format("20060102") + "-" + period.End.AddDate(0, 0, -1).Format("20060102")
	prefix := strings.Trim(c.settings["export_prefix"], "/")
	if prefix != "" {
		prefix += "/"
	}
	var newest *manifest
	for item, err := range items(ctx, client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix}), func(p container.ListBlobsFlatResponse) ([]*container.BlobItem, *string) {
		if p.Segment == nil {
			return nil, p.NextMarker
		}
		return p.Segment.BlobItems, p.NextMarker
	}) {
		if err != nil {
			return nil, translate(err, what)
		}
		name := deref(item.Name)
		segments := strings.Split(name, "/")
		if segments[len(segments)-1] != "manifest.json" || !slices.Contains(segments, folder) {
			continue
		}
		m, err := readManifest(ctx, client.NewBlobClient(name))
		if err != nil {
			return nil, translate(err, "the manifest "+name)
		}
		if m.ExportConfig.Type != "FocusCost" || !strings.HasPrefix(m.RunInfo.StartDate, period.Start.Format(time.DateOnly)) {
			continue
		}
		if newest == nil || cmp.Compare(m.RunInfo.SubmittedTime, newest.RunInfo.SubmittedTime) > 0 {
			newest = m
		}
	}
	return newest, nil
}

func readManifest(ctx context.Context, client *blob.Client) (*manifest, error) {
	resp, err := client.DownloadStream(ctx, nil)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostManifest))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	m := &manifest{}
	return m, json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), m)
}

// inContainer takes the container off a name that begins with it, as the manifests of some exports have it.
func (c *Collector) inContainer(name string) string {
	name = strings.TrimPrefix(name, "/")
	return strings.TrimPrefix(name, c.settings["export_container"]+"/")
}

// exportedFile streams one file. It is fetched whole into a temporary file first, for Parquet is read from its end, and a file
// that is shorter or has other rows than its manifest says is still being written.
func (c *Collector) exportedFile(ctx context.Context, client *blob.Client, size int64, rows *int64, emit func(focus.Row, error) bool) (err error) {
	file, err := os.CreateTemp("", "azure-export-*")
	if err != nil {
		return fault.Wrap(err, fault.Internal, "A temporary file could not be made.")
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	got, err := client.DownloadFile(ctx, file, &blob.DownloadFileOptions{Concurrency: 2})
	if err != nil {
		return err
	}
	if size > 0 && got != size {
		return unfinished()
	}
	reader, err := focus.Open(file, got, "")
	if err != nil {
		return err
	}
	err = streamFile(reader, emit)
	if err == nil && rows != nil && reader.Rows() != *rows {
		err = unfinished()
	}
	return errors.Join(err, reader.Close())
}

func streamFile(reader *focus.Reader, emit func(focus.Row, error) bool) error {
	for {
		var row focus.Row
		bad, err := reader.Next(&row)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case bad != nil:
			return fault.New(fault.Unprocessable, "Row %d of the exported file cannot be used: %s %s.", bad.Row, bad.Column, bad.Reason)
		}
		if !emit(row, nil) {
			return nil
		}
	}
}

func unfinished() error {
	return fault.New(fault.Unavailable, "An exported file is not what its manifest says; it may still be being written. Try again in a few minutes.")
}
