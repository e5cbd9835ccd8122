package dataside_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/cost-agent/cost-agent/functions/internal/dataside"
	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/config"
)

func TestTheDatabaseIsTrustedByCertificateAndReachedByToken(t *testing.T) {
	t.Parallel()
	for ca, trusted := range map[string]string{"/var/task/rds-ca.pem": "/var/task/rds-ca.pem", "": "system"} {
		o := dataside.DatabaseOptions(&wire.Env{
			Config: config.Config{Database: config.DatabaseSettings{Host: "db.example", Name: "costagent", User: "app", CA: ca}},
			AWS:    aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", "")},
		})
		u, err := url.Parse(o.URL)
		if err != nil {
			t.Fatal(err)
		}
		if u.Host != "db.example:5432" || u.User.String() != "app" || u.Path != "/costagent" || u.Query().Get("sslmode") != "verify-full" || u.Query().Get("sslrootcert") != trusted {
			t.Errorf("URL %s", o.URL)
		}
		if o.MaxConns != 1 {
			t.Errorf("%d connections a function; the budget of connections counts one", o.MaxConns)
		}
		token, err := o.Password(t.Context())
		if err != nil || !strings.HasPrefix(token, "db.example:5432?Action=connect&DBUser=app") || !strings.Contains(token, "X-Amz-Signature=") {
			t.Errorf("token %s, %v", token, err)
		}
	}
}

func TestACompleteURLIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	o := dataside.DatabaseOptions(&wire.Env{Config: config.Config{Database: config.DatabaseSettings{URL: "postgres://x"}}})
	if o.URL != "postgres://x" || o.Password != nil {
		t.Errorf("got %+v", o)
	}
}
