package vultr

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"golang.org/x/time/rate"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// maxAnswer bounds one answer: 500 items of a kibibyte each take a hundredth of it.
const maxAnswer = 64 << 20

// gate is the way to Vultr: it waits for its turn, signs the request, and notes the answer for the caller, because the SDK
// reads amounts as 32-bit floats, reads nothing at all of an answer whose content type has a parameter, and forgets the status
// of failures.
type gate struct {
	next    http.RoundTripper
	key     string
	limiter *rate.Limiter
}

// answer is the last one that a call got.
type answer struct {
	status int
	body   []byte
}

type answerKey struct{}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.limiter.Wait(r.Context()); err != nil {
		return nil, err //nolint:wrapcheck // get translates
	}
	signed := r.Clone(r.Context())
	signed.Header.Set("Authorization", "Bearer "+g.key)
	resp, err := g.next.RoundTrip(signed)
	if err != nil {
		return nil, err //nolint:wrapcheck // get translates
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err // half an answer, to be asked for again
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if note, ok := r.Context().Value(answerKey{}).(*answer); ok {
		*note = answer{status: resp.StatusCode, body: body}
	}
	return resp, nil
}

// get asks for a path with the SDK's client, which tries again what is worth it, and gives the answer as it came.
func (c *Collector) get(ctx context.Context, path string, query map[string]string) ([]byte, error) {
	note := &answer{}
	noted := context.WithValue(ctx, answerKey{}, note)
	req, err := c.client.NewRequest(noted, http.MethodGet, path, nil)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The request to Vultr could not be made.")
	}
	values := req.URL.Query()
	for name, value := range query {
		values.Set(name, value)
	}
	req.URL.RawQuery = values.Encode()
	resp, err := c.client.DoWithContext(noted, req, nil)
	if err == nil {
		err = resp.Body.Close()
	}
	if gone := ctx.Err(); gone != nil {
		return nil, fault.Wrap(gone, fault.Unavailable, "The call was given up before Vultr answered; try again.")
	}
	if err != nil || note.status != http.StatusOK {
		return nil, translate(note, path, err)
	}
	return note.body, nil
}

// translate is the door for failures. Vultr's own words go to the log only.
func translate(note *answer, path string, err error) error {
	if err == nil {
		err = errors.New("status without an error")
	}
	switch {
	case note.status == http.StatusTooManyRequests:
		return fault.Wrap(err, fault.Throttled, "Vultr asks for fewer calls; try again in a moment.")
	case note.status == http.StatusUnauthorized:
		return fault.Wrap(err, fault.Unauthenticated, "Vultr does not accept the API key, or not from this address. Store a valid key, and let it be used from any address.")
	case note.status == http.StatusForbidden:
		return fault.Wrap(err, fault.Forbidden, "The API key may not read %s. Give its user the right to.", path)
	case note.status == http.StatusNotFound:
		return fault.Wrap(err, fault.NotFound, "Vultr has no %s.", path)
	case note.status >= 400 && note.status < 500:
		return fault.Wrap(err, fault.Unprocessable, "Vultr refuses the question for %s with HTTP %d.", path, note.status)
	}
	return fault.Wrap(err, fault.Unavailable, "Vultr does not answer properly; try again in a moment.")
}
