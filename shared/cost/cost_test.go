package cost_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/cost"
)

func money(t *testing.T, amount string, c cost.Currency, b cost.Basis) cost.Money {
	t.Helper()
	m, err := cost.NewMoney(amount, c, b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMoneyAddsExactlyWhatBelongsTogether(t *testing.T) {
	t.Parallel()
	tenth := money(t, "0.1", "USD", cost.Billed)
	sum := money(t, "0", "USD", cost.Billed)
	for range 10 {
		var err error
		if sum, err = sum.Add(tenth); err != nil {
			t.Fatal(err)
		}
	}
	if !sum.Amount.Equal(decimal.NewFromInt(1)) {
		t.Errorf("ten tenths are %s, want exactly 1", sum.Amount)
	}
	for name, other := range map[string]cost.Money{
		"another currency": money(t, "1", "EUR", cost.Billed),
		"another basis":    money(t, "1", "USD", cost.List),
	} {
		if _, err := tenth.Add(other); err == nil {
			t.Errorf("adding %s was accepted", name)
		}
		if _, err := tenth.Sub(other); err == nil {
			t.Errorf("subtracting %s was accepted", name)
		}
	}
}

func TestMoneyRefusesWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	for _, amount := range []string{"", "abc", "1,5", "1e", "NaN"} {
		if m, err := cost.NewMoney(amount, "USD", cost.Billed); err == nil {
			t.Errorf("NewMoney(%q) = %v, want an error", amount, m)
		}
	}
}

func TestMonths(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		d, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := map[string]struct {
		period cost.Period
		want   []string
	}{
		"one month":          {cost.Month(at("2024-02-10 12:00:00")), []string{"2024-02-01..2024-03-01"}},
		"half-open end":      {cost.Period{Start: at("2026-01-01 00:00:00"), End: at("2026-02-01 00:00:00")}, []string{"2026-01-01..2026-02-01"}},
		"one instant beyond": {cost.Period{Start: at("2025-12-31 23:00:00"), End: at("2026-01-01 00:00:01")}, []string{"2025-12-01..2026-01-01", "2026-01-01..2026-02-01"}},
		"empty":              {cost.Period{Start: at("2026-01-01 00:00:00"), End: at("2026-01-01 00:00:00")}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tt.period.Months()
			if len(got) != len(tt.want) {
				t.Fatalf("Months() = %v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i].String() != tt.want[i] {
					t.Errorf("month %d is %s, want %s", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func TestDaysAreUTC(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("UTC+14", 14*3600)
	if got, want := cost.Day(time.Date(2026, 3, 1, 5, 0, 0, 0, zone)), time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("Day = %s, want %s", got, want)
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	s := cost.Scope{cost.Service: "Amazon EC2", cost.Region: "eu-west-1"}
	if got, want := s.String(), "RegionId=eu-west-1,ServiceName=Amazon EC2"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got := (cost.Scope{}).String(); got != "total" {
		t.Errorf("the empty scope is %q, want total", got)
	}
	if text, err := json.Marshal(struct{ S cost.Scope }{}); err != nil || string(text) != `{"S":{}}` {
		t.Errorf("the whole bill is written as %s, %v", text, err)
	}
	wider := cost.Scope{cost.Service: "Amazon EC2"}
	if !wider.Matches(s) || s.Matches(wider) {
		t.Error("a scope matches what lies inside it, not what lies around it")
	}
	if with := wider.With(cost.Region, "eu-west-1"); with.String() != s.String() || len(wider) != 1 {
		t.Error("With must add to a copy")
	}
	if (cost.Scope{cost.Resource: ""}).Matches(cost.Scope{}) {
		t.Error("an empty value is a value, and is not matched by a missing one")
	}
}

func TestSeriesDays(t *testing.T) {
	t.Parallel()
	s := cost.Series{Start: time.Date(2026, 2, 27, 0, 0, 0, 0, time.UTC), Values: make([]float64, 3)}
	if got := s.Day(2).Format(time.DateOnly); got != "2026-03-01" {
		t.Errorf("day 2 is %s", got)
	}
	if got := s.Index(time.Date(2026, 3, 1, 23, 59, 0, 0, time.UTC)); got != 2 {
		t.Errorf("index of the last evening is %d, want 2", got)
	}
	if got := s.Period().String(); got != "2026-02-27..2026-03-02" {
		t.Errorf("period is %s", got)
	}
}
