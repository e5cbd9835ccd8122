package azure

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// usageVersion is the last version of usage details for agreements of both kinds.
const usageVersion = "2021-10-01"

// usageRecord is one record of usage details. Its properties depend on the agreement, "legacy" or "modern"; both kinds have much
// in common with the columns of cost details.
type usageRecord struct {
	Properties map[string]any    `json:"properties"`
	Tags       map[string]string `json:"tags"`
}

// consumed reads the usage details of each place, in both views.
func (c *Collector) consumed(ctx context.Context, month time.Time) iter.Seq2[focus.Row, error] {
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
		for _, p := range places {
			for _, v := range views {
				for record, err := range c.usageDetails(ctx, p, v, days) {
					if err != nil {
						return err
					}
					if err := d.take(p, v, record.fields()); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// usageDetails asks for the days as each kind of agreement understands it: with a filter and with two parameters, and where filters
// are refused, with the parameters alone.
func (c *Collector) usageDetails(ctx context.Context, p place, v view, days cost.Period) iter.Seq2[usageRecord, error] {
	first, last := days.Start.Format(time.DateOnly), days.End.AddDate(0, 0, -1).Format(time.DateOnly) // both belong to it
	query := url.Values{
		"api-version": {usageVersion}, "metric": {string(v)}, "$expand": {"properties/meterDetails"}, "$top": {"1000"},
		"startDate": {first}, "endDate": {last},
		"$filter": {"properties/usageStart ge '" + first + "' and properties/usageEnd le '" + last + "'"},
	}
	ask := func() iter.Seq2[usageRecord, error] {
		return answers[usageRecord](ctx, c, listing{"UsageDetailsClient.NewListPager", p.scope + "/providers/Microsoft.Consumption/usageDetails", query, p.what()})
	}
	return func(yield func(usageRecord, error) bool) {
		begun := false
		for record, err := range ask() {
			if err != nil && !begun && fault.CodeOf(err) == fault.Unprocessable {
				query.Del("$filter")
				ask()(yield)
				return
			}
			begun = true
			if !yield(record, err) {
				return
			}
		}
	}
}

// tryConsumed asks for the first records of yesterday.
func (c *Collector) tryConsumed(ctx context.Context, p place) error {
	for _, err := range c.usageDetails(ctx, p, actualCost, cost.Days(c.options.Now().AddDate(0, 0, -1), 1)) {
		return err
	}
	return nil
}

// fields are the properties by their names in lower case, those of the meter among them, and the tags as one JSON object.
func (r usageRecord) fields() fields {
	flat := make(map[string]string, len(r.Properties)+8)
	flatten(flat, r.Properties)
	if len(r.Tags) > 0 {
		text, _ := json.Marshal(r.Tags) // a map of texts always has a JSON form
		flat["tags"] = string(text)
	}
	return func(name string) string { return flat[name] }
}

func flatten(into map[string]string, properties map[string]any) {
	for name, value := range properties {
		switch value := value.(type) {
		case string:
			into[strings.ToLower(name)] = value
		case json.Number:
			into[strings.ToLower(name)] = value.String()
		case map[string]any: // meterDetails
			flatten(into, value)
		}
	}
}
