package dynamo_test

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/truora/minidyn/server"

	"github.com/cost-agent/cost-agent/shared/dynamo"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const customer tenant.ID = "6f1f9f5e-0000-4000-8000-000000000001"

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newTable(t *testing.T) (*dynamo.Table, *clock) {
	t.Helper()
	srv := httptest.NewServer(server.NewServer())
	t.Cleanup(srv.Close)
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &srv.URL, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""), RetryMaxAttempts: 1,
	})
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("keys"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{at: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)}
	return &dynamo.Table{API: client, Name: "keys", Now: c.now}, c
}

const goodKey = "ca_0123456789abcdef0123456789abcdef"

func TestLookupFindsWhoseTheKeyIs(t *testing.T) {
	t.Parallel()
	table, _ := newTable(t)
	want := tenant.Principal{Tenant: customer, Subject: "ci", Role: tenant.Operator}
	if err := table.Put(t.Context(), goodKey, want); err != nil {
		t.Fatal(err)
	}
	if got, err := table.Lookup(t.Context(), goodKey); err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for name, key := range map[string]string{"another": goodKey + "x", "empty": "", "short": "ca_1", "the stored form": "key#" + goodKey} {
		if _, err := table.Lookup(t.Context(), key); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s key: got %v, want Unauthenticated", name, err)
		}
	}
}

func TestPutRefusesWhatCouldNotBeUsed(t *testing.T) {
	t.Parallel()
	table, _ := newTable(t)
	for name, tc := range map[string]struct {
		key string
		p   tenant.Principal
	}{
		"short key":  {"short", tenant.Principal{Tenant: customer, Subject: "s", Role: tenant.Viewer}},
		"no tenant":  {goodKey, tenant.Principal{Subject: "s", Role: tenant.Viewer}},
		"no subject": {goodKey, tenant.Principal{Tenant: customer, Role: tenant.Viewer}},
		"odd role":   {goodKey, tenant.Principal{Tenant: customer, Subject: "s", Role: "root"}},
	} {
		if err := table.Put(t.Context(), tc.key, tc.p); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want Invalid", name, err)
		}
	}
}

func TestReceiptLivesThroughClaimKeepAndExpiry(t *testing.T) {
	t.Parallel()
	table, clock := newTable(t)
	ctx := t.Context()
	claim := func(of tenant.ID, hash string) ([]byte, error) { return table.Claim(ctx, of, "collect", "k1", hash) }

	if answer, err := claim(customer, "h1"); err != nil || answer != nil {
		t.Fatalf("first claim: %q, %v", answer, err)
	}
	if _, err := claim(customer, "h1"); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("while working: %v, want Conflict", err)
	}
	if answer, err := claim("6f1f9f5e-0000-4000-8000-000000000002", "h9"); err != nil || answer != nil {
		t.Errorf("another tenant's same key: %q, %v; want free", answer, err)
	}
	if err := table.Keep(ctx, customer, "collect", "k1", []byte(`{"run":"r"}`)); err != nil {
		t.Fatal(err)
	}
	clock.add(23 * time.Hour)
	if answer, err := claim(customer, "h1"); err != nil || string(answer) != `{"run":"r"}` {
		t.Errorf("repetition: %q, %v; want the kept answer", answer, err)
	}
	if _, err := claim(customer, "h2"); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("other request: %v, want Conflict", err)
	}
	clock.add(2 * time.Hour)
	if answer, err := claim(customer, "h2"); err != nil || answer != nil {
		t.Errorf("after a day: %q, %v; want free", answer, err)
	}
}

func TestClaimOfADeadRequestRunsOut(t *testing.T) {
	t.Parallel()
	table, clock := newTable(t)
	ctx := t.Context()
	if _, err := table.Claim(ctx, customer, "op", "k", "h"); err != nil {
		t.Fatal(err)
	}
	clock.add(61 * time.Second)
	if answer, err := table.Claim(ctx, customer, "op", "k", "h"); err != nil || answer != nil {
		t.Errorf("got %q, %v; want a new claim", answer, err)
	}
	if err := table.Release(ctx, customer, "op", "k"); err != nil {
		t.Fatal(err)
	}
	if answer, err := table.Claim(ctx, customer, "op", "k", "other"); err != nil || answer != nil {
		t.Errorf("after release: %q, %v; want free", answer, err)
	}
	if err := table.Keep(ctx, customer, "op", "never claimed", []byte("{}")); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("keep without claim: %v, want Conflict", err)
	}
}

func TestOfManyClaimsOneWins(t *testing.T) {
	t.Parallel()
	table, _ := newTable(t)
	var wg sync.WaitGroup
	won := make(chan struct{}, 20)
	for range cap(won) {
		wg.Go(func() {
			if _, err := table.Claim(t.Context(), customer, "op", "k", "h"); err == nil {
				won <- struct{}{}
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d claims won, want 1", len(won))
	}
}

func TestAnUnreachableTableIsUnavailable(t *testing.T) {
	t.Parallel()
	table, _ := newTable(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := table.Lookup(ctx, goodKey); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
	table.Name = "missing"
	if _, err := table.Lookup(t.Context(), goodKey); fault.CodeOf(err) != fault.Internal {
		t.Errorf("missing table: got %v, want Internal", err)
	}
}
