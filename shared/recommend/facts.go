package recommend

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// Facts are everything that the rules may look at: one connection at one moment.
type Facts struct {
	Connection  string
	Cloud       resource.Cloud
	Now         time.Time
	Resources   []Observed
	Usage       map[string]map[resource.Metric]Stats // by resource id
	Rates       map[string]Rate                      // by resource id; a resource that the bill does not show has none
	Prices      []resource.Price
	Calibration map[plan.Action]Calibration
	RolledBack  map[string]time.Time // by recommendation id: when an execution of it was last rolled back
	Executing   map[string]string    // by resource id: the open execution that changes it
}

// Observed is a resource of the inventory with the time since which it is what it is.
type Observed struct {
	resource.Resource
	// Since is when the attributes that decide its cost and performance were last seen to change, or when it was created.
	// What was measured before says nothing about the resource as it is now. Zero when neither is known.
	Since time.Time
	// SeenUnchanged is since when the inventory itself has seen it with these attributes: never before its first reading.
	SeenUnchanged time.Time
}

// Stats is how one metric of one resource was distributed over the window.
type Stats struct {
	P50, P95, P99, Max float64
	Days               int     // days with samples
	Hours              float64 // that the samples stand for
}

// Window is how far back usage is looked at, and LeastDays how many days of it a rule needs.
const (
	Window    = 30
	LeastDays = 14
)

// StatsOf summarises the days of a metric. It reports false when there is no sample.
func StatsOf(days []Sketch) (Stats, bool) {
	var all Sketch
	var stats Stats
	for _, day := range days {
		if day.Samples() > 0 {
			stats.Days++
		}
	}
	all.Merge(days...)
	if stats.Days == 0 {
		return Stats{}, false
	}
	stats.P50, _ = all.Quantile(0.5)
	stats.P95, _ = all.Quantile(0.95)
	stats.P99, _ = all.Quantile(0.99)
	stats.Max, stats.Hours = all.Max, float64(all.Seconds)/3600
	return stats, true
}

// HoursPerMonth is the length of the month that all monthly figures stand for.
const HoursPerMonth = 730

var hoursPerMonth = decimal.NewFromInt(HoursPerMonth)

// Charge is what the bill says about one resource on one day in one pricing unit.
type Charge struct {
	Day       time.Time
	Unit      string // FOCUS PricingUnit
	Quantity  decimal.NullDecimal
	Effective decimal.Decimal
	Committed decimal.Decimal // the part of Effective that a commitment covers
	Currency  cost.Currency
}

// Rate is what a resource really costs, after all discounts, on a month of 730 hours.
type Rate struct {
	Monthly   cost.Money  // everything that is billed under its id
	Hourly    *cost.Money // the part of Monthly that is priced by the hour; nil when nothing is
	Uptime    *float64    // share of the time that is billed, 0..1; nil when nothing is priced by the hour, or not all hours are told
	Committed float64     // share of Monthly that a commitment covers, 0..1
	Days      int         // days that the figures rest on
}

// NewRate averages the charges of whole final days, from the first billed one to the last. It reports false when there is
// none, or when they are in several currencies.
func NewRate(charges []Charge) (Rate, bool) {
	if len(charges) == 0 {
		return Rate{}, false
	}
	first, last := charges[0].Day, charges[0].Day
	total, committed, hourly, hours := decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero
	byHour, allHours := false, true
	for _, c := range charges {
		if c.Currency != charges[0].Currency {
			return Rate{}, false
		}
		if c.Day.Before(first) {
			first = c.Day
		}
		if c.Day.After(last) {
			last = c.Day
		}
		total, committed = total.Add(c.Effective), committed.Add(c.Committed)
		if isHour(c.Unit) {
			byHour = true
			hourly, hours = hourly.Add(c.Effective), hours.Add(c.Quantity.Decimal)
			allHours = allHours && c.Quantity.Valid
		}
	}
	days := int(last.Sub(first)/(24*time.Hour)) + 1
	elapsed := decimal.NewFromInt(int64(days) * 24)
	month := func(sum decimal.Decimal) cost.Money {
		return cost.Money{Amount: sum.Mul(hoursPerMonth).DivRound(elapsed, 8), Currency: charges[0].Currency, Basis: cost.Effective}
	}
	rate := Rate{Monthly: month(total), Days: days}
	if total.IsPositive() {
		rate.Committed = committed.DivRound(total, 4).InexactFloat64()
	}
	if byHour {
		part := month(hourly)
		rate.Hourly = &part
	}
	if byHour && allHours {
		up := min(hours.DivRound(elapsed, 4).InexactFloat64(), 1)
		rate.Uptime = &up
	}
	return rate, true
}

// isHour knows the words by which bills mean one hour.
func isHour(unit string) bool {
	switch unit {
	case "Hours", "Hour", "hours", "hour", "Hrs", "hrs", "h", "1 Hour":
		return true
	}
	return false
}

// Calibration is what earlier executions of an action on this cloud taught.
type Calibration struct {
	Version      int     `json:"version"`
	SavingsRatio float64 `json:"savings_ratio"` // realised / estimated saving
	SuccessRate  float64 `json:"success_rate"`  // completed / tried executions
	Executions   int     `json:"executions"`    // that it rests on
}

// Uncalibrated is what applies while nothing has been learned.
var Uncalibrated = Calibration{SavingsRatio: 1, SuccessRate: 0.9}
