package anomaly

import "math"

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
		if d = min(math.Abs(d), math.Abs(r)); d > math.Abs(o.occasion) {
			o.occasion = math.Copysign(d, r)
		}
	}
	if w := b.weekly(t); w*r > 0 && math.Abs(w) > math.Abs(o.occasion) {
		o.occasion = math.Copysign(min(math.Abs(w), math.Abs(r)), r)
	}
	return o
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
