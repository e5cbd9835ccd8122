package gcp

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"
	"golang.org/x/oauth2/jwt"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// scope lets the roles of the account decide alone: several of the APIs know no narrower one that reads.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// Where Google gives tokens. They are fixed: an address out of a connection could send our signatures anywhere.
const (
	exchange    = "https://sts.googleapis.com/v1/token"
	impersonate = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
	keyTokens   = "https://oauth2.googleapis.com/token" //nolint:gosec // an address
)

var (
	providerName = regexp.MustCompile(`^projects/\d+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/([a-z0-9-]{4,32})$`)
	accountName  = regexp.MustCompile(`^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9.-]+\.gserviceaccount\.com$`)
)

// newSignIn prepares how to sign in: with the key in the connection's secret, or else with the function's own identity, which
// Google exchanges for that of a service account.
func newSignIn(ctx context.Context, c ingest.Connection, o Options) (func(context.Context) (oauth2.TokenSource, error), error) {
	if c.Secret != "" {
		return fromKey(ctx, c.Secret, o)
	}
	provider, account := c.Settings["workload_identity_provider"], c.Settings["service_account"]
	parts := providerName.FindStringSubmatch(provider)
	if parts == nil {
		return nil, fault.Input("settings.workload_identity_provider", "", "has to be projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, or else the connection needs the key of a service account")
	}
	// All tenants share the function's identity. The name of the provider says for whom it was made, as an external id
	// does on AWS; without that, a tenant could name the provider of another one and read their bill.
	if want := ProviderID(c.Tenant); parts[1] != want {
		return nil, fault.Input("settings.workload_identity_provider", "", "has to end in providers/%s, which shows that it was made for this customer", want)
	}
	if !accountName.MatchString(account) {
		return nil, fault.Input("settings.service_account", "", "is not the address of a service account")
	}
	if o.AWS.Credentials == nil || o.AWS.Region == "" {
		return nil, fault.New(fault.Unauthenticated, "There is no AWS identity here to sign in to Google Cloud with. Give the connection the key of a service account.")
	}
	return func(ctx context.Context) (oauth2.TokenSource, error) {
		if _, err := o.AWS.Credentials.Retrieve(ctx); err != nil { // it keeps them; asked here, for the exchange loses errors
			return nil, fault.Wrap(err, fault.Unavailable, "The function's own AWS identity is not available; try again in a moment.")
		}
		tokens, err := externalaccount.NewTokenSource(ctx, externalaccount.Config{ //nolint:gosec // addresses
			Audience:                       "//iam.googleapis.com/" + provider,
			SubjectTokenType:               "urn:ietf:params:aws:token-type:aws4_request",
			TokenURL:                       exchange,
			ServiceAccountImpersonationURL: impersonate + account + ":generateAccessToken",
			Scopes:                         []string{scope},
			AwsSecurityCredentialsSupplier: identity{o.AWS},
		})
		return tokens, fault.Wrap(err, fault.Internal, "The sign-in to Google Cloud could not be prepared.")
	}, nil
}

// ProviderID is what the workload identity provider of a tenant has to be called: the tenant's id without its dashes, which
// is as long as Google allows.
func ProviderID(t tenant.ID) string { return strings.ToLower(strings.ReplaceAll(string(t), "-", "")) }

// identity gives the function's own AWS identity to the token source.
type identity struct{ own aws.Config }

// AwsRegion is where the identity is checked.
func (i identity) AwsRegion(context.Context, externalaccount.SupplierOptions) (string, error) {
	return i.own.Region, nil
}

// AwsSecurityCredentials are the function's own.
func (i identity) AwsSecurityCredentials(ctx context.Context, _ externalaccount.SupplierOptions) (*externalaccount.AwsSecurityCredentials, error) {
	own, err := i.own.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	return &externalaccount.AwsSecurityCredentials{AccessKeyID: own.AccessKeyID, SecretAccessKey: own.SecretAccessKey, SessionToken: own.SessionToken}, nil
}

// fromKey signs in with the key file of a service account. Files of other types are refused: they can name addresses to
// call and files to read.
func fromKey(ctx context.Context, secret string, o Options) (func(context.Context) (oauth2.TokenSource, error), error) {
	if o.Secret == nil {
		return nil, fault.New(fault.Internal, "There is no store of secrets here.")
	}
	content, err := o.Secret(ctx, secret)
	if err != nil {
		return nil, err
	}
	var key struct {
		Type  string `json:"type"`
		Email string `json:"client_email"`
		ID    string `json:"private_key_id"`
		Key   string `json:"private_key"`
	}
	if json.Unmarshal(content, &key) != nil || key.Type != "service_account" || key.Email == "" || !isPrivateKey(key.Key) {
		return nil, fault.New(fault.Unauthenticated, "The connection's secret is not the JSON key of a service account. Store the file that Google Cloud made as it is.")
	}
	signer := jwt.Config{Email: key.Email, PrivateKey: []byte(key.Key), PrivateKeyID: key.ID, Scopes: []string{scope}, TokenURL: keyTokens}
	return func(ctx context.Context) (oauth2.TokenSource, error) { return signer.TokenSource(ctx), nil }, nil
}

func isPrivateKey(text string) bool {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return false
	}
	_, errNew := x509.ParsePKCS8PrivateKey(block.Bytes)
	_, errOld := x509.ParsePKCS1PrivateKey(block.Bytes)
	return errNew == nil || errOld == nil
}
