// Package gateway is API Gateway on one machine: it turns HTTP requests into the events that Lambda handlers get, asks the
// authorizer first, and turns their answers back.
package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Handler is a Lambda function.
type Handler interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Route leads a method and path pattern ("/api/v1/execution/{id}") to a function.
type Route struct {
	Method, Path string
	Function     string
	Open         bool // the authorizer is not asked
}

// Options wire a gateway.
type Options struct {
	Routes     []Route
	Functions  map[string]Handler
	Authorizer Handler
	Binary     []string // media types handed over as base64, "*/*" is all
	Log        *slog.Logger
	Now        func() time.Time
	NewID      func() string // of requests
}

// maxEvent is what Lambda accepts as the payload of a synchronous call.
const maxEvent = 6 << 20

// New builds the handler. A route whose function is missing is refused, so that a forgotten one is seen at the start.
func New(o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, r := range o.Routes {
		f, ok := o.Functions[r.Function]
		if !ok {
			return nil, fmt.Errorf("route %s %s leads to the function %q, which is not here", r.Method, r.Path, r.Function)
		}
		mux.Handle(r.Method+" "+r.Path, &operation{Options: o, route: r, function: f})
		methods[r.Path] = append(methods[r.Path], r.Method)
	}
	for pattern, allowed := range methods {
		refuseOthers(mux, pattern, allowed)
	}
	mux.HandleFunc("/", nothingAt)
	return checked(mux), nil
}

// checked answers what would not reach an operation as it was meant: API Gateway refuses a query that it cannot decode, where
// net/url would leave the broken part out, and knows no path such as /api/v1//costs, which the mux would redirect.
func checked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
			problem(w, http.StatusBadRequest, "Invalid", "The query does not consist of percent-encoded name=value pairs.")
			return
		}
		if given := r.URL.EscapedPath(); given != path.Clean(given) {
			nothingAt(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func nothingAt(w http.ResponseWriter, r *http.Request) {
	problem(w, http.StatusNotFound, "NotFound", "There is nothing at "+r.URL.Path+". All operations are listed in /api/v1/openapi.json.")
}

// refuseOthers answers the methods that a path does not have. They are registered one by one, for a pattern of all methods
// would collide with one method of a wider path.
func refuseOthers(mux *http.ServeMux, pattern string, allowed []string) {
	slices.Sort(allowed)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		if slices.Contains(allowed, method) {
			continue
		}
		mux.HandleFunc(method+" "+pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			problem(w, http.StatusMethodNotAllowed, "Invalid", "This path does not take "+r.Method+"; it takes "+strings.Join(allowed, ", ")+".")
		})
	}
}

// operation serves one route.
type operation struct {
	Options
	route    Route
	function Handler
}

func (o *operation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request := o.context(r)
	if !o.route.Open {
		allowed, err := o.authorize(ctx, r, &request)
		switch {
		case err != nil:
			o.Log.Error("authorizer failed", "error", err)
			problem(w, http.StatusServiceUnavailable, "Unavailable", "Keys cannot be checked now; try again in a moment.")
			return
		case !allowed:
			problem(w, http.StatusUnauthorized, "Unauthenticated", "Send a valid API key in the X-Api-Key header.")
			return
		}
	}
	event, err := o.event(w, r, request)
	if err != nil {
		problem(w, http.StatusRequestEntityTooLarge, "TooLarge", "The request is too large: 4.5 MB fit into one, 6 MB of plain text. Ask for an upload with POST /api/v1/uploads, put the file there, and name its key instead.")
		return
	}
	o.invoke(ctx, w, event)
}

func (o *operation) invoke(ctx context.Context, w http.ResponseWriter, event []byte) {
	said, err := o.function.Invoke(ctx, event)
	var response events.APIGatewayProxyResponse
	if err == nil {
		err = json.Unmarshal(said, &response)
	}
	if err != nil {
		o.Log.Error("function failed", "function", o.route.Function, "error", err)
		problem(w, http.StatusBadGateway, "Internal", "Something went wrong on our side. It has been logged; please try again.")
		return
	}
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(response.Body); err != nil {
			o.Log.Error("function answered with a broken body", "function", o.route.Function, "error", err)
			problem(w, http.StatusBadGateway, "Internal", "Something went wrong on our side. It has been logged; please try again.")
			return
		}
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	for name, values := range response.MultiValueHeaders {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body) // the caller is gone, nobody to tell
}

