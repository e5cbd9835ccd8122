// Package services stands in for the managed services on one machine: S3 in a folder, DynamoDB with a journal of its writes,
// Secrets Manager in an encrypted file, Redis in memory.
package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is one HTTP service on a free port of this machine.
type Server struct {
	http *http.Server
	url  string
}

// Serve starts the handler.
func Serve(h http.Handler) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{http: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, url: "http://" + listener.Addr().String()}
	go func() {
		// Serve ends with ErrServerClosed when it is told to; anything else shows in the calls that fail.
		_ = s.http.Serve(listener)
	}()
	return s, nil
}

// URL is the service's endpoint.
func (s *Server) URL() string { return s.url }

// Close ends the service when its running requests are done, or when ctx ends.
func (s *Server) Close(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}
