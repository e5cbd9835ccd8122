package azure

import (
	"context"
	"encoding/json"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// audience is whom Microsoft Entra expects tokens of other identity providers to be meant for.
const audience = "api://AzureADTokenExchange"

// assertionSeconds is for how long a token of our own identity counts: it is exchanged at once.
const assertionSeconds = 300

// newCredential signs in with the client secret that the connection has, or else exchanges a token that AWS issues for the
// function's own role: workload identity federation, which stores no secret anywhere.
func newCredential(ctx context.Context, c ingest.Connection, o Options, client policy.ClientOptions) (azcore.TokenCredential, error) {
	directory, app := c.Settings["tenant_id"], c.Settings["client_id"]
	private := len(o.Client.Cloud.Services) > 0 // its authority is the one that was named, so there is nothing to discover
	if c.Secret != "" {
		secret, err := readSecret(ctx, c, o)
		if err != nil {
			return nil, err
		}
		credential, err := azidentity.NewClientSecretCredential(directory, app, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: client, DisableInstanceDiscovery: private,
		})
		return credential, badIdentity(err)
	}
	if o.AWS.Credentials == nil {
		return nil, fault.New(fault.Unauthenticated, "This connection has no secret, and there is no AWS identity here to sign in with instead. Store a client secret with the connection.")
	}
	f := &federation{tokens: sts.NewFromConfig(o.AWS)}
	credential, err := azidentity.NewClientAssertionCredential(directory, app, f.assertion, &azidentity.ClientAssertionCredentialOptions{
		ClientOptions: client, DisableInstanceDiscovery: private,
	})
	if err != nil {
		return nil, badIdentity(err)
	}
	f.exchange = credential
	return f, nil
}

func badIdentity(err error) error {
	return fault.Wrap(err, fault.Invalid, "settings.tenant_id and settings.client_id are not the ids of a directory and an application.")
}

// readSecret takes the client secret out of {"client_secret": "..."}.
func readSecret(ctx context.Context, c ingest.Connection, o Options) (string, error) {
	if o.Secret == nil {
		return "", fault.New(fault.Unauthenticated, "This connection has a secret, but secrets cannot be read here.")
	}
	stored, err := o.Secret(ctx, c.Secret)
	if err != nil {
		return "", err
	}
	var s struct {
		ClientSecret string `json:"client_secret"`
	}
	// The cause is left out: it may quote the secret.
	if json.Unmarshal(stored, &s) != nil || s.ClientSecret == "" {
		return "", fault.New(fault.Invalid, `The stored secret of this connection is not {"client_secret": "..."}. Store it again.`)
	}
	return s.ClientSecret, nil
}

// federation is the identity of the function, as Microsoft Entra accepts it.
type federation struct {
	tokens interface {
		GetWebIdentityToken(ctx context.Context, in *sts.GetWebIdentityTokenInput, o ...func(*sts.Options)) (*sts.GetWebIdentityTokenOutput, error)
	}
	exchange azcore.TokenCredential
	failed   atomic.Pointer[fatal] // why AWS issued no token; the SDK keeps only the text of it
}

// GetToken implements azcore.TokenCredential.
func (f *federation) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := f.exchange.GetToken(ctx, o)
	if reason := f.failed.Swap(nil); err != nil && reason != nil {
		return token, reason
	}
	return token, err
}

func (f *federation) assertion(ctx context.Context) (string, error) {
	out, err := f.tokens.GetWebIdentityToken(ctx, &sts.GetWebIdentityTokenInput{
		Audience: []string{audience}, SigningAlgorithm: aws.String("RS256"), DurationSeconds: aws.Int32(assertionSeconds),
	})
	if err != nil {
		reason := &fatal{fault.Wrap(err, fault.Unauthenticated, "AWS issued no token for the identity of this function. Enable outbound identity federation for the AWS account and allow the function's role sts:GetWebIdentityToken, or store a client secret with the connection.")}
		f.failed.Store(reason)
		return "", reason
	}
	return aws.ToString(out.WebIdentityToken), nil
}

// fatal is an error that the SDK does not try again.
type fatal struct{ error }

// NonRetriable marks it for the SDK.
func (*fatal) NonRetriable() {}

// Unwrap gives the error itself.
func (f *fatal) Unwrap() error { return f.error }
