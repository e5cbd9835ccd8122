package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/pgtest"
	"github.com/cost-agent/cost-agent/shared/postgres"
)

// Migrations are numbered by what they are about: a database at 40 still gets a new 31.
func TestAMigrationBelowTheNewestIsApplied(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	for _, sql := range []string{`alter table executions drop column uncalibrated`, `delete from schema_version where version_id = 31`} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := postgres.Migrate(t.Context(), postgres.Options{URL: url}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), `select uncalibrated from executions`); err != nil {
		t.Error(err)
	}
}
