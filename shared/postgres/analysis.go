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

const (
	forecastKind = "forecast"
	trendKind    = "trend"
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
			var rows []result
			for _, f := range forecasts {
				rows = append(rows, result{f.Scope, f.Currency, f})
			}
			if err := replaceResults(ctx, tx, t, a, forecastKind, rows); err != nil {
				return err
			}
		}
		if trends == nil {
			return nil
		}
		var rows []result
		for _, r := range trends {
			rows = append(rows, result{r.Scope, r.Currency, r})
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
		insert into anomalies (tenant_id, id, analysis, basis, status, severity, provider, service, started, detected, document)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (tenant_id, analysis, basis, id) do update set status = excluded.status, severity = excluded.severity,
			provider = excluded.provider, service = excluded.service, document = excluded.document`
	batch := &pgx.Batch{}
	for _, x := range merge(known) {
		batch.Queue(sql, t, x.ID, a.Scope, a.Basis, x.Status, slices.Index(anomaly.Severities, x.Severity),
			valueOf(x.Scope, cost.Provider), valueOf(x.Scope, cost.Service), x.Start, x.Detected, x)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// result is one forecast or trend to be stored.
type result struct {
	scope    cost.Scope
	currency cost.Currency
	document any
}

func replaceResults(ctx context.Context, tx pgx.Tx, t tenant.ID, a job.AnalysisKey, kind string, rows []result) error {
	batch := &pgx.Batch{}
	batch.Queue(`delete from analysis_results where kind = $1 and analysis = $2 and basis = $3`, kind, a.Scope, a.Basis)
	const sql = `
		insert into analysis_results (tenant_id, kind, analysis, basis, scope, currency, provider, service, position, document)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	for i, r := range rows {
		batch.Queue(sql, t, kind, a.Scope, a.Basis, r.scope.String(), r.currency, valueOf(r.scope, cost.Provider), valueOf(r.scope, cost.Service), i, r.document)
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
		  and ($5 = '' or provider = $5) and ($6 = '' or service = $6)
		  and ($7::date is null or detected >= $7)
		  and ($8::date is null or (detected, id) < ($8, $9))
		order by detected desc, id desc limit $10`
	var found []job.Anomaly
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		statuses := make([]string, len(f.Status))
		for i, s := range f.Status {
			statuses[i] = string(s)
		}
		rows, err := tx.Query(ctx, sql, cmp.Or(f.Analysis, "total"), cmp.Or(f.Basis, cost.Effective), statuses,
			max(0, slices.Index(anomaly.Severities, f.Severity)), f.Provider, f.Service, orNull(f.Since), orNull(f.AfterDetected), f.AfterID, f.Limit)
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

// Forecasts lists the forecasts of the last analysis at one level of the bill.
func (db *DB) Forecasts(ctx context.Context, t tenant.ID, f job.ResultFilter) ([]job.Forecast, error) {
	return results[job.Forecast](ctx, db, t, forecastKind, f)
}

// Trends lists the trends of the last analysis at one level of the bill.
func (db *DB) Trends(ctx context.Context, t tenant.ID, f job.ResultFilter) ([]job.Trend, error) {
	return results[job.Trend](ctx, db, t, trendKind, f)
}

func results[T any](ctx context.Context, db *DB, t tenant.ID, kind string, f job.ResultFilter) ([]T, error) {
	const sql = `
		select document from analysis_results
		where kind = $1 and analysis = $2 and basis = $3
		  and (provider is not null) = $4 and (service is not null) = $5
		  and ($6 = '' or provider = $6) and ($7 = '' or service = $7)
		order by position`
	var found []T
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql, kind, cmp.Or(f.Analysis, "total"), cmp.Or(f.Basis, cost.Effective),
			f.Level != job.WholeLevel, f.Level == job.ServiceLevel, f.Provider, f.Service)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowTo[T])
		return err
	})
	return found, err
}
