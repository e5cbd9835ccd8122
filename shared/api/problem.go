package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
)

const problemType = "application/problem+json"

// Problem is the answer to a request that failed, as RFC 9457 has it. Code is for programs, Detail for people.
type Problem struct { //nolint:errname // RFC 9457 names it
	Title  string          `json:"title" doc:"What the status means."`
	Status int             `json:"status" doc:"The HTTP status."`
	Code   fault.Code      `json:"code" doc:"The kind of failure: Invalid, NotFound, Conflict, Drifted, Throttled and so on."`
	Detail string          `json:"detail" doc:"What went wrong and what to do next."`
	Errors []ProblemDetail `json:"errors,omitempty" doc:"Which inputs were wrong."`

	cause error // for the log; nil when the problem tells all there is
}

// ProblemDetail is one wrong input.
type ProblemDetail struct {
	Location string `json:"location,omitempty" doc:"Where: query.start, body.connection, file row 17 column BilledCost."`
	Message  string `json:"message" doc:"What is wrong with it."`
	Value    string `json:"value,omitempty" doc:"What was sent, shortened."`
}

// Error gives the detail, as the library expects of its errors.
func (p *Problem) Error() string { return p.Detail }

// withoutValues is the problem without what was sent.
func (p *Problem) withoutValues() *Problem {
	hidden := *p
	hidden.Errors = slices.Clone(p.Errors)
	for i := range hidden.Errors {
		hidden.Errors[i].Value = ""
	}
	return &hidden
}

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes JSON problems carry their own media type.
func (p *Problem) ContentType(string) string { return problemType }

// Unwrap gives the cause, which is never shown.
func (p *Problem) Unwrap() error { return p.cause }

var statuses = map[fault.Code]int{
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Drifted:         http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unsupported:     http.StatusUnsupportedMediaType,
	fault.Unprocessable:   http.StatusUnprocessableEntity,
	fault.Throttled:       http.StatusTooManyRequests,
	fault.LimitReached:    http.StatusUnprocessableEntity,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// problemOf turns any error into what may be shown, and keeps the rest for the log.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	public := fault.Public(err)
	status, ok := statuses[public.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	p := &Problem{Title: http.StatusText(status), Status: status, Code: public.Code, Detail: public.Message, cause: errors.Unwrap(public)}
	for _, f := range public.Fields {
		p.Errors = append(p.Errors, ProblemDetail{Location: f.Name, Message: f.Problem, Value: f.Value})
	}
	return p
}

// fromLibrary makes the problems of the library's own checks. It says 422 for every input that does not validate; here that
// is 400, and 422 is kept for well-formed input whose content cannot be used.
func fromLibrary(status int, message string, errs ...error) huma.StatusError {
	if len(errs) == 1 { // one of ours that the library only writes
		if p, ok := errors.AsType[*Problem](errs[0]); ok {
			return p
		}
	}
	code := fault.Invalid
	switch {
	case status == 0: // the library asks for an example, to describe it
		return &Problem{}
	case status == http.StatusUnprocessableEntity:
		status = http.StatusBadRequest
	case status >= http.StatusInternalServerError:
		return problemOf(errors.Join(append(errs, errors.New(message))...))
	default:
		for c, s := range statuses {
			if s == status && c != fault.Drifted {
				code = c
			}
		}
	}
	p := &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: sentence(message)}
	for _, err := range errs {
		p.Errors = append(p.Errors, detailOf(err))
	}
	if len(p.Errors) > 0 && p.Errors[0].Location != "" {
		p.Detail = p.Errors[0].Location + ": " + p.Errors[0].Message
	}
	return p
}

func detailOf(err error) ProblemDetail {
	d, ok := errors.AsType[*huma.ErrorDetail](err)
	if !ok {
		return ProblemDetail{Message: err.Error()}
	}
	out := ProblemDetail{Location: d.Location, Message: d.Message}
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok { // the library names the object that lacks it
		out.Location, out.Message = d.Location+"."+strings.TrimSuffix(name, " to be present"), "is missing"
		return out
	}
	if strings.HasPrefix(d.Message, huma.ErrUnknownContentType.Error()) {
		out.Location, out.Message = "header.Content-Type", "has to be application/json"
		return out
	}
	if d.Location == "body" { // not JSON, or JSON of the wrong types: the decoder's words name our types
		if strings.Contains(out.Message, "json: ") {
			out.Message = "does not have the form it needs"
		}
		return out
	}
	out.Value = sent(d.Value)
	return out
}

// sent shows a value as the caller wrote it, shortened. Of an object or a list that is what is in it, as JSON.
func sent(v any) string {
	var text string
	switch v := v.(type) {
	case nil:
	case string:
		text = v
	case map[string]any, []any, []string:
		if b, err := json.Marshal(v); err == nil {
			text = string(b)
		}
	default:
		text = fmt.Sprint(v)
	}
	return fault.Input("", text, "").Fields[0].Value
}

func sentence(s string) string {
	switch s {
	case "":
		return s
	case "validation failed":
		return "The request does not have the form it needs."
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func writeProblem(a huma.API, ctx huma.Context, p *Problem) {
	_ = huma.WriteErr(a, ctx, p.Status, p.Detail, p) // the caller is gone when it fails
}

// logCause writes what an answer hides to the log. It sees every answer on its way out and changes none.
func logCause(log *slog.Logger) huma.Transformer {
	return func(ctx huma.Context, _ string, v any) (any, error) {
		p, ok := v.(*Problem)
		if !ok || p.cause == nil {
			return v, nil
		}
		level := slog.LevelWarn
		if p.Status == http.StatusInternalServerError {
			level = slog.LevelError
		}
		log.Log(ctx.Context(), level, "an operation failed", "operation", ctx.Operation().OperationID, "code", string(p.Code), "cause", p.cause.Error())
		return v, nil
	}
}
