package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/plan"
	"github.com/cost-agent/cost-agent/shared/resource"
	"github.com/cost-agent/cost-agent/shared/rollout"
)

// open raises an estate with a clock that moves by Sleep and Advance only.
func open(t testing.TB, o Options) *Estate {
	t.Helper()
	o.Still = true
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// rows are the bill of one cloud and month.
func rows(t testing.TB, e *Estate, cloud resource.Cloud, month time.Time) []focus.Row {
	t.Helper()
	var out []focus.Row
	for row, err := range e.Collector(cloud).Costs(t.Context(), month) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

// digest is a hash of everything that a bill says.
func digest(t testing.TB, e *Estate, month time.Time) string {
	t.Helper()
	h := sha256.New()
	for _, cloud := range resource.Clouds {
		for _, row := range rows(t, e, cloud, month) {
			doc, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = h.Write(doc)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// named finds the resource of that name.
func (e *Estate) named(t testing.TB, name string) resource.Resource {
	t.Helper()
	for _, r := range e.Snapshot() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("the estate has no %s", name)
	return resource.Resource{}
}

// command plans the change of one resource from the state that it is in.
func (e *Estate) command(t testing.TB, action plan.Action, name string, after plan.State) rollout.Command {
	t.Helper()
	ref := e.named(t, name).Ref
	before, err := e.Actor(ref.Cloud).Capture(t.Context(), action, ref)
	if err != nil {
		t.Fatal(err)
	}
	return rollout.Command{Execution: "exec-1", Fence: 1, Action: action, Target: plan.Target{Ref: ref, Before: before, After: after}}
}

func TestEstateFollowsFromTheSeed(t *testing.T) {
	t.Parallel()
	july := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	a, b, other := open(t, Options{Seed: 7}), open(t, Options{Seed: 7}), open(t, Options{Seed: 8})
	if digest(t, a, july) != digest(t, b, july) {
		t.Error("two estates of one seed have different bills")
	}
	if digest(t, a, july) == digest(t, other, july) {
		t.Error("estates of two seeds have the same bills")
	}
	if !reflect.DeepEqual(a.Snapshot(), b.Snapshot()) {
		t.Error("two estates of one seed have different inventories")
	}
	if !reflect.DeepEqual(a.Truth(), b.Truth()) {
		t.Error("two estates of one seed have different truths")
	}
}

func TestEstateOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, Options{Dir: dir})
	e.clock.Advance(3 * time.Hour)
	c := e.command(t, plan.ResizeInstance, "storefront-01", resized("m5.xlarge"))
	if _, err := e.Actor(resource.AWS).Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Inject(Fault{Kind: Throttle, Times: 2, Reads: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Collector(resource.AWS).Check(t.Context()); err == nil {
		t.Fatal("the throttled call went through")
	}
	again := open(t, Options{Dir: dir}) // as after kill -9: nothing was closed
	if !reflect.DeepEqual(e.Snapshot(), again.Snapshot()) {
		t.Error("the inventory did not survive")
	}
	if got, want := again.clock.Now(), e.clock.Now(); !got.Equal(want) {
		t.Errorf("the clock starts again at %s, was at %s", got, want)
	}
	if _, err := again.Collector(resource.AWS).Check(t.Context()); err == nil {
		t.Error("the second throttling did not survive")
	}
	if _, err := again.Collector(resource.AWS).Check(t.Context()); err != nil {
		t.Errorf("the spent throttling came back: %v", err)
	}
	if !reflect.DeepEqual(e.Mutations(c.Target.Ref), again.Mutations(c.Target.Ref)) {
		t.Error("the mutations did not survive")
	}
}

func TestLineThatACrashCutOffIsDropped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, Options{Dir: dir})
	want := e.Snapshot()
	path := filepath.Join(dir, "changes.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(bytes.Clone(whole), `{"seq":2,"op":"set","step":"`+strings.Repeat("x", 500)...), 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, Options{Dir: dir})
	if !reflect.DeepEqual(again.Snapshot(), want) {
		t.Error("half a line changed the estate")
	}
	if err := again.ClearFaults(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(after, whole) || !bytes.HasSuffix(after, []byte("\n")) || bytes.Count(after, []byte("\n")) != 2 || strings.Contains(string(after), `"set"`) {
		t.Errorf("the next change did not take the place of the broken line:\n%s", after)
	}
}

func TestBrokenLogAndForeignFolderAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_ = open(t, Options{Dir: dir, Seed: 1})
	if _, err := Open(Options{Dir: dir, Seed: 2}); err == nil || !strings.Contains(err.Error(), "another estate") {
		t.Errorf("a folder of another seed: %v", err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "changes.jsonl"), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: broken}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken log: %v", err)
	}
}

func TestRunningClockDoesNotShowATimeTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	e.clock.Advance(time.Hour)
	last := e.clock.Now()
	again := open(t, Options{Dir: dir})
	if first := again.clock.Now(); first.Before(last) || first.Sub(last) > time.Minute {
		t.Errorf("after a crash at %s the clock starts at %s", last, first)
	}
}
