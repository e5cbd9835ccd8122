package postgres

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// SQLSTATE codes and classes, from the PostgreSQL manual, appendix A.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	notText             = "22021" // a NUL or broken UTF-8 in a text
	notJSONText         = "22P05" // the same in a JSON document
	insufficientRights  = "42501" // also a row that breaks a row level security policy
)

// retryable classes: connection exception, transaction rollback, insufficient resources, object not in a usable state
// (a lock was not free), operator intervention.
var retryable = map[string]bool{"08": true, "40": true, "53": true, "55": true, "57": true}

// translate turns an error of the driver into one of package fault, once, at the door of this package.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Wrap(err, fault.NotFound, "There is no such thing.")
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return translateState(err, pg.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || isConnection(err) {
		return fault.Wrap(err, fault.Unavailable, "The database is not reachable. Try again in a moment.")
	}
	return fault.Wrap(err, fault.Internal, "The database refused a statement.")
}

func translateState(err error, state string) error {
	switch {
	case state == notText || state == notJSONText:
		return fault.Wrap(err, fault.Invalid, "A text of the request holds characters that are no text, such as NUL. Leave them out.")
	case state == uniqueViolation:
		return fault.Wrap(err, fault.Conflict, "It is there already.")
	case state == foreignKeyViolation:
		return fault.Wrap(err, fault.NotFound, "What it refers to does not exist.")
	case state == insufficientRights:
		return fault.Wrap(err, fault.Forbidden, "This belongs to another tenant.")
	case len(state) >= 2 && retryable[state[:2]]:
		return fault.Wrap(err, fault.Unavailable, "The database is busy. Try again in a moment.")
	}
	return fault.Wrap(err, fault.Internal, "The database refused a statement.")
}

func isConnection(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
