package gcp

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
)

// signed puts a token on every request. It signs in within the request's own context, so that a request that is given up does
// not go on waiting for a token.
type signed struct {
	base http.RoundTripper
	sign func(ctx context.Context) (oauth2.TokenSource, error)

	turn  chan struct{} // held by who looks at the token
	token *oauth2.Token
}

func newSigned(base http.RoundTripper, sign func(ctx context.Context) (oauth2.TokenSource, error)) *signed {
	return &signed{base: base, sign: sign, turn: make(chan struct{}, 1)}
}

// RoundTrip implements http.RoundTripper.
func (s *signed) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := s.get(r.Context())
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	token.SetAuthHeader(r)
	return s.base.RoundTrip(r)
}

func (s *signed) get(ctx context.Context) (*oauth2.Token, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.token.Valid() {
		return s.token, nil
	}
	source, err := s.sign(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: s.base}))
	if err != nil {
		return nil, err
	}
	token, err := source.Token()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err() // the sign-in of a federated identity loses the reason
		}
		return nil, err
	}
	s.token = token
	return token, nil
}
