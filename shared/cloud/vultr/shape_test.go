package vultr_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// shape is what Vultr documents of the elements of a list: their members and the types of these.
type shape struct {
	member string
	fields string // "name:kind ..." with the kinds s(tring), n(umber), a(rray), b(oolean)
	whole  bool   // it comes on one page, without meta
}

const itemFields = "description:s product:s start_date:s end_date:s units:n unit_type:s unit_price:n total:n"

var shapes = map[string]shape{
	`/v2/billing/history`:            {"billing_history", "id:n date:s type:s description:s amount:n balance:n", false},
	`/v2/billing/invoices`:           {"billing_invoices", "id:n date:s description:s amount:n balance:n", false},
	`/v2/billing/invoices/\d+/items`: {"invoice_items", itemFields, false},
	`/v2/billing/pending-charges`:    {"pending_charges", itemFields, true},
	`/v2/instances`: {"instances", "id:s os:s ram:n disk:n main_ip:s vcpu_count:n region:s plan:s date_created:s status:s power_status:s " +
		"server_status:s label:s features:a tags:a", false},
	`/v2/bare-metals`:    {"bare_metals", "id:s os:s ram:s disk:s main_ip:s cpu_count:n region:s plan:s date_created:s status:s label:s features:a tags:a", false},
	`/v2/blocks`:         {"blocks", "id:s date_created:s cost:n status:s size_gb:n region:s attached_to_instance:s label:s mount_id:s block_type:s", false},
	`/v2/snapshots`:      {"snapshots", "id:s date_created:s description:s size:n compressed_size:n status:s os_id:n app_id:n", false},
	`/v2/reserved-ips`:   {"reserved_ips", "id:s region:s ip_type:s subnet:s subnet_size:n label:s instance_id:s", false},
	`/v2/load-balancers`: {"load_balancers", "id:s date_created:s region:s label:s status:s ipv4:s ipv6:s instances:a forwarding_rules:a firewall_rules:a", false},
	`/v2/databases`: {"databases", "id:s date_created:s plan:s plan_disk:n plan_ram:n plan_vcpus:n region:s database_engine:s database_engine_version:s status:s label:s tag:s " +
		"pending_charges:n host:s port:s user:s password:s trusted_ips:a", false},
	`/v2/databases/plans`: {"plans", "id:s number_of_nodes:n type:s vcpu_count:n ram:n disk:n monthly_cost:n locations:a", false},
	`/v2/plans`:           {"plans", "id:s vcpu_count:n ram:n disk:n disk_count:n bandwidth:n monthly_cost:n type:s locations:a", false},
	`/v2/plans-metal`:     {"plans_metal", "id:s cpu_count:n cpu_model:s cpu_threads:n ram:n disk:n disk_count:n bandwidth:n monthly_cost:n type:s locations:a", false},
}

func shapeOf(path string) (shape, bool) {
	for pattern, s := range shapes {
		if regexp.MustCompile("^" + pattern + "$").MatchString(path) {
			return s, true
		}
	}
	return shape{}, false
}

var fieldShape = regexp.MustCompile(`(\w+):(\w)`)

// check fails when what the fake is about to say is not what Vultr would: then its tests would prove nothing.
func (s shape) check(t testing.TB, one any) {
	t.Helper()
	element, ok := one.(map[string]any)
	if !ok {
		t.Errorf("%s: %v is no object", s.member, one)
		return
	}
	documented := map[string]bool{}
	for _, f := range fieldShape.FindAllStringSubmatch(s.fields, -1) {
		documented[f[1]] = true
		var fits bool
		switch value := element[f[1]]; f[2] {
		case "s":
			_, fits = value.(string)
		case "n":
			_, fits = value.(json.Number)
		case "a":
			_, fits = value.([]any)
		}
		if !fits {
			t.Errorf("%s: %s is %v (%T), documented is %s", s.member, f[1], element[f[1]], element[f[1]], f[2])
		}
	}
	for name := range element {
		if !documented[name] {
			t.Errorf("%s: nobody documents %s", s.member, name)
		}
	}
}

// files hold what the world has, one list each.
var files = map[string]string{
	"/v2/billing/history": "history.json", "/v2/billing/invoices": "invoices.json", "/v2/billing/invoices/5317720/items": "items.json",
	"/v2/billing/pending-charges": "pending.json", "/v2/instances": "instances.json", "/v2/bare-metals": "metals.json",
	"/v2/blocks": "blocks.json", "/v2/snapshots": "snapshots.json", "/v2/reserved-ips": "addresses.json",
	"/v2/load-balancers": "balancers.json", "/v2/databases": "databases.json", "/v2/databases/plans": "plans-database.json",
	"/v2/plans": "plans.json", "/v2/plans-metal": "plans-metal.json",
}

func fixture(t testing.TB, file string) []any {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	d := json.NewDecoder(f)
	d.UseNumber()
	var out []any
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return out
}
