package client_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/local/client"
)

// The address of an upload is a secret for as long as it is valid; a failure must not show it.
func TestWhatIsNoFileIsRefusedWithoutTheAddressOfTheUpload(t *testing.T) {
	t.Parallel()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			t.Error("something was uploaded")
		}
		_ = json.NewEncoder(w).Encode(client.Upload{Key: "k", URL: s.URL + "/put?signature=secret"})
	}))
	t.Cleanup(s.Close)
	c := client.Client{Base: s.URL, HTTP: s.Client()}
	err := c.Import(t.Context(), t.TempDir(), "", nil)
	if err == nil || !strings.Contains(err.Error(), "not a file") || strings.Contains(err.Error(), "secret") {
		t.Errorf("importing a folder: %v", err)
	}
}
