// Command local runs Cost Agent on this machine: everything in one process, on demo data.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/local/stack"
	"github.com/cost-agent/cost-agent/shared/fault"
)

const usage = `usage: go run ./local run | demo | import FILE | openapi

  run           start everything, show the main job on demo data, serve until Ctrl-C;
                with SANDBOX=off without demo data, in real time, for real clouds
  demo          do the same once in a throw-away place, check every figure, stop
  import FILE   load a FOCUS bill (CSV, CSV.gz or Parquet) into the running agent
  openapi       print the description of the API

flags, before the command:
`

// settings are what the command line and the environment say.
type settings struct {
	address, dir, connection string
	sandbox                  string // "off": real time, real clouds, no demo data
	pace                     time.Duration
	verbose                  bool
}

func (s settings) real() bool { return s.sandbox == "off" }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "\n"+explain(err))
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

func run(ctx context.Context, args []string) error {
	var s settings
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.StringVar(&s.address, "address", env("ADDRESS", "127.0.0.1:8080"), "where to serve the API")
	flags.StringVar(&s.dir, "dir", "", "where to keep data (default .local, without the sandbox .local/real)")
	flags.StringVar(&s.sandbox, "sandbox", env("SANDBOX", "on"), "off: real time and real clouds instead of the sandbox and its demo data")
	flags.StringVar(&s.connection, "connection", "", "import: the connection that the bill belongs to")
	flags.DurationVar(&s.pace, "pace", 0, "real time that a simulated wait takes at least")
	flags.BoolVar(&s.verbose, "verbose", false, "show the log")
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage); flags.PrintDefaults() }
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if err := s.settle(); err != nil {
		return err
	}
	switch command := flags.Arg(0); {
	case command == "run" && flags.NArg() == 1:
		return serve(ctx, s)
	case command == "demo" && flags.NArg() == 1:
		return demonstrate(ctx, s)
	case command == "openapi" && flags.NArg() == 1:
		return printAPI(os.Stdout)
	case command == "import" && flags.NArg() == 2:
		return importBill(ctx, s, flags.Arg(1))
	}
	flags.Usage()
	return errors.New("say what to do: run, demo, import FILE or openapi")
}

// settle checks what was said and fills in what follows from it.
func (s *settings) settle() error {
	if s.sandbox != "on" && s.sandbox != "off" {
		return fmt.Errorf("the sandbox is on or off, not %q", s.sandbox)
	}
	if s.dir == "" {
		s.dir = ".local"
		if s.real() {
			s.dir = filepath.Join(s.dir, "real")
		}
	}
	return nil
}

// options are those of a stack in dir.
func (s settings) options(dir string) (stack.Options, error) {
	root, err := stack.FindRoot(".")
	if err != nil {
		return stack.Options{}, err
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	level := slog.LevelError + 1
	if s.verbose {
		level = slog.LevelInfo
	}
	return stack.Options{
		Root: root, Dir: dir, Address: s.address, DatabaseURL: os.Getenv("DATABASE_URL"), RedisURL: os.Getenv("REDIS_URL"),
		Sandbox: sandbox.Options{Pace: s.pace}, Real: s.real(), Binaries: filepath.Join(root, ".local", "postgres"), Progress: progress(),
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}, nil
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// explain is what a person reads of a failure: the public message first, the cause behind it, for it is their own machine.
func explain(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		if cause := errors.Unwrap(f); cause != nil {
			return f.Message + "\n  (" + cause.Error() + ")"
		}
		return f.Message
	}
	return err.Error()
}
