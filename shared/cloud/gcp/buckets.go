package gcp

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/monitoring/v3"
	"google.golang.org/api/storage/v1"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	buckets     = "storage.buckets"
	bucketNames = "//storage.googleapis.com/projects/_/buckets/" // as bills write them, without the project
)

// readBuckets lists the buckets, and what they hold where the connection may read metrics. Without those, or at the limit of
// spending, a bucket has no size: Check names the right that lacks, and reading other metrics says that the limit is reached.
func readBuckets(ctx context.Context, c *Collector, project string, f *found) error {
	var all []*storage.Bucket
	var lost error
	call := c.storage.Buckets.List(project).Projection("noAcl").ReturnPartialSuccess(true).MaxResults(1000)
	err := call.Pages(ctx, func(p *storage.Buckets) error {
		all = append(all, p.Items...)
		for _, name := range p.Unreachable { // somewhere
			lost = fault.New(fault.Unavailable, "Google Cloud could not read the bucket %s; try again in a few minutes.", last(name))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, place := range wide { // the one list covers them all
		f.scope(place, buckets, "", "")
	}
	if len(all) == 0 {
		return lost
	}
	held, err := c.held(ctx, project, f.seenAt)
	if code := fault.CodeOf(translate(err, "metrics")); err != nil && code != fault.Forbidden && code != fault.LimitReached {
		return err
	}
	for _, b := range all {
		f.scope(strings.ToLower(b.Location), buckets, "", "")
		f.bucket(project, b, held[b.Name])
	}
	return lost
}

func (f *found) bucket(project string, b *storage.Bucket, held holding) {
	attributes := map[string]string{resource.AttrSize: b.StorageClass, resource.AttrLifecycleRules: "0"}
	if b.Lifecycle != nil {
		attributes[resource.AttrLifecycleRules] = strconv.Itoa(len(b.Lifecycle.Rule))
	}
	if held.known {
		attributes[resource.AttrGiB], attributes[resource.AttrStandardGiB] = inGiB(held.all), inGiB(held.standard)
	}
	f.resources = append(f.resources, resource.Resource{
		Ref: resource.Ref{
			Cloud: resource.GCP, Account: project, Region: strings.ToLower(b.Location), Type: resource.Bucket, ID: bucketNames + b.Name,
		},
		Name: b.Name, Attributes: attributes, Tags: b.Labels, CreatedAt: moment(b.TimeCreated), SeenAt: f.seenAt,
	})
}

// inGiB is a size to the KiB.
func inGiB(bytes float64) string {
	return strconv.FormatFloat(math.Round(bytes/(1<<10))/(1<<20), 'f', -1, 64)
}

// holding is how many bytes a bucket holds, and how many of them in the class that costs the most to keep.
type holding struct {
	known         bool
	all, standard float64
}

// bucketBytes is the metric of what buckets hold, which Google writes once a day.
const bucketBytes = "storage.googleapis.com/storage/total_bytes"

// held reads what the buckets of a project hold, from the newest daily value of each class.
func (c *Collector) held(ctx context.Context, project string, at time.Time) (map[string]holding, error) {
	const days = 3 // the metric comes late
	out := map[string]holding{}
	call := c.monitoring.Projects.TimeSeries.List("projects/"+project).PageSize(pageSeries).
		Filter(fmt.Sprintf(`resource.type = "gcs_bucket" AND metric.type = "%s"`, bucketBytes)).
		IntervalStartTime(at.AddDate(0, 0, -days).Format(time.RFC3339)).IntervalEndTime(at.Format(time.RFC3339)).
		AggregationAlignmentPeriod("86400s").AggregationPerSeriesAligner("ALIGN_NEXT_OLDER").
		AggregationCrossSeriesReducer("REDUCE_SUM").AggregationGroupByFields("resource.labels.bucket_name", "metric.labels.storage_class")
	err := call.Pages(ctx, func(p *monitoring.ListTimeSeriesResponse) error {
		if len(p.ExecutionErrors) > 0 || len(p.Unreachable) > 0 {
			return fault.New(fault.Unavailable, "Cloud Monitoring could not read all metrics of project %s; try again in a few minutes.", project)
		}
		for _, s := range p.TimeSeries {
			bytes, ok := newest(s)
			if !ok || s.Resource == nil {
				continue
			}
			name := s.Resource.Labels["bucket_name"]
			h := out[name]
			h.known, h.all = true, h.all+bytes
			if s.Metric != nil && isStandard(s.Metric.Labels["storage_class"]) {
				h.standard += bytes
			}
			out[name] = h
		}
		return c.meter.Spend("Cloud Monitoring series", int64(len(p.TimeSeries)), perSeries)
	})
	if err != nil {
		return nil, err // a part of a bucket's classes would look like a small bucket
	}
	return out, nil
}

// newest is a series' last value; points come newest first.
func newest(s *monitoring.TimeSeries) (float64, bool) {
	if len(s.Points) == 0 || s.Points[0].Value == nil {
		return 0, false
	}
	switch v := s.Points[0].Value; {
	case v.DoubleValue != nil:
		return *v.DoubleValue, true
	case v.Int64Value != nil:
		return float64(*v.Int64Value), true
	}
	return 0, false
}

// isStandard knows the class under its older names too.
func isStandard(class string) bool {
	return class == "STANDARD" || class == "REGIONAL" || class == "MULTI_REGIONAL"
}
