package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// All lists one of every resource, without what it works on: for describing them.
func All() []Resource {
	return []Resource{
		Health{}, Costs{}, Uploads{}, Connections{}, Workflows{}, Analysis{}, Scenarios{}, Charts{}, Budgets{}, Settings{}, Recommendations{}, Advice{}, Commitments{}, Executions{}, Learning{},
	}
}

// Describe gives the OpenAPI document of the resources, which need nothing to work on.
func Describe(resources ...Resource) *huma.OpenAPI {
	useProblems()
	a := humago.New(http.NewServeMux(), configuration(slog.New(slog.DiscardHandler)))
	for _, r := range resources {
		r.Register(a)
	}
	return a.OpenAPI()
}

// document is the description of the whole API, whichever function serves it.
var document = sync.OnceValues(func() ([]byte, error) { return json.Marshal(Describe(All()...)) })

// DocumentPath is where the description is read.
const DocumentPath = Base + "/openapi.json"

func serveDocument(w http.ResponseWriter, _ *http.Request) {
	text, err := document()
	if err != nil {
		sendProblem(w, problemOf(err))
		return
	}
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(text) // the caller is gone when this fails
}
