package azure_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/cloud/azure"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

func TestTheIdentityOfTheFunctionIsExchangedForAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscriptions(portal)
	w.bills(100, actual(), amortized())
	var sts url.Values
	w.before = func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		if r.URL.Path == "/" {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			sts = r.Form
		}
		return false
	}
	if _, err := rowsOf(t, w.open("", nil), september); err != nil {
		t.Fatal(err)
	}
	if sts.Get("Action") != "GetWebIdentityToken" || sts.Get("Audience.member.1") != "api://AzureADTokenExchange" || sts.Get("SigningAlgorithm") != "RS256" {
		t.Errorf("AWS was asked for %v", sts)
	}
	if len(w.forms) != 1 {
		t.Fatalf("Entra was asked %d times for one token: %v", len(w.forms), w.forms)
	}
	form, err := url.ParseQuery(w.forms[0])
	if err != nil || form.Get("client_assertion") != "signed-by-aws" || form.Get("client_id") != app || form.Has("client_secret") {
		t.Errorf("Entra was asked for %v, %v", form, err)
	}
}

func TestAnIdentityThatAWSDoesNotVouchForIsUnauthenticated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := 0
	w.before = func(out http.ResponseWriter, r *http.Request, _ string) bool {
		if r.URL.Path == "/" && r.Method == http.MethodPost {
			asked++
			out.WriteHeader(http.StatusForbidden)
			fmt.Fprint(out, `<ErrorResponse><Error><Code>OutboundWebIdentityFederationDisabled</Code><Message>not enabled</Message></Error></ErrorResponse>`)
			return true
		}
		return false
	}
	_, err := rowsOf(t, w.open("", nil), september)
	if fault.CodeOf(err) != fault.Unauthenticated || !strings.Contains(fault.Public(err).Message, "sts:GetWebIdentityToken") || asked != 1 {
		t.Errorf("got %v after %d questions", err, asked)
	}
}

func TestASecretThatIsWrongIsUnauthenticated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := rowsOf(t, w.open("wrong", nil), september)
	if fault.CodeOf(err) != fault.Unauthenticated || len(w.forms) != 1 {
		t.Errorf("got %v after %d questions", err, len(w.forms))
	}
}

func TestConnectionsThatCannotSignInAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := map[string]string{"tenant_id": directory, "client_id": app}
	failed := errors.New("no such secret")
	cases := map[string]struct {
		settings map[string]string
		secret   string
		change   func(*azure.Options)
		want     fault.Code
	}{
		"no secret and no AWS identity": {settings: good, change: func(o *azure.Options) { o.AWS.Credentials = nil }, want: fault.Unauthenticated},
		"a secret that cannot be read": {settings: good, secret: "s", want: fault.NotFound, change: func(o *azure.Options) {
			o.Secret = func(context.Context, string) ([]byte, error) { return nil, fault.Wrap(failed, fault.NotFound, "gone") }
		}},
		"no place for secrets": {settings: good, secret: "s", change: func(o *azure.Options) { o.Secret = nil }, want: fault.Unauthenticated},
		"a secret that is something else": {settings: good, secret: "s", want: fault.Invalid, change: func(o *azure.Options) {
			o.Secret = func(context.Context, string) ([]byte, error) { return []byte("hunter2"), nil }
		}},
		"a directory that is none": {settings: map[string]string{"tenant_id": "a b", "client_id": app}, secret: "s", want: fault.Invalid},
		"an unknown environment": {settings: map[string]string{"tenant_id": directory, "client_id": app, "environment": "mars"}, secret: "s",
			want: fault.Invalid, change: func(o *azure.Options) { o.Client.Cloud.Services = nil }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := w.options()
			if c.change != nil {
				c.change(&o)
			}
			_, err := azure.New(t.Context(), ingest.Connection{Settings: c.settings, Secret: c.secret}, o)
			if fault.CodeOf(err) != c.want || strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
