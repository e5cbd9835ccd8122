package vultr_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cloud/vultr"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
)

const (
	pendingPath  = "/v2/billing/pending-charges"
	invoicesPath = "/v2/billing/invoices"
	historyPath  = "/v2/billing/history"
)

// pending is a charge of a load balancer, one hour for every cent of it unless unit says otherwise.
type pending struct{ name, start, total, unit string }

func (p pending) wire() any {
	return map[string]any{
		"description": "Load Balancer (" + p.name + ")", "product": "Load Balancer", "start_date": p.start, "end_date": p.start,
		"units": json.Number(decimal.RequireFromString(p.total).Shift(2).String()), "unit_type": cmp.Or(p.unit, "hours"), "unit_price": json.Number("0.01"), "total": json.Number(p.total),
	}
}

// at sets the clock and what is pending.
func (w *world) at(now string, charges ...pending) {
	w.set(func() {
		w.now = instant(now)
		w.lists[pendingPath] = nil
		for _, c := range charges {
			w.lists[pendingPath] = append(w.lists[pendingPath], c.wire())
		}
	})
}

func instant(text string) time.Time {
	at, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err) // the test's own words
	}
	return at
}

// daily sums rows by the day of the month that they begin on, leaving out days that come to nothing.
func daily(rows []focus.Row) map[string]string {
	sums := map[string]decimal.Decimal{}
	for _, r := range rows {
		name := r.ChargePeriod.Start.Format("01-02")
		sums[name] = sums[name].Add(r.BilledCost)
	}
	out := map[string]string{}
	for name, sum := range sums {
		if !sum.IsZero() {
			out[name] = sum.StringFixed(2)
		}
	}
	return out
}

func since(t testing.TB, c *vultr.Collector, month time.Time, known []byte) ([]focus.Row, []byte) {
	t.Helper()
	rows, read, err := c.CostsSince(t.Context(), month, known)
	if err != nil {
		t.Fatal(err)
	}
	return rows, read
}

// step is one reading, and what each day has come to after it.
type step struct {
	now     string
	pending []pending
	want    map[string]string
}

const tenth = "2026-09-10T00:00:00+00:00"

// One item, from the first reading on which it is spread evenly.
var first = step{"2026-09-12 12:00", []pending{{"shop", tenth, "2.50", ""}}, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "0.50"}}

func TestADayIsWhatTheReadingsOfItDiffer(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"the same reading twice adds nothing": {first, first, {"2026-09-12 18:00", first.pending, first.want}},
		"a day that cost more": {first, {
			"2026-09-13 12:00", []pending{{"shop", tenth, "4.90", ""}},
			map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "1.70", "09-13": "1.20"},
		}},
		"two readings in a day": {
			first, {"2026-09-12 18:00", []pending{{"shop", tenth, "2.70", ""}}, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "0.70"}},
			{"2026-09-13 06:00", []pending{{"shop", tenth, "3.30", ""}}, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "1.00", "09-13": "0.30"}},
		},
		"missed days share the gap": {first, {
			"2026-09-15 12:00", []pending{{"shop", tenth, "8.50", ""}},
			map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "1.50", "09-13": "2.00", "09-14": "2.00", "09-15": "1.00"},
		}},
		"an item that shrinks gives a negative row": {first, {
			"2026-09-14 00:00", []pending{{"shop", tenth, "1.00", ""}},
			map[string]string{"09-10": "1.00", "09-11": "1.00", "09-13": "-1.00"},
		}},
		"an item that vanishes is closed, and may come back": {
			first, {"2026-09-13 12:00", nil, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "-0.75", "09-13": "-1.25"}},
			{"2026-09-14 12:00", nil, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "-0.75", "09-13": "-1.25"}},
			{"2026-09-15 12:00", first.pending, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "-0.75", "09-13": "-1.25", "09-14": "1.25", "09-15": "1.25"}},
		},
		"a new item begins when it did": {first, {
			"2026-09-13 12:00", []pending{{"shop", tenth, "2.50", ""}, {"new", "2026-09-13T06:00:00+00:00", "0.06", ""}},
			map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "0.50", "09-13": "0.06"},
		}},
		"a renamed item keeps its days": {first, {
			"2026-09-13 12:00", []pending{{"store", tenth, "3.70", ""}},
			map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "1.10", "09-13": "0.60"},
		}},
		"an item whose start moves keeps its days": {first, {
			"2026-09-13 12:00", []pending{{"shop", "2026-09-11T00:00:00+00:00", "3.70", ""}},
			map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "1.10", "09-13": "0.60"},
		}},
		"what ended is not what was made after it": {
			first, {"2026-09-12 12:00", nil, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "-2.00"}},
			{"2026-09-13 00:00", []pending{{"shop", "2026-09-12T18:00:00+00:00", "0.06", ""}}, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "-1.94"}},
		},
		"what is gone was not renamed": {
			first, {"2026-09-12 12:00", nil, map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "-2.00"}},
			{"2026-09-14 00:00", []pending{{"store", tenth, "4.00", ""}}, map[string]string{"09-10": "2.00", "09-11": "2.00", "09-12": "-1.00", "09-13": "1.00"}},
		},
		"two of one origin are not taken for each other": {
			{"2026-09-12 00:00", []pending{{"a", tenth, "2.00", ""}, {"b", tenth, "4.00", ""}}, map[string]string{"09-10": "3.00", "09-11": "3.00"}},
			{"2026-09-13 00:00", []pending{{"b", tenth, "4.00", ""}, {"a", tenth, "2.50", ""}}, map[string]string{"09-10": "3.00", "09-11": "3.00", "09-12": "0.50"}},
			{
				"2026-09-14 00:00", []pending{{"c", tenth, "2.00", ""}, {"d", tenth, "2.00", ""}}, // each for itself: 1.00 a day; a and b end
				map[string]string{"09-10": "4.00", "09-11": "4.00", "09-12": "1.50", "09-13": "-5.50"},
			},
		},
		"items that nothing tells apart are one": {
			{"2026-09-12 00:00", []pending{{"a", tenth, "2.00", ""}, {"a", tenth, "4.00", ""}}, map[string]string{"09-10": "3.00", "09-11": "3.00"}},
			{"2026-09-13 00:00", []pending{{"a", tenth, "5.00", ""}, {"a", tenth, "2.00", ""}}, map[string]string{"09-10": "3.00", "09-11": "3.00", "09-12": "1.00"}},
		},
		"what has no hours and no dates is of the days since the month began, and since the last reading": {
			{"2026-09-03 00:00", []pending{{"traffic", "", "3.00", "GB"}}, map[string]string{"09-01": "1.50", "09-02": "1.50"}},
			{"2026-09-04 00:00", []pending{{"traffic", "", "4.00", "GB"}, {"new", "", "0.50", "GB"}}, map[string]string{"09-01": "1.50", "09-02": "1.50", "09-03": "1.50"}},
		},
		"a clock that goes back loses nothing": {first, {
			"2026-09-12 11:00", []pending{{"shop", tenth, "2.60", ""}},
			map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "0.60"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.set(func() { w.lists[historyPath] = nil })
			var known []byte
			for _, s := range steps {
				w.at(s.now, s.pending...)
				var got []focus.Row
				got, known = since(t, w.open(nil), september, known) // a new collector each time: nothing is remembered but known
				if days := daily(got); !maps.Equal(days, s.want) {
					t.Errorf("%s: %v, want %v", s.now, days, s.want)
				}
			}
		})
	}
}

