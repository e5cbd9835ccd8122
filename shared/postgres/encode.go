package postgres

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// The binary format of COPY: the PostgreSQL manual, COPY, "Binary Format"; of the types: their *_recv functions. It is
// written here by hand because the loader's speed is that of this code.

var (
	copyHeader  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copyTrailer = []byte{0xff, 0xff}
	null        = []byte{0xff, 0xff, 0xff, 0xff}
)

// epoch is what PostgreSQL counts dates and timestamps from.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const secondsADay = 24 * 60 * 60

// dayNumber is the UTC day of t as PostgreSQL counts them.
func dayNumber(t time.Time) int32 {
	seconds := t.Unix() - epoch.Unix()
	day := seconds / secondsADay
	if seconds%secondsADay < 0 {
		day--
	}
	return int32(day)
}

func dayOf(number int32) time.Time { return epoch.AddDate(0, 0, int(number)) }

func appendFields(b []byte, n int) []byte { return binary.BigEndian.AppendUint16(b, uint16(n)) }

func appendInt4(b []byte, v int32) []byte {
	return binary.BigEndian.AppendUint64(b, 4<<32|uint64(uint32(v))) // length and value in one word
}

func appendInt8(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 8), uint64(v))
}

func appendTimestamp(b []byte, t time.Time) []byte {
	return appendInt8(b, t.UnixMicro()-epoch.UnixMicro())
}

func appendBytes(b []byte, v []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
}

func appendText(b []byte, v string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
}

// appendJSONB writes JSON text; nil is null.
func appendJSONB(b []byte, v []byte) []byte {
	if v == nil {
		return append(b, null...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(v)+1))
	return append(append(b, 1), v...) // 1 is the version of the format
}

func appendNullNumeric(b []byte, d decimal.NullDecimal) []byte {
	if !d.Valid {
		return append(b, null...)
	}
	return appendNumeric(b, d.Decimal)
}

// appendNumeric writes the exact value with its number of places. A numeric is a row of base-10000 digits; weight is the
// power of 10000 of the first.
func appendNumeric(b []byte, d decimal.Decimal) []byte {
	const most = 15 // digits that leave room for three zeros in an int64
	if exp := d.Exponent(); exp <= 0 && d.NumDigits() <= most {
		return appendSmallNumeric(b, d.CoefficientInt64(), int(-exp))
	}
	return appendLongNumeric(b, d)
}

// appendSmallNumeric writes what nearly all costs are: a coefficient of one machine word and some places.
func appendSmallNumeric(b []byte, c int64, places int) []byte {
	negative := c < 0
	if negative {
		c = -c
	}
	for range mod4(-places) { // the point must fall between two groups of four
		c *= 10
	}
	var groups [5]uint16 // the last first
	n, below := 0, (places+3)/4
	for ; c > 0; c /= 10_000 {
		if g := uint16(c % 10_000); g != 0 || n > 0 {
			groups[n] = g
			n++
		} else {
			below-- // no trailing zeros
		}
	}
	weight := 0
	if n > 0 {
		weight = n - below - 1
	}
	b = binary.BigEndian.AppendUint32(b, uint32(8+2*n))
	b = binary.BigEndian.AppendUint64(b, uint64(n)<<48|uint64(uint16(int16(weight)))<<32|uint64(sign(negative))<<16|uint64(uint16(places)))
	for n--; n >= 0; n-- {
		b = binary.BigEndian.AppendUint16(b, groups[n])
	}
	return b
}

func sign(negative bool) uint16 {
	if negative {
		return 0x4000
	}
	return 0
}

func appendLongNumeric(b []byte, d decimal.Decimal) []byte {
	var buffer [64]byte
	digits, negative := appendDigits(buffer[:0], d)
	exp := int(d.Exponent())
	for ; exp > 0; exp-- { // numeric has no positive exponents
		digits = append(digits, '0')
	}
	places := -exp
	whole := len(digits) - places // decimal digits before the point, may be negative
	// The point must fall between two groups of four: virtual zeros in front and behind make it so.
	lead := mod4(-whole)
	groups := (lead + len(digits) + mod4(-places)) / 4
	weight := (whole+lead)/4 - 1

	at := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // length and four int16, known below
	count, last := 0, 0
	for g := range groups {
		v := fourDigits(digits, g*4-lead)
		if v == 0 && count == 0 { // no leading zeros
			weight--
			continue
		}
		b = binary.BigEndian.AppendUint16(b, v)
		count++
		if v != 0 {
			last = count
		}
	}
	b = b[:at+12+2*last] // no trailing zeros
	if last == 0 {
		weight = 0
	}
	head := b[at:]
	binary.BigEndian.PutUint32(head, uint32(8+2*last))
	binary.BigEndian.PutUint16(head[4:], uint16(last))
	binary.BigEndian.PutUint16(head[6:], uint16(int16(weight)))
	binary.BigEndian.PutUint16(head[8:], sign(negative && last > 0))
	binary.BigEndian.PutUint16(head[10:], uint16(places))
	return b
}

// appendDigits writes the decimal digits of the coefficient.
func appendDigits(b []byte, d decimal.Decimal) (digits []byte, negative bool) {
	if d.NumDigits() <= 18 {
		c := d.CoefficientInt64()
		if c < 0 {
			return strconv.AppendInt(b, -c, 10), true
		}
		return strconv.AppendInt(b, c, 10), false
	}
	c := d.Coefficient()
	negative = c.Sign() < 0
	return c.Abs(c).Append(b, 10), negative
}

// fourDigits is the base-10000 digit whose first decimal digit stands at position from; positions outside are zeros.
func fourDigits(digits []byte, from int) uint16 {
	var v uint16
	for i := from; i < from+4; i++ {
		v *= 10
		if i >= 0 && i < len(digits) {
			v += uint16(digits[i] - '0')
		}
	}
	return v
}

// mod4 is the non-negative remainder.
func mod4(n int) int { return ((n % 4) + 4) % 4 }
