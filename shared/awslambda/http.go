package awslambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// MaxAnswer is the largest answer, as JSON of the whole response, that a Lambda function may give: 6 MB.
const MaxAnswer = 6 * 1024 * 1024

// HTTP lets h answer the proxy events of an API Gateway REST API. The principal is what the authorizer put into the event's
// context; the handler finds it with tenant.FromContext. A larger answer than Lambda passes on becomes a problem 413.
func HTTP(log *slog.Logger, h http.Handler) Handler {
	return raw(func(ctx context.Context, event []byte) ([]byte, error) {
		var e events.APIGatewayProxyRequest
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, reported(ctx, log, "http", fault.Wrap(err, fault.Invalid, "The event is not one of API Gateway."))
		}
		r, err := request(ctx, e)
		if err != nil {
			return nil, reported(ctx, log, "http", err)
		}
		w := &response{header: http.Header{}}
		h.ServeHTTP(w, r)
		answer, err := json.Marshal(w.event())
		if err == nil && len(answer) > MaxAnswer {
			log.WarnContext(ctx, "an answer was too large", "path", e.Path, "bytes", len(answer))
			answer, err = json.Marshal(tooLarge())
		}
		if err != nil {
			return nil, reported(ctx, log, "http", err)
		}
		return answer, nil
	})
}

func request(ctx context.Context, e events.APIGatewayProxyRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "The body of the event is not valid base64.")
		}
	}
	if p, ok := principal(e.RequestContext.Authorizer); ok {
		ctx = tenant.NewContext(ctx, p)
	}
	r, err := http.NewRequestWithContext(ctx, e.HTTPMethod, "/", bytes.NewReader(body))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "The event's method is not one of HTTP.")
	}
	setPath(r.URL, e.Path)
	r.URL.RawQuery = query(e)
	for name, value := range e.Headers {
		r.Header.Set(name, value)
	}
	for name, values := range e.MultiValueHeaders {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.Host = r.Header.Get("Host")
	r.RemoteAddr = e.RequestContext.Identity.SourceIP
	r.RequestURI = r.URL.RequestURI()
	return r, nil
}

// setPath keeps an encoded slash in a path segment apart from the slashes between segments.
func setPath(u *url.URL, path string) {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	plain, err := url.PathUnescape(path)
	if err != nil { // a lone percent sign: it stands for itself
		u.Path, u.RawPath = path, ""
		return
	}
	u.Path, u.RawPath = plain, path
}

func query(e events.APIGatewayProxyRequest) string {
	values := url.Values{}
	for name, value := range e.QueryStringParameters {
		values.Set(name, value)
	}
	for name, all := range e.MultiValueQueryStringParameters {
		values[name] = all
	}
	return values.Encode()
}

// principal reads what Authorizer put there.
func principal(from map[string]any) (tenant.Principal, bool) {
	text := func(name string) string { s, _ := from[name].(string); return s }
	p := tenant.Principal{Tenant: tenant.ID(text(tenantKey)), Subject: text(subjectKey), Role: tenant.Role(text(roleKey))}
	return p, p.Tenant != "" && p.Role.Valid()
}

// response collects what a handler writes.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header gives the headers to fill.
func (w *response) Header() http.Header { return w.header }

// WriteHeader sets the status, once.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

// Write adds to the body.
func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

var _ io.Writer = (*response)(nil)

func (w *response) event() events.APIGatewayProxyResponse {
	w.WriteHeader(http.StatusOK)
	if w.body.Len() > 0 && w.header.Get("Content-Type") == "" {
		w.header.Set("Content-Type", http.DetectContentType(w.body.Bytes()))
	}
	out := events.APIGatewayProxyResponse{StatusCode: w.status, MultiValueHeaders: w.header}
	if utf8.Valid(w.body.Bytes()) && isText(w.header) {
		out.Body = w.body.String()
		return out
	}
	out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), w.body.Len() > 0
	return out
}

// isText reports whether the body may stand in JSON as it is: text and JSON that no content coding has packed.
func isText(h http.Header) bool {
	if h.Get("Content-Encoding") != "" {
		return false
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return h.Get("Content-Type") == ""
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+yaml") || strings.HasSuffix(kind, "+xml")
}

func tooLarge() events.APIGatewayProxyResponse {
	const status = http.StatusRequestEntityTooLarge
	body := fmt.Sprintf(`{"title":%q,"status":%s,"code":%q,"detail":"The answer is larger than %d bytes; ask for less with a limit, a filter or a shorter period."}`,
		http.StatusText(status), strconv.Itoa(status), fault.TooLarge, MaxAnswer)
	return events.APIGatewayProxyResponse{
		StatusCode:        status,
		MultiValueHeaders: map[string][]string{"Content-Type": {"application/problem+json"}, "Cache-Control": {"no-store"}},
		Body:              body,
	}
}
