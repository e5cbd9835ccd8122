package forecast

import (
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

// occasions are what the calendar calls the days from start on: the holiday's name, or that it is the eve or the morrow of one;
// empty for a day as any other. Nil without a calendar.
func occasions(c cost.Calendar, start time.Time, days int) []string {
	if len(c) == 0 {
		return nil
	}
	out := make([]string, days)
	for i := range out {
		day := start.AddDate(0, 0, i)
		if own := c.Name(day); own != "" {
			out[i] = own
		} else if next := c.Name(day.AddDate(0, 0, 1)); next != "" {
			out[i] = "eve of " + next
		} else if last := c.Name(day.AddDate(0, 0, -1)); last != "" {
			out[i] = "after " + last
		}
	}
	return out
}

func (s shape) occasion(i int) string {
	if i >= len(s.occasions) {
		return ""
	}
	return s.occasions[i]
}

// ordinary puts in the place of each occasion the nearest same weekday that is none, so that holidays which come in clusters do
// not pass for a level.
func (s shape) ordinary(values []float64) []float64 {
	if len(s.occasions) == 0 {
		return values
	}
	plain := make([]bool, len(values))
	for i := range plain {
		plain[i] = s.occasion(i) == ""
	}
	out := slices.Clone(values)
	for i := range out {
		for back := 0; !plain[i] && (i-back >= 0 || i+back < len(out)); back += week {
			if k := i - back; k >= 0 && plain[k] {
				out[i] = values[k]
				break
			}
			if k := i + back; k < len(out) && plain[k] {
				out[i] = values[k]
				break
			}
		}
	}
	return out
}

// learnHolidays learns what each occasion adds to its weekday from the days of that name. Every day has one name at most, so
// the regression on names falls apart into their means; they are drawn towards zero as James and Stein (1961) do, which leaves
// an effect far beyond chance almost whole and takes one within it for none. A day of rest shows little of what its holiday
// does to others, so it teaches only where nothing else can.
func (h *history) learnHolidays(off []float64) {
	if len(h.occasions) == 0 {
		return
	}
	// The level is a median, the weekdays are centred on their mean: where a few weekdays are cheap, all others lie off by as much.
	usual := median(slices.Clone(off))
	off = slices.Clone(off)
	for i := range off {
		off[i] -= usual
	}
	spread := 1.4826 * medianAbs(off)
	for w, v := range h.weekdays {
		h.restful[w] = v < -spread
	}
	working, resting := map[string][]float64{}, map[string][]float64{}
	for i, v := range off {
		name := h.occasion(i)
		switch {
		case name == "":
		case h.restful[h.weekday(i)]:
			resting[name] = append(resting[name], v-h.effect(i))
		default:
			working[name] = append(working[name], v-h.effect(i))
		}
	}
	for name, days := range resting {
		if working[name] == nil {
			working[name] = days
		}
	}
	h.holidays = map[string]float64{}
	for name, days := range working {
		h.holidays[name] = shrunk(days, spread)
	}
}

// shrunk is the mean, drawn towards zero.
func shrunk(v []float64, spread float64) float64 {
	const chance = 2 // standard errors
	mean, _ := moments(v)
	limit := chance * chance * spread * spread / float64(len(v))
	if mean*mean <= limit {
		return 0
	}
	return mean * (1 - limit/(mean*mean))
}

// holiday is what the occasion of day i adds. A day of rest does not fall further.
func (h *history) holiday(i int) float64 {
	if len(h.holidays) == 0 {
		return 0
	}
	e := h.holidays[h.occasion(i)]
	if h.restful[h.weekday(i)] {
		return max(e, 0)
	}
	return e
}
