// Package api is the HTTP interface of Cost Agent: one resource a file, described once as Go types from which follow the
// validation, the OpenAPI document and the RFC 9457 problems.
package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Base is the path that all operations share.
const Base = "/api/v1"

// Version is that of the interface, as the OpenAPI document and the health operation tell it.
const Version = "1.0.0"

// Resource adds its operations to an API.
type Resource interface {
	Register(a huma.API)
}

// New builds the handler of the given resources, and of the description of all of them. Callers are authenticated before it: it finds the principal in the
// request's context (tenant.NewContext), and each operation says which role it needs.
//
// The library makes its own errors (a body that does not validate, a wrong type) through a function in a package variable.
// New sets it on first use, for the whole process; nothing of a single API is kept there.
func New(log *slog.Logger, resources ...Resource) http.Handler {
	useProblems()
	mux := http.NewServeMux()
	a := humago.New(mux, configuration(log))
	for _, r := range resources {
		r.Register(a)
	}
	mux.HandleFunc("GET "+DocumentPath, serveDocument)
	return guard(log, routed(mux))
}

var useProblems = sync.OnceFunc(func() {
	huma.NewError = fromLibrary
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		problem := fromLibrary(status, message, errs...)
		if p, ok := problem.(*Problem); ok && ctx != nil && ctx.Operation() != nil && ctx.Operation().Metadata[confidential] != nil {
			return p.withoutValues()
		}
		return problem
	}
})

// confidential marks, in its metadata, an operation whose input holds secrets: no problem of it repeats what was sent, for a
// misspelt name would show its value.
const confidential = "confidential"

func configuration(log *slog.Logger) huma.Config {
	c := huma.DefaultConfig("Cost Agent", Version)
	c.Info.Description = "Reads the bills of clouds, finds waste, proposes fixes, carries out the approved ones step by step, and reports what the bill says was saved."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", "" // see document.go
	c.CreateHooks = nil                                   // no $schema links in answers
	c.RejectUnknownQueryParameters = true                 // a misspelt filter must not widen an answer
	c.Transformers = []huma.Transformer{logCause(log)}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		keyScheme: {Type: "apiKey", In: "header", Name: "X-Api-Key", Description: "The key of a tenant, with the role it was made for."},
	}
	return c
}

const keyScheme = "key"

// operation registers an operation that needs a role. The function gets the caller and gives a typed answer or an error of
// package fault; any other error is Internal, and its text goes to the log only.
func operation[In, Out any](a huma.API, op huma.Operation, needed tenant.Role, do func(context.Context, tenant.Principal, *In) (*Out, error)) {
	op.Security = []map[string][]string{{keyScheme: {}}}
	// The role comes first: a caller without it learns nothing about the shape of the request.
	op.Middlewares = append(huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		if _, err := tenant.Require(ctx.Context(), needed); err != nil {
			writeProblem(a, ctx, problemOf(err))
			return
		}
		next(ctx)
	}, asked(a)}, op.Middlewares...)
	register(a, op, func(ctx context.Context, in *In) (*Out, error) {
		p, err := tenant.Require(ctx, needed)
		if err != nil {
			return nil, err
		}
		return do(ctx, p, in)
	})
}

// open registers an operation that needs no key.
func open[In, Out any](a huma.API, op huma.Operation, do func(context.Context, *In) (*Out, error)) {
	register(a, op, do)
}

func register[In, Out any](a huma.API, op huma.Operation, do func(context.Context, *In) (*Out, error)) {
	op.Path = Base + op.Path
	huma.Register(a, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
}

// routed answers paths and methods that no operation has with problems instead of plain text. The mux would redirect a path such
// as /api/v1//costs; here it is one that no operation has, since a redirect sends the body of a request nowhere.
func routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		clean := r.URL.EscapedPath() == path.Clean(r.URL.EscapedPath())
		if pattern != "" && clean {
			mux.ServeHTTP(w, r)
			return
		}
		miss := recorder{header: http.Header{}}
		h.ServeHTTP(&miss, r)
		p := problemOf(fault.New(fault.NotFound, "There is nothing at this path; %s/openapi.json lists what there is.", Base))
		if miss.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", miss.header.Get("Allow"))
			p = problemOf(fault.New(fault.Invalid, "This path does not take %s; it takes %s.", r.Method, miss.header.Get("Allow")))
			p.Status, p.Title = miss.status, http.StatusText(miss.status)
		}
		sendProblem(w, p)
	})
}

// guard is the outermost layer: headers every answer has, and the answer to a panic.
func guard(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if reason == http.ErrAbortHandler { //nolint:errorlint,err113 // net/http compares it the same way
				panic(reason)
			}
			log.ErrorContext(r.Context(), "a handler panicked", "method", r.Method, "path", r.URL.Path, "reason", reason, "stack", string(debug.Stack()))
			sendProblem(w, problemOf(fault.New(fault.Internal, "")))
		}()
		next.ServeHTTP(w, r)
	})
}

func sendProblem(w http.ResponseWriter, p *Problem) {
	body, err := json.Marshal(p)
	if err != nil { // strings and numbers only: cannot happen
		http.Error(w, p.Title, p.Status)
		return
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the caller is gone when this fails
}

// recorder keeps what the mux would have answered to a path or method it does not know.
type recorder struct {
	header http.Header
	status int
}

// Header gives the headers to fill.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader keeps the status.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write forgets the text.
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
