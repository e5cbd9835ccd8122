package aws

import (
	"context"
	"sync"
	"time"
)

// turnstile lets callers through one by one, so far apart.
type turnstile struct {
	every time.Duration

	mu   sync.Mutex
	next <-chan time.Time // fires when the next may pass
}

// pass waits for the caller's turn, or until ctx ends.
func (t *turnstile) pass(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next != nil {
		select {
		case <-t.next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if t.every > 0 {
		t.next = time.After(t.every)
	}
	return nil
}
