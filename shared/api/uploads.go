package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// UploadMaker makes URLs that take one PUT each.
type UploadMaker interface {
	UploadURL(ctx context.Context, key string, valid time.Duration) (string, error)
}

// Uploads prepares the upload of files that are too large for a request.
type Uploads struct {
	Staging UploadMaker
	NewID   func() string // unguessable, new each time
	Now     job.Clock
}

// uploadValid is how long a slow line has for 5 GB, which is the most that S3 takes in one PUT.
const uploadValid = time.Hour

// Register adds the operation.
func (x Uploads) Register(a huma.API) {
	operation(a, huma.Operation{OperationID: "create-upload", Method: http.MethodPost, Path: "/uploads", DefaultStatus: http.StatusCreated, Tags: []string{costsTag},
		Summary:     "Prepare the upload of a large bill",
		Description: "PUT the file, up to 5 GB, to the url without further headers, then load it with POST /imports. What is not loaded is removed after a few days."},
		tenant.Operator, x.create)
}

type uploadOutput struct {
	Body struct {
		Key     string    `json:"key" doc:"What to send to POST /imports as staged."`
		URL     string    `json:"url" doc:"Where to PUT the file. Whoever knows it may, so keep it."`
		Expires time.Time `json:"expires"`
	}
}

func (x Uploads) create(ctx context.Context, p tenant.Principal, _ *struct {
	Body *struct{} `required:"false"`
}) (*uploadOutput, error) {
	out := &uploadOutput{}
	out.Body.Key = ingest.Key(p.Tenant, "uploads", x.NewID(), "bill")
	out.Body.Expires = x.Now().UTC().Add(uploadValid)
	var err error
	out.Body.URL, err = x.Staging.UploadURL(ctx, out.Body.Key, uploadValid)
	return out, err
}
