package postgres_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/focus/focustest"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// stranger is a tenant that owns nothing.
const stranger = "0c0c0c0c-0000-4000-8000-000000000003"

// withoutTenant are the tables that hold nothing of any tenant.
var withoutTenant = []string{"schema_version"}

// relations are all tables, partitioned ones, partitions and views.
func relations(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	const sql = `
		select relname from pg_class
		where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') order by relname`
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(withoutTenant, name) })
}

// populated gives a connection to a database in which acme has a bill.
func populated(t *testing.T) *pgx.Conn {
	t.Helper()
	target := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: target})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, id := range []tenant.ID{acme, other} {
		if err := db.SaveTenant(t.Context(), id, "T"); err != nil {
			t.Fatal(err)
		}
	}
	load(t, db, acme, ingest.Bill{File: content(csvOf(t, slices.Collect(focustest.Rows(50, 1))...))})
	conn, err := pgx.Connect(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// as sets the tenant of the session; nil leaves it as a pooled connection has it after an earlier transaction.
func as(t *testing.T, conn *pgx.Conn, setting string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), `select set_config('app.tenant_id', $1, false)`, setting); err != nil {
		t.Fatal(err)
	}
}

// count is how many rows a relation shows; -1 when it may not be read at all.
func count(t *testing.T, conn *pgx.Conn, relation string) int {
	t.Helper()
	n := -1
	_ = conn.QueryRow(t.Context(), `select count(*) from `+pgx.Identifier{relation}.Sanitize()).Scan(&n)
	return n
}

func TestNoTableShowsAnythingToTheWrongTenant(t *testing.T) {
	t.Parallel()
	conn := populated(t)
	names := relations(t, conn)
	if len(names) < 7 || !slices.Contains(names, "cost_rows_2026_09") {
		t.Fatalf("only %v: this test looks in the wrong place", names)
	}
	for setting, what := range map[string]string{
		"": "a missing tenant", "nobody": "a malformed tenant", stranger: "another tenant",
	} {
		as(t, conn, setting)
		for _, name := range names {
			if n := count(t, conn, name); n > 0 {
				t.Errorf("%s sees %d rows of %s", what, n, name)
			}
		}
	}
	as(t, conn, string(acme))
	for _, name := range []string{"tenants", "connections", "loads", "bills", "dictionary", "cost_rows", "cost_daily"} {
		if count(t, conn, name) < 1 {
			t.Errorf("acme does not see its own rows of %s", name)
		}
	}
}

func TestNoTableLetsTheWrongTenantWrite(t *testing.T) {
	t.Parallel()
	conn := populated(t)
	for _, name := range relations(t, conn) {
		table := pgx.Identifier{name}.Sanitize()
		as(t, conn, string(acme))
		source := table
		if count(t, conn, name) < 0 { // a partition, of which nobody may read
			source = "cost_rows"
		}
		if _, err := conn.Exec(t.Context(), `create temporary table copied as select * from `+source); err != nil {
			t.Fatal(err)
		}
		// A table that has no rows yet cannot show that it refuses them; its policy must do.
		empty := count(t, conn, "copied") == 0
		for _, setting := range []string{"", stranger} {
			as(t, conn, setting)
			if _, err := conn.Exec(t.Context(), fmt.Sprintf(`insert into %s overriding system value select * from copied`, table)); err == nil && !empty {
				t.Errorf("%s: tenant %q wrote rows of acme", name, setting)
			}
			if tag, err := conn.Exec(t.Context(), `delete from `+table); err == nil && tag.RowsAffected() > 0 {
				t.Errorf("%s: tenant %q deleted %d rows of acme", name, setting, tag.RowsAffected())
			}
		}
		if _, err := conn.Exec(t.Context(), `drop table copied`); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEveryTableIsForced looks at the catalogue, so that a table added later cannot be forgotten. Partitions of cost_rows are
// closed to everybody instead, as billing_month_partition explains.
func TestEveryTableIsForced(t *testing.T) {
	t.Parallel()
	conn := populated(t)
	const sql = `
		select relname from pg_class c
		where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> all($1)
		  and not (relrowsecurity and relforcerowsecurity and exists (select from pg_policy where polrelid = c.oid))
		  and not (relispartition and not has_table_privilege(oid, 'select, update, delete, truncate'))`
	rows, err := conn.Query(t.Context(), sql, withoutTenant)
	if err != nil {
		t.Fatal(err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(open) > 0 {
		t.Errorf("tables without forced row level security: %v, %v", open, err)
	}
}

func TestAMalformedTenantIsRefused(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, id := range []tenant.ID{"", "nobody", "0a0a0a0a-0000-4000-8000-000000000001'; drop table bills; --"} {
		if _, err := db.Connections(t.Context(), id); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("tenant %q: %v, want Invalid", id, err)
		}
	}
}

func TestOpenRefusesARoleAboveRowLevelSecurity(t *testing.T) {
	t.Parallel()
	target, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	if target.Query().Get("host") == "" {
		t.Skip("only on the private server do we know a superuser")
	}
	target.User, target.Path = url.User("postgres"), "/postgres"
	if _, err := postgres.Open(t.Context(), postgres.Options{URL: target.String()}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("a superuser: %v, want Forbidden", err)
	}
}

func TestAnUnreachableDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := postgres.Open(t.Context(), postgres.Options{URL: "postgres://nobody@127.0.0.1:1/none?connect_timeout=2"})
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("no server there: %v, want Unavailable", err)
	}
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	if err := postgres.Migrate(t.Context(), postgres.Options{URL: pgtest.URL(t)}); err != nil {
		t.Error(err)
	}
}
