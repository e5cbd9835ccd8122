// Package stack is the deployed system on one machine: every function, state machine, route and schedule of the template in one
// process, over a private PostgreSQL, stand-ins for the managed services, and the sandbox estate in place of the clouds, or the real
// ones.
package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cost-agent/cost-agent/local/gateway"
	"github.com/cost-agent/cost-agent/local/postgres"
	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/local/scheduler"
	"github.com/cost-agent/cost-agent/local/services"
	"github.com/cost-agent/cost-agent/local/stepfunctions"
	"github.com/cost-agent/cost-agent/local/template"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/job"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// Options say where a stack lives.
type Options struct {
	Root        string // of the project: where template.yaml is
	Dir         string // where everything that must outlive the process is kept
	Address     string // of the gateway: "127.0.0.1:8080"; port 0 takes a free one
	DatabaseURL string // of a PostgreSQL to use instead of a private one
	RedisURL    string // of a Redis to use instead of one in memory
	Sandbox     sandbox.Options
	Real        bool   // real time and real clouds, without the sandbox estate
	Binaries    string // the folder that keeps a fetched PostgreSQL, if not that of its data
	Throwaway   bool   // nobody wants the data back: faster
	Progress    func(format string, args ...any)
	Log         *slog.Logger
}

// Tenant is the customer of a local stack, whose clouds the sandbox plays.
const Tenant = tenant.ID("6f9b1c52-7a3e-4d8f-9c21-0e5b7d64a310")

const (
	company = "Meridian Goods"    // of the sandbox estate
	owner   = "This organisation" // without it
)

// Stack is a running system.
type Stack struct {
	URL    string          // of the gateway
	Key    string          // the tenant's API key, with the role admin
	Estate *sandbox.Estate // nil when everything is real

	clock     stepfunctions.Clock // nil is real time
	now       job.Clock
	log       *slog.Logger
	template  *template.Template
	parts     *parts
	engine    *stepfunctions.Engine
	functions map[string]gateway.Handler
	closers   []closer
}

type closer struct {
	name  string
	close func(context.Context) error
}

// Start brings everything up. When it fails, what had been started is stopped again.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{log: o.Log}
	if err := s.start(ctx, o); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return nil, errors.Join(err, s.Close(stopping))
	}
	return s, nil
}

// patience is how long everything together may take to stop.
const patience = 20 * time.Second

func (s *Stack) start(ctx context.Context, o Options) error {
	text, err := os.ReadFile(filepath.Join(o.Root, "template.yaml"))
	if err != nil {
		return fmt.Errorf("template: %w", err)
	}
	if s.template, err = template.Parse(text); err != nil {
		return err
	}
	// The address first: a taken port should be told at once, not after everything else has started.
	listener, err := net.Listen("tcp", o.Address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fault.Wrap(err, fault.Conflict, "%s is taken by another program. Stop that, or choose another port: make run ADDRESS=127.0.0.1:8081", o.Address)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "Nothing can be served at %q. Give an address of this machine with a port, such as 127.0.0.1:8081.", o.Address)
	}
	s.onClose("address", func(context.Context) error { return ignoreClosed(listener.Close()) })
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if s.Key, err = keptKey(o.Dir); err != nil {
		return err
	}
	if err := s.startServices(ctx, o); err != nil {
		return err
	}
	if err := s.startMachines(ctx, o); err != nil {
		return err
	}
	return s.serve(listener)
}

// startServices brings up what functions depend on.
func (s *Stack) startServices(ctx context.Context, o Options) error {
	began := time.Now()
	at := endpoints{database: o.DatabaseURL, cache: o.RedisURL}
	if at.database == "" {
		server, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(o.Dir, "postgres"), Binaries: o.Binaries, Log: lines(o.Progress), Throwaway: o.Throwaway})
		if err != nil {
			return err
		}
		s.onClose("PostgreSQL", server.Stop)
		at.database = server.URL()
	}
	if at.cache == "" {
		cache, err := services.StartRedis()
		if err != nil {
			return err
		}
		s.onClose("cache", func(context.Context) error { cache.Close(); return nil })
		at.cache = cache.URL()
	}
	keys, err := services.StartDynamoDB(filepath.Join(o.Dir, "keys.jsonl"))
	if err != nil {
		return err
	}
	s.onClose("key table", keys.Close)
	objects, err := services.StartS3(filepath.Join(o.Dir, "staging"), bucket)
	if err != nil {
		return err
	}
	s.onClose("staging", objects.Close)
	credentials, err := services.StartSecretsManager(filepath.Join(o.Dir, "secrets"))
	if err != nil {
		return err
	}
	s.onClose("credentials", credentials.Close)
	at.keys, at.staging, at.secrets = keys.URL(), objects.URL(), credentials.URL()
	if err := s.openEstate(o); err != nil {
		return err
	}
	if s.parts, err = connect(ctx, at, s.Estate, s.now, s.onClose); err != nil {
		return err
	}
	if err := s.parts.register(ctx, s.Key); err != nil {
		return err
	}
	with := ", staging and the sandbox estate"
	if o.Real {
		with = " and staging"
	}
	o.Progress("PostgreSQL, cache, key table%s are up (%.1f s)", with, time.Since(began).Seconds())
	return nil
}

