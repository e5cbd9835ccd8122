package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// listing is a list of the resource manager that is asked for by hand, through the SDK's pipeline: where the SDK has no module
// that is fit for use, or one that reads money as binary floating point.
type listing struct {
	operation string // as the SDK names it
	path      string
	query     url.Values
	what      string // as the reader knows it
}

// answers goes through all pages of a list, empty ones included.
func answers[T any](ctx context.Context, c *Collector, q listing) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		client, err := arm.NewClient(module, version, c.credential, c.client)
		if err != nil {
			yield(none, translate(err, q.what))
			return
		}
		seen := map[string]bool{}
		for link := runtime.JoinPaths(c.endpoint, q.path) + "?" + q.query.Encode(); link != ""; {
			seen[link] = true
			found, next, err := answerPage[T](context.WithValue(ctx, runtime.CtxAPINameKey{}, q.operation), client.Pipeline(), link)
			if err == nil && next != "" {
				err = follows(next, c.endpoint, seen)
			}
			if err != nil {
				yield(none, translate(err, q.what))
				return
			}
			for _, item := range found {
				if !yield(item, nil) {
					return
				}
			}
			link = next
		}
	}
}

// follows says why a link to a further page is not followed, if it is not.
func follows(next, endpoint string, seen map[string]bool) error {
	if seen[next] {
		return endless()
	}
	if !sameHost(next, endpoint) {
		return fault.New(fault.Unprocessable, "Azure's answer goes on at another host than it was asked at. It was not followed there.")
	}
	return nil
}

// answerPage reads one page.
func answerPage[T any](ctx context.Context, pipeline runtime.Pipeline, link string) (found []T, next string, err error) {
	page, err := answer[struct {
		Value    []T    `json:"value"`
		NextLink string `json:"nextLink"`
	}](ctx, pipeline, link)
	return page.Value, page.NextLink, err
}

// fetch reads one thing that is no list.
func fetch[T any](ctx context.Context, c *Collector, q listing) (thing T, err error) {
	client, err := arm.NewClient(module, version, c.credential, c.client)
	if err == nil {
		thing, err = answer[T](context.WithValue(ctx, runtime.CtxAPINameKey{}, q.operation), client.Pipeline(), runtime.JoinPaths(c.endpoint, q.path)+"?"+q.query.Encode())
	}
	return thing, translate(err, q.what)
}

// answer reads one document, again when it gets lost on the way: the SDK repeats only what Azure refuses.
func answer[T any](ctx context.Context, pipeline runtime.Pipeline, link string) (document T, err error) {
	for range readings {
		var text []byte
		text, err = received(ctx, pipeline, link)
		if err == nil && len(text) > 0 {
			var whole T
			d := json.NewDecoder(bytes.NewReader(text))
			d.UseNumber()
			if err = d.Decode(&whole); err == nil {
				return whole, nil
			}
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) || ctx.Err() != nil {
			break
		}
	}
	return document, err
}

func received(ctx context.Context, pipeline runtime.Pipeline, link string) ([]byte, error) {
	req, err := runtime.NewRequest(ctx, http.MethodGet, link)
	if err != nil {
		return nil, err
	}
	resp, err := pipeline.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it has been read whole
	if !runtime.HasStatusCode(resp, http.StatusOK, http.StatusNoContent) {
		return nil, runtime.NewResponseError(resp)
	}
	return io.ReadAll(resp.Body)
}