func (o *operation) context(r *http.Request) events.APIGatewayProxyRequestContext {
	now := o.Now()
	return events.APIGatewayProxyRequestContext{
		AccountID: "000000000000", APIID: "local", Stage: "local", RequestID: o.NewID(), Protocol: r.Proto,
		ResourcePath: o.route.Path, Path: r.URL.Path, HTTPMethod: r.Method, RequestTimeEpoch: now.UnixMilli(),
		RequestTime: now.UTC().Format("02/Jan/2006:15:04:05 -0700"),
		Identity:    events.APIGatewayRequestIdentity{SourceIP: "127.0.0.1", UserAgent: r.UserAgent()},
	}
}

// authorize asks the authorizer, and puts what it says of the caller into the request's context.
func (o *operation) authorize(ctx context.Context, r *http.Request, request *events.APIGatewayProxyRequestContext) (bool, error) {
	event := events.APIGatewayCustomAuthorizerRequestTypeRequest{
		Type: "REQUEST", MethodArn: "arn:aws:execute-api:local:000000000000:local/local/" + r.Method + r.URL.Path,
		Resource: o.route.Path, Path: r.URL.Path, HTTPMethod: r.Method, Headers: lastValues(r.Header), MultiValueHeaders: r.Header,
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return false, err
	}
	answer, err := o.Authorizer.Invoke(ctx, payload)
	if err != nil {
		if isUnauthorized(err) {
			return false, nil
		}
		return false, err
	}
	var said events.APIGatewayCustomAuthorizerResponse
	if err := json.Unmarshal(answer, &said); err != nil {
		return false, err
	}
	request.Authorizer = said.Context
	return allows(said.PolicyDocument), nil
}

// isUnauthorized recognises the error text that API Gateway turns into 401.
func isUnauthorized(err error) bool { return strings.Contains(err.Error(), "Unauthorized") }

func allows(p events.APIGatewayCustomAuthorizerPolicy) bool {
	for _, s := range p.Statement {
		if s.Effect != "Allow" {
			return false
		}
	}
	return len(p.Statement) > 0
}

// event is the request as the function gets it; it fails when that is larger than Lambda accepts.
func (o *operation) event(w http.ResponseWriter, r *http.Request, request events.APIGatewayProxyRequestContext) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if err != nil {
		return nil, err
	}
	out := events.APIGatewayProxyRequest{
		Resource: o.route.Path, Path: r.URL.EscapedPath(), HTTPMethod: r.Method,
		Headers: lastValues(r.Header), MultiValueHeaders: r.Header,
		QueryStringParameters: lastValues(r.URL.Query()), MultiValueQueryStringParameters: r.URL.Query(),
		PathParameters: parameters(o.route.Path, r), RequestContext: request, Body: string(body),
	}
	if o.binary(r.Header.Get("Content-Type")) {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	event, err := json.Marshal(out)
	if err == nil && len(event) > maxEvent {
		err = fmt.Errorf("event of %d bytes", len(event))
	}
	return event, err
}

// binary reports whether bodies of this type travel as base64.
func (o *operation) binary(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = contentType
	}
	major, _, _ := strings.Cut(media, "/")
	for _, b := range o.Binary {
		b = strings.ReplaceAll(b, "~1", "/")
		if b == "*/*" || b == media || b == major+"/*" {
			return true
		}
	}
	return false
}

// parameters are the values of the pattern's names.
func parameters(pattern string, r *http.Request) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(pattern, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			out[name] = r.PathValue(name)
		}
	}
	return out
}

// lastValues keeps one value of each name, the last as API Gateway does.
func lastValues(values map[string][]string) map[string]string {
	out := make(map[string]string, len(values))
	for name, all := range values {
		out[name] = all[len(all)-1]
	}
	return out
}

type answer struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// problem is an answer of the gateway itself, in the form that the API's own problems have.
func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	body, err := json.Marshal(answer{http.StatusText(status), status, code, detail})
	if err == nil {
		_, _ = w.Write(body) // the caller is gone, nobody to tell
	}
}
