// Package fault is the one error type of Cost Agent: a code a program can act on, a message a person may
// read, and a cause that only the log sees.
package fault

import (
	"errors"
	"fmt"
)

// Code says what kind of failure it is. The HTTP status and the Step Functions error name both follow from it.
type Code string

// The codes. A task reports the code itself as its Step Functions error name, so state machines can match it.
const (
	Invalid         Code = "Invalid"         // the caller sent something malformed: 400
	Unauthenticated Code = "Unauthenticated" // no or unknown credentials: 401
	Forbidden       Code = "Forbidden"       // known, but not allowed: 403
	NotFound        Code = "NotFound"        // no such thing for this tenant: 404
	Conflict        Code = "Conflict"        // the state does not allow it (already running, already approved): 409
	Drifted         Code = "Drifted"         // the target no longer is what was approved: 409
	TooLarge        Code = "TooLarge"        // more than the interface accepts: 413
	Unsupported     Code = "Unsupported"     // a media type or format nobody here reads: 415
	Unprocessable   Code = "Unprocessable"   // well-formed, but its content cannot be used: 422
	Throttled       Code = "Throttled"       // try again later, the other side is busy: 429
	LimitReached    Code = "LimitReached"    // a limit that the customer set, such as on what reading may cost: 422
	Unavailable     Code = "Unavailable"     // a dependency is down, worth a retry: 503
	Internal        Code = "Internal"        // ours: 500, and the cause is never shown
)

// Error is the failure itself.
type Error struct {
	Code    Code
	Message string  // for people: complete sentence, says what to do next, holds no internals
	Fields  []Field // which inputs were wrong; empty when the failure is not about one
	cause   error   // for the log only
}

// Field names one wrong input.
type Field struct {
	Name    string // where, as the caller wrote it: "period.start", "body.connection", "file row 17 column BilledCost"
	Problem string // what is wrong with it
	Value   string // what was sent, shortened; empty for secrets
}

// New makes an error without a cause.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error with a hidden cause. It returns nil when cause is nil.
func Wrap(cause error, code Code, format string, args ...any) error {
	if cause == nil {
		return nil
	}
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), cause: cause}
}

// Input is the common case of Invalid: one field with its problem.
func Input(name, value, format string, args ...any) *Error {
	problem := fmt.Sprintf(format, args...)
	return &Error{Code: Invalid, Message: name + ": " + problem, Fields: []Field{{Name: name, Problem: problem, Value: shorten(value)}}}
}

// Error gives the whole story, cause included: for logs, never for answers. Use Message for people.
func (e *Error) Error() string {
	if e.cause == nil {
		return string(e.Code) + ": " + e.Message
	}
	return string(e.Code) + ": " + e.Message + ": " + e.cause.Error()
}

// Unwrap gives the hidden cause.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf finds the code of err: that of the first *Error in its chain, Internal for any other error.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Public turns any error into what may be shown. Errors of other types, and Internal ones, lose their text.
func Public(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != Internal {
		return e
	}
	return &Error{Code: Internal, Message: "Something went wrong on our side. It has been logged; please try again.", cause: err}
}

func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
