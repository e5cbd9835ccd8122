package redis

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// emptyHash is the SHA-256 of an empty body.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Token makes the password that ElastiCache Serverless takes from an IAM user: a request signed here, without any call. It
// counts for 15 minutes, and only when a connection is opened, so it is made anew for each one.
func Token(ctx context.Context, from aws.CredentialsProvider, region, cache, user string, now time.Time) (string, error) {
	credentials, err := from.Retrieve(ctx)
	if err != nil {
		return "", err
	}
	q := url.Values{"Action": {"connect"}, "User": {user}, "ResourceType": {"ServerlessCache"}, "X-Amz-Expires": {"900"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+strings.ToLower(cache)+"/?"+q.Encode(), nil)
	if err != nil {
		return "", err
	}
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, credentials, r, emptyHash, "elasticache", region, now)
	return strings.TrimPrefix(signed, "http://"), err
}