func TestHoursFollowTheMoney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(first.now, first.pending...)
	_, known := since(t, w.open(nil), september, nil)
	w.at("2026-09-13 12:00", pending{"shop", tenth, "4.90", ""})
	rows, _ := since(t, w.open(nil), september, known)
	for _, r := range rows {
		if r.ChargeCategory == "Usage" && !r.PricingQuantity.Decimal.Equal(r.BilledCost.Shift(2)) {
			t.Errorf("%s has %s hours for %s USD at a cent an hour", r.ChargePeriod, r.PricingQuantity.Decimal, r.BilledCost)
		}
		if length := r.ChargePeriod.End.Sub(r.ChargePeriod.Start); r.ChargeCategory == "Usage" && (length > 24*time.Hour || length <= 0 || !cost.Month(september).Contains(r.ChargePeriod.Start)) {
			t.Errorf("a share of %s", length)
		}
	}
}

// Items that are one have a unit price only if it is the price of both.
func TestMergedItemsHaveOnePriceOrNone(t *testing.T) {
	t.Parallel()
	for second, want := range map[string]decimal.NullDecimal{"0.01": decimal.NewNullDecimal(decimal.RequireFromString("0.01")), "0.02": {}} {
		w := newWorld(t)
		w.at(first.now, first.pending[0], first.pending[0])
		w.set(func() { w.lists[pendingPath][1].(map[string]any)["unit_price"] = json.Number(second) })
		for _, r := range rows(t, w.open(nil), september) {
			if r.ChargeCategory == "Usage" && (r.ListUnitPrice.Valid != want.Valid || !r.ListUnitPrice.Decimal.Equal(want.Decimal)) {
				t.Errorf("0.01 and %s: %v", second, r.ListUnitPrice)
			}
		}
	}
}

