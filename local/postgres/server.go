// Package postgres runs a private PostgreSQL on this machine: found or fetched, set up once, started in well under a
// second, and never outliving the process that started it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// Options say where the server lives and how.
type Options struct {
	// Dir keeps the data from start to start. It is made when absent.
	Dir string
	// Binaries is the folder that keeps a fetched PostgreSQL, so that several servers fetch it once; Dir when empty or
	// out of the server's reach.
	Binaries string
	// Log receives a line about each step that takes the user's time; nil is silence.
	Log io.Writer
	// Throwaway trades all durability for speed: for tests, whose data nobody wants back.
	Throwaway bool
}

// Server is a running PostgreSQL.
type Server struct {
	url     string
	dir     string
	process *process
	lock    *os.File
}

// patience is how long the server may take to accept connections; recovery after a crash is included.
const patience = 60 * time.Second

// Start brings the server up and gives it back once it accepts connections. A server that an earlier, killed run left
// behind is stopped first. It fails with fault.Conflict when another process runs a server in the same place, and with
// fault.Unavailable, saying what to do, when PostgreSQL can neither be found nor fetched nor started.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	who, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := settle(o.Dir, who, o.Log)
	if err != nil {
		return nil, err
	}
	lock, err := claim(dir)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, o, dir, who)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.lock = lock
	return s, nil
}

func start(ctx context.Context, o Options, dir string, who account) (*Server, error) {
	c := cluster{dir: dir, who: who, throwaway: o.Throwaway}
	keep := dir
	if o.Binaries != "" && (!who.drop || reachable(o.Binaries, who)) {
		keep = o.Binaries
	}
	bin, err := binaries(ctx, keep, c.version(), o.Log)
	if err != nil {
		return nil, err
	}
	if err := c.stopLeftover(ctx); err != nil {
		return nil, err
	}
	fresh, err := c.prepare(ctx, bin, o.Log)
	if err != nil {
		return nil, err
	}
	door, err := c.open()
	if err != nil {
		return nil, err
	}
	s, err := c.launch(ctx, bin, door)
	if err != nil {
		return nil, err
	}
	if fresh {
		if err := c.populate(ctx, door); err != nil {
			return nil, errors.Join(err, s.Stop(ctx))
		}
	}
	return s, nil
}

// launch starts the postmaster and waits until it answers.
func (c cluster) launch(ctx context.Context, bin string, d door) (*Server, error) {
	log, err := os.Create(c.log())
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "The log of the database cannot be written in %s.", c.dir)
	}
	defer log.Close() // the postmaster has its own copy
	p, err := spawn(c.command(bin, d, log))
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "PostgreSQL in %s could not be started.", bin)
	}
	s := &Server{url: d.url(role, role), dir: c.dir, process: p}
	if err := c.await(ctx, p, d); err != nil {
		return nil, errors.Join(err, s.Stop(ctx))
	}
	return s, nil
}

func (c cluster) await(ctx context.Context, p *process, d door) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, d.url(superuser, superuser))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.done:
			return fault.Wrap(err, fault.Unavailable, "PostgreSQL did not start: %s", c.lastWords())
		case <-ctx.Done():
			return fault.Wrap(err, fault.Unavailable, "PostgreSQL did not answer in time: %s", c.lastWords())
		case <-tick.C:
		}
	}
}

// lastWords is the end of the server's log.
func (c cluster) lastWords() string {
	text, err := os.ReadFile(c.log())
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err != nil || lines[0] == "" {
		return "its log is empty."
	}
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}

// URL connects to the database as its owner, who is no superuser, so that row level security holds.
func (s *Server) URL() string { return s.url }

// Done is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Stop ends the server: sessions are cut, and the data is left clean. Stopping twice is one stop.
func (s *Server) Stop(ctx context.Context) error {
	err := s.process.end(ctx)
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
	}
	return err
}

// claim makes sure that one process only runs a server in dir. The lock goes with the process, however it ends.
func claim(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "The database folder %s cannot be written.", dir)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		err = fmt.Errorf("flock: %w", errors.Join(err, f.Close()))
		return nil, fault.Wrap(err, fault.Conflict, "Another process already runs the database in %s. Stop it first.", dir)
	}
	return f, nil
}
