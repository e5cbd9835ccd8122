package gcp

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// onward refuses a page of a list that names itself as the next one. Google's clients follow it for ever, and take in the same
// resources each time.
type onward struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o onward) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := o.base.RoundTrip(r)
	token := r.URL.Query().Get("pageToken")
	if err != nil || token == "" {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if !bytes.Contains(body, []byte(`"nextPageToken"`)) {
		return answer, nil
	}
	var page struct {
		Next string `json:"nextPageToken"`
	}
	if json.Unmarshal(body, &page) == nil && page.Next == token {
		return nil, fault.New(fault.Unavailable, "Google Cloud gave the same page of a list twice; try again in a moment.")
	}
	return answer, nil
}
