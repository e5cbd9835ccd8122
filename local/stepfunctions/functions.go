package stepfunctions

import (
	"crypto/md5"  //nolint:gosec // States.Hash offers it
	"crypto/sha1" //nolint:gosec // States.Hash offers it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// function is an intrinsic function.
type function struct {
	least, most int // arguments
	run         func(a []any) (any, error)
}

func (f function) arity() string {
	switch {
	case f.least == f.most:
		return fmt.Sprintf("%d arguments", f.least)
	case f.most == math.MaxInt:
		return fmt.Sprintf("at least %d arguments", f.least)
	}
	return fmt.Sprintf("%d to %d arguments", f.least, f.most)
}

// functions are all intrinsic functions of JSONPath state machines, by their name after "States.".
var functions = map[string]function{
	"Array":          {0, math.MaxInt, func(a []any) (any, error) { return a, nil }},
	"ArrayContains":  {2, 2, arrayContains},
	"ArrayGetItem":   {2, 2, arrayGetItem},
	"ArrayLength":    {1, 1, arrayLength},
	"ArrayPartition": {2, 2, arrayPartition},
	"ArrayRange":     {3, 3, arrayRange},
	"ArrayUnique":    {1, 1, arrayUnique},
	"Base64Decode":   {1, 1, base64Decode},
	"Base64Encode":   {1, 1, base64Encode},
	"Format":         {1, math.MaxInt, format},
	"Hash":           {2, 2, hashOf},
	"JsonMerge":      {3, 3, jsonMerge},
	"JsonToString":   {1, 1, func(a []any) (any, error) { return string(encode(a[0])), nil }},
	"MathAdd":        {2, 2, mathAdd},
	"MathRandom":     {2, 3, mathRandom},
	"StringSplit":    {2, 2, stringSplit},
	"StringToJson":   {1, 1, stringToJSON},
	"UUID":           {0, 0, func([]any) (any, error) { return uuid.NewString(), nil }},
}

const (
	mostItems = 1000   // of ArrayRange
	mostChars = 10_000 // of Hash and the Base64 functions
)

func array(v any) ([]any, error) {
	items, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not an array", encode(v))
	}
	return items, nil
}

func str(v any) (string, error) {
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%s is not a string", encode(v))
	}
	return text, nil
}

// whole takes a number and rounds it to the nearest integer, halves up, as Step Functions does.
func whole(v any) (int64, error) {
	if i, ok := v.(int64); ok {
		return i, nil
	}
	f, ok := v.(float64)
	if !ok {
		return 0, fmt.Errorf("%s is not a number", encode(v))
	}
	return int64(math.Floor(f + 0.5)), nil
}

func arrayContains(a []any) (any, error) {
	items, err := array(a[0])
	return slices.ContainsFunc(items, func(item any) bool { return equal(item, a[1]) }), err
}

func arrayGetItem(a []any) (any, error) {
	items, err := array(a[0])
	if err != nil {
		return nil, err
	}
	i, err := whole(a[1])
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(items)) {
		return nil, fmt.Errorf("there is no item %d among %d", i, len(items))
	}
	return items[i], nil
}

func arrayLength(a []any) (any, error) {
	items, err := array(a[0])
	return int64(len(items)), err
}

func arrayPartition(a []any) (any, error) {
	items, err := array(a[0])
	if err != nil {
		return nil, err
	}
	size, err := whole(a[1])
	if err != nil {
		return nil, err
	}
	if size <= 0 {
		return nil, fmt.Errorf("the size of a part must be positive, not %d", size)
	}
	parts := []any{}
	for part := range slices.Chunk(items, int(min(size, math.MaxInt32))) {
		parts = append(parts, part)
	}
	return parts, nil
}

func arrayRange(a []any) (any, error) {
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = whole(a[i]); err != nil {
			return nil, err
		}
	}
	first, last, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, errors.New("the step must not be zero")
	}
	items := []any{}
	for i := first; step > 0 && i <= last || step < 0 && i >= last; i += step {
		if len(items) == mostItems {
			return nil, fmt.Errorf("the range has more than %d items", mostItems)
		}
		items = append(items, i)
	}
	return items, nil
}

