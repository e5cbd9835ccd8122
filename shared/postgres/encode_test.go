package postgres

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
)

func TestNumericsKeepEveryDigit(t *testing.T) {
	t.Parallel()
	texts := []string{
		"0", "0.000", "1", "-1", "10", "9999", "10000", "10001", "123456789", "1e3", "1e30", "-5e-30", "0.00000080000",
		"0.1", "0.01", "0.001", "0.0001", "0.00001", "-12.50", "99999.99999", "12345678901234567890123456789.123456789", "100000000",
		"9223372036854775807", "-9223372036854775808", "0.12345678901234567890123456789012345678", "1000.0001",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		texts = append(texts, decimal.New(rng.Int64()>>rng.IntN(62), int32(rng.IntN(30)-25)).String())
	}
	m := pgtype.NewMap()
	for _, text := range texts {
		want, err := decimal.NewFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		encoded := appendNumeric(nil, want)
		var got decimal.Decimal
		if err := m.Scan(pgtype.NumericOID, pgtype.BinaryFormatCode, encoded[4:], &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !got.Equal(want) {
			t.Errorf("%s came back as %s", text, got)
		}
		if length := int(encoded[3]) | int(encoded[2])<<8; length != len(encoded)-4 {
			t.Errorf("%s: length %d of %d bytes", text, length, len(encoded)-4)
		}
	}
}

func TestDayNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int32{
		"2000-01-01T00:00:00Z": 0, "2000-01-01T23:59:59Z": 0, "1999-12-31T23:59:59Z": -1, "1999-12-31T00:00:00Z": -1,
		"2026-03-01T00:00:00+14:00": 9555, "2026-02-28T10:00:00Z": 9555,
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := dayNumber(at); got != want {
			t.Errorf("%s is day %d, want %d", text, got, want)
		}
		if back := dayOf(want); dayNumber(back) != want {
			t.Errorf("day %d is %s", want, back)
		}
	}
}

func TestSumsAreExact(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var s sum
		var want decimal.Decimal
		for range 300 {
			d := decimal.New(rng.Int64()>>rng.IntN(63), int32(rng.IntN(24)-18))
			if rng.IntN(2) == 0 {
				d = d.Neg()
			}
			if rng.IntN(20) == 0 { // longer than a machine word
				d = d.Mul(decimal.New(rng.Int64(), -10))
			}
			s.add(d)
			want = want.Add(d)
		}
		if got := s.value(); !got.Equal(want) {
			t.Fatalf("sum is %s, want %s", got, want)
		}
	}
}
