package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cost-agent/cost-agent/local/gateway"
)

type function func(payload []byte) ([]byte, error)

func (f function) Invoke(_ context.Context, payload []byte) ([]byte, error) { return f(payload) }

// echo answers with the event it got.
func echo(payload []byte) ([]byte, error) {
	return json.Marshal(events.APIGatewayProxyResponse{StatusCode: 201, MultiValueHeaders: map[string][]string{"X-Two": {"a", "b"}}, Body: string(payload)})
}

func authorizer(payload []byte) ([]byte, error) {
	var e events.APIGatewayCustomAuthorizerRequestTypeRequest
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	switch e.Headers["X-Api-Key"] {
	case "good":
		return json.Marshal(events.APIGatewayCustomAuthorizerResponse{PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Statement: []events.IAMPolicyStatement{{Effect: "Allow"}}}, Context: map[string]any{"tenant": "t1"}})
	case "broken":
		return nil, errors.New("table is gone")
	}
	return nil, errors.New("Unauthorized") // the text API Gateway looks for
}

func serve(t *testing.T, f function) *httptest.Server {
	t.Helper()
	h, err := gateway.New(gateway.Options{
		Routes: []gateway.Route{
			{Method: "GET", Path: "/api/v1/things/{id}", Function: "things"},
			{Method: "POST", Path: "/api/v1/things", Function: "things"},
			{Method: "POST", Path: "/api/v1/things/all", Function: "things"}, // inside the pattern of another method
			{Method: "GET", Path: "/api/v1/health", Function: "things", Open: true},
		},
		Functions: map[string]gateway.Handler{"things": f}, Authorizer: function(authorizer), Binary: []string{"application~1gzip", "multipart/form-data"},
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(0, 0) }, NewID: func() string { return "r1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func send(t *testing.T, method, url, key, contentType string, body []byte) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("X-Api-Key", key)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, text
}

func TestRequestBecomesTheEventThatLambdaGets(t *testing.T) {
	t.Parallel()
	s := serve(t, echo)
	answer, text := send(t, "GET", s.URL+"/api/v1/things/a%2Fb?x=1&x=2", "good", "", nil)
	if answer.StatusCode != http.StatusCreated || len(answer.Header["X-Two"]) != 2 {
		t.Fatalf("answer %d %v", answer.StatusCode, answer.Header)
	}
	var e events.APIGatewayProxyRequest
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	if e.Resource != "/api/v1/things/{id}" || e.Path != "/api/v1/things/a%2Fb" || e.PathParameters["id"] != "a/b" ||
		e.QueryStringParameters["x"] != "2" || len(e.MultiValueQueryStringParameters["x"]) != 2 ||
		e.RequestContext.Authorizer["tenant"] != "t1" || e.RequestContext.RequestID != "r1" || e.IsBase64Encoded {
		t.Errorf("event %s", text)
	}
}

func TestBinaryBodiesTravelAsBase64(t *testing.T) {
	t.Parallel()
	s := serve(t, echo)
	for contentType, want := range map[string]bool{"application/gzip": true, "multipart/form-data; boundary=x": true, "text/csv": false, "": false} {
		_, text := send(t, "POST", s.URL+"/api/v1/things", "good", contentType, []byte("abc"))
		var e events.APIGatewayProxyRequest
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		if e.IsBase64Encoded != want || want && e.Body != "YWJj" || !want && e.Body != "abc" {
			t.Errorf("%q: base64 %v, body %q", contentType, e.IsBase64Encoded, e.Body)
		}
	}
}

func TestWhatTheGatewayAnswersItself(t *testing.T) {
	t.Parallel()
	failing := serve(t, func([]byte) ([]byte, error) { return nil, errors.New("secret detail") })
	working := serve(t, echo)
	tests := map[string]struct {
		server            *httptest.Server
		method, path, key string
		body              []byte
		want              int
	}{
		"no key":            {working, "GET", "/api/v1/things/1", "", nil, 401},
		"wrong key":         {working, "GET", "/api/v1/things/1", "bad", nil, 401},
		"authorizer broken": {working, "GET", "/api/v1/things/1", "broken", nil, 503},
		"open route":        {working, "GET", "/api/v1/health", "", nil, 201},
		"doubled slash":     {working, "GET", "/api/v1//health", "", nil, 404},
		"unknown path":      {working, "GET", "/api/v2", "good", nil, 404},
		"wrong method":      {working, "DELETE", "/api/v1/things/1", "good", nil, 405},
		"options":           {working, "OPTIONS", "/api/v1/things/1", "good", nil, 405},
		"broken query":      {working, "GET", "/api/v1/things/1?limit=%zz", "good", nil, 400},
		"too large":         {working, "POST", "/api/v1/things", "good", bytes.Repeat([]byte("a"), 7<<20), 413},
		"function broken":   {failing, "POST", "/api/v1/things", "good", nil, 502},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, text := send(t, tt.method, tt.server.URL+tt.path, tt.key, "", tt.body)
			if answer.StatusCode != tt.want {
				t.Errorf("status %d, want %d: %s", answer.StatusCode, tt.want, text)
			}
			var p struct {
				Title, Code, Detail string
				Status              int
			}
			if err := json.Unmarshal(text, &p); tt.want >= 400 && (err != nil || p.Status != tt.want || p.Title == "" || p.Code == "" || p.Detail == "" ||
				answer.Header.Get("Content-Type") != "application/problem+json" || answer.Header.Get("Cache-Control") != "no-store") {
				t.Errorf("no whole problem: %v %s %v", err, text, answer.Header)
			}
			if strings.Contains(string(text), "secret") || strings.Contains(string(text), "table is gone") {
				t.Errorf("internals shown: %s", text)
			}
		})
	}
}

func TestRouteToAMissingFunctionIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := gateway.New(gateway.Options{Routes: []gateway.Route{{Method: "GET", Path: "/x", Function: "gone"}}}); err == nil {
		t.Error("accepted")
	}
}
