package functions_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/cost-agent/cost-agent/shared/api"
	"github.com/cost-agent/cost-agent/shared/awslambda"
)

func TestSampleEventsReachTheirFunction(t *testing.T) {
	t.Parallel()
	for _, f := range folders(t) {
		files, err := filepath.Glob(filepath.Join("..", "events", f, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("there is no sample event of %s", f)
		}
		for _, file := range files {
			event, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case f == "authorizer":
				decodesInto(t, file, event, &events.APIGatewayCustomAuthorizerRequestTypeRequest{})
			case inputs[f] != nil:
				reachesTask(t, file, event, inputs[f])
			default:
				reachesOperation(t, file, event, served(t, f))
			}
		}
	}
}

func decodesInto(t *testing.T, file string, event []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(event))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}

func reachesTask(t *testing.T, file string, event []byte, tasks map[string]any) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(event, &members); err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	name := strings.Trim(string(members["task"]), `"`)
	input, ok := tasks[name]
	if !ok {
		t.Errorf("%s asks for the task %q, which there is not", file, name)
		return
	}
	delete(members, "task")
	delete(members, "request") // may hold more than is looked at
	rest, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	decodesInto(t, file, rest, reflect.New(reflect.TypeOf(input)).Interface())
}

// reachesOperation sends the event to operations that have nothing to work on: the request is in order when it gets as far as
// breaking there.
func reachesOperation(t *testing.T, file string, event []byte, resources []api.Resource) {
	t.Helper()
	decodesInto(t, file, event, &events.APIGatewayProxyRequest{})
	log := slog.New(slog.DiscardHandler)
	answer, err := awslambda.HTTP(log, api.New(log, resources...)).Invoke(t.Context(), event)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	var r events.APIGatewayProxyResponse
	if err := json.Unmarshal(answer, &r); err != nil {
		t.Fatal(err)
	}
	if r.StatusCode >= 400 && r.StatusCode < 500 && r.StatusCode != http.StatusConflict && r.StatusCode != http.StatusNotFound || strings.Contains(r.Body, "openapi.json lists") {
		t.Errorf("%s is refused: %d %s", file, r.StatusCode, r.Body)
	}
}
