package awslambda_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/cost-agent/cost-agent/shared/awslambda"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// reported is how Lambda tells a failure.
func reported(t *testing.T, err error) messages.InvokeResponse_Error {
	t.Helper()
	r, ok := errors.AsType[messages.InvokeResponse_Error](err)
	if !ok {
		t.Fatalf("%v (%T) would be reported under the name of its Go type", err, err)
	}
	return r
}

type question struct {
	Tenant string `json:"tenant"`
	N      int    `json:"n"`
}

func tasks() map[string]awslambda.Task {
	return map[string]awslambda.Task{
		"double": awslambda.TaskOf(func(_ context.Context, q question) (map[string]int, error) { return map[string]int{"n": 2 * q.N}, nil }),
		"busy": awslambda.TaskOf(func(context.Context, question) (question, error) {
			return question{}, fmt.Errorf("while asking: %w", fault.Wrap(errors.New("secret"), fault.Throttled, "The cloud is busy."))
		}),
		"plain": awslambda.TaskOf(func(context.Context, question) (question, error) { return question{}, errors.New("secret") }),
		"panic": awslambda.TaskOf(func(context.Context, question) (question, error) { panic("secret") }),
	}
}

// A call ends itself before Lambda would kill it, and what was cut off is no failure that is worth a retry.
func TestACallEndsBeforeItIsKilled(t *testing.T) {
	t.Parallel()
	const allowed = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), allowed)
	defer cancel()
	slow := awslambda.TaskOf(func(ctx context.Context, _ question) (question, error) {
		<-ctx.Done()
		return question{}, fault.Wrap(ctx.Err(), fault.Unavailable, "The database does not answer.")
	})
	_, err := awslambda.Tasks(quiet(), map[string]awslambda.Task{"slow": slow}).Invoke(ctx, []byte(`{"task":"slow"}`))
	if ctx.Err() != nil {
		t.Error("it ended only when it would have been killed")
	}
	if r := reported(t, err); r.Type != awslambda.Timeout {
		t.Errorf("reported as %+v", r)
	}
	done := awslambda.TaskOf(func(ctx context.Context, q question) (question, error) { <-ctx.Done(); return q, nil })
	if answer, err := awslambda.Tasks(quiet(), map[string]awslambda.Task{"done": done}).Invoke(ctx, []byte(`{"task":"done","n":1}`)); err != nil || len(answer) == 0 {
		t.Errorf("what was done at the last moment gave %s, %v", answer, err)
	}
}

func TestTasksDispatchAndReportCodes(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]struct {
		answer string
		code   fault.Code
	}{
		`{"task":"double","tenant":"t","n":21,"other":true}`: {answer: `{"n":42}`},
		`{"task":"busy"}`:              {code: fault.Throttled},
		`{"task":"plain"}`:             {code: fault.Internal},
		`{"task":"panic"}`:             {code: fault.Internal},
		`{"task":"nothing"}`:           {code: fault.Invalid},
		`{"task":"double","n":"many"}`: {code: fault.Invalid},
		`{}`:                           {code: fault.Invalid},
		`[]`:                           {code: fault.Invalid},
		``:                             {code: fault.Invalid},
	} {
		var log bytes.Buffer
		answer, err := awslambda.Tasks(slog.New(slog.NewTextHandler(&log, nil)), tasks()).Invoke(t.Context(), []byte(event))
		if want.code == "" {
			if err != nil || string(answer) != want.answer {
				t.Errorf("%s: got %s, %v; want %s", event, answer, err, want.answer)
			}
			continue
		}
		r := reported(t, err)
		if r.Type != string(want.code) || strings.Contains(r.Message, "secret") || r.Message == "" {
			t.Errorf("%s: reported as %+v, want %s", event, r, want.code)
		}
		if !strings.Contains(log.String(), string(want.code)) {
			t.Errorf("%s: the log does not tell: %s", event, log.String())
		}
	}
}

// echo tells what arrived.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p, err := tenant.FromContext(r.Context())
	w.Header().Add("Set-Cookie", "a=1")
	w.Header().Add("Set-Cookie", "b=2")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTeapot)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"method": r.Method, "path": r.URL.Path, "raw": r.URL.EscapedPath(), "query": r.URL.Query()["q"], "header": r.Header["X-Many"],
		"body": string(body), "tenant": p.Tenant, "role": p.Role, "anonymous": err != nil, "host": r.Host, "remote": r.RemoteAddr,
	})
}