// A month ends, is read on until its invoice is there, and is then the invoice.
func TestAMonthEndsWithItsInvoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invoices := w.lists[invoicesPath]
	w.set(func() { w.lists[invoicesPath], w.lists[historyPath] = nil, nil })
	var known []byte
	thirtieth := "2026-08-30T00:00:00+00:00"
	own := func(when string, want map[string]string) {
		t.Helper()
		var rows []focus.Row
		rows, known = since(t, w.open(nil), august, known)
		if got := daily(rows); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
		for _, r := range rows {
			if r.ChargePeriod.End.After(september) {
				t.Errorf("%s: a row ends at %s", when, r.ChargePeriod.End)
			}
		}
	}
	w.at("2026-08-31 12:00", pending{"shop", thirtieth, "3.60", ""})
	own("before the end", map[string]string{"08-30": "2.40", "08-31": "1.20"})
	w.at("2026-09-01 00:20", pending{"shop", thirtieth, "4.00", ""}, pending{"shop", "2026-09-01T00:00:00+00:00", "0.01", ""})
	own("after the end", map[string]string{"08-30": "2.40", "08-31": "1.60"})
	if rows, _ := since(t, w.open(nil), september, nil); !billed(rows).Equal(decimal.RequireFromString("0.01")) {
		t.Errorf("the next month begins with %s", billed(rows))
	}
	w.at("2026-09-01 00:25", pending{"shop", thirtieth, "4.10", ""})
	own("what comes late", map[string]string{"08-30": "2.40", "08-31": "1.70"})
	w.at("2026-09-01 00:28")
	own("while the invoice is written", map[string]string{"08-30": "2.40", "08-31": "1.70"})
	w.set(func() { w.lists[invoicesPath] = invoices })
	rows, read := since(t, w.open(nil), august, known)
	if got := billed(rows); !got.Equal(decimal.RequireFromString("1234676.79")) || read != nil {
		t.Errorf("with the invoice, August is %s and %q is kept", got, read)
	}
}

// What cannot be built on is not: the days are spread anew, and the sum is right.
func TestDaysAreSpreadAnewWhenTheReadingBeforeIsOfNoUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func() { w.lists[historyPath] = nil })
	w.at(first.now, pending{"other", tenth, "9.00", ""})
	_, known := since(t, w.open(map[string]string{"account": "another"}), september, nil)
	w.at(first.now, first.pending...)
	for name, before := range map[string][]byte{"none": nil, "another account's": known, "broken": known[:len(known)/2], "another form": []byte(`{"at": 7}`)} {
		if rows, _ := since(t, w.open(nil), september, before); !maps.Equal(daily(rows), first.want) {
			t.Errorf("%s: %v", name, daily(rows))
		}
	}
	_, known = since(t, w.open(nil), september, nil)
	w.at("2026-09-14 00:00", pending{"shop", "2026-09-12T00:00:00+00:00", "0.48", ""})
	w.set(func() { // an invoice within the month takes what was pending before
		w.lists[invoicesPath] = append(w.lists[invoicesPath], map[string]any{"id": json.Number("9"), "date": "2026-09-12T00:00:00+00:00", "description": "Invoice #9", "amount": json.Number("2.00"), "balance": json.Number("0")})
		w.lists[invoicesPath+"/9/items"] = []any{map[string]any{
			"description": "Load Balancer (shop)", "product": "Load Balancer", "start_date": tenth, "end_date": "2026-09-12T00:00:00+00:00",
			"units": json.Number("48"), "unit_type": "hours", "unit_price": json.Number("0.01"), "total": json.Number("2.00"),
		}}
	})
	rows, _ := since(t, w.open(nil), september, known)
	want := map[string]string{"09-10": "1.00", "09-11": "1.00", "09-12": "0.24", "09-13": "0.24"}
	if got := daily(rows); !maps.Equal(got, want) {
		t.Errorf("after an invoice within the month: %v, want %v", got, want)
	}
}

// Whatever comes, in whatever order two runs write, the rows sum to the reading that they are of.
func TestRowsAlwaysSumToTheLatestReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func() { w.lists[historyPath] = nil })
	r := rand.New(rand.NewPCG(7, 11))
	now := instant("2026-09-01 00:10")
	var known, older []byte
	for range 60 {
		now = now.Add(time.Duration(r.IntN(24*60)) * time.Minute)
		var charges []pending
		sum := decimal.Zero
		for _, name := range []string{"a", "b", "c", "d"} {
			if r.IntN(4) > 0 {
				total := decimal.New(int64(r.IntN(5000)-500), -2)
				charges = append(charges, pending{name, []string{tenth, "", "2026-09-01T00:00:00+00:00"}[r.IntN(3)], total.String(), ""})
				sum = sum.Add(total)
			}
		}
		w.at(now.Format("2006-01-02 15:04"), charges...)
		if !cost.Month(september).Contains(now) {
			break
		}
		before := known
		if r.IntN(5) == 0 && older != nil {
			before = older // another run, which began before the last one ended, wrote after it
		}
		rows, read := since(t, w.open(nil), september, before)
		if got := billed(rows); !got.Equal(sum) {
			t.Fatalf("%s: %s, want %s", now, got, sum)
		}
		again, _ := since(t, w.open(nil), september, read)
		if !slices.EqualFunc(rows, again, func(a, b focus.Row) bool {
			return a.ChargePeriod == b.ChargePeriod && a.BilledCost.Equal(b.BilledCost) && a.ChargeDescription == b.ChargeDescription
		}) {
			t.Fatalf("%s: the same reading twice gave other rows", now)
		}
		older, known = known, read
	}
}
