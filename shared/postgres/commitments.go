package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// saveCommitments puts a reading in place of the one before. Where a part of it failed, what it does not hold stays as it was:
// that is no way to say that a commitment has ended.
func saveCommitments(ctx context.Context, tx pgx.Tx, t tenant.ID, connection string, s ingest.Snapshot) error {
	if s.Commitments == nil {
		return nil
	}
	const held = `
		insert into commitments (tenant_id, connection_id, id, read_at, document) values ($1, $2, $3, $4, $5)
		on conflict (tenant_id, connection_id, id) do update set read_at = excluded.read_at, document = excluded.document`
	const use = `
		insert into commitment_use (tenant_id, connection_id, account, type, commitment_id, read_at, document) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (tenant_id, connection_id, commitment_id, type, account) do update set read_at = excluded.read_at, document = excluded.document`
	batch := &pgx.Batch{}
	if ingest.Whole(s.Commitments.Parts) {
		batch.Queue(`delete from commitments where connection_id = $1`, connection)
		batch.Queue(`delete from commitment_use where connection_id = $1`, connection)
	}
	for _, c := range s.Commitments.Held {
		batch.Queue(held, t, connection, c.ID, s.At, c)
	}
	for _, u := range s.Commitments.Use {
		batch.Queue(use, t, connection, u.Account, u.Type, u.Commitment, s.At, u)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Commitments lists those that are held, by connection and id, from after the given pair on, each with how it was used where the
// provider tells.
func (db *DB) Commitments(ctx context.Context, t tenant.ID, f job.CommitmentFilter) ([]job.HeldCommitment, error) {
	const sql = `
		select h.connection_id, h.read_at, h.document, u.document
		from commitments h
		left join lateral (
			select document from commitment_use u
			where u.connection_id = h.connection_id and u.commitment_id = h.id and h.id <> ''
			order by u.read_at desc, u.type, u.account limit 1
		) u on true
		where ($1 = '' or h.connection_id = $1) and (h.connection_id collate "C", h.id collate "C") > ($2, $3)
		order by h.connection_id collate "C", h.id collate "C" limit $4`
	scan := func(row pgx.CollectableRow) (c job.HeldCommitment, err error) {
		err = row.Scan(&c.Connection, &c.ReadAt, &c.Commitment, &c.Use)
		c.ReadAt = c.ReadAt.UTC()
		return c, err
	}
	return collect(ctx, db, t, scan, sql, f.Connection, f.AfterConnection, f.AfterID, f.Limit)
}

// CommitmentTypes lists how all commitments of a type together were used, as far as providers tell.
func (db *DB) CommitmentTypes(ctx context.Context, t tenant.ID, connection string) ([]job.CommitmentTypeUse, error) {
	const sql = `
		select connection_id, read_at, document from commitment_use where commitment_id = '' and ($1 = '' or connection_id = $1)
		order by connection_id collate "C", type collate "C", account collate "C" limit 1000`
	scan := func(row pgx.CollectableRow) (u job.CommitmentTypeUse, err error) {
		err = row.Scan(&u.Connection, &u.ReadAt, &u.CommitmentUse)
		u.ReadAt = u.ReadAt.UTC()
		return u, err
	}
	return collect(ctx, db, t, scan, sql, connection)
}
