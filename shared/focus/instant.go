package focus

import (
	"bytes"
	"strings"
	"time"
)

// parseInstant reads what bills write for a time: RFC 3339, the same with a blank for the T, without seconds, with
// fractions, with " UTC" behind it, or a date alone. A time without a zone is UTC. It keeps microseconds, as the record does.
func parseInstant(s []byte) (time.Time, bool) {
	s = bytes.TrimSpace(s)
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 {
		return time.Time{}, false
	}
	of, offset, ok := parseClock(s[10:])
	if !ok {
		return time.Time{}, false
	}
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if midnight.Day() != day { // 30 February
		return time.Time{}, false
	}
	return midnight.Add(of - offset), true
}

// parseClock reads what stands behind the date: the time of day and the zone's offset.
func parseClock(s []byte) (of, offset time.Duration, ok bool) {
	if len(s) == 0 {
		return 0, 0, true
	}
	if len(s) < 6 || strings.IndexByte("Tt ", s[0]) < 0 {
		return 0, 0, false
	}
	of, s, ok = parseMinutes(s[1:])
	if !ok {
		return 0, 0, false
	}
	if len(s) >= 3 && s[0] == ':' {
		second, isNumber := digits(s[1:3])
		fraction, rest, isFraction := parseFraction(s[3:])
		if !isNumber || !isFraction || second > 59 {
			return 0, 0, false
		}
		of += time.Duration(second)*time.Second + fraction
		s = rest
	}
	offset, ok = parseZone(s)
	return of, offset, ok
}

// parseMinutes reads "15:04" and gives what stands behind it.
func parseMinutes(s []byte) (time.Duration, []byte, bool) {
	hours, ok1 := digits(s[:2])
	minutes, ok2 := digits(s[3:5])
	if !ok1 || !ok2 || s[2] != ':' || hours > 23 || minutes > 59 {
		return 0, nil, false
	}
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute, s[5:], true
}

func parseFraction(s []byte) (fraction time.Duration, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '.' {
		return 0, s, true
	}
	s = s[1:]
	unit, n := 100*time.Millisecond, 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		fraction += time.Duration(s[n]-'0') * unit
		unit /= 10
		n++
	}
	return fraction.Truncate(time.Microsecond), s[n:], n > 0
}

func parseZone(s []byte) (time.Duration, bool) {
	switch string(s) {
	case "", "Z", "z", " UTC":
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	offset, _, ok := parseMinutes(s[1:])
	if !ok {
		return 0, false
	}
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

func digits(s []byte) (int, bool) {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
