package aws

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// session keeps the credentials of an assumed role until shortly before they end. Unlike the SDK's own cache it assumes the role
// within the call that needs it, so that nothing goes on when that call is cancelled.
type session struct {
	provider aws.CredentialsProvider
	now      func() time.Time

	mu   sync.Mutex
	kept aws.Credentials
}

// early is how long before its end a session is renewed: longer than a call with its retries takes.
const early = 5 * time.Minute

// Retrieve implements aws.CredentialsProvider.
func (s *session) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept.HasKeys() && s.now().Before(s.kept.Expires.Add(-early)) {
		return s.kept, nil
	}
	fresh, err := s.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	s.kept = fresh
	return fresh, nil
}

// assume is the identity of a role that trusts this one. The tenant's own id is the external id: only connections of the
// tenant present it, so that nobody can register the role of somebody else.
func (c *Collector) assume(role string) aws.Config {
	config := c.own.Copy()
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c.own), role, func(o *stscreds.AssumeRoleOptions) {
		o.ExternalID, o.RoleSessionName = aws.String(c.settings.externalID), "cost-agent"
	})
	config.Credentials = &session{provider: provider, now: c.now}
	return config
}