// openEstate opens the clouds that the sandbox plays, whose clock is then that of everything.
func (s *Stack) openEstate(o Options) (err error) {
	if o.Real {
		s.now = func() time.Time { return time.Now().UTC() }
		return nil
	}
	estate := o.Sandbox
	estate.Dir = filepath.Join(o.Dir, "sandbox")
	if s.Estate, err = sandbox.Open(estate); err != nil {
		return err
	}
	s.clock, s.now = s.Estate.Clock(), s.Estate.Clock().Now
	s.onClose("sandbox", func(context.Context) error { return s.Estate.Close() })
	return nil
}

// startMachines wires the functions and the engine that calls them.
func (s *Stack) startMachines(ctx context.Context, o Options) error {
	store, err := stepfunctions.OpenPostgres(ctx, s.parts.pool)
	if err != nil {
		return fmt.Errorf("positions of state machines: %w", err)
	}
	// The engine calls functions and functions start machines: they find each other at the first call.
	s.engine, err = stepfunctions.New(stepfunctions.Options{
		Store: store, Clock: s.clock, Logger: o.Log, Object: s.parts.object,
		Invoke: func(ctx context.Context, name string, payload []byte) ([]byte, error) {
			return invoke(ctx, s.functions, name, payload)
		},
	})
	if err != nil {
		return err
	}
	s.onClose("state machines", s.engine.Close)
	var names []string
	for _, m := range s.template.Machines {
		definition, err := os.ReadFile(filepath.Join(o.Root, m.Definition))
		if err != nil {
			return fmt.Errorf("state machine %s: %w", m.Name, err)
		}
		if err := s.engine.Define(m.Name, definition, substitutions(m)); err != nil {
			return err
		}
		names = append(names, m.Name)
	}
	front, err := services.Serve(s.engine.Handler())
	if err != nil {
		return err
	}
	s.onClose("state machine API", front.Close)
	s.parts.useEngine(front.URL(), names)
	s.functions = s.parts.functions(s.log)
	if err := s.engine.Resume(ctx); err != nil {
		return err
	}
	return s.endedBefore(ctx)
}

// serve opens the gateway.
func (s *Stack) serve(listener net.Listener) error {
	h, err := gateway.New(gateway.Options{Routes: routes(s.template), Functions: s.functions, Authorizer: s.functions["authorizer"],
		Binary: s.template.Binary, Log: s.log, Now: s.now, NewID: newID})
	if err != nil {
		return err
	}
	if s.Estate != nil {
		h = besides(h, controls(s.Estate))
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed; other failures show in every call
	s.URL = "http://" + listener.Addr().String()
	s.onClose("gateway", func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return errors.Join(err, server.Close())
		}
		return nil
	})
	return nil
}

// besides lets the sandbox's controls stand beside the API. It is no mux, which would redirect paths that the gateway refuses.
func besides(api, sandbox http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sandbox/") {
			sandbox.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// RunSchedules starts what the template schedules, from now on until the stack closes.
func (s *Stack) RunSchedules(ctx context.Context) error {
	planned, err := scheduler.New(schedules(s.template), s.startScheduled, s.now, s.log)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	tick, done := time.NewTicker(time.Second), make(chan struct{})
	go func() { defer close(done); planned.Run(running, tick.C) }()
	s.onClose("scheduler", func(context.Context) error { cancel(); tick.Stop(); <-done; return nil })
	return nil
}

func (s *Stack) onClose(name string, f func(context.Context) error) {
	s.closers = append(s.closers, closer{name, f})
}

// Close stops everything, the last started first. What state machines were doing goes on at the next start.
func (s *Stack) Close(ctx context.Context) error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		if err := s.closers[i].close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.closers[i].name, err))
		}
	}
	s.closers = nil
	return errors.Join(errs...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
