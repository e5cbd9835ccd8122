package main

import (
	"encoding/json"
	"io"

	"github.com/cost-agent/cost-agent/shared/api"
)

// printAPI writes the OpenAPI document, which docs/openapi.json is a copy of: so that a change of the API shows in review.
func printAPI(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(api.Describe(api.All()...))
}
