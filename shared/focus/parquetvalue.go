package focus

import (
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// leaf is one column of values.
type leaf struct {
	cell   int
	render func(b []byte, v parquet.Value) []byte
	nest   *nested // the group it is in, nil at the top
	path   string  // within nest
}

// nested is a column with columns inside: a MAP, a list or a struct. It becomes JSON.
type nested struct {
	cell   int
	isMap  bool
	paths  []string
	values map[string][]*string // by path; nil for null
}

func (n *nested) reset() { clear(n.values) }

func (n *nested) add(l *leaf, v parquet.Value) {
	var text *string
	if !v.IsNull() {
		s := string(l.render(nil, v))
		text = &s
	}
	n.values[l.path] = append(n.values[l.path], text)
}

// render writes an object: of the map's pairs, or of the inner columns that have one value. What has several values is
// written as a list in JSON.
func (n *nested) render(b []byte) []byte {
	pairs := map[string]string{}
	if n.isMap {
		keys, values := n.values[n.paths[0]], n.values[n.paths[1]]
		for i, key := range keys {
			if key == nil {
				continue
			}
			pairs[*key] = ""
			if i < len(values) && values[i] != nil {
				pairs[*key] = *values[i]
			}
		}
		return appendPairs(b, pairs)
	}
	if len(n.paths) == 1 {
		return appendList(b, n.values[n.paths[0]])
	}
	for path, values := range n.values {
		values = slices.DeleteFunc(values, func(v *string) bool { return v == nil })
		switch len(values) {
		case 0:
		case 1:
			pairs[path] = *values[0]
		default:
			pairs[path] = string(appendList(nil, values))
		}
	}
	return appendPairs(b, pairs)
}

// appendList writes a JSON list, nothing for an empty one.
func appendList(b []byte, values []*string) []byte {
	separator := byte('[')
	for _, v := range values {
		if v != nil {
			b = appendJSONString(append(b, separator), *v)
			separator = ','
		}
	}
	if separator == ',' {
		b = append(b, ']')
	}
	return b
}

// plan notes for every leaf of a top-level column what to do with its values.
func (s *parquetSource) plan(cell int, column *parquet.Column) {
	if column.Leaf() && !column.Repeated() {
		s.addLeaf(leaf{cell: cell, render: renderer(column.Type())})
		return
	}
	nest := &nested{cell: cell, values: map[string][]*string{}}
	s.nested = append(s.nested, nest)
	s.planNested(nest, column, nil)
	nest.isMap = len(nest.paths) == 2 && lastIs(nest.paths[0], "key") && lastIs(nest.paths[1], "value")
	if len(nest.paths) == 2 && lastIs(nest.paths[0], "value") && lastIs(nest.paths[1], "key") {
		slices.Reverse(nest.paths)
		nest.isMap = true
	}
}

func (s *parquetSource) planNested(nest *nested, column *parquet.Column, path []string) {
	if column.Leaf() {
		name := strings.Join(path, ".")
		nest.paths = append(nest.paths, name)
		s.addLeaf(leaf{cell: nest.cell, nest: nest, path: name, render: renderer(column.Type())})
		return
	}
	for _, inner := range column.Columns() {
		s.planNested(nest, inner, append(path, inner.Name()))
	}
}

// addLeaf relies on column indexes counting the leaves in the order of the schema.
func (s *parquetSource) addLeaf(l leaf) { s.leaves = append(s.leaves, l) }

func lastIs(path, name string) bool {
	return strings.EqualFold(path[strings.LastIndexByte(path, '.')+1:], name)
}

// renderer gives the function that writes values of a type as text.
func renderer(t parquet.Type) func([]byte, parquet.Value) []byte {
	if logical := t.LogicalType(); logical != nil {
		switch l := logical.Value.(type) {
		case *format.DecimalType:
			return decimalRenderer(int(l.Scale))
		case *format.DateType:
			return func(b []byte, v parquet.Value) []byte {
				if v.Kind() != parquet.Int32 {
					return appendPlain(b, v)
				}
				return time.Unix(int64(v.Int32())*24*60*60, 0).UTC().AppendFormat(b, time.DateOnly)
			}
		case *format.TimestampType:
			if l.Unit.Value != nil {
				return timestampRenderer(l.Unit.Value.Duration())
			}
		case *format.UUIDType:
			return appendUUID
		case *format.IntType:
			if !l.IsSigned {
				return func(b []byte, v parquet.Value) []byte { return strconv.AppendUint(b, unsigned(v), 10) }
			}
		}
	}
	return appendPlain
}

func unsigned(v parquet.Value) uint64 {
	if v.Kind() == parquet.Int32 {
		return uint64(v.Uint32())
	}
	return v.Uint64()
}

// timestampRenderer takes local timestamps for UTC, as all times without a zone.
func timestampRenderer(unit time.Duration) func([]byte, parquet.Value) []byte {
	perSecond := int64(time.Second / max(unit, 1))
	return func(b []byte, v parquet.Value) []byte {
		if v.Kind() != parquet.Int64 {
			return appendPlain(b, v)
		}
		n := v.Int64()
		return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC().AppendFormat(b, time.RFC3339Nano)
	}
}

// decimalRenderer writes the unscaled integer with the scale as its exponent.
func decimalRenderer(scale int) func([]byte, parquet.Value) []byte {
	suffix := "E" + strconv.Itoa(-scale)
	return func(b []byte, v parquet.Value) []byte {
		switch v.Kind() {
		case parquet.Int32:
			b = strconv.AppendInt(b, int64(v.Int32()), 10)
		case parquet.Int64:
			b = strconv.AppendInt(b, v.Int64(), 10)
		case parquet.ByteArray, parquet.FixedLenByteArray:
			b = appendTwosComplement(b, v.ByteArray())
		default:
			return appendPlain(b, v)
		}
		return append(b, suffix...)
	}
}

// appendTwosComplement writes a big-endian integer; one that no bill has is written as what no number looks like.
func appendTwosComplement(b, bytes []byte) []byte {
	if len(bytes) > 32 {
		return append(b, "oversized"...)
	}
	n := new(big.Int).SetBytes(bytes)
	if len(bytes) > 0 && bytes[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(bytes))))
	}
	return n.Append(b, 10)
}

func appendUUID(b []byte, v parquet.Value) []byte {
	if v.Kind() != parquet.FixedLenByteArray || len(v.ByteArray()) != 16 {
		return appendPlain(b, v)
	}
	u := v.ByteArray()
	for i, part := range [][]byte{u[:4], u[4:6], u[6:8], u[8:10], u[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}

func appendPlain(b []byte, v parquet.Value) []byte {
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.AppendBool(b, v.Boolean())
	case parquet.Int32:
		return strconv.AppendInt(b, int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case parquet.Int96: // the timestamp of old writers: nanoseconds of the day, then the Julian day
		t := v.Int96()
		const unixEpoch = 2440588
		nanos := int64(uint64(t[1])<<32 | uint64(t[0]))
		return time.Unix((int64(t[2])-unixEpoch)*24*60*60, nanos).UTC().AppendFormat(b, time.RFC3339Nano)
	case parquet.Float:
		return appendFloat(b, float64(v.Float()), 32)
	case parquet.Double:
		return appendFloat(b, v.Double(), 64)
	default:
		return append(b, v.ByteArray()...)
	}
}

// appendFloat writes the shortest decimal that means this float.
func appendFloat(b []byte, f float64, bits int) []byte {
	if abs := math.Abs(f); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, bits)
	}
	return strconv.AppendFloat(b, f, 'e', -1, bits)
}
