// Package pgtest gives each test a PostgreSQL database of its own.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	local "github.com/cost-agent/cost-agent/local/postgres"
	"github.com/cost-agent/cost-agent/shared/postgres"
)

// External names a server to use instead of a private one: the URL of a role that may create databases and is no
// superuser.
const External = "COST_AGENT_TEST_DATABASE_URL"

// Open gives a migrated database that nobody else uses; it is dropped when the test ends.
func Open(t testing.TB) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(context.Background(), postgres.Options{URL: URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// URL gives the URL of a migrated database that nobody else uses.
func URL(t testing.TB) string {
	t.Helper()
	base, err := server()
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := template()
	if err != nil {
		t.Fatal(err)
	}
	return fresh(t, base, tmpl)
}

// Pool gives connections to an empty database that nobody else uses, for stores with a schema of their own.
func Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	base, err := server()
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(context.Background(), fresh(t, base, "template1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// server starts the private server of this test process when the first test asks. It needs no stopping: the kernel ends
// it with the process.
var server = sync.OnceValues(func() (string, error) {
	if external := os.Getenv(External); external != "" {
		return external, nil
	}
	dir, err := os.MkdirTemp("", "cost-agent-pgtest-")
	if err != nil {
		return "", err
	}
	// The server's user, another one when we are root, must be able to walk in.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	if err := sweepAtExit(dir); err != nil {
		return "", err
	}
	s, err := local.Start(context.Background(), local.Options{Dir: dir, Binaries: shared(), Throwaway: true})
	if err != nil {
		return "", err
	}
	return s.URL(), nil
})

// shared is the folder of the repository that keeps a fetched server for all test processes, empty outside of one.
func shared() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".local", "postgres")
		}
	}
	return ""
}

// template makes the migrated database that the others are copied from, once a process.
var template = sync.OnceValues(func() (string, error) {
	base, err := server()
	if err != nil {
		return "", err
	}
	name := "template_" + strconv.Itoa(os.Getpid())
	if err := run(base, `create database `+name); err != nil {
		return "", err
	}
	target, err := at(base, name)
	if err != nil {
		return "", err
	}
	return name, postgres.Migrate(context.Background(), postgres.Options{URL: target})
})

var counter atomic.Int64

// fresh makes a database from a template and drops it when the test ends.
func fresh(t testing.TB, base, tmpl string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), counter.Add(1))
	if err := run(base, `create database `+name+` template `+tmpl); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The server ends with the process anyway; this keeps a long run from filling the disk.
		if err := run(base, `drop database `+name+` with (force)`); err != nil {
			t.Error(err)
		}
	})
	target, err := at(base, name)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func run(base, sql string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// at is the URL base with another database.
func at(base, database string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	u.Path = "/" + database
	return u.String(), nil
}

// sweepAtExit removes dir when this process has ended, however it ended. Tests end without a last word (os.Exit, a
// panic, a timeout), so a shell outside waits for its standard input to close and then does it.
func sweepAtExit(dir string) error {
	in, hold, err := os.Pipe()
	if err != nil {
		return err
	}
	// The server gets the same time to end; on systems without a parent-death signal this ends it.
	const script = `read -r _; pid=$(head -n 1 "$1/cluster/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"; sleep 0.3; rm -rf "$1"`
	cmd := exec.Command("sh", "-c", script, "sweep", filepath.Clean(dir))
	cmd.Stdin = in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of the terminal's Ctrl-C
	if err := cmd.Start(); err != nil {
		return err
	}
	heldOpen = hold
	return in.Close()
}

// heldOpen keeps the pipe to the sweeper from being collected and thereby closed.
var heldOpen *os.File
