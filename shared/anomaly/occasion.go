package anomaly

import (
	"math"
	"time"
)

// sameOccasion are the distances in days to the same occasion of the year before: the date, give or take a day, and the weekday
// of the month, for feasts that move.
var sameOccasion = [...]int{363, 364, 365, 366, 367, 371, 357}

// remember expects what the same occasion did in the year before, where it clearly did something and no farther than x goes
// itself: a holiday that returns is no anomaly, and one that does not leaves nothing to miss.
func (b *baseline) remember(x float64, o outlook) outlook {
	t := len(b.accepted)
	r := x - o.mean()
	for _, back := range sameOccasion {
		i := t - back
		if i < warmUp {
			continue
		}
		d := b.deviation[i]
		if math.Abs(d) < 2.5*b.sigma || d*r <= 0 {
			continue
		}
		o.occasion = farther(o.occasion, d, r)
	}
	if w := b.weekly(t); w*r > 0 {
		o.occasion = farther(o.occasion, w, r)
	}
	if h := b.holiday(t, r); h*r > 0 {
		o.occasion = farther(o.occasion, h, r)
	}
	return o
}

// farther is what is expected of an occasion when it did d once: the most that any did, and no more than the day does itself.
func farther(occasion, d, r float64) float64 {
	return math.Copysign(max(math.Abs(occasion), min(math.Abs(d), math.Abs(r))), r)
}

// holiday is by how much the day of a name usually leaves the usual path the way r does: the most that a day of that name did,
// where one clearly did something. A name that was not seen before does what the last holidays did, if they agree. A weekend shows
// little of what its holiday would do on another day.
func (b *baseline) holiday(t int, r float64) float64 {
	name := b.named(t)
	if name == "" {
		return 0
	}
	most, seen := 0.0, false
	for _, i := range b.holidays {
		if b.named(i) != name {
			continue
		}
		seen = seen || !b.weekend(i)
		if d := b.deviation[i]; d*r > 0 && math.Abs(d) >= 2.5*b.sigma && math.Abs(d) > math.Abs(most) {
			most = d
		}
	}
	if seen || most != 0 {
		return most
	}
	return b.usualHoliday()
}

// usualHoliday is the median of the last holidays that were no weekend, if nearly all of them clearly left the usual path in one
// direction.
func (b *baseline) usualHoliday() float64 {
	const times, agree = 5, 4
	var buf [times]float64
	did := buf[:0]
	up, down := 0, 0
	for k := len(b.holidays) - 1; k >= 0 && len(did) < times; k-- {
		i := b.holidays[k]
		if b.weekend(i) {
			continue
		}
		d := b.deviation[i]
		did = append(did, d)
		switch {
		case d >= 2.5*b.sigma:
			up++
		case d <= -2.5*b.sigma:
			down++
		}
	}
	if len(did) < times || max(up, down) < agree {
		return 0
	}
	return median(did)
}

func (b *baseline) named(i int) string { return b.calendar.Name(b.start.AddDate(0, 0, i)) }

func (b *baseline) weekend(i int) bool {
	d := time.Weekday(b.weekday(i))
	return d == time.Saturday || d == time.Sunday
}

// weekly is by how much both of the last two same weekdays clearly left the usual path, if in the same direction: the lesser one.
func (b *baseline) weekly(t int) float64 {
	if t-14 < warmUp {
		return 0
	}
	one, two := b.deviation[t-7], b.deviation[t-14]
	least := min(math.Abs(one), math.Abs(two))
	if one*two <= 0 || least < 2.5*b.sigma {
		return 0
	}
	return math.Copysign(least, one)
}
