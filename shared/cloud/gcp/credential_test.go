package gcp

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

const (
	signIn = "POST sts.googleapis.com /v1/token"
	become = "POST iamcredentials.googleapis.com /v1/projects/-/serviceAccounts/" + account + ":generateAccessToken"
	keyed  = "POST oauth2.googleapis.com /token"
)

func TestTheFunctionsOwnIdentityIsExchanged(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(jobs, reply(dryRun), reply(wire(detailed, "", charge())))
	if _, err := collect(g.collector(connection(), g.options()), october); err != nil {
		t.Fatal(err)
	}
	asked := g.of(signIn)
	if len(asked) != 1 {
		t.Fatalf("signed in %d times for one collector", len(asked))
	}
	form, err := url.ParseQuery(string(asked[0].body))
	if err != nil || form.Get("audience") != "//iam.googleapis.com/"+provider || form.Get("subject_token_type") != "urn:ietf:params:aws:token-type:aws4_request" {
		t.Errorf("asked with %v %v", form, err)
	}
	text, err := url.QueryUnescape(form.Get("subject_token"))
	if err != nil {
		t.Fatal(err)
	}
	var signed struct {
		URL     string `json:"url"`
		Method  string `json:"method"`
		Headers []struct{ Key, Value string }
	}
	if err := json.Unmarshal([]byte(text), &signed); err != nil {
		t.Fatal(err)
	}
	headers := http.Header{}
	for _, h := range signed.Headers {
		headers.Add(h.Key, h.Value)
	}
	if signed.Method != http.MethodPost || !strings.HasPrefix(signed.URL, "https://sts.eu-central-1.amazonaws.com") {
		t.Errorf("the proof is a %s of %s", signed.Method, signed.URL)
	}
	if headers.Get("X-Goog-Cloud-Target-Resource") != "//iam.googleapis.com/"+provider || !strings.Contains(headers.Get("Authorization"), "Credential=AKIDEXAMPLE/") ||
		!strings.Contains(headers.Get("Authorization"), "x-goog-cloud-target-resource") || headers.Get("X-Amz-Security-Token") != "session" {
		t.Errorf("the proof is signed as %v", headers)
	}
	if as := g.of(become); len(as) != 1 || as[0].header.Get("Authorization") != "Bearer federated" {
		t.Errorf("became the service account with %v", as)
	}
}

