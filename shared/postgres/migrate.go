package postgres

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/cost-agent/cost-agent/shared/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema to the version of this program; nothing happens when it is there already. Of several callers
// at once one migrates and the others wait. Of the options it uses URL and Password.
func Migrate(ctx context.Context, o Options) (err error) {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "The URL of the database cannot be read.")
	}
	var options []stdlib.OptionOpenDB
	if o.Password != nil {
		options = append(options, stdlib.OptionBeforeConnect(func(ctx context.Context, c *pgx.ConnConfig) (err error) {
			c.Password, err = o.Password(ctx)
			return err
		}))
	}
	db := stdlib.OpenDB(*config, options...)
	defer func() { err = errors.Join(err, translate(db.Close())) }()

	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fault.Wrap(err, fault.Internal, "The migrations are missing from the program.")
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fault.Wrap(err, fault.Internal, "The migrations cannot be locked.")
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithTableName("schema_version"), goose.WithDisableGlobalRegistry(true),
		// Migrations are numbered by what they are about, so a new one may stand below one that is applied.
		goose.WithAllowOutofOrder(true))
	if err != nil {
		return translate(err)
	}
	_, err = provider.Up(ctx)
	return translate(err)
}
