package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// saveAdvice puts a reading in place of the one before, as saveCommitments does.
func saveAdvice(ctx context.Context, tx pgx.Tx, t tenant.ID, connection string, s ingest.Snapshot) error {
	if s.Advice == nil {
		return nil
	}
	const given = `
		insert into provider_advice (tenant_id, connection_id, source, advice_id, resource_id, read_at, document) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (tenant_id, connection_id, source, advice_id) do update
			set resource_id = excluded.resource_id, read_at = excluded.read_at, document = excluded.document`
	batch := &pgx.Batch{}
	if ingest.Whole(s.Advice.Parts) {
		batch.Queue(`delete from provider_advice where connection_id = $1`, connection)
	}
	for _, a := range s.Advice.Given {
		batch.Queue(given, t, connection, a.Source, a.Advice, a.ID, s.At, a)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Advice lists what providers recommend, by connection, source and id, from after the given three on, each with Cost Agent's own
// recommendations about the same resource that are open, approved or implemented.
func (db *DB) Advice(ctx context.Context, t tenant.ID, f job.AdviceFilter) ([]job.GivenAdvice, error) {
	const sql = `
		with page as (
			select connection_id, source, advice_id, resource_id, read_at, document from provider_advice
			where ($1 = '' or connection_id = $1)
				and (connection_id collate "C", source collate "C", advice_id collate "C") > ($2, $3, $4)
			order by connection_id collate "C", source collate "C", advice_id collate "C" limit $5
		), ours as materialized (
			select r.connection_id, target #>> '{ref,id}' as resource_id, r.id, jsonb_build_object('id', r.id, 'rule', r.rule,
				'status', r.status, 'monthly_saving', r.document #> '{saving,monthly}') as brief
			from recommendations r cross join lateral jsonb_array_elements(r.document #> '{plan,targets}') as target
			where r.status in ('open', 'approved', 'implemented') and target #>> '{ref,id}' in (select resource_id from page where resource_id <> '')
		)
		select connection_id, read_at, document, coalesce((
			select jsonb_agg(brief order by id) from ours o where o.connection_id = p.connection_id and o.resource_id = p.resource_id), '[]')
		from page p order by connection_id collate "C", source collate "C", advice_id collate "C"`
	scan := func(row pgx.CollectableRow) (a job.GivenAdvice, err error) {
		err = row.Scan(&a.Connection, &a.ReadAt, &a.Advice, &a.Ours)
		a.ReadAt = a.ReadAt.UTC()
		return a, err
	}
	return collect(ctx, db, t, scan, sql, f.Connection, f.AfterConnection, f.AfterSource, f.AfterID, f.Limit)
}
