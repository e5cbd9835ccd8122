package focus

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"maps"
)

// parsePairs reads what stands in Tags: a JSON object, the same without its braces as Azure writes it, or a list of
// {"key": ..., "value": ...}. Values become text; an inner list or object stays JSON. It reports false for anything else,
// and for a text that the record cannot store.
func parsePairs(cell []byte) (map[string]string, bool) {
	cell = bytes.TrimSpace(cell)
	if len(cell) == 0 {
		return nil, true
	}
	switch cell[0] {
	case '[':
		return parsePairList(cell)
	case '"':
		cell = slices.Concat([]byte("{"), cell, []byte("}"))
	}
	var object map[string]json.RawMessage
	if !decodeJSON(cell, &object) {
		return nil, false
	}
	pairs := make(map[string]string, len(object))
	for key, raw := range object {
		value, ok := pairValue(raw)
		if !ok || strings.IndexByte(key, 0) >= 0 {
			return nil, false
		}
		pairs[key] = value
	}
	return orNil(pairs), true
}

func parsePairList(cell []byte) (map[string]string, bool) {
	var list []struct {
		Key   *string         `json:"key"`
		Value json.RawMessage `json:"value"`
	}
	if !decodeJSON(cell, &list) {
		return nil, false
	}
	pairs := make(map[string]string, len(list))
	for _, pair := range list {
		value, ok := pairValue(pair.Value)
		if !ok || pair.Key == nil || strings.IndexByte(*pair.Key, 0) >= 0 {
			return nil, false
		}
		pairs[*pair.Key] = value
	}
	return orNil(pairs), true
}

// pairValue is a JSON value as text: a string without its quotes, null as nothing, all else as it stands.
func pairValue(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	if raw[0] != '"' {
		return string(raw), true
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || strings.IndexByte(s, 0) >= 0 {
		return "", false
	}
	return s, true
}

func decodeJSON(text []byte, into any) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(into); err != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
}

func orNil(pairs map[string]string) map[string]string {
	if len(pairs) == 0 {
		return nil
	}
	return pairs
}

// appendPairs writes pairs as a JSON object with sorted keys, nothing for none.
func appendPairs(b []byte, pairs map[string]string) []byte {
	if len(pairs) == 0 {
		return b
	}
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(pairs)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONString(b, key)
		b = append(b, ':')
		b = appendJSONString(b, pairs[key])
	}
	return append(b, '}')
}

// appendJSONString writes a JSON string; the plain ones, which nearly all are, without the encoder.
func appendJSONString(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	quoted, err := json.Marshal(s)
	if err != nil { // strings always marshal
		return append(b, `""`...)
	}
	return append(b, quoted...)
}
