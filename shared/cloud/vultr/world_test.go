package vultr_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/cost-agent/cost-agent/shared/cloud/cloudtest"
	"github.com/cost-agent/cost-agent/shared/cloud/vultr"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// world is Vultr on loopback. It checks every request, and every answer that it gives against the documented shape.
type world struct {
	*httptest.Server
	t testing.TB

	mu          sync.Mutex
	lists       map[string][]any // by path
	account     any
	now         time.Time
	pageSize    int
	emptyPages  bool
	contentType string
	refuse      int // calls to be refused, all when negative
	status      int // with which
	half        bool
	cut         bool            // the connection is closed in the middle of every answer
	denied      map[string]bool // paths that the key may not read
	hanging     chan struct{}
	cursors     map[string]bool
	asked       []string
	before      func(path string)
	unchecked   bool // the answers are odd on purpose
}

const key = "VULTR-KEY"

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, now: time.Date(2026, 9, 20, 15, 0, 0, 0, time.UTC), pageSize: cloudtest.PageSize, contentType: "application/json",
		denied: map[string]bool{}, cursors: map[string]bool{}, lists: map[string][]any{},
		account: map[string]any{"account": map[string]any{
			"balance": -5519.11, "pending_charges": 57.03, "last_payment_date": "2026-07-18 15:31:01", "last_payment_amount": -1.00,
			"name": "Meridian Goods", "email": "bills@example.com", "acls": []string{"subscriptions_view", "billing"},
		}},
	}
	for path, file := range files {
		w.lists[path] = fixture(t, file)
	}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

// open connects to the world.
func (w *world) open(settings map[string]string) *vultr.Collector {
	w.t.Helper()
	c, err := vultr.New(w.t.Context(), ingest.Connection{ID: "vultr-main", Cloud: "vultr", Settings: settings, Secret: "s"}, w.options())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) options() vultr.Options {
	return vultr.Options{
		Secret:   func(context.Context, string) ([]byte, error) { return []byte(`{"api_key": "` + key + `"}`), nil },
		Now:      func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
		Endpoint: w.URL, RetryWait: time.Millisecond, Limiter: rate.NewLimiter(rate.Inf, 1),
	}
}

// set changes the world between calls.
func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	hanging, before := w.hanging, w.before
	w.mu.Unlock()
	if hanging != nil {
		hanging <- struct{}{}
		<-r.Context().Done()
		return
	}
	if before != nil {
		before(r.URL.Path)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r.URL.Path)
	status, body := w.answer(r)
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Error(err)
	}
	out.Header().Set("Content-Type", w.contentType)
	if w.cut {
		out.Header().Set("Content-Length", strconv.Itoa(len(text)))
	}
	out.WriteHeader(status)
	if w.half || w.cut {
		text = text[:len(text)/2]
	}
	_, _ = out.Write(text)
}

func (w *world) answer(r *http.Request) (int, any) {
	fail := func(status int, text string) (int, any) {
		return status, map[string]any{"error": text, "status": status}
	}
	if body, err := io.ReadAll(r.Body); r.Method != http.MethodGet || err != nil || len(body) > 0 {
		w.t.Errorf("%s %s with %d bytes: a collector only reads", r.Method, r.URL, len(body))
	}
	if w.refuse != 0 {
		if w.refuse > 0 {
			w.refuse--
		}
		return fail(w.status, http.StatusText(w.status))
	}
	if r.Header.Get("Authorization") != "Bearer "+key {
		return fail(http.StatusUnauthorized, "Invalid API token.")
	}
	if w.denied[r.URL.Path] {
		return fail(http.StatusForbidden, "Forbidden")
	}
	if r.URL.Path == "/v2/account" {
		return http.StatusOK, w.account
	}
	all, known := w.lists[r.URL.Path]
	shape, documented := shapeOf(r.URL.Path)
	if !known || !documented {
		w.t.Errorf("nobody documents %s", r.URL)
		return fail(http.StatusNotFound, "Invalid resource.")
	}
	return w.page(r, all, shape)
}

// page answers with a part of a list and the cursor to the next one.
func (w *world) page(r *http.Request, all []any, s shape) (int, any) {
	query := r.URL.Query()
	for name := range query {
		if name != "per_page" && name != "cursor" {
			w.t.Errorf("%s has no parameter %s", r.URL.Path, name)
		}
	}
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size < 1 || size > 500 {
		w.t.Errorf("%s: per_page is %q, 1 to 500 are allowed", r.URL.Path, query.Get("per_page"))
	}
	from, empty := 0, w.emptyPages
	if cursor := query.Get("cursor"); cursor != "" {
		if !w.cursors[cursor] {
			w.t.Errorf("%s: nobody issued the cursor %q", r.URL.Path, cursor)
		}
		kind, at, _ := strings.Cut(cursor, "-")
		from, _ = strconv.Atoi(at)
		empty = w.emptyPages && kind != "full"
	}
	to := min(from+min(size, w.pageSize), len(all))
	next := ""
	switch {
	case s.whole:
		to = len(all)
	case empty:
		to, next = from, fmt.Sprintf("full-%d", from)
	case to < len(all):
		next = fmt.Sprintf("next-%d", to)
	}
	w.cursors[next] = true
	for _, one := range all[from:to] {
		if !w.unchecked {
			s.check(w.t, one)
		}
	}
	body := map[string]any{s.member: append([]any{}, all[from:to]...)}
	if !s.whole {
		body["meta"] = map[string]any{"total": len(all), "links": map[string]any{"next": next, "prev": ""}}
	}
	return http.StatusOK, body
}
