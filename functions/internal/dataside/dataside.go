// Package dataside opens what only functions without a way out may hold: the record and the cache.
package dataside

import (
	"cmp"
	"context"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
	goredis "github.com/redis/go-redis/v9"

	"github.com/cost-agent/cost-agent/functions/internal/wire"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/postgres"
	"github.com/cost-agent/cost-agent/shared/redis"
)

// connections is the size of each pool: a function serves one request at a time, so that its reserved concurrency is the number
// of its connections.
const connections = 1

// databasePort is PostgreSQL's.
const databasePort = 5432

// DatabaseOptions say how to reach the record. Without a complete URL the password is a token that is signed here, for each
// connection anew, because it counts for 15 minutes.
func DatabaseOptions(e *wire.Env) postgres.Options {
	d := e.Database
	o := postgres.Options{URL: d.URL, MaxConns: connections, Now: wire.Now}
	if d.URL != "" {
		return o
	}
	host := fmt.Sprintf("%s:%d", d.Host, databasePort)
	trust := url.Values{"sslmode": {"verify-full"}, "sslrootcert": {cmp.Or(d.CA, "system")}}
	o.URL = (&url.URL{Scheme: "postgres", User: url.User(d.User), Host: host, Path: d.Name, RawQuery: trust.Encode()}).String()
	o.Password = func(ctx context.Context) (string, error) {
		return auth.BuildAuthToken(ctx, host, e.AWS.Region, d.User, e.AWS.Credentials)
	}
	return o
}

// Record opens the record.
func Record(ctx context.Context, e *wire.Env) (*postgres.DB, error) {
	return postgres.Open(ctx, DatabaseOptions(e))
}

// Cache opens the cache. It is not asked whether it answers: without it the function works too.
func Cache(e *wire.Env) (*redis.Cache, error) {
	o, err := redis.Options(e.Cache.URL)
	if err != nil {
		return nil, err
	}
	if name, user := e.Cache.Name, e.Cache.User; name != "" {
		o.CredentialsProviderContext = func(ctx context.Context) (string, string, error) {
			token, err := redis.Token(ctx, e.AWS.Credentials, e.AWS.Region, name, user, wire.Now())
			return user, token, err
		}
	}
	return redis.New(goredis.NewClient(o)), nil
}

// Loader brings bills and inventories into the record.
func Loader(e *wire.Env, db *postgres.DB, cache *redis.Cache) job.Load {
	return job.Load{Record: db, Inventory: db, Staging: e.Staging(), Versions: cache}
}
