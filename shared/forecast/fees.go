package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
)

const (
	slack      = 3       // days that a charge comes early or late, for a weekend
	rare       = 1.0 / 8 // of the days at most: what comes more often is no charge
	leastApart = week + 1
	mostFees   = 12 // that are looked for in one series, and the last charges that they are looked for from
	outlying   = 6  // deviations from which on a day is a charge
)

// How likely the rhythm of a fee may be chance: where fees tell all charges, and where others are among them, a few of which
// always seem to have one.
const (
	chanceAlone  = 0.004
	chanceBeside = 0.0003
)

// charges are the days of a series that lie far from those around them.
type charges struct {
	start  time.Time
	amount []float64 // by day; 0 where none is
	limit  float64   // what is no charge
	rate   float64   // charges a day
}

// chargesOf takes what the days lie off their level, and their usual spread.
func chargesOf(off []float64, start time.Time, spread float64) charges {
	size := make([]float64, len(off))
	for i, v := range off {
		size[i] = math.Abs(v)
	}
	slices.Sort(size)
	often := size[len(size)-1-int(rare*float64(len(size)))]
	c := charges{start: start, amount: make([]float64, len(off)), limit: max(outlying*spread, outlying/2*often, 1e-9*size[len(size)-1])}
	count := 0.0
	for i, v := range off {
		if math.Abs(v) > c.limit {
			c.amount[i] = v
			count++
		}
	}
	c.rate = max(0, count-1) / float64(len(off))
	return c
}

// rhythm is when a fee comes: every so many months on a day of the month, or every so many days.
type rhythm struct {
	from   time.Time // a day that it came on
	months int
	day    int // of the month, the last one where the month is shorter; counted from the end where negative
	days   int
}

// due is the k-th day after the one that it came on, before it where k is negative.
func (r rhythm) due(k int) time.Time {
	if r.months == 0 {
		return r.from.AddDate(0, 0, k*r.days)
	}
	first := time.Date(r.from.Year(), r.from.Month()+time.Month(k*r.months), 1, 0, 0, 0, 0, time.UTC)
	length := first.AddDate(0, 1, -1).Day()
	if r.day < 0 {
		return first.AddDate(0, 0, length+r.day)
	}
	return first.AddDate(0, 0, min(r.day, length)-1)
}

// fee is a charge that comes again and again.
type fee struct {
	rhythm
	hits   []int // days that it came on, ascending
	last   int   // the due that the last of them was
	loose  int   // how many came early or late
	ended  bool  // it did not come when it last was due
	chance float64
	amounts
}

// fees are those whose rhythm is hardly chance. What they explain is no charge of c any more.
func (c *charges) fees(chance float64) []fee {
	var out []fee
	for len(out) < mostFees {
		best := fee{chance: math.Inf(1)}
		for _, r := range c.rhythms() {
			if f := c.follow(r); f.chance < best.chance {
				best = f
			}
		}
		if best.chance > chance {
			break
		}
		c.explain(&best)
		out = append(out, best)
	}
	return out
}

// rhythms are those that the last charges could have.
func (c *charges) rhythms() []rhythm {
	var at []int
	for i := len(c.amount) - 1; i >= 0 && len(at) < mostFees; i-- {
		if c.amount[i] != 0 {
			at = append(at, i)
		}
	}
	var out []rhythm
	for k, i := range at {
		day := c.start.AddDate(0, 0, i)
		places := []int{day.Day()}
		if day.AddDate(0, 0, 1).Day() == 1 {
			places = append(places, 31)
		} else if s := slot(day); s < 0 {
			places = append(places, s)
		}
		for _, months := range []int{1, 2, 3, 6, 12} {
			for _, p := range places {
				out = append(out, rhythm{from: day, months: months, day: p})
			}
		}
		for _, before := range at[k+1 : min(len(at), k+4)] {
			if i-before >= leastApart {
				out = append(out, rhythm{from: day, days: i - before})
			}
		}
	}
	return out
}

// index is the place of the k-th due of r among the days.
func (c *charges) index(r rhythm, k int) int { return cost.Period{Start: c.start, End: r.due(k)}.Len() }

// at is the charge nearest to the i-th day that is like the given amount, -1 if none is near.
func (c *charges) at(i int, like float64) int {
	for off := 0; off <= slack; off++ {
		for _, k := range []int{i - off, i + off} {
			if k >= 0 && k < len(c.amount) && c.amount[k]/like >= 0.5 {
				return k
			}
		}
	}
	return -1
}

// follow compares the charges with the rhythm: back until it failed twice in a row, and on to the end. Every charge that
// keeps it makes it less likely by chance, one that is early or late by less; one that did not come takes one back.
func (c *charges) follow(r rhythm) fee {
	seed := c.index(r, 0)
	f := fee{rhythm: r, hits: []int{seed}}
	like, exact := c.amount[seed], 0
	visit := func(i int) bool {
		k := c.at(i, like)
		if k < 0 {
			return false
		}
		if f.hits = append(f.hits, k); k == i {
			exact++
		} else {
			f.loose++
		}
		return true
	}
	missed := 0
	for k := -1; missed < 2; k-- {
		i := c.index(r, k)
		if i < 0 {
			break
		}
		if visit(i) {
			exact, missed = exact-missed, 0
		} else {
			missed++
		}
	}
	n := len(c.amount)
	for k := 1; ; k++ {
		i := c.index(r, k)
		if i-slack >= n {
			break
		}
		if visit(i) {
			f.last = k
		} else if i+slack < n {
			f.ended = true
			break
		}
	}
	slices.Sort(f.hits)
	f.chance = math.Pow(c.rate, float64(exact)) * math.Pow(min(1, (2*slack+1)*c.rate), float64(f.loose)) * c.unlike(f.hits, like)
	return f
}

// unlike is by which part the charges differ from the given amount, from a tenth to one: alike ones are no chance. One alone is.
func (c *charges) unlike(hits []int, like float64) float64 {
	if len(hits) < 2 {
		return 1
	}
	sum := 0.0
	for _, i := range hits {
		sum += math.Abs(c.amount[i]/like-1) / float64(len(hits)-1)
	}
	return max(0.1, min(1, sum))
}

// explain learns the amount of the fee and takes it from the charges: what stays is what its neighbours do not tell.
func (c *charges) explain(f *fee) {
	past := make([]float64, len(f.hits))
	for j, i := range f.hits {
		past[j] = c.amount[i]
	}
	for j, i := range f.hits {
		from := max(0, min(j-1, len(past)-3))
		usual := lastly(past[from:min(len(past), from+3)])
		c.amount[i] = past[j] - usual
		if math.Abs(c.amount[i]) <= max(c.limit, math.Abs(usual)/2) {
			c.amount[i] = 0
		}
	}
	f.amounts = foretell(past)
}

// dues are what the fees cost and how far that may be off, by day ahead. One that often comes late, and is late, comes tomorrow.
func (c *charges) dues(fees []fee, horizon int) (amount, off []float64) {
	amount, off = make([]float64, horizon), make([]float64, horizon)
	for _, f := range fees {
		for k := f.last + 1; !f.ended; k++ {
			i := c.index(f.rhythm, k) - len(c.amount)
			if i >= horizon {
				break
			}
			if i < 0 && f.loose > 0 {
				i = 0
			}
			if i >= 0 {
				next, deviation := f.ahead(k - f.last - 1)
				amount[i] += next
				off[i] = math.Hypot(off[i], deviation)
			}
		}
	}
	return amount, off
}
