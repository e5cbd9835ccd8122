// Package client calls the API of a running agent over HTTP, as its users do.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Client speaks for one API key.
type Client struct {
	Base string // "http://127.0.0.1:8080"
	Key  string
	HTTP *http.Client
}

// ProblemError is an answer that says why not.
type ProblemError struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Error is what the agent said.
func (p *ProblemError) Error() string { return fmt.Sprintf("%d: %s", p.Status, p.Detail) }

// Get reads the resource at path, such as "/api/v1/costs", into out.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.call(ctx, http.MethodGet, path, nil, "", nil, out)
}

// Post sends in as JSON, with headers on top ("Idempotency-Key"), and reads the answer into out.
func (c *Client) Post(ctx context.Context, path string, headers map[string]string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, bytes.NewReader(body), "application/json", headers, out)
}

// Upload is a place where a large file may be put.
type Upload struct {
	Key string `json:"key"`
	URL string `json:"url"`
}

// Run is how a started run stands.
type Run struct {
	ID     string          `json:"id"`
	Status string          `json:"status"`
	Reason string          `json:"reason"`
	Result json.RawMessage `json:"result"`
}

// Wait follows a started run to its end and reads its result into out. A run that failed is an error that says why.
func (c *Client) Wait(ctx context.Context, run Run, out any) error {
	for run.Status == "running" {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		if err := c.Get(ctx, "/api/v1/runs/"+url.PathEscape(run.ID), nil, &run); err != nil {
			return err
		}
	}
	if run.Status != "succeeded" {
		return errors.New(run.Reason)
	}
	return json.Unmarshal(run.Result, out)
}

// Import brings the FOCUS file to the agent by an upload, has it loaded, and waits for the end; out gets the run's result.
func (c *Client) Import(ctx context.Context, file, connection string, out any) error {
	var up Upload
	if err := c.Post(ctx, "/api/v1/uploads", nil, struct{}{}, &up); err != nil {
		return err
	}
	if err := c.put(ctx, up.URL, file); err != nil {
		return fmt.Errorf("upload of %s: %w", file, err)
	}
	var run Run
	in := map[string]string{"staged": up.Key, "connection": connection}
	if err := c.Post(ctx, "/api/v1/imports", map[string]string{"Prefer": "wait=20"}, in, &run); err != nil {
		return err
	}
	return c.Wait(ctx, run, out)
}

func (c *Client) put(ctx context.Context, to, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // or the failure of the upload would show the secret in its URL
		return errors.New("it is not a file")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, to, f)
	if err != nil {
		return err
	}
	r.ContentLength = info.Size()
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if answer.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("staging answered %s: %s", answer.Status, text), answer.Body.Close())
	}
	return errors.Join(err, answer.Body.Close())
}

func (c *Client) call(ctx context.Context, method, path string, body io.Reader, contentType string, headers map[string]string, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("X-Api-Key", c.Key)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return fmt.Errorf("the agent at %s does not answer: %w", c.Base, err)
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		p := &ProblemError{Status: answer.StatusCode}
		if err := json.Unmarshal(text, p); err != nil || p.Detail == "" {
			p.Detail = string(text)
		}
		return p
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("answer of %s %s: %w", method, path, err)
	}
	return nil
}