func invoke(t *testing.T, h http.Handler, e events.APIGatewayProxyRequest) events.APIGatewayProxyResponse {
	t.Helper()
	event, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := awslambda.HTTP(quiet(), h).Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var out events.APIGatewayProxyResponse
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHTTPBringsTheWholeRequest(t *testing.T) {
	t.Parallel()
	out := invoke(t, http.HandlerFunc(echo), events.APIGatewayProxyRequest{
		HTTPMethod: "POST", Path: "/api/v1/x/a%2Fb%20c", Body: base64.StdEncoding.EncodeToString([]byte{0xff, 'x'}), IsBase64Encoded: true,
		Headers: map[string]string{"Host": "api.example", "x-many": "2"}, MultiValueHeaders: map[string][]string{"x-many": {"1", "2"}},
		QueryStringParameters: map[string]string{"q": "b&c"}, MultiValueQueryStringParameters: map[string][]string{"q": {"a=", "b&c"}},
		RequestContext: events.APIGatewayProxyRequestContext{
			Authorizer: map[string]any{"tenant": "t-1", "subject": "key-1", "role": "operator"}, Identity: events.APIGatewayRequestIdentity{SourceIP: "192.0.2.7"},
		},
	})
	want := `{"anonymous":false,"body":"\ufffdx","header":["1","2"],"host":"api.example","method":"POST","path":"/api/v1/x/a/b c","query":["a=","b\u0026c"],"raw":"/api/v1/x/a%2Fb%20c","remote":"192.0.2.7","role":"operator","tenant":"t-1"}`
	if got := strings.TrimSpace(out.Body); got != want || out.StatusCode != http.StatusTeapot || len(out.MultiValueHeaders["Set-Cookie"]) != 2 {
		t.Errorf("got  %d %v %s\nwant %s", out.StatusCode, out.MultiValueHeaders, got, want)
	}
}

func TestACallerWithoutAWholePrincipalIsNobody(t *testing.T) {
	t.Parallel()
	for name, authorizer := range map[string]map[string]any{
		"none": nil, "no tenant": {"role": "admin"}, "no role": {"tenant": "t"}, "odd role": {"tenant": "t", "role": "root"}, "odd type": {"tenant": 7, "role": "admin"},
	} {
		out := invoke(t, http.HandlerFunc(echo), events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/", RequestContext: events.APIGatewayProxyRequestContext{Authorizer: authorizer}})
		if !strings.Contains(out.Body, `"anonymous":true`) {
			t.Errorf("%s: %s", name, out.Body)
		}
	}
}

func TestAnswersSurviveJSON(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kind, coding string
		body         []byte
		packed       bool
	}{
		"json":           {"application/problem+json", "", []byte(`{"a":"ü"}`), false},
		"text":           {"text/csv; charset=utf-8", "", []byte("ü"), false},
		"parquet":        {"application/vnd.apache.parquet", "", []byte("PAR1"), true},
		"picture":        {"image/svg+xml", "", []byte("<svg/>"), false},
		"packed json":    {"application/json", "gzip", []byte{0x1f, 0x8b}, true},
		"latin text":     {"text/plain; charset=iso-8859-1", "", []byte{0xfc}, true},
		"untrue utf-8":   {"text/plain", "", []byte{0xfc}, true},
		"nothing at all": {"", "", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := invoke(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tc.kind != "" {
					w.Header().Set("Content-Type", tc.kind)
				}
				if tc.coding != "" {
					w.Header().Set("Content-Encoding", tc.coding)
				}
				_, _ = w.Write(tc.body)
			}), events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/"})
			got := []byte(out.Body)
			if out.IsBase64Encoded {
				got, _ = base64.StdEncoding.DecodeString(out.Body)
			}
			if out.IsBase64Encoded != tc.packed || !bytes.Equal(got, tc.body) {
				t.Errorf("got %+v", out)
			}
		})
	}
}

func TestATooLargeAnswerIsAProblem(t *testing.T) {
	t.Parallel()
	out := invoke(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(bytes.Repeat([]byte("x"), awslambda.MaxAnswer))
	}), events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/"})
	var p struct {
		Status       int
		Code, Detail string
	}
	if err := json.Unmarshal([]byte(out.Body), &p); err != nil || out.StatusCode != http.StatusRequestEntityTooLarge || p.Code != "TooLarge" || p.Status != out.StatusCode {
		t.Errorf("got %d %.200s", out.StatusCode, out.Body)
	}
}

func TestEventsThatAreNoneAreReported(t *testing.T) {
	t.Parallel()
	for _, event := range []string{``, `[]`, `{"httpMethod":"GET","body":"%%%","isBase64Encoded":true}`, `{"httpMethod":"G T","path":"/"}`} {
		_, err := awslambda.HTTP(quiet(), http.HandlerFunc(echo)).Invoke(t.Context(), []byte(event))
		if r := reported(t, err); r.Type != "Invalid" {
			t.Errorf("%s: %+v", event, r)
		}
	}
}

// ring knows one key.
type ring struct{ err error }

func (r ring) Lookup(_ context.Context, key string) (tenant.Principal, error) {
	switch {
	case r.err != nil:
		return tenant.Principal{}, r.err
	case key != "good":
		return tenant.Principal{}, fault.New(fault.Unauthenticated, "Send a valid API key.")
	}
	return tenant.Principal{Tenant: "t-1", Subject: "key-1", Role: tenant.Approver}, nil
}

func TestAuthorizerTellsWhoseTheKeyIs(t *testing.T) {
	t.Parallel()
	event := `{"methodArn":"arn:aws:execute-api:eu-west-1:1:api/live/GET/api/v1/costs","headers":{"x-API-key":"good"}}`
	answer, err := awslambda.Authorizer(quiet(), ring{}).Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"principalId":"key-1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"Allow","Resource":["arn:aws:execute-api:eu-west-1:1:api/live/*"]}]},"context":{"role":"approver","subject":"key-1","tenant":"t-1"}}`
	if string(answer) != want {
		t.Errorf("got  %s\nwant %s", answer, want)
	}
	for _, other := range []string{`{"headers":{"x-api-key":"bad"}}`, `{"headers":{}}`} {
		_, err := awslambda.Authorizer(quiet(), ring{}).Invoke(t.Context(), []byte(other))
		if r := reported(t, err); r.Message != "Unauthorized" { // the word that API Gateway turns into 401
			t.Errorf("%s: %+v", other, r)
		}
	}
	_, err = awslambda.Authorizer(quiet(), ring{fault.New(fault.Unavailable, "Down.")}).Invoke(t.Context(), []byte(event))
	if r := reported(t, err); r.Type != "Unavailable" {
		t.Errorf("a key table that is down must not look like a wrong key: %+v", r)
	}
}
