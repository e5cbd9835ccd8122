package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/cost"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const (
	forecastKind = "forecast"
	trendKind    = "trend"
)

// resultKey names a forecast or a trend within its analysis.
type resultKey struct {
	level    job.Level
	scope    string
	rest     bool
	currency cost.Currency
}

// result is one forecast or trend to be stored.
type result struct {
	resultKey

	about    cost.Scope
	content  string
	moves    []float64
	document any
}

func forecastRows(forecasts []job.Forecast) []result {
	rows := make([]result, len(forecasts))
	for i, f := range forecasts {
		rows[i] = result{resultKey{f.Level, f.Scope.String(), f.Rest, f.Currency}, f.Scope, f.Content, f.Moves, f}
	}
	return rows
}

// trendRows name the content of a trend by the trend itself but for its date: describing one costs less than reading it.
func trendRows(trends []job.Trend) ([]result, error) {
	rows := make([]result, len(trends))
	for i, r := range trends {
		undated := r
		undated.At = time.Time{}
		text, err := json.Marshal(undated)
		if err != nil {
			return nil, fmt.Errorf("write the trend of %s: %w", r.Scope, err)
		}
		sum := sha256.Sum256(text)
		rows[i] = result{resultKey{r.Level, r.Scope.String(), r.Rest, r.Currency}, r.Scope, hex.EncodeToString(sum[:16]), nil, r}
	}
	return rows, nil
}

// replaceResults makes the rows all that is stored of a kind. A document whose content is stored already is not written again.
func replaceResults(ctx context.Context, tx pgx.Tx, t tenant.ID, a job.AnalysisKey, kind string, rows []result) error {
	known, err := contents(ctx, tx, a, kind)
	if err != nil {
		return err
	}
	const save = `
		insert into analysis_results (tenant_id, kind, analysis, basis, level, scope, rest, currency, provider, service, account, region, position, content, moves, document)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		on conflict (tenant_id, kind, analysis, basis, level, scope, rest, currency)
		do update set position = excluded.position, content = excluded.content, moves = excluded.moves, document = excluded.document`
	const move = `
		update analysis_results set position = $8, moves = $9
		where kind = $1 and analysis = $2 and basis = $3 and level = $4 and scope = $5 and rest = $6 and currency = $7
		  and (position, moves) is distinct from ($8, $9)`
	batch := &pgx.Batch{}
	for i, r := range rows {
		content, stored := known[r.resultKey]
		delete(known, r.resultKey)
		if stored && content == r.content && content != "" {
			batch.Queue(move, kind, a.Scope, a.Basis, r.level, r.scope, r.rest, r.currency, i, r.moves)
			continue
		}
		batch.Queue(save, t, kind, a.Scope, a.Basis, r.level, r.scope, r.rest, r.currency,
			valueOf(r.about, cost.Provider), valueOf(r.about, cost.Service), valueOf(r.about, cost.Account), valueOf(r.about, cost.Region), i, r.content, r.moves, r.document)
	}
	for k := range known { // what the bill no longer holds
		batch.Queue(`delete from analysis_results where kind = $1 and analysis = $2 and basis = $3 and level = $4 and scope = $5 and rest = $6 and currency = $7`,
			kind, a.Scope, a.Basis, k.level, k.scope, k.rest, k.currency)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// contents are those of the stored results.
func contents(ctx context.Context, tx pgx.Tx, a job.AnalysisKey, kind string) (map[resultKey]string, error) {
	const sql = `select level, scope, rest, currency, content from analysis_results where kind = $1 and analysis = $2 and basis = $3`
	rows, err := tx.Query(ctx, sql, kind, a.Scope, a.Basis)
	if err != nil {
		return nil, err
	}
	found := map[resultKey]string{}
	var k resultKey
	var content string
	_, err = pgx.ForEachRow(rows, []any{&k.level, &k.scope, &k.rest, &k.currency, &content}, func() error {
		found[k] = content
		return nil
	})
	return found, err
}

// MadeForecasts reads those stored forecasts of the analysis that were made from one of the contents, by content, as they were
// before their parts were made to sum up: without Moves.
func (db *DB) MadeForecasts(ctx context.Context, t tenant.ID, a job.AnalysisKey, contents []string) (map[string]job.Forecast, error) {
	const sql = `
		select distinct on (content) content, document from analysis_results
		where kind = $1 and analysis = $2 and basis = $3 and content = any($4) order by content, position`
	found := map[string]job.Forecast{}
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql, forecastKind, a.Scope, a.Basis, contents)
		if err != nil {
			return err
		}
		var content string
		var document []byte
		_, err = pgx.ForEachRow(rows, []any{&content, &document}, func() error {
			var f job.Forecast
			if err := json.Unmarshal(document, &f); err != nil {
				return fmt.Errorf("read a stored forecast: %w", err)
			}
			found[content] = f
			return nil
		})
		return err
	})
	return found, err
}

// Forecasts lists the forecasts of the last analysis at one level of the bill. Together they are the whole.
func (db *DB) Forecasts(ctx context.Context, t tenant.ID, f job.ResultFilter) ([]job.Forecast, error) {
	type stored struct {
		Document job.Forecast
		Moves    []float64
	}
	found, err := results[stored](ctx, db, t, forecastKind, "document, moves", f)
	if err != nil {
		return nil, err
	}
	out := make([]job.Forecast, len(found))
	for i, s := range found {
		out[i] = s.Document
		out[i].Forecast = s.Document.Moved(s.Moves)
	}
	return out, nil
}

// Trends lists its trends.
func (db *DB) Trends(ctx context.Context, t tenant.ID, f job.ResultFilter) ([]job.Trend, error) {
	found, err := results[struct{ Document job.Trend }](ctx, db, t, trendKind, "document", f)
	if err != nil {
		return nil, err
	}
	out := make([]job.Trend, len(found))
	for i, s := range found {
		out[i] = s.Document
	}
	return out, nil
}

// results reads columns, in their order, into the fields of T.
func results[T any](ctx context.Context, db *DB, t tenant.ID, kind, columns string, f job.ResultFilter) ([]T, error) {
	sql := `
		select ` + columns + ` from analysis_results
		where kind = $1 and analysis = $2 and basis = $3 and level = $4
		  and ($5 = '' or provider = $5) and ($6 = '' or service = $6) and ($7 = '' or account = $7) and ($8 = '' or region = $8)
		order by position`
	var found []T
	err := db.tx(ctx, t, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql, kind, cmp.Or(f.Analysis, "total"), cmp.Or(f.Basis, cost.Effective), cmp.Or(f.Level, job.WholeLevel),
			f.Provider, f.Service, f.Account, f.Region)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T])
		return err
	})
	return found, err
}
