package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Health tells whether the agent can work. It needs no key and shows no internals.
type Health struct {
	Database func(context.Context) error // nil when it answers
	Cache    func(context.Context) error
	Build    string // what is deployed
}

// Register adds the operation.
func (x Health) Register(a huma.API) {
	open(a, huma.Operation{OperationID: "health", Method: http.MethodGet, Path: "/health", Tags: []string{"Operation"},
		Summary:     "Tell whether the agent works",
		Description: "200 while it works, also without its cache, which only makes it slower; 503 while the database does not answer.",
		Responses:   map[string]*huma.Response{"503": {Description: "The database does not answer."}}}, x.get)
}

const healthPatience = 2 * time.Second

type healthOutput struct {
	Status int
	Body   struct {
		Status   string `json:"status" enum:"ok,degraded,down"`
		Database string `json:"database" enum:"ok,down"`
		Cache    string `json:"cache" enum:"ok,down"`
		API      string `json:"api" doc:"Version of the interface."`
		Build    string `json:"build"`
	}
}

func (x Health) get(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	cache := make(chan string, 1)
	go func() { cache <- state(ctx, x.Cache) }()
	out := &healthOutput{Status: http.StatusOK}
	b := &out.Body
	b.Database, b.API, b.Build = state(ctx, x.Database), Version, x.Build
	b.Cache = <-cache
	b.Status = "ok"
	switch {
	case b.Database != "ok":
		b.Status, out.Status = "down", http.StatusServiceUnavailable
	case b.Cache != "ok":
		b.Status = "degraded"
	}
	return out, nil
}

func state(ctx context.Context, ask func(context.Context) error) string {
	if ask(ctx) != nil {
		return "down"
	}
	return "ok"
}
