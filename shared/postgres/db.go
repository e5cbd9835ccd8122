// Package postgres keeps the record of Cost Agent in PostgreSQL: bills and what was made of them, each tenant behind row
// level security.
package postgres

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Options say how to reach the database.
type Options struct {
	URL string
	// MaxConns is the size of the pool; 0 is 4. The functions use 1, for their concurrency is the number of connections.
	MaxConns int32
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Password gives the password of each new connection: the short-lived token of IAM authentication. Nil takes the
	// one of the URL.
	Password func(context.Context) (string, error)
}

// DB is the record. Its methods are safe for concurrent use and fail with errors of package fault: NotFound for what
// the tenant does not have, Conflict for what is there already, Unavailable for what is worth a retry.
type DB struct {
	pool  *pgxpool.Pool
	now   func() time.Time
	spans knownSpans
}

// Open connects. It refuses with fault.Forbidden a role to which row level security does not apply: a superuser, or one
// with BYPASSRLS, would let every tenant see every other.
func Open(ctx context.Context, o Options) (*DB, error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "The URL of the database cannot be read.")
	}
	config.MaxConns = 4
	if o.MaxConns > 0 {
		config.MaxConns = o.MaxConns
	}
	if o.Password != nil {
		config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) (err error) {
			c.Password, err = o.Password(ctx)
			return err
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, translate(err)
	}
	db := &DB{pool: pool, now: o.Now}
	if err := db.checkRole(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return db, nil
}

// Close gives all connections back.
func (db *DB) Close() { db.pool.Close() }

// Ping reports whether the database answers, for health checks.
func (db *DB) Ping(ctx context.Context) error { return translate(db.pool.Ping(ctx)) }

func (db *DB) checkRole(ctx context.Context) error {
	const sql = `select rolname, rolsuper or rolbypassrls from pg_roles where rolname = current_user`
	var name string
	var above bool
	if err := db.pool.QueryRow(ctx, sql).Scan(&name, &above); err != nil {
		return translate(err)
	}
	if above {
		return fault.New(fault.Forbidden,
			"The database role %q is a superuser or has BYPASSRLS, so tenants would not be kept apart. Connect as a plain role.", name)
	}
	return nil
}

var uuidShape = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

// tx runs fn in one transaction that sees and writes the data of tenant t alone. The setting ends with the transaction,
// so a pooled connection carries nothing over to the next tenant.
func (db *DB) tx(ctx context.Context, t tenant.ID, fn func(pgx.Tx) error) error {
	if !uuidShape.MatchString(string(t)) {
		return fault.Input("tenant", string(t), "is not a UUID")
	}
	// One round trip. The shape has been checked, so the text cannot end the literal.
	begin := fmt.Sprintf(`begin; select set_config('app.tenant_id', '%s', true)`, t)
	err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{BeginQuery: begin}, fn)
	return translate(err)
}
