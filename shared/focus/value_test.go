package focus

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0": "0", "-0.0": "0", "12.50": "12.5", "+3": "3", ".5": "0.5", "5.": "5", "1E-7": "0.0000001", "-2.5e+3": "-2500",
		"0.00000080000": "0.0000008", "5.551115123125783e-17": "0.00000000000000005551115123125783",
		"123456789012345678": "123456789012345678", "1234567890123456789": "1234567890123456789",
		"-12345678901234567890123456789.012345678":             "-12345678901234567890123456789.012345678",
		"99999999999999999999999999999999999999e-8":            "999999999999999999999999999999.99999999",
		"1.50000000000000000000000000000000000000000000000000": "1.5", "0e999999999999999999999": "0", "000000000000000000000000001": "1", "1e30": "1000000000000000000000000000000",
	} {
		got, ok := parseNumber([]byte(text), nil)
		if !ok || !got.Equal(decimal.RequireFromString(want)) {
			t.Errorf("%q is %s (%v), want %s", text, got, ok, want)
		}
	}
	if got, ok := parseNumber([]byte(" 7 "), nil); !ok || got.String() != "7" {
		t.Errorf("blanks around a number make it %s (%v)", got, ok)
	}
	for _, text := range []string{
		"", "-", ".", "e5", "1e", "1e+", "1,5", "1,000.00", "$1", "1 USD", "1.2.3", "--1", "+-1", "NaN", "Inf", "0x10", "1_000", "\u22121", "1e31", "1e-31", "1e1000000",
		"-1e99999999999999999999", "1234567890123456789012345678901234567890", "0.123456789012345678901234567890123456789",
	} {
		if got, ok := parseNumber([]byte(text), nil); ok {
			t.Errorf("%q was taken for %s", text, got)
		}
	}
}

func TestInstants(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2024-02-29": midnight, "2024-02-29 00:00:00": midnight, "2024-02-29T00:00:00": midnight, "2024-02-29T00:00:00Z": midnight, "2024-02-29T00:00Z": midnight,
		"2024-02-29 00:00:00 UTC": midnight, "2024-02-29T05:30:00+05:30": midnight, "2024-02-28T22:00:00-02:00": midnight, " 2024-02-29 ": midnight,
		"2024-02-29T00:00:00.5Z": midnight.Add(500 * time.Millisecond), "2024-02-29 00:00:00.123456789": midnight.Add(123456 * time.Microsecond),
		"2024-02-29T23:59:59.9999999999": midnight.Add(24*time.Hour - time.Microsecond),
	} {
		if got, ok := parseInstant([]byte(text)); !ok || !got.Equal(want) {
			t.Errorf("%q is %s (%v), want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "2024", "2024-02", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "29/02/2024", "2024-02-29T", "2024-02-29T24:00:00", "2024-02-29T00:60:00",
		"2024-02-29T00:00:60", "2024-02-29T00:00:00.", "2024-02-29T00:00:00 CET", "2024-02-29T00:00:00+0530", "2024-02-29X00:00:00", "20240229", "1709164800", "2024-02-29 0:00:00",
	} {
		if got, ok := parseInstant([]byte(text)); ok {
			t.Errorf("%q was taken for %s", text, got)
		}
	}
}
