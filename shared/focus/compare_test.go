package focus_test

import (
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cost-agent/cost-agent/shared/focus"
)

// difference names the first field in which two rows differ in meaning, empty when none does.
func difference(a, b *focus.Row) string {
	va, vb := reflect.ValueOf(*a), reflect.ValueOf(*b)
	for i := range va.NumField() {
		x, y := va.Field(i).Interface(), vb.Field(i).Interface()
		if !same(x, y) {
			return fmt.Sprintf("%s is %v and %v", va.Type().Field(i).Name, x, y)
		}
	}
	return ""
}

func same(x, y any) bool {
	switch x := x.(type) {
	case decimal.Decimal:
		return x.Equal(y.(decimal.Decimal))
	case decimal.NullDecimal:
		z := y.(decimal.NullDecimal)
		return x.Valid == z.Valid && x.Decimal.Equal(z.Decimal)
	case map[string]string:
		return maps.Equal(x, y.(map[string]string))
	case time.Time:
		return x.Equal(y.(time.Time))
	default:
		return reflect.DeepEqual(x, y)
	}
}
