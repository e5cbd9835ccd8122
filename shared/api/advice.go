package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// AdviceReader reads the providers' own recommendations that were collected.
type AdviceReader interface {
	Advice(ctx context.Context, t tenant.ID, f job.AdviceFilter) ([]job.GivenAdvice, error)
}

// Advice are the operations on what providers recommend themselves.
type Advice struct {
	Reader AdviceReader
}

// Register adds the operations.
func (x Advice) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "list-advice", Method: http.MethodGet, Path: "/advice", Tags: []string{recommendationsTag},
		Summary:     "List what the providers recommend themselves, to hold Cost Agent's recommendations against",
		Description: "As found at the last collection, with the providers' own figures. recommendations are Cost Agent's about the same resource."},
		tenant.Viewer, x.list)
}

type listAdviceInput struct {
	Connection string `query:"connection" maxLength:"300" doc:"One connection."`
	Limit      int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor     string `query:"cursor" doc:"next_cursor of the page before."`
}

type advicePage struct {
	Body struct {
		Items      []job.GivenAdvice `json:"items"`
		NextCursor *string           `json:"next_cursor" doc:"Null on the last page."`
	}
}

func (x Advice) list(ctx context.Context, p tenant.Principal, in *listAdviceInput) (*advicePage, error) {
	f := job.AdviceFilter{Connection: in.Connection, Limit: in.Limit + 1}
	if in.Cursor != "" {
		connection, rest, ok := splitMark(in.Cursor)
		source, id, whole := strings.Cut(rest, "\x00")
		if !ok || !whole {
			return nil, badMark(in.Cursor)
		}
		f.AfterConnection, f.AfterSource, f.AfterID = connection, source, id
	}
	found, err := x.Reader.Advice(ctx, p.Tenant, f)
	if err != nil {
		return nil, err
	}
	out := &advicePage{}
	out.Body.Items = append([]job.GivenAdvice{}, found[:min(in.Limit, len(found))]...)
	if len(found) > in.Limit {
		last := out.Body.Items[in.Limit-1]
		out.Body.NextCursor = mark(last.Connection, last.Source, last.Advice.Advice)
	}
	return out, nil
}
