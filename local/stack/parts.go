package stack

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/dynamo"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/redis"
	"github.com/cost-agent/cost-agent/shared/secrets"
	"github.com/cost-agent/cost-agent/shared/staging"
	"github.com/cost-agent/cost-agent/shared/states"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const (
	bucket = "staging"
	table  = "cost-agent"
	region = "local"
)

// endpoints are where the services of a stack listen.
type endpoints struct{ database, cache, keys, staging, secrets string }

// parts are the adapters that functions are wired from: those of production, with other endpoints.
type parts struct {
	estate  *sandbox.Estate // nil: there is none
	now     job.Clock
	db      *postgres.DB
	pool    *pgxpool.Pool // of the engine's own schema
	cache   *redis.Cache
	keys    *dynamo.Table
	locks   *dynamo.Locks
	staging staging.Bucket
	secrets secrets.Store
	runs    states.Client
}

// connect opens the adapters and brings the schema and the table up to date.
func connect(ctx context.Context, at endpoints, estate *sandbox.Estate, now job.Clock, onClose func(string, func(context.Context) error)) (*parts, error) {
	p := &parts{estate: estate, now: now}
	if err := postgres.Migrate(ctx, postgres.Options{URL: at.database}); err != nil {
		return nil, err
	}
	var err error
	if p.db, err = postgres.Open(ctx, postgres.Options{URL: at.database, MaxConns: 8, Now: now}); err != nil {
		return nil, err
	}
	onClose("record", func(context.Context) error { p.db.Close(); return nil })
	if p.pool, err = pgxpool.New(ctx, at.database); err != nil {
		return nil, fmt.Errorf("state machines: %w", err)
	}
	onClose("positions of state machines", func(context.Context) error { p.pool.Close(); return nil })
	options, err := redis.Options(at.cache)
	if err != nil {
		return nil, err
	}
	client := goredis.NewClient(options)
	onClose("cache client", func(context.Context) error { return client.Close() })
	p.cache = redis.New(client)

	keys := dynamodb.NewFromConfig(settings(at.keys))
	if err := makeTable(ctx, keys); err != nil {
		return nil, err
	}
	p.keys = &dynamo.Table{API: keys, Name: table, Now: now}
	p.locks = &dynamo.Locks{API: keys, Name: table, Now: now}
	objects := s3.NewFromConfig(settings(at.staging), func(o *s3.Options) { o.UsePathStyle = true })
	p.staging = staging.Bucket{API: objects, Presigner: s3.NewPresignClient(objects), Name: bucket}
	p.secrets = secrets.Store{API: secretsmanager.NewFromConfig(settings(at.secrets)), Prefix: "cost-agent/connections/"}
	return p, nil
}

// object reads a staged object for the engine.
func (p *parts) object(ctx context.Context, of, key string) ([]byte, error) {
	if of != bucket {
		return nil, fmt.Errorf("there is no bucket %q here", of)
	}
	o, err := p.staging.Reader(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.Close() }() // it was only read
	return io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
}

// settings lead an AWS client to a service of this machine.
func settings(url string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(url), HTTPClient: &http.Client{},
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
}

// useEngine lets functions start the machines of the engine at url.
func (p *parts) useEngine(url string, machines []string) {
	arns := map[string]string{}
	for _, name := range machines {
		arns[name] = machineARN(name)
	}
	p.runs = states.Client{API: sfn.NewFromConfig(settings(url)), Machines: arns}
}

// makeTable makes the key table the first time.
func makeTable(ctx context.Context, client *dynamodb.Client) error {
	if _, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)}); err == nil {
		return nil
	}
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		return fmt.Errorf("key table: %w", err)
	}
	return nil
}

// register makes the tenant known: its name, its key, and the clouds of the estate.
func (p *parts) register(ctx context.Context, key string) error {
	name := company
	if p.estate == nil {
		name = owner
	}
	if err := p.db.SaveTenant(ctx, Tenant, name); err != nil {
		return err
	}
	if err := p.keys.Put(ctx, key, tenant.Principal{Tenant: Tenant, Subject: "local", Role: tenant.Admin}); err != nil {
		return err
	}
	if p.estate == nil {
		return nil
	}
	for _, c := range p.estate.Connections() {
		c.Tenant = Tenant
		if err := p.db.SaveConnection(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// AddTenant registers one more customer without any cloud and gives it an API key.
func (s *Stack) AddTenant(ctx context.Context, p tenant.Principal, name string) (string, error) {
	if err := s.parts.db.SaveTenant(ctx, p.Tenant, name); err != nil {
		return "", err
	}
	key := newKey()
	return key, s.parts.keys.Put(ctx, key, p)
}
