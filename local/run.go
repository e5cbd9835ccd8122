package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/cost-agent/cost-agent/local/client"
	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/local/story"
)

// toldFile marks, in the data folder, that the demo story has been told to the end.
const toldFile = "story-told"

// poll is how often a run is asked how it stands.
const poll = 200 * time.Millisecond

// stopping is how long a clean stop may take.
const stopping = 30 * time.Second

// serve starts everything, tells the story the first time, shows the report, and serves until ctx ends.
func serve(ctx context.Context, s settings) (err error) {
	options, err := s.options(s.dir)
	if err != nil {
		return err
	}
	running, err := stack.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopping)
		defer cancel()
		err = errors.Join(err, running.Close(closing))
	}()
	// Being asked to stop breaks calls off in the middle; that is no failure.
	if err := show(ctx, s, options, running); err != nil && ctx.Err() == nil {
		return err
	}
	fmt.Println("\nStopping. Your data stays; run it again to go on.")
	return nil
}

// show tells the story the first time, then the report, and waits until ctx ends. Where everything is real there is no story.
func show(ctx context.Context, s settings, options stack.Options, running *stack.Stack) error {
	if s.real() {
		return wait(ctx, s, running)
	}
	teller := story.Story{API: callerOf(running), Clock: running.Estate.Clock(), Progress: options.Progress, Poll: poll}
	if err := tellOnce(ctx, teller, filepath.Join(options.Dir, toldFile)); err != nil {
		return err
	}
	if err := running.RunSchedules(ctx); err != nil {
		return err
	}
	page, err := teller.Report(ctx)
	if err != nil {
		return err
	}
	if err := page.Write(os.Stdout); err != nil {
		return err
	}
	fmt.Print(hints(running.URL, filepath.Join(s.dir, stack.KeyFile)))
	<-ctx.Done()
	return nil
}

// wait serves until ctx ends.
func wait(ctx context.Context, s settings, running *stack.Stack) error {
	if err := running.RunSchedules(ctx); err != nil {
		return err
	}
	fmt.Printf(`
  Serving %[1]s until Ctrl-C, in real time and without the sandbox. Connect a cloud as docs/connecting-clouds.md says:

    URL=%[1]s KEY=$(cat %[2]s)

`, running.URL, filepath.Join(s.dir, stack.KeyFile))
	<-ctx.Done()
	return nil
}

// tellOnce tells the story unless it has been told to this data folder. A story that was interrupted goes on where its
// executions are, because every step of it can be told twice.
func tellOnce(ctx context.Context, teller story.Story, marker string) error {
	_, err := os.Stat(marker)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := teller.Tell(ctx); err != nil {
		return err
	}
	return os.WriteFile(marker, nil, 0o644)
}

func callerOf(s *stack.Stack) *client.Client {
	return &client.Client{Base: s.URL, Key: s.Key, HTTP: &http.Client{Timeout: 5 * time.Minute}}
}

// hints are three calls to try.
func hints(url, keyFile string) string {
	return fmt.Sprintf(`
  Serving %[1]s until Ctrl-C. Three calls to try:

    KEY=$(cat %[2]s)
    curl -H "X-Api-Key: $KEY" '%[1]s/api/v1/costs?group_by=ServiceName&limit=5'
    curl -H "X-Api-Key: $KEY" '%[1]s/api/v1/recommendations?status=open'
    curl -H "X-Api-Key: $KEY" -F file=@your-focus-bill.csv.gz '%[1]s/api/v1/focus/costs/collect'

  A large bill: make import FILE=your-focus-bill.csv.gz

`, url, keyFile)
}
