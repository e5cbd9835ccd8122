package vultr_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vultr/govultr/v3"
)

// ofSDK are the SDK's types of the lists, by the member that holds the list; "plans" is that of two.
var ofSDK = map[string][]any{
	"billing_history": {govultr.History{}}, "billing_invoices": {govultr.Invoice{}}, "invoice_items": {govultr.InvoiceItem{}}, "pending_charges": {govultr.InvoiceItem{}},
	"instances": {govultr.Instance{}}, "bare_metals": {govultr.BareMetalServer{}}, "blocks": {govultr.BlockStorage{}}, "snapshots": {govultr.Snapshot{}},
	"reserved_ips": {govultr.ReservedIP{}}, "load_balancers": {govultr.LoadBalancer{}}, "databases": {govultr.Database{}},
	"plans": {govultr.Plan{}, govultr.DatabasePlan{}}, "plans_metal": {govultr.BareMetalPlan{}},
}

// kindOf is how JSON writes a type, in the letters of the shapes.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "s"
	case reflect.Int, reflect.Int64, reflect.Float32, reflect.Float64:
		return "n"
	case reflect.Slice:
		return "a"
	case reflect.Bool:
		return "b"
	}
	return t.Kind().String()
}

// What the fake says is what Vultr's own client expects to hear.
func TestShapesAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for path, s := range shapes {
		known := map[string]string{}
		for _, one := range ofSDK[s.member] {
			typ := reflect.TypeOf(one)
			for i := range typ.NumField() {
				name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
				known[name] = kindOf(typ.Field(i).Type)
			}
		}
		for _, f := range fieldShape.FindAllStringSubmatch(s.fields, -1) {
			if known[f[1]] != f[2] {
				t.Errorf("%s: %s is %q here, and %q in the SDK", path, f[1], f[2], known[f[1]])
			}
		}
	}
}
