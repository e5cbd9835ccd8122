package recommend_test

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/recommend"
)

// billedIn is a free volume whose bill and prices are in a currency, times so much as the amounts in dollars.
func billedIn(currency cost.Currency, monthly string, times int64) *scene {
	s := free()
	s.bill(monthly, 0, false)
	factor := decimal.NewFromInt(times)
	for id, r := range s.Rates {
		r.Monthly.Currency, r.Monthly.Amount = currency, r.Monthly.Amount.Mul(factor)
		s.Rates[id] = r
	}
	for i := range s.Prices {
		s.Prices[i].Currency, s.Prices[i].Amount = currency, s.Prices[i].Amount.Mul(factor)
	}
	return s
}

func TestTheSameSavingIsJudgedAlikeInEveryCurrency(t *testing.T) {
	t.Parallel()
	want := recommend.Generate(billedIn("USD", "80", 1).Facts, recommend.Options{}).Recommendations
	if len(want) != 1 {
		t.Fatalf("%d recommendations in dollars", len(want))
	}
	least := recommend.DefaultMinSaving("USD")
	small := amount("80").Sub(want[0].Saving.Monthly.Amount).Add(least).Sub(amount("0.01")).String()
	enough := amount(small).Add(amount("0.01")).String()
	for currency, times := range map[cost.Currency]int64{"USD": 1, "EUR": 1, "SEK": 10, "JPY": 100, "KRW": 1_000, "IDR": 10_000, "XYZ": 1} {
		t.Run(string(currency), func(t *testing.T) {
			t.Parallel()
			got := recommend.Generate(billedIn(currency, "80", times).Facts, recommend.Options{}).Recommendations
			if len(got) != 1 || got[0].Score.Total != want[0].Score.Total {
				t.Errorf("got %+v, want the score %v as in dollars", got, want[0].Score.Total)
			}
			if got := recommend.Generate(billedIn(currency, small, times).Facts, recommend.Options{}); len(got.Recommendations) != 0 || len(got.Rejected) == 0 {
				t.Errorf("less than the minimum is recommended: %+v", got.Recommendations)
			}
			if got := recommend.Generate(billedIn(currency, enough, times).Facts, recommend.Options{}); len(got.Recommendations) != 1 {
				t.Errorf("the minimum is not recommended: %+v", got.Rejected)
			}
		})
	}
}

func TestAStatedMinimumCountsAsItIs(t *testing.T) {
	t.Parallel()
	one := decimal.NewFromInt(1)
	if got := recommend.Generate(billedIn("JPY", "80", 1).Facts, recommend.Options{MinSaving: &one}); len(got.Recommendations) != 1 {
		t.Errorf("got %+v, want what saves more than 1 JPY", got.Rejected)
	}
}
