package vultr_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/cost-agent/cost-agent/shared/cloud/vultr"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
	"github.com/cost-agent/cost-agent/shared/resource"
)

// failure is what the bill ends with.
func failure(t *testing.T, c *vultr.Collector) error {
	t.Helper()
	var last error
	for _, err := range c.Costs(t.Context(), august) {
		last = err
	}
	return last
}

func TestOddAnswersAreFailures(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world){
		"a connection that is closed in the middle": func(w *world) { w.cut = true },
		"no list":             func(w *world) { w.account = map[string]any{"acount": map[string]any{}} },
		"an amount in words":  func(w *world) { item(w)["total"] = "much" },
		"an unreadable date":  func(w *world) { item(w)["start_date"] = "last Tuesday" },
		"a server that is no": func(w *world) { w.lists["/v2/instances"] = []any{"web-1"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.unchecked = true
			w.set(func() { change(w) })
			if err := failure(t, w.open(nil)); fault.CodeOf(err) != fault.Unavailable {
				t.Errorf("got %v, want %s", err, fault.Unavailable)
			}
		})
	}
}

func item(w *world) map[string]any {
	return w.lists["/v2/billing/invoices/5317720/items"][0].(map[string]any)
}

func TestListsThatChangeOrCircleAreNotBelieved(t *testing.T) {
	t.Parallel()
	for name, meta := range map[string]string{
		"fewer than counted": `{"total": 2, "links": {"next": "", "prev": ""}}`,
		"the same cursor":    `{"total": 9, "links": {"next": "again", "prev": ""}}`,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			_, _ = out.Write([]byte(`{"plans": [{"id": "a"}], "plans_metal": [], "blocks": [], "meta": ` + meta + `}`))
		}))
		t.Cleanup(s.Close)
		w := newWorld(t)
		o := w.options()
		o.Endpoint = s.URL
		c, err := vultr.New(t.Context(), ingest.Connection{Secret: "s"}, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Prices(t.Context(), []string{"ewr"}); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%s: got %v, want %s", name, err, fault.Unavailable)
		}
	}
}

func TestKeysThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tt := range map[string]struct {
		connection ingest.Connection
		secret     string
		want       fault.Code
	}{
		"no secret":        {ingest.Connection{}, "", fault.Unauthenticated},
		"a secret of text": {ingest.Connection{Secret: "s"}, "ABCDEF", fault.Invalid},
		"an empty key":     {ingest.Connection{Secret: "s"}, `{"api_key": ""}`, fault.Invalid},
	} {
		o := w.options()
		o.Secret = func(context.Context, string) ([]byte, error) { return []byte(tt.secret), nil }
		_, err := vultr.New(t.Context(), tt.connection, o)
		if fault.CodeOf(err) != tt.want || tt.secret != "" && strings.Contains(err.Error(), tt.secret) {
			t.Errorf("%s: got %v, want %s without the secret", name, err, tt.want)
		}
	}
	o := w.options()
	o.Secret = func(context.Context, string) ([]byte, error) { return []byte(`{"api_key": "wrong"}`), nil }
	c, err := vultr.New(t.Context(), ingest.Connection{Secret: "s"}, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(t.Context()); fault.CodeOf(err) != fault.Unauthenticated || strings.Contains(fault.Public(err).Message, "wrong") {
		t.Errorf("a wrong key: %v", err)
	}
	if _, err := c.Resources(t.Context()); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("a wrong key: %v", err)
	}
}

// The key goes to Vultr's own address only.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var asked atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(true) }))
	t.Cleanup(elsewhere.Close)
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	t.Cleanup(s.Close)
	o := newWorld(t).options()
	o.Endpoint = s.URL
	c, err := vultr.New(t.Context(), ingest.Connection{Secret: "s"}, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(t.Context()); fault.CodeOf(err) != fault.Unavailable || asked.Load() {
		t.Errorf("got %v, asked elsewhere: %v", err, asked.Load())
	}
}

func TestTheLimiterHoldsCallsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	o.Limiter = rate.NewLimiter(rate.Every(time.Hour), 1)
	c, err := vultr.New(t.Context(), ingest.Connection{Secret: "s"}, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the second call would have to wait for an hour
	defer cancel()
	if _, err := c.Check(ctx); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("got %v, want %s", err, fault.Unavailable)
	}
	w.set(func() {
		if len(w.asked) != 1 {
			t.Errorf("%d calls went in one turn", len(w.asked))
		}
	})
}

// Waiting for a turn ends with the context.
func TestNobodyWaitsForATurnThatIsNotWanted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	o.Limiter = rate.NewLimiter(rate.Every(30*time.Second), 1)
	c, err := vultr.New(t.Context(), ingest.Connection{Secret: "s"}, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.set(func() { w.before = func(string) { time.AfterFunc(time.Millisecond, cancel) } }) // while the second call waits
	if _, err := c.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestWhatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	inventory, err := w.open(map[string]string{"account": "acme", "regions": "fra"}).Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(w.asked, "/v2/account") {
		t.Error("the account was asked for, though the settings name it")
	}
	states := map[string]string{}
	for _, r := range inventory.Resources {
		if r.Account != "acme" || r.Region == "ewr" {
			t.Errorf("%s is of the account %q in %s", r.ID, r.Account, r.Region)
		}
		states[r.ID] = r.Attributes[resource.AttrState] + " " + r.Attributes[resource.AttrMemoryGiB] + r.Attributes[resource.AttrGiB]
	}
	want := map[string]string{
		"4f0f12e5-1f84-404f-aa84-85f431ea5ec2": "stopped 1", // listed all the same: Vultr bills it
		"9a0b12e5-1f84-404f-aa84-85f431ea5e00": "running 1.5",
		"885ee0f4f263c":                        "complete 40",
	}
	for id, state := range want {
		if states[id] != state {
			t.Errorf("%s is %q, want %q", id, states[id], state)
		}
	}
	if len(states) != len(want) {
		t.Errorf("got %v", states)
	}
}

func TestPricesAreExactAndNeverZero(t *testing.T) {
	t.Parallel()
	prices, err := newWorld(t).open(nil).Prices(t.Context(), []string{"ewr"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range prices {
		got[string(p.Type)+" "+p.Size+" a "+p.Unit] = p.Amount.String()
	}
	want := map[string]string{
		"instance vc2-1c-1gb a hour": "0.0068493151", "instance vc2-4c-8gb a hour": "0.0547945205", "bare_metal vbm-4c-32gb a hour": "0.1643835616",
		"database vultr-dbaas-hobbyist-cc-1-25-1 a hour": "0.0205479452", "volume high_perf a GiB-month": "0.1", "volume storage_opt a GiB-month": "0.025",
	}
	for of, amount := range want {
		if got[of] != amount {
			t.Errorf("%s costs %q, want %s", of, got[of], amount)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

// What functions get: nothing replaced but the address.
func TestTheDefaultsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	o.Limiter, o.RetryWait = nil, 0
	c, err := vultr.New(t.Context(), ingest.Connection{Secret: "s"}, o)
	if err != nil {
		t.Fatal(err)
	}
	if missing, err := c.Check(t.Context()); err != nil || len(missing) > 0 {
		t.Errorf("missing %v, %v", missing, err)
	}
}
