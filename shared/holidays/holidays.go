// Package holidays knows the public holidays of countries and their regions.
package holidays

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rickar/cal/v2"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// Book holds the calendars. The zero value is ready to use.
type Book struct{}

// Calendar names the holidays of a country, by its ISO 3166-1 code, on the days of a period; with a region, by the part of its
// ISO 3166-2 code after the hyphen, those of that region. A holiday that is made up for on another day, because it falls on a
// weekend, stands on that other day. No country is a nil calendar. It fails with fault.Invalid, naming the field, for a country or
// region that it does not know.
func (Book) Calendar(country, region string, days cost.Period) (cost.Calendar, error) {
	if country == "" {
		if region != "" {
			return nil, fault.Input("region", region, "needs a country")
		}
		return nil, nil
	}
	c, ok := countries[country]
	if !ok {
		return nil, fault.Input("country", country, "is none of the countries whose holidays are known: %s", known(countries))
	}
	list := c.whole
	if region != "" {
		if list, ok = c.regions[region]; !ok {
			return nil, fault.Input("region", region, "is no region of %s with holidays of its own here. %s", country, c.choice())
		}
	}
	return named(list, days), nil
}

// country is what is known of one.
type country struct {
	whole   []*cal.Holiday
	regions map[string][]*cal.Holiday
}

func (c country) choice() string {
	if len(c.regions) == 0 {
		return "Leave the region out."
	}
	return "There are " + known(c.regions) + "."
}

func known[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// named lays holidays out. Where two meet, the first in the list names the day.
func named(list []*cal.Holiday, days cost.Period) cost.Calendar {
	out := cost.Calendar{}
	// The first of January may be made up for in December.
	for year := days.Start.Year(); year <= days.End.Year()+1; year++ {
		for _, h := range list {
			_, observed := h.Calc(year)
			if observed.IsZero() {
				continue
			}
			day := time.Date(observed.Year(), observed.Month(), observed.Day(), 0, 0, 0, 0, time.UTC)
			if _, taken := out[day]; !taken && days.Contains(day) {
				out[day] = h.Name
			}
		}
	}
	return out
}

// common are the holidays that all regions have, by name, as the first one's list has them.
func common(regions map[string][]*cal.Holiday) []*cal.Holiday {
	names := slices.Sorted(maps.Keys(regions))
	return slices.DeleteFunc(slices.Clone(regions[names[0]]), func(h *cal.Holiday) bool {
		return slices.ContainsFunc(names, func(region string) bool {
			return !slices.ContainsFunc(regions[region], func(o *cal.Holiday) bool { return o.Name == h.Name })
		})
	})
}