func arrayUnique(a []any) (any, error) {
	items, err := array(a[0])
	unique := []any{}
	for _, item := range items {
		if !slices.ContainsFunc(unique, func(other any) bool { return equal(item, other) }) {
			unique = append(unique, item)
		}
	}
	return unique, err
}

// short takes a string of at most mostChars characters.
func short(v any) (string, error) {
	text, err := str(v)
	if err == nil && len(text) > mostChars {
		err = fmt.Errorf("the string has more than %d characters", mostChars)
	}
	return text, err
}

func base64Encode(a []any) (any, error) {
	text, err := short(a[0])
	return base64.StdEncoding.EncodeToString([]byte(text)), err
}

func base64Decode(a []any) (any, error) {
	text, err := short(a[0])
	if err != nil {
		return nil, err
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	return string(plain), err
}

var hashes = map[string]func() hash.Hash{
	"MD5": md5.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
}

func hashOf(a []any) (any, error) {
	text, err := short(a[0])
	if err != nil {
		return nil, err
	}
	name, err := str(a[1])
	if err != nil {
		return nil, err
	}
	makeHash, ok := hashes[name]
	if !ok {
		return nil, fmt.Errorf("there is no hash algorithm '%s'", name)
	}
	h := makeHash()
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil)), nil
}

func jsonMerge(a []any) (any, error) {
	first, ok1 := a[0].(map[string]any)
	second, ok2 := a[1].(map[string]any)
	if !ok1 || !ok2 {
		return nil, errors.New("the first two arguments must be objects")
	}
	if a[2] != false {
		return nil, errors.New("only the shallow merge is supported: the third argument must be false")
	}
	merged := maps.Clone(first)
	maps.Copy(merged, second)
	return merged, nil
}

func mathAdd(a []any) (any, error) {
	x, err := whole(a[0])
	if err != nil {
		return nil, err
	}
	y, err := whole(a[1])
	return x + y, err
}

// mathRandom gives a number from the first argument, inclusive, to the second, exclusive.
func mathRandom(a []any) (any, error) {
	start, err := whole(a[0])
	if err != nil {
		return nil, err
	}
	end, err := whole(a[1])
	if err != nil {
		return nil, err
	}
	if end <= start {
		return nil, errors.New("the end must be greater than the start")
	}
	if len(a) < 3 {
		return start + rand.Int64N(end-start), nil
	}
	seed, err := whole(a[2])
	if err != nil {
		return nil, err
	}
	return start + rand.New(rand.NewPCG(uint64(seed), 0)).Int64N(end-start), nil
}

// stringSplit splits at each of the characters of the second argument; empty parts are dropped.
func stringSplit(a []any) (any, error) {
	text, err := str(a[0])
	if err != nil {
		return nil, err
	}
	splitters, err := str(a[1])
	parts := []any{}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(splitters, r) }) {
		parts = append(parts, part)
	}
	return parts, err
}

func stringToJSON(a []any) (any, error) {
	text, err := str(a[0])
	if err != nil {
		return nil, err
	}
	v, err := decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the string is not JSON: %w", err)
	}
	return v, nil
}

// format puts the arguments into the places {} of the first; \{ and \} are plain braces.
func format(a []any) (any, error) {
	var template string
	switch t := a[0].(type) {
	case raw:
		template = string(t)
	case string:
		template = t
	default:
		return nil, errors.New("the first argument must be a string")
	}
	var out strings.Builder
	rest := a[1:]
	for i := 0; i < len(template); i++ {
		switch c := template[i]; {
		case c == '\\' && i+1 < len(template) && strings.IndexByte(`\'{}`, template[i+1]) >= 0:
			i++
			out.WriteByte(template[i])
		case c == '{' && strings.HasPrefix(template[i:], "{}"):
			if len(rest) == 0 {
				return nil, errors.New("there are more places {} than arguments")
			}
			out.WriteString(display(rest[0]))
			rest = rest[1:]
			i++
		default:
			out.WriteByte(c)
		}
	}
	if len(rest) > 0 {
		return nil, errors.New("there are more arguments than places {}")
	}
	return out.String(), nil
}

// display writes a value as Step Functions does inside a formatted string: {name=value, list=[1, 2]}.
func display(v any) string {
	var parts []string
	switch v := v.(type) {
	case string:
		return v
	case []any:
		for _, item := range v {
			parts = append(parts, display(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+"="+display(v[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return string(encode(v))
}