// A tenant could name the provider of another one: only its name tells them apart, for all share one AWS identity.
func TestAProviderServesOnlyTheTenantItWasMadeFor(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	c := connection()
	c.Tenant = "0190f3c2-0000-7a11-9b52-3f6f1c2d4e5f"
	if _, err := New(t.Context(), c, g.options()); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("got %v, want a refusal", err)
	}
	if len(g.requests) != 0 {
		t.Error("Google was asked all the same")
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ name, value string }{
		"no table":               {"billing_table", ""},
		"two parts":              {"billing_table", "billing.gcp_billing_export_v1_0"},
		"another table":          {"billing_table", "billing-prod.billing.orders"},
		"a quote in the table":   {"billing_table", "billing-prod.billing.gcp_billing_export_v1_0` WHERE TRUE --"},
		"a quote in the dataset": {"billing_table", "billing-prod.bil`ling.gcp_billing_export_v1_0"},
		"a path as project":      {"projects", "shop-prod,../../other"},
		"a path to query in":     {"query_project", "a/b"},
		"another provider":       {"workload_identity_provider", "https://example.com/"},
		"another account":        {"service_account", "x@example.com/../../y"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(t.Context(), connection(tt.name, tt.value), Options{})
			f := fault.Public(err)
			if f.Code != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != "settings."+tt.name || tt.value != "" && strings.Contains(f.Message, tt.value) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := ingest.CheckSettings(resource.GCP, connection().Settings); err != nil {
		t.Errorf("the settings of all other tests are refused early: %v", err)
	}
	for _, tt := range tests {
		if err := ingest.CheckSettings(resource.GCP, connection(tt.name, tt.value).Settings); err == nil && !strings.Contains(tt.value, "..") {
			t.Errorf("%s %q is accepted early", tt.name, tt.value)
		}
	}
}

func TestOldProjectsOfADomainAreRead(t *testing.T) {
	t.Parallel()
	got, ok := parseTable("example.com:billing-prod.billing.gcp_billing_export_v1_0")
	if !ok || got != (table{"example.com:billing-prod", "billing", "gcp_billing_export_v1_0"}) {
		t.Errorf("%+v %v", got, ok)
	}
}

func keyFile(t *testing.T, change func(map[string]string)) []byte {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]string{
		"type": "service_account", "client_email": account, "private_key_id": "k1", "token_uri": "https://attacker.example/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
	change(key)
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func withKey(o Options, key []byte) (ingest.Connection, Options) {
	c := connection("workload_identity_provider", "", "service_account", "")
	c.Secret = tenantID + "/gcp-main"
	o.Secret = func(context.Context, string) ([]byte, error) { return key, nil }
	return c, o
}

func TestAKeySignsInAtGoogleWhateverItsFileSays(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	g.on(keyed, reply(`{"access_token":"by-key","token_type":"Bearer","expires_in":3600}`))
	g.on(jobs, reply(dryRun), reply(wire(detailed, "", charge())))
	c, o := withKey(g.options(), keyFile(t, func(map[string]string) {}))
	if _, err := collect(g.collector(c, o), october); err != nil {
		t.Fatal(err)
	}
	if got := g.of(jobs)[0].header.Get("Authorization"); got != "Bearer by-key" {
		t.Errorf("queries carry %q", got)
	}
	form, err := url.ParseQuery(string(g.of(keyed)[0].body))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(form.Get("assertion"), ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !strings.Contains(string(claims), account) || !strings.Contains(string(claims), `"aud":"https://oauth2.googleapis.com/token"`) {
		t.Errorf("claims %s %v", claims, err)
	}
}

func TestBadCredentialsAreClear(t *testing.T) {
	t.Parallel()
	isKey := func(change func(map[string]string)) func(*testing.T, Options) (ingest.Connection, Options) {
		return func(t *testing.T, o Options) (ingest.Connection, Options) {
			t.Helper()
			return withKey(o, keyFile(t, change))
		}
	}
	asIs := func(_ *testing.T, o Options) (ingest.Connection, Options) { return connection(), o }
	tests := map[string]struct {
		with   func(*testing.T, Options) (ingest.Connection, Options)
		key    string
		answer http.HandlerFunc
		want   fault.Code
	}{
		"a key of another type":   {isKey(func(k map[string]string) { k["type"] = "external_account" }), "", nil, fault.Unauthenticated},
		"a secret that is no key": {func(_ *testing.T, o Options) (ingest.Connection, Options) { return withKey(o, []byte("hunter2")) }, "", nil, fault.Unauthenticated},
		"a key that is broken":    {isKey(func(k map[string]string) { k["private_key"] = "-----BEGIN" }), "", nil, fault.Unauthenticated},
		"a deleted key":           {isKey(func(map[string]string) {}), keyed, status(400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`), fault.Unauthenticated},
		"key sign-in is down":     {isKey(func(map[string]string) {}), keyed, status(503, `{}`), fault.Unavailable},
		"an unknown AWS role":     {asIs, signIn, status(400, `{"error":"invalid_grant"}`), fault.Unauthenticated},
		"federation is down":      {asIs, signIn, status(503, `{}`), fault.Unavailable},
		"federation is busy":      {asIs, signIn, status(429, `{}`), fault.Throttled},
		"may not be the account":  {asIs, become, status(403, `{"error":{"code":403,"status":"PERMISSION_DENIED"}}`), fault.Unauthenticated},
		"the AWS identity is away": {func(_ *testing.T, o Options) (ingest.Connection, Options) {
			o.AWS.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("expired") })
			return connection(), o
		}, "", nil, fault.Unavailable},
		"half a sign-in": {asIs, signIn, half(`{"access`), fault.Unavailable},
		"no AWS identity": {func(_ *testing.T, o Options) (ingest.Connection, Options) {
			o.AWS = aws.Config{Region: "eu-central-1"}
			return connection(), o
		}, "", nil, fault.Unauthenticated},
		"an AWS identity and no place": {func(_ *testing.T, o Options) (ingest.Connection, Options) { o.AWS.Region = ""; return connection(), o }, "", nil, fault.Unauthenticated},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGoogle(t)
			if tt.key != "" {
				g.on(tt.key, tt.answer)
			}
			c, o := tt.with(t, g.options())
			collector, err := New(t.Context(), c, o)
			if err == nil {
				_, err = collector.Check(t.Context())
			}
			if fault.CodeOf(err) != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if err == nil || len(g.of(jobs)) != 0 {
				t.Error("it went on to read")
			}
		})
	}
}
