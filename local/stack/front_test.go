package stack

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTheFrontRedirectsNothing(t *testing.T) {
	t.Parallel()
	answer := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	front := besides(answer(http.StatusOK), answer(http.StatusAccepted))
	for path, want := range map[string]int{"/api/v1/costs": 200, "/api/v1//costs": 200, "/sandbox": 200, "/sandbox/clock": 202} {
		w := httptest.NewRecorder()
		front.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		if w.Code != want {
			t.Errorf("%s went to the handler that answers %d, want %d", path, w.Code, want)
		}
	}
}
