package dynamo_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cost-agent/cost-agent/shared/dynamo"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

func newLocks(t *testing.T) (*dynamo.Locks, *clock) {
	t.Helper()
	table, c := newTable(t)
	client, ok := table.API.(*dynamodb.Client)
	if !ok {
		t.Fatal("the table is not on a client")
	}
	return &dynamo.Locks{API: client, Name: table.Name, Now: c.now}, c
}

func refs(from, to int) []resource.Ref {
	var out []resource.Ref
	for i := from; i < to; i++ {
		out = append(out, resource.Ref{Cloud: resource.AWS, Account: "1", Type: resource.Instance, ID: fmt.Sprintf("i-%03d", i)})
	}
	return out
}

func TestOneOfFiftyGetsTheLock(t *testing.T) {
	t.Parallel()
	locks, c := newLocks(t)
	var mu sync.Mutex
	var won []string
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			owner := fmt.Sprintf("execution-%d", i)
			err := locks.Lock(t.Context(), customer, refs(i%7, i%7+120), owner, int64(i+1), c.now().Add(time.Hour))
			mu.Lock()
			defer mu.Unlock()
			switch fault.CodeOf(err) {
			case fault.Conflict, fault.Unavailable:
			default:
				if err != nil {
					t.Errorf("%s: %v", owner, err)
					return
				}
				won = append(won, owner)
			}
		})
	}
	wait.Wait()
	if len(won) != 1 {
		t.Errorf("%d owners have the same targets: %v", len(won), won)
	}
}

func TestLockRules(t *testing.T) {
	t.Parallel()
	const a, b = "execution-a", "execution-b"
	hour := time.Hour
	for name, c := range map[string]struct {
		after  func(*testing.T, *dynamo.Locks, *clock)
		owner  string
		fence  int64
		tenant tenant.ID
		want   fault.Code // empty: taken
	}{
		"held by another":                            {owner: b, fence: 9, want: fault.Conflict},
		"renewed by its owner":                       {owner: a, fence: 5},
		"taken anew by its owner, to turn back":      {owner: a, fence: 9},
		"of another tenant":                          {owner: b, fence: 9, tenant: "6f1f9f5e-0000-4000-8000-000000000002"},
		"lease over, newer token":                    {owner: b, fence: 9, after: func(_ *testing.T, _ *dynamo.Locks, c *clock) { c.add(2 * hour) }},
		"lease over, older token":                    {owner: b, fence: 4, want: fault.Conflict, after: func(_ *testing.T, _ *dynamo.Locks, c *clock) { c.add(2 * hour) }},
		"given back, newer token":                    {owner: b, fence: 9, after: unlock(a)},
		"given back, older token":                    {owner: b, fence: 4, want: fault.Conflict, after: unlock(a)},
		"not given back by one who does not hold it": {owner: b, fence: 9, want: fault.Conflict, after: unlock(b)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			locks, now := newLocks(t)
			if err := locks.Lock(t.Context(), customer, refs(0, 3), a, 5, now.now().Add(hour)); err != nil {
				t.Fatal(err)
			}
			if c.after != nil {
				c.after(t, locks, now)
			}
			of := customer
			if c.tenant != "" {
				of = c.tenant
			}
			err := locks.Lock(t.Context(), of, refs(2, 4), c.owner, c.fence, now.now().Add(hour))
			if c.want == "" && err != nil || c.want != "" && fault.CodeOf(err) != c.want {
				t.Fatalf("Lock = %v, want %q", err, c.want)
			}
			if c.want == fault.Conflict { // all or nothing: the free one has not been taken
				if err := locks.Lock(t.Context(), of, refs(3, 4), "execution-c", 1, now.now().Add(hour)); err != nil {
					t.Errorf("a refused lock holds a free target: %v", err)
				}
			}
		})
	}
}

func unlock(owner string) func(*testing.T, *dynamo.Locks, *clock) {
	return func(t *testing.T, l *dynamo.Locks, _ *clock) {
		t.Helper()
		if err := l.Unlock(t.Context(), customer, refs(0, 5), owner); err != nil { // more than were ever locked
			t.Fatal(err)
		}
	}
}
