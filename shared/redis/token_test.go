package redis_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/cost-agent/cost-agent/shared/redis"
)

func TestTokenIsASignedConnectRequest(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	keys := credentials.NewStaticCredentialsProvider("AKID", "SECRET", "SESSION")
	token, err := redis.Token(t.Context(), keys, "eu-west-1", "CostAgent", "app", at)
	if err != nil {
		t.Fatal(err)
	}
	host, query, _ := strings.Cut(token, "/?")
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	if host != "costagent" || q.Get("Action") != "connect" || q.Get("User") != "app" || q.Get("ResourceType") != "ServerlessCache" ||
		q.Get("X-Amz-Expires") != "900" || q.Get("X-Amz-Credential") != "AKID/20260901/eu-west-1/elasticache/aws4_request" || len(q.Get("X-Amz-Signature")) != 64 {
		t.Errorf("got %s", token)
	}
	if strings.Contains(token, "SECRET") {
		t.Error("the token shows the secret key")
	}
}
