// Package focustest makes FOCUS bills for tests and benchmarks: of any size, lifelike, and the same for the same seed.
package focustest

import (
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/focus"
)

// Month is the billing period of every row.
var Month = cost.Month(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))

const (
	resources = 5000
	days      = 30
	credits   = 200 // one row in so many is a credit
)

// Rows gives n charges of four providers: hourly and daily usage of about 5000 resources of 20 services in 12 accounts over
// the days of Month, with some commitments and credits. The maps of the rows are shared and must not be changed.
func Rows(n int, seed uint64) iter.Seq[focus.Row] {
	return func(yield func(focus.Row) bool) {
		rng := rand.New(rand.NewPCG(seed, 2026))
		estate := newEstate(rng)
		for i := range n {
			row := estate[rng.IntN(len(estate))]
			charge(&row, rng, i)
			if !yield(row) {
				return
			}
		}
	}
}

// WriteCSVGzip writes Rows(n, seed) as gzipped CSV.
func WriteCSVGzip(w io.Writer, n int, seed uint64) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	out := focus.NewCSVWriter(z)
	for row := range Rows(n, seed) {
		if err := out.Write(&row); err != nil {
			return fmt.Errorf("csv: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("csv: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	return nil
}

// charge makes one charge of the resource that row describes.
func charge(row *focus.Row, rng *rand.Rand, i int) {
	hours := 1
	start := Month.Start.AddDate(0, 0, rng.IntN(days))
	if rng.IntN(2) == 0 {
		hours = 24
	} else {
		start = start.Add(time.Duration(rng.IntN(24)) * time.Hour)
	}
	row.ChargePeriod = cost.Period{Start: start, End: start.Add(time.Duration(hours) * time.Hour)}

	quantity := decimal.New(int64(hours)*int64(100+rng.IntN(900)), -3)
	price := row.ListUnitPrice.Decimal
	row.PricingQuantity = decimal.NewNullDecimal(quantity)
	row.ConsumedQuantity = row.PricingQuantity
	row.ListCost = price.Mul(quantity)
	row.ContractedCost = row.ContractedUnitPrice.Decimal.Mul(quantity)
	row.BilledCost, row.EffectiveCost = row.ContractedCost, row.ContractedCost
	switch {
	case i%credits == credits-1:
		row.ChargeCategory, row.ChargeFrequency, row.ChargeDescription = "Credit", "One-Time", "Promotional credit"
		row.PricingCategory = "Other"
		row.BilledCost, row.EffectiveCost = row.BilledCost.Neg(), row.EffectiveCost.Neg()
		row.ListCost, row.ContractedCost = row.BilledCost, row.BilledCost
		row.Tags = nil
	case row.CommitmentDiscountID != "":
		row.BilledCost = decimal.Decimal{} // paid for by the purchase of the commitment
		row.EffectiveCost = row.ListCost.Mul(decimal.New(63, -2))
	}
}
