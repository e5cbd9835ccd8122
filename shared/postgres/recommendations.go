package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/recommend"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// SaveGeneration replaces, in one transaction, the recommendations of a connection and its rules by what merge makes of
// them, and what was rejected by rejected. Generations of one connection run one at a time.
func (db *DB) SaveGeneration(ctx context.Context, t tenant.ID, connection string, rules []string,
	merge func(known []recommend.Recommendation) []recommend.Recommendation, rejected []recommend.Rejected,
) error {
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('generation/' || $1 || '/' || $2, 0))`, string(t), connection); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select document from recommendations where connection_id = $1 and rule = any($2) order by id for update`, connection, rules)
		if err != nil {
			return err
		}
		known, err := pgx.CollectRows(rows, pgx.RowTo[recommend.Recommendation])
		if err != nil {
			return err
		}
		for _, r := range merge(known) {
			if err := saveRecommendation(ctx, tx, t, r); err != nil {
				return err
			}
		}
		return saveRejected(ctx, tx, t, connection, rules, rejected)
	})
}

func saveRecommendation(ctx context.Context, tx pgx.Tx, t tenant.ID, r recommend.Recommendation) error {
	const sql = `
		insert into recommendations (tenant_id, id, connection_id, rule, status, score, monthly_saving, document)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (tenant_id, id) do update set status = excluded.status, score = excluded.score,
			monthly_saving = excluded.monthly_saving, document = excluded.document`
	_, err := tx.Exec(ctx, sql, t, r.ID, r.Connection, r.Rule, r.Status, r.Score.Total, r.Saving.Monthly.Amount, r)
	return err
}

func saveRejected(ctx context.Context, tx pgx.Tx, t tenant.ID, connection string, rules []string, rejected []recommend.Rejected) error {
	const insert = `
		insert into rejected_recommendations (tenant_id, connection_id, rule, resource_id, document) values ($1, $2, $3, $4, $5)
		on conflict (tenant_id, connection_id, rule, resource_id) do update set document = excluded.document`
	batch := &pgx.Batch{}
	batch.Queue(`delete from rejected_recommendations where connection_id = $1 and rule = any($2)`, connection, rules)
	for _, r := range rejected {
		batch.Queue(insert, t, connection, r.Rule, r.Ref.ID, r)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Recommendation gives one; fault.NotFound when the tenant has none with the id.
func (db *DB) Recommendation(ctx context.Context, t tenant.ID, id string) (recommend.Recommendation, error) {
	found, err := collect(ctx, db, t, pgx.RowTo[recommend.Recommendation], `select document from recommendations where id = $1`, id)
	switch {
	case err != nil:
		return recommend.Recommendation{}, err
	case len(found) == 0:
		return recommend.Recommendation{}, noRecommendation(id)
	}
	return found[0], nil
}

func noRecommendation(id string) error {
	return fault.New(fault.NotFound, "There is no recommendation %s. GET /api/v1/recommendations lists them.", id)
}

// ChangeRecommendation lets change alter one recommendation, in one transaction. It fails with fault.NotFound when there is
// none with the id, and with the error of change.
func (db *DB) ChangeRecommendation(ctx context.Context, t tenant.ID, id string, change func(*recommend.Recommendation) error) (recommend.Recommendation, error) {
	var r recommend.Recommendation
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select document from recommendations where id = $1 for update`, id)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[recommend.Recommendation])
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return noRecommendation(id)
		}
		r = found[0]
		if err := change(&r); err != nil {
			return err
		}
		return saveRecommendation(ctx, tx, t, r)
	})
	return r, err
}

// Recommendations lists those that the filter lets through, the highest score first, from after the cursor on.
func (db *DB) Recommendations(ctx context.Context, t tenant.ID, f job.RecommendationFilter) ([]recommend.Recommendation, error) {
	const sql = `
		select document from recommendations
		where (cardinality($1::text[]) = 0 or status = any($1)) and ($2 = '' or rule = $2) and monthly_saving >= $3
			and ($4::double precision is null or score < $4 or score = $4 and id > $5)
		order by score desc, id limit $6`
	statuses := make([]string, len(f.Status))
	for i, s := range f.Status {
		statuses[i] = string(s)
	}
	return collect(ctx, db, t, pgx.RowTo[recommend.Recommendation], sql, statuses, f.Rule, f.MinSaving, f.AfterScore, f.AfterID, f.Limit)
}

// RejectedRecommendations lists what the last generations considered and did not recommend, by resource and rule, from after
// the given pair on.
func (db *DB) RejectedRecommendations(ctx context.Context, t tenant.ID, f job.RejectedFilter) ([]recommend.Rejected, error) {
	const sql = `
		select document from rejected_recommendations
		where ($1 = '' or rule = $1) and (resource_id collate "C", rule collate "C") > ($2, $3)
		order by resource_id collate "C", rule collate "C" limit $4`
	return collect(ctx, db, t, pgx.RowTo[recommend.Rejected], sql, f.Rule, f.AfterResource, f.AfterRule, f.Limit)
}
