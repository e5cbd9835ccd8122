package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Receipts remembers the answers to requests that must not be carried out twice.
type Receipts interface {
	// Claim takes the key for a request with the hash. It gives the answer of an earlier request with both, or nil when the
	// caller has to do the work and then call Keep or Release. fault.Conflict says that the key was used for another
	// request, or that the first one is still being worked on.
	Claim(ctx context.Context, t tenant.ID, operation, key, hash string) (answer []byte, err error)
	// Keep stores the answer under a claimed key.
	Keep(ctx context.Context, t tenant.ID, operation, key string, answer []byte) error
	// Release gives a claimed key back, because the work failed and may be tried again.
	Release(ctx context.Context, t tenant.ID, operation, key string) error
}

// Idempotency is the header of every POST that starts something. Embed it in the operation's input.
type Idempotency struct {
	Key string `header:"Idempotency-Key" maxLength:"200" doc:"Any text, new for each thing to start. Sent again with the same request, within a day, it gives the first answer instead of starting a second time."`
}

// once does the work unless the key says that it has been done; then it gives the answer of that time. Without a key it just
// does it. request is everything that makes the request what it is, for telling a repetition from a mistake.
func once[Out any](ctx context.Context, receipts Receipts, p tenant.Principal, operation string, id Idempotency, request any, do func(context.Context) (*Out, error)) (*Out, error) {
	if id.Key == "" {
		return do(ctx)
	}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The request could not be hashed.")
	}
	sum := sha256.Sum256(text)
	earlier, err := receipts.Claim(ctx, p.Tenant, operation, id.Key, hex.EncodeToString(sum[:]))
	if err != nil {
		return nil, err
	}
	out := new(Out)
	if earlier != nil {
		return out, fault.Wrap(json.Unmarshal(earlier, out), fault.Internal, "The stored answer could not be read.")
	}
	out, err = do(ctx)
	settle := context.WithoutCancel(ctx) // the caller may be gone, its key is not
	if err != nil {
		// An unreleased claim runs out by itself; the failure of the work is what the caller must hear of.
		_ = receipts.Release(settle, p.Tenant, operation, id.Key)
		return nil, err
	}
	answer, err := json.Marshal(out)
	if err == nil {
		// The work is done, so the answer is given even when it could not be kept.
		_ = receipts.Keep(settle, p.Tenant, operation, id.Key, answer)
	}
	return out, nil
}
