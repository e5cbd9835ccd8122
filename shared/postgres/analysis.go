package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/anomaly"
	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// SaveAnalysis writes, in one transaction, what merge makes of the known anomalies of the same analysis, and replaces its
// forecasts and trends by those given, each only if it is not nil. A nil merge leaves the anomalies. Analyses of one tenant
// are saved one at a time.
func (db *DB) SaveAnalysis(ctx context.Context, t tenant.ID, a job.AnalysisKey, merge func(known []job.Anomaly) []job.Anomaly, forecasts []job.Forecast, trends []job.Trend) error {
	return db.tx(ctx, t, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('analysis/' || $1, 0))`, string(t)); err != nil {
			return err
		}
		if merge != nil {
			if err := mergeAnomalies(ctx, tx, t, a, merge); err != nil {
				return err
			}
		}
		if forecasts != nil {
			if err := replaceResults(ctx, tx, t, a, forecastKind, forecastRows(forecasts)); err != nil {
				return err
			}
		}
		if trends == nil {
			return nil
		}
		rows, err := trendRows(trends)
		if err != nil {
			return err
		}
		return replaceResults(ctx, tx, t, a, trendKind, rows)
	})
}

func mergeAnomalies(ctx context.Context, tx pgx.Tx, t tenant.ID, a job.AnalysisKey, merge func([]job.Anomaly) []job.Anomaly) error {
	rows, err := tx.Query(ctx, `select document from anomalies where analysis = $1 and basis = $2 order by id`, a.Scope, a.Basis)
	if err != nil {
		return err
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[job.Anomaly])
	if err != nil {
		return err
	}
	const sql = `
		insert into anomalies (tenant_id, id, analysis, basis, status, severity, provider, service, account, region, started, detected, document)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		on conflict (tenant_id, analysis, basis, id) do update set status = excluded.status, severity = excluded.severity,
			provider = excluded.provider, service = excluded.service, account = excluded.account, region = excluded.region,
			document = excluded.document`
	batch := &pgx.Batch{}
	for _, x := range merge(known) {
		batch.Queue(sql, t, x.ID, a.Scope, a.Basis, x.Status, slices.Index(anomaly.Severities, x.Severity),
			valueOf(x.Scope, cost.Provider), valueOf(x.Scope, cost.Service), valueOf(x.Scope, cost.Account), valueOf(x.Scope, cost.Region),
			x.Start, x.Detected, x)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// valueOf is the value of a dimension, null where the scope does not fix it.
func valueOf(s cost.Scope, d cost.Dimension) *string {
	if v, ok := s[d]; ok {
		return &v
	}
	return nil
}

// Anomalies lists anomalies, the last detected first.
func (db *DB) Anomalies(ctx context.Context, t tenant.ID, f job.AnomalyFilter) ([]job.Anomaly, error) {
	const sql = `
		select document from anomalies
		where analysis = $1 and basis = $2
		  and (cardinality($3::text[]) = 0 or status = any($3))
		  and severity >= $4
		  and ($5 = '' or provider = $5) and ($6 = '' or service = $6) and ($7 = '' or account = $7) and ($8 = '' or region = $8)
		  and ($9::date is null or detected >= $9)
		  and ($10::date is null or (detected, id) < ($10, $11))
		order by detected desc, id desc limit $12`
	var found []job.Anomaly
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		statuses := make([]string, len(f.Status))
		for i, s := range f.Status {
			statuses[i] = string(s)
		}
		rows, err := tx.Query(ctx, sql, cmp.Or(f.Analysis, "total"), cmp.Or(f.Basis, cost.Effective), statuses,
			max(0, slices.Index(anomaly.Severities, f.Severity)), f.Provider, f.Service, f.Account, f.Region, orNull(f.Since), orNull(f.AfterDetected), f.AfterID, f.Limit)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowTo[job.Anomaly])
		return err
	})
	return found, err
}

// Anomaly reads one anomaly; fault.NotFound when there is none. Of several analyses that found it, the widest tells.
func (db *DB) Anomaly(ctx context.Context, t tenant.ID, id string) (job.Anomaly, error) {
	var x job.Anomaly
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `select document from anomalies where id = $1 order by analysis <> 'total', analysis, basis limit 1`, id).Scan(&x)
	})
	if fault.CodeOf(err) == fault.NotFound {
		err = fault.New(fault.NotFound, "There is no anomaly %s.", id)
	}
	return x, err
}
