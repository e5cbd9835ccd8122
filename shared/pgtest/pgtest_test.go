package pgtest_test

import (
	"testing"

	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const acme = tenant.ID("0a0a0a0a-0000-4000-8000-000000000001")

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	one, other := pgtest.Open(t), pgtest.Open(t)
	if err := one.SaveTenant(t.Context(), acme, "Acme"); err != nil {
		t.Fatal(err)
	}
	if err := other.SaveTenant(t.Context(), acme, "Acme again"); err != nil {
		t.Fatal(err)
	}
	found, err := other.Connections(t.Context(), acme)
	if err != nil || len(found) != 0 {
		t.Errorf("a new database has connections %v, %v", found, err)
	}
}

func TestPoolIsEmpty(t *testing.T) {
	t.Parallel()
	var tables int
	const sql = `select count(*) from pg_class where relnamespace = 'public'::regnamespace`
	if err := pgtest.Pool(t).QueryRow(t.Context(), sql).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("an empty database has %d tables, %v", tables, err)
	}
}
