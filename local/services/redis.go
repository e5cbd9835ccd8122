package services

import (
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Redis is a cache in memory.
type Redis struct {
	mini *miniredis.Miniredis
	stop chan struct{}
	done chan struct{}
}

// StartRedis serves a cache whose keys expire by the clock on the wall: miniredis does not let time pass by itself.
func StartRedis() (*Redis, error) {
	mini, err := miniredis.Run()
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	r := &Redis{mini, make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(r.done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				mini.FastForward(time.Second)
			case <-r.stop:
				return
			}
		}
	}()
	return r, nil
}

// URL is where clients find the cache.
func (r *Redis) URL() string { return "redis://" + r.mini.Addr() }

// Close ends the cache.
func (r *Redis) Close() {
	close(r.stop)
	<-r.done
	r.mini.Close()
}
