package azure

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// ahead is for how many places reports are ordered before the first of them is read: Azure takes minutes to write one.
const ahead = 4

// polling is how often Azure is asked whether a report is written, where it does not say itself.
const polling = 10 * time.Second

type reportPoller = runtime.Poller[armcostmanagement.GenerateCostDetailsReportClientCreateOperationResponse]

// order is a report that Azure was asked to write.
type order struct {
	of     place
	view   view
	poller *reportPoller
}

// detailed has Azure write cost details reports of each place, and streams them.
func (c *Collector) detailed(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
	return rows(func(emit func(focus.Row) bool) error {
		days, some := c.daysOf(month)
		if !some {
			return nil
		}
		places, err := c.placesToRead(ctx)
		if err != nil {
			return err
		}
		d := c.detailing(days, emit)
		var orders []order
		for i := range places {
			for _, p := range places[len(orders)/len(views) : min(i+ahead, len(places))] {
				for _, v := range views {
					poller, err := c.order(ctx, p, v, days)
					if err != nil {
						return err
					}
					orders = append(orders, order{p, v, poller})
				}
			}
			for _, o := range orders[i*len(views) : (i+1)*len(views)] {
				if err := c.deliver(ctx, o, d); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// order asks for a report, of at most a month.
func (c *Collector) order(ctx context.Context, p place, v view, days cost.Period) (*reportPoller, error) {
	client, err := armcostmanagement.NewGenerateCostDetailsReportClient(c.credential, c.client)
	if err != nil {
		return nil, translate(err, p.what())
	}
	poller, err := client.BeginCreateOperation(ctx, strings.TrimPrefix(p.scope, "/"), armcostmanagement.GenerateCostDetailsReportRequestDefinition{
		Metric: pointer(armcostmanagement.CostDetailsMetricType(v)),
		TimePeriod: &armcostmanagement.CostDetailsTimePeriod{
			Start: pointer(days.Start.Format(time.DateOnly)), End: pointer(days.End.AddDate(0, 0, -1).Format(time.DateOnly)), // both belong to it
		},
	}, nil)
	return poller, translate(err, p.what())
}

// tryDetails orders the smallest report that there is, and does not wait for it.
func (c *Collector) tryDetails(ctx context.Context, p place) error {
	_, err := c.order(ctx, p, actualCost, cost.Days(c.options.Now().AddDate(0, 0, -1), 1))
	return err
}

// deliver waits for a report and streams its files.
func (c *Collector) deliver(ctx context.Context, o order, d *detailing) error {
	what := o.of.what()
	done, err := o.poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: cmp.Or(c.options.Polling, polling)})
	if err != nil {
		return translate(err, what)
	}
	switch deref(done.Status) {
	case armcostmanagement.CostDetailsStatusTypeNoDataFoundCostDetailsStatusType, "": // there is no status where there is no content
		return nil
	case armcostmanagement.CostDetailsStatusTypeFailedCostDetailsStatusType:
		return fault.New(fault.Unavailable, "Azure could not write the report on %s; try again in a few minutes.", what)
	}
	if done.Manifest == nil || done.Manifest.BlobCount != nil && int(*done.Manifest.BlobCount) != len(done.Manifest.Blobs) {
		return broken(io.ErrUnexpectedEOF, what)
	}
	for _, file := range done.Manifest.Blobs {
		if err := c.reportFile(ctx, deref(file), o, d); err != nil {
			return translate(err, what)
		}
	}
	return nil
}

// reportFile streams one file of a report. The link to it holds what opens it, so no token is sent along.
func (c *Collector) reportFile(ctx context.Context, file armcostmanagement.BlobInfo, o order, d *detailing) (err error) {
	client, err := blob.NewClientWithNoCredential(deref(file.BlobLink), &blob.ClientOptions{ClientOptions: c.client.ClientOptions})
	if err != nil {
		return err
	}
	resp, err := client.DownloadStream(ctx, nil)
	if err != nil {
		return err
	}
	body := resp.NewRetryReader(ctx, &blob.RetryReaderOptions{MaxRetries: readings})
	defer func() { err = errors.Join(err, body.Close()) }()
	counted := &counter{from: body}
	if err := d.file(counted, o); err != nil {
		return err
	}
	if file.ByteCount != nil && *file.ByteCount != counted.bytes {
		return broken(io.ErrUnexpectedEOF, o.of.what())
	}
	return nil
}

// counter counts the bytes that are read through it.
type counter struct {
	from  io.Reader
	bytes int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += int64(n)
	return n, err
}

// file reads a CSV file record by record, whose columns are known by their names in lower case.
func (d *detailing) file(from io.Reader, o order) error {
	text := bufio.NewReaderSize(from, 64<<10)
	if mark, err := text.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = text.Discard(3) // they have been peeked at
	}
	lines := csv.NewReader(text)
	lines.ReuseRecord = true
	header, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return unreadable(err, o)
	}
	columns := make(map[string]int, len(header))
	for i, name := range header {
		columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable(err, o)
		}
		if err := d.take(o.of, o.view, func(name string) string {
			if i, ok := columns[name]; ok {
				return line[i]
			}
			return ""
		}); err != nil {
			return err
		}
	}
}

// unreadable tells lines that are none, as of a file that breaks off, from files that cannot be reached.
func unreadable(err error, o order) error {
	if _, bad := errors.AsType[*csv.ParseError](err); bad {
		return broken(err, o.of.what())
	}
	return err
}
