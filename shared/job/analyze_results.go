package job

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/forecast"
	"github.com/cost-agent/cost-agent/shared/tenant"
	"github.com/cost-agent/cost-agent/shared/trend"
)

// horizon is how far ahead is forecast: three calendar months whatever the day, so that the longest quarter is whole.
const horizon = 123

// mostDrivers is how many parts are named that made a cost change.
const mostDrivers = 10

// outlook forecasts every branch, takes over what was made from the same days before, and makes the parts sum to the whole.
func (a Analyze) outlook(ctx context.Context, t tenant.ID, key AnalysisKey, branches []branch, calendar cost.Calendar, now time.Time) ([]Forecast, error) {
	end := lastForecast(branches)
	out := make([]Forecast, len(branches))
	first := map[string]int{} // of each content, the branch that is forecast for all
	var own, todo []int
	for i, b := range branches {
		if b.same >= 0 {
			continue
		}
		out[i].Content = contentOf(b, end[b.Currency], calendar)
		own = append(own, i)
		if _, twin := first[out[i].Content]; !twin {
			first[out[i].Content], todo = i, append(todo, i)
		}
	}
	made, err := a.Store.MadeForecasts(ctx, t, key, slices.Collect(maps.Keys(first)))
	if err != nil {
		return nil, err
	}
	err = each(ctx, len(todo), func(k int) {
		i := todo[k]
		b, content := branches[i], out[i].Content
		known, ok := made[content]
		if !ok {
			o := forecast.Options{Calendar: calendar, Fast: b.fast()}
			known = Forecast{Forecast: forecast.DailyWith(b.Series, b.ahead(end[b.Currency]), o), Version: forecast.Version, At: now}
			known.Parameters = parametersOf(b.Series, b.ahead(end[b.Currency]), o)
		}
		known.Content = content
		out[i] = known
	})
	if err != nil {
		return nil, err
	}
	for _, i := range own {
		out[i] = out[first[out[i].Content]]
		out[i].Scope, out[i].Basis, out[i].Currency, out[i].Moves = branches[i].Scope, branches[i].Basis, branches[i].Currency, nil
	}
	reconcile(branches, out, own)
	for i, b := range branches {
		if b.same >= 0 {
			out[i] = out[b.same]
		}
		out[i].Scope, out[i].Level, out[i].Rest = b.Scope, b.level, b.rest
	}
	return ordered(branches, out), nil
}

func parametersOf(s cost.Series, horizon int, o forecast.Options) Parameters {
	known := 0
	for day := range o.Calendar {
		if !day.Before(s.Start) && day.Before(s.Day(s.Final+horizon)) {
			known++
		}
	}
	return Parameters{Horizon: horizon, ARIMA: !o.Fast, Holidays: known}
}

// reconcile says how far the days of each forecast move. Only branches that stand for themselves take part. Those of the tree are
// reconciled; what crosses it is the sum of the leaves.
func reconcile(branches []branch, forecasts []Forecast, own []int) {
	own = slices.DeleteFunc(slices.Clone(own), func(i int) bool { return branches[i].across })
	position := make(map[int]int, len(own))
	tree := make([]forecast.Branch, len(own))
	for k, i := range own {
		position[i] = k
		parent := -1
		if p := branches[i].parent; p >= 0 {
			parent = position[p]
		}
		tree[k] = forecast.Branch{Parent: parent, Series: branches[i].Series, Forecast: &forecasts[i].Forecast}
	}
	for k, moves := range forecast.Reconcile(tree) {
		forecasts[own[k]].Moves = moves
	}
	cross(branches, forecasts)
}

// fast is for parts of which there are many and which weigh little: the gain of ARIMA over the other models is a few percent of
// their error.
func (b branch) fast() bool { return b.share < largeShare }

// ahead is how many days lie between the settled ones and an end.
func (b branch) ahead(end time.Time) int {
	return cost.Period{Start: b.Day(b.Final), End: end}.Len()
}

// lastForecast is the end of the horizon by currency, the same for all parts: they are settled at their own pace, and the horizon
// is whole for the foremost one.
func lastForecast(branches []branch) map[cost.Currency]time.Time {
	end := map[cost.Currency]time.Time{}
	for _, b := range branches {
		if d := b.Day(b.Final).AddDate(0, 0, horizon); d.After(end[b.Currency]) {
			end[b.Currency] = d
		}
	}
	return end
}

// contentOf names everything that a forecast follows from: the model, its options, the settled days, their currency, the holidays
// in reach.
func contentOf(b branch, end time.Time, calendar cost.Calendar) string {
	h := sha256.New()
	buf := []byte(forecast.Version + string(b.Currency))
	buf = append(buf, 0, 0)
	if b.fast() {
		buf[len(buf)-1] = 1
	}
	buf = binary.LittleEndian.AppendUint64(buf, uint64(b.Start.Unix()))
	buf = binary.LittleEndian.AppendUint64(buf, uint64(end.Unix()))
	for _, v := range b.Values[:b.Final] {
		buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(v))
	}
	if len(calendar) > 0 {
		for day := b.Start; day.Before(end); day = day.AddDate(0, 0, 1) {
			if name := calendar.Name(day); name != "" {
				buf = append(append(day.AppendFormat(buf, time.DateOnly), name...), 0)
			}
		}
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// movement describes every branch and names what drives it.
func movement(ctx context.Context, branches []branch, now time.Time) ([]Trend, error) {
	out := make([]Trend, len(branches))
	err := each(ctx, len(branches), func(i int) {
		if b := branches[i]; b.same < 0 {
			out[i].Trend = trend.Describe(b.Series)
		}
	})
	if err != nil {
		return nil, err
	}
	for i, b := range branches {
		if b.same >= 0 {
			out[i].Trend = out[b.same].Trend
		}
		out[i].Scope, out[i].Drivers, out[i].Level, out[i].Rest = b.Scope, drivers(b), b.level, b.rest
		out[i].Version, out[i].At = trend.Version, now
	}
	return ordered(branches, out), nil
}

// drivers are the parts that made the last 30 settled days cost more or less than the 30 before: the services of the whole, of
// providers, of accounts and of regions; the accounts and regions of a service. A leaf has none.
func drivers(b branch) []trend.Driver {
	if len(b.leaves) < 2 {
		return nil
	}
	by := []cost.Dimension{cost.Provider, cost.Service}
	if _, ok := b.Scope[cost.Service]; ok {
		by = leafDimensions
	}
	end := b.Day(b.Final)
	out := trend.Drivers(b.leaves, by, cost.Days(end.AddDate(0, 0, -60), 30), cost.Days(end.AddDate(0, 0, -30), 30))
	return out[:min(mostDrivers, len(out))]
}

// each runs f for 0 to n-1, as many at a time as there are processors. It ends early, with the error of ctx, when ctx ends.
func each(ctx context.Context, n int, f func(i int)) error {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i)
			}
		})
	}
	all.Wait()
	return ctx.Err()
}
