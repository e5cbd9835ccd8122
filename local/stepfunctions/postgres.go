package stepfunctions

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed schema.sql
var schema string

// Postgres is a store in the schema "stepfunctions" of a PostgreSQL database.
type Postgres struct{ pool *pgxpool.Pool }

// OpenPostgres makes the schema where it is missing.
func OpenPostgres(ctx context.Context, pool *pgxpool.Pool) (*Postgres, error) {
	const lock = 0x73746570 // engines that open at the same time take turns, else "create if not exists" may collide
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, lock); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
	return &Postgres{pool: pool}, err
}

const uniqueViolation = "23505"

func isDuplicate(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == uniqueViolation
}

// Create fulfils Store.
func (p *Postgres) Create(ctx context.Context, x Execution, root Frame, first Event) error {
	b := &batch{}
	b.add(`insert into stepfunctions.executions (arn, machine, status, started, body) values ($1, $2, $3, $4, $5)`,
		x.ARN, x.Machine, x.Status, x.Started, b.json(x))
	b.frame(x.ARN, root)
	b.event(x.ARN, first)
	err := b.send(ctx, p.pool)
	if isDuplicate(err) {
		return ErrExists
	}
	return err
}

// Commit fulfils Store.
func (p *Postgres) Commit(ctx context.Context, c Change) error {
	b := &batch{}
	for _, e := range c.Events {
		b.event(c.ARN, e)
	}
	if len(c.Removed) > 0 {
		b.add(`delete from stepfunctions.frames where execution = $1 and path = any($2)`, c.ARN, c.Removed)
	}
	for _, f := range c.Frames {
		b.frame(c.ARN, f)
	}
	if x := c.Closed; x != nil {
		b.add(`update stepfunctions.executions set status = $2, body = $3 where arn = $1`, c.ARN, x.Status, b.json(x))
	}
	err := b.send(ctx, p.pool)
	if isDuplicate(err) {
		return ErrConflict
	}
	return err
}

// batch collects statements of one transaction for one round trip.
type batch struct {
	queue pgx.Batch
	err   error
}

func (b *batch) add(sql string, args ...any) { b.queue.Queue(sql, args...) }

func (b *batch) json(v any) string {
	text, err := json.Marshal(v)
	b.err = errors.Join(b.err, err)
	return string(text)
}

func (b *batch) frame(arn string, f Frame) {
	b.add(`insert into stepfunctions.frames (execution, path, body) values ($1, $2, $3)
		on conflict (execution, path) do update set body = excluded.body`, arn, f.Path, b.json(f))
}

func (b *batch) event(arn string, e Event) {
	b.add(`insert into stepfunctions.events (execution, id, body) values ($1, $2, $3)`, arn, e.ID, b.json(e))
}

func (b *batch) send(ctx context.Context, pool *pgxpool.Pool) error {
	if b.err != nil {
		return b.err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return tx.SendBatch(ctx, &b.queue).Close() })
}

// Load fulfils Store.
func (p *Postgres) Load(ctx context.Context, arn string) (Position, error) {
	var at Position
	err := pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `select body, (select coalesce(max(id), 0) from stepfunctions.events where execution = arn)
			from stepfunctions.executions where arn = $1`, arn).Scan(&at.Execution, &at.LastEvent)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return err
		}
		at.Frames, err = bodies[Frame](ctx, tx, `select body from stepfunctions.frames where execution = $1 order by path`, arn)
		return err
	})
	return at, err
}

// List fulfils Store.
func (p *Postgres) List(ctx context.Context, f Filter) ([]Execution, error) {
	var before *time.Time
	if !f.Before.IsZero() {
		before = &f.Before
	}
	var limit *int
	if f.Limit > 0 {
		limit = &f.Limit
	}
	return bodies[Execution](ctx, p.pool, `select body from stepfunctions.executions
		where ($1 = '' or machine = $1) and ($2 = '' or status = $2)
		  and ($3::timestamptz is null or (started, arn) < ($3::timestamptz, $4::text))
		order by started desc, arn desc limit $5`, f.Machine, string(f.Status), before, f.ARN, limit)
}

// Events fulfils Store.
func (p *Postgres) Events(ctx context.Context, arn string, after int64, limit int) ([]Event, error) {
	events, err := bodies[Event](ctx, p.pool,
		`select body from stepfunctions.events where execution = $1 and id > $2 order by id limit $3`, arn, after, limit)
	if err != nil || len(events) > 0 {
		return events, err
	}
	var known bool
	if err := p.pool.QueryRow(ctx, `select exists (select from stepfunctions.executions where arn = $1)`, arn).Scan(&known); err != nil {
		return nil, err
	}
	if !known {
		return nil, ErrUnknown
	}
	return nil, nil
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// bodies reads a column of JSON bodies.
func bodies[T any](ctx context.Context, q querier, sql string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (v T, err error) {
		err = row.Scan(&v)
		return v, err
	})
}
