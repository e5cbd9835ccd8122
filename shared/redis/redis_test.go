package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/cost-agent/cost-agent/shared/redis"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

const a, b tenant.ID = "aaaa", "bbbb"

func newCache(t *testing.T) (*redis.Cache, *miniredis.Miniredis) {
	t.Helper()
	srv := miniredis.RunT(t)
	o, err := redis.Options("redis://" + srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return redis.New(client), srv
}

func TestValuesBelongToTheirTenantAndEnd(t *testing.T) {
	t.Parallel()
	cache, srv := newCache(t)
	ctx := t.Context()
	cache.Set(ctx, a, "k", map[string]int{"n": 7}, time.Minute)

	var got map[string]int
	if !cache.Get(ctx, a, "k", &got) || got["n"] != 7 {
		t.Errorf("own value: got %v", got)
	}
	if cache.Get(ctx, b, "k", &got) {
		t.Error("another tenant sees the value")
	}
	srv.FastForward(61 * time.Second)
	if cache.Get(ctx, a, "k", &got) {
		t.Error("the value outlived its time")
	}
}

func TestBumpChangesTheVersionOfOneTenant(t *testing.T) {
	t.Parallel()
	cache, _ := newCache(t)
	ctx := context.Background()
	before, ok := cache.Version(ctx, a)
	cache.Bump(ctx, a)
	after, ok2 := cache.Version(ctx, a)
	if !ok || !ok2 || before == after {
		t.Errorf("version %q then %q", before, after)
	}
	if other, _ := cache.Version(ctx, b); other != before {
		t.Errorf("the other tenant's version changed to %q", other)
	}
}

func TestADeadCacheIsAMiss(t *testing.T) {
	t.Parallel()
	cache, srv := newCache(t)
	srv.Close()
	ctx := t.Context()
	cache.Set(ctx, a, "k", 1, time.Minute)
	cache.Bump(ctx, a)
	var n int
	if cache.Get(ctx, a, "k", &n) {
		t.Error("a dead cache gave a value")
	}
	if _, ok := cache.Version(ctx, a); ok {
		t.Error("a dead cache gave a version, so answers would be kept under a wrong one")
	}
	if cache.Ping(ctx) == nil {
		t.Error("a dead cache answers")
	}
}

func TestGarbageIsAMiss(t *testing.T) {
	t.Parallel()
	cache, srv := newCache(t)
	if err := srv.Set("ca:{aaaa}:k", "{not json"); err != nil {
		t.Fatal(err)
	}
	var v map[string]int
	if cache.Get(t.Context(), a, "k", &v) {
		t.Error("garbage was read as a value")
	}
	cache.Set(t.Context(), a, "bad", func() {}, time.Minute)
	if srv.Exists("ca:{aaaa}:bad") {
		t.Error("a value that JSON cannot hold was kept")
	}
}

func TestOptionsRefusesOtherURLs(t *testing.T) {
	t.Parallel()
	if _, err := redis.Options("http://x"); err == nil {
		t.Error("want an error")
	}
}
