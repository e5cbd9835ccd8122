// Package redis is the cache: JSON values of one tenant that may be gone at any time.
//
// A cache that cannot be reached is a cache without values. Nothing here fails because of it, so that the agent is slower
// without its cache and never wrong.
package redis

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cost-agent/cost-agent/shared/tenant"
)

// patience bounds what a dead cache may cost a request.
const patience = 500 * time.Millisecond

// Cache is the cache of all tenants, each seeing its own values only.
type Cache struct {
	client redis.UniversalClient
}

// New makes a cache of a client.
func New(client redis.UniversalClient) *Cache { return &Cache{client: client} }

// Options reads a redis:// or rediss:// URL. Retries are few and timeouts short, because a miss is cheaper than waiting.
func Options(url string) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.MaxRetries, o.DialerRetries = 1, 1
	return o, nil
}

func name(t tenant.ID, key string) string { return "ca:{" + string(t) + "}:" + key }

// Get reads a value into into, and reports whether there was one.
func (c *Cache) Get(ctx context.Context, t tenant.ID, key string, into any) bool {
	b, err := c.client.Get(ctx, name(t, key)).Bytes()
	return err == nil && json.Unmarshal(b, into) == nil
}

// Set keeps a value for so long. A value that JSON cannot hold is not kept.
func (c *Cache) Set(ctx context.Context, t tenant.ID, key string, value any, ttl time.Duration) {
	b, err := json.Marshal(value)
	if err != nil {
		return
	}
	c.client.Set(ctx, name(t, key), b, ttl) // a value that is not kept is a miss later
}

const versionKey = "version"

// Version is the number of the tenant's data: it changes whenever Bump is called. Answers are cached under it, so that they
// are not found any more once the data changed. The second result is false when it is not known; then nothing may be cached.
func (c *Cache) Version(ctx context.Context, t tenant.ID) (string, bool) {
	n, err := c.client.Get(ctx, name(t, versionKey)).Int64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", false
	}
	return strconv.FormatInt(n, 10), true // none yet: 0
}

// Bump says that the tenant's data changed. When the cache cannot be reached, what it holds stays until its time is over, so
// times to live are minutes.
func (c *Cache) Bump(ctx context.Context, t tenant.ID) { c.client.Incr(ctx, name(t, versionKey)) }

// Ping reports whether the cache answers.
func (c *Cache) Ping(ctx context.Context) error { return c.client.Ping(ctx).Err() }
