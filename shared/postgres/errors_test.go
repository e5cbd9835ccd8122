package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cost-agent/cost-agent/shared/fault"
)

func TestForeignErrorsAreTranslated(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want fault.Code
	}{
		"unique violation":      {&pgconn.PgError{Code: "23505"}, fault.Conflict},
		"foreign key violation": {&pgconn.PgError{Code: "23503"}, fault.NotFound},
		"row of another tenant": {&pgconn.PgError{Code: "42501"}, fault.Forbidden},
		"serialization failure": {&pgconn.PgError{Code: "40001"}, fault.Unavailable},
		"deadlock":              {&pgconn.PgError{Code: "40P01"}, fault.Unavailable},
		"too many connections":  {&pgconn.PgError{Code: "53300"}, fault.Unavailable},
		"shutting down":         {&pgconn.PgError{Code: "57P01"}, fault.Unavailable},
		"NUL in a text":         {&pgconn.PgError{Code: "22021"}, fault.Invalid},
		"NUL in a document":     {&pgconn.PgError{Code: "22P05"}, fault.Invalid},
		"our own mistake":       {&pgconn.PgError{Code: "42601"}, fault.Internal},
		"no rows":               {fmt.Errorf("reading: %w", pgx.ErrNoRows), fault.NotFound},
		"not in time":           {context.DeadlineExceeded, fault.Unavailable},
		"anything else":         {errors.New("x"), fault.Internal},
		"a fault stays":         {fault.New(fault.Drifted, "It moved."), fault.Drifted},
	} {
		got := translate(tt.err)
		if fault.CodeOf(got) != tt.want || !errors.Is(got, tt.err) {
			t.Errorf("%s: %v, want %s with its cause", name, got, tt.want)
		}
	}
	if translate(nil) != nil {
		t.Error("no error is none")
	}
}
