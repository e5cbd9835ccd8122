package gcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/googleapis/gax-go/v2"
)

// patient asks again when an answer did not come whole, or was that Google is busy. Everything sent through it only reads,
// so that it may be sent twice; queries carry an id by which BigQuery knows them again.
type patient struct {
	base  http.RoundTripper
	pause func(ctx context.Context, d time.Duration) error
}

const (
	attempts     = 5
	longestPause = time.Minute // a longer Retry-After is for the next run
	largest      = 64 << 20    // bytes of an answer; a page of results is at most 20 MB
)

func newPatient(o Options) *patient {
	p := &patient{base: o.Transport, pause: o.pause}
	if p.base == nil {
		p.base = http.DefaultTransport
	}
	if p.pause == nil {
		p.pause = gax.Sleep
	}
	return p
}

// RoundTrip implements http.RoundTripper.
func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	backoff := gax.Backoff{Initial: 500 * time.Millisecond, Max: 16 * time.Second, Multiplier: 2}
	for attempt := 1; ; attempt++ {
		sent, err := again(r, attempt)
		if err != nil {
			return nil, err
		}
		answer, err := whole(p.base.RoundTrip(sent))
		wait, busy := busyFor(answer, err, backoff.Pause())
		if !busy || attempt == attempts || wait > longestPause || r.Context().Err() != nil {
			return answer, err
		}
		if err := p.pause(r.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// again is the request for one attempt; a body that cannot be had twice is sent once.
func again(r *http.Request, attempt int) (*http.Request, error) {
	if attempt == 1 || r.Body == nil {
		return r, nil
	}
	if r.GetBody == nil {
		return nil, errors.New("the body of the request cannot be sent again")
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	next := r.Clone(r.Context())
	next.Body = body
	return next, nil
}

// whole reads an answer to its end, so that one that breaks off is found here, where it can be asked for again.
func whole(answer *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, largest+1))
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if len(body) > largest {
		return nil, errTooLarge
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

var errTooLarge = errors.New("the answer is too large")

// busyFor tells whether asking again may help, and after what time.
func busyFor(answer *http.Response, err error, pause time.Duration) (time.Duration, bool) {
	if err != nil {
		return pause, !errors.Is(err, errTooLarge)
	}
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	case http.StatusForbidden: // the older APIs say so when they mean 429
		if !tooFast(answer) {
			return 0, false
		}
	default:
		return 0, false
	}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		pause = max(pause, time.Duration(seconds)*time.Second)
	}
	return pause, true
}

// tooFast looks into an answer for the reasons of a rate limit, and leaves its body as it was.
func tooFast(answer *http.Response) bool {
	body, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return false
	}
	var problem struct {
		Error struct {
			Errors []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &problem) != nil {
		return false
	}
	for _, e := range problem.Error.Errors {
		if slices.Contains(rateReasons, e.Reason) {
			return true
		}
	}
	return false
}

// rateReasons mean that a moment later it will work. "quotaExceeded" is not among them: quotas are of a day.
var rateReasons = []string{"rateLimitExceeded", "userRateLimitExceeded"}
