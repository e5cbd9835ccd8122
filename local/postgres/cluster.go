package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/shared/fault"
)

const (
	superuser = "postgres"
	// role owns the database of the same name. It is no superuser: those see through row level security.
	role = "cost_agent"
)

// cluster is the data of one server: <dir>/cluster, the socket in <dir>/run, the secret in <dir>/password.
type cluster struct {
	dir       string
	who       account
	throwaway bool
}

func (c cluster) data() string   { return filepath.Join(c.dir, "cluster") }
func (c cluster) run() string    { return filepath.Join(c.dir, "run") }
func (c cluster) log() string    { return filepath.Join(c.dir, "postgres.log") }
func (c cluster) secret() string { return filepath.Join(c.dir, "password") }

// marker stands when the cluster is complete: set up, with role and database. A cluster without it is what a crash
// left of the first start; it holds nothing yet and is made anew.
func (c cluster) marker() string { return filepath.Join(c.dir, "complete") }

func lockFile(data string) string { return filepath.Join(data, "postmaster.pid") }

// version is the major version of the data, 0 when there is none yet.
func (c cluster) version() int {
	if _, err := os.Stat(c.marker()); err != nil {
		return 0
	}
	text, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	if err != nil {
		return 0
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return major
}

// prepare makes the cluster unless a complete one is there.
func (c cluster) prepare(ctx context.Context, bin string, log io.Writer) (fresh bool, err error) {
	if c.version() != 0 {
		return false, nil
	}
	fmt.Fprintf(log, "Setting up the database in %s.\n", c.dir)
	err = errors.Join(os.RemoveAll(c.marker()), os.RemoveAll(c.data()), c.folder(c.data()),
		os.WriteFile(c.secret(), []byte(rand.Text()), 0o600), c.who.give(c.secret()))
	if err != nil {
		return false, fault.Wrap(err, fault.Unavailable, "The database folder %s cannot be written.", c.dir)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", c.data(), "-U", superuser, "-E", "UTF8", "--locale=C",
		"-A", "scram-sha-256", "--pwfile="+c.secret(), "--no-sync", "--no-instructions")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Dir, cmd.Env, cmd.SysProcAttr = c.data(), environment(), attributes(c.who)
	p, err := spawn(cmd)
	if err != nil {
		return false, fault.Wrap(err, fault.Unavailable, "initdb in %s could not be run.", bin)
	}
	<-p.done
	if !cmd.ProcessState.Success() {
		return false, fault.New(fault.Unavailable, "PostgreSQL could not set up its data in %s: %s", c.data(), strings.TrimSpace(said.String()))
	}
	return true, nil
}

// folder makes a folder that the server's user alone can open.
func (c cluster) folder(path string) error {
	return errors.Join(os.MkdirAll(path, 0o700), os.Chmod(path, 0o700), c.who.give(path))
}

// populate makes role and database, and marks the cluster as complete.
func (c cluster) populate(ctx context.Context, d door) error {
	conn, err := pgx.Connect(ctx, d.url(superuser, superuser))
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "The new database does not answer.")
	}
	defer conn.Close(ctx)
	for _, sql := range []string{
		fmt.Sprintf(`create role %s login nosuperuser createdb nobypassrls password '%s'`, role, d.password),
		fmt.Sprintf(`create database %s owner %s`, role, role),
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fault.Wrap(err, fault.Internal, "The new database could not be set up.")
		}
	}
	return fault.Wrap(os.WriteFile(c.marker(), nil, 0o600), fault.Unavailable, "The database folder %s cannot be written.", c.dir)
}

// door is how to reach the server: a socket in a folder that only its user can open, or a port of the loopback
// interface with a password where the socket's path would be too long.
type door struct {
	socketDir string
	port      int
	password  string
}

// sunPath is the longest path of a unix socket that Linux (107 bytes) and macOS (103) take.
const sunPath = 103

// socketPort only names the socket file.
const socketPort = 5432

func (c cluster) open() (door, error) {
	password, err := os.ReadFile(c.secret())
	if err != nil {
		return door{}, fault.Wrap(err, fault.Unavailable, "The password of the database is missing in %s.", c.dir)
	}
	d, rule := door{socketDir: c.run(), port: socketPort, password: string(password)}, "local all all trust\n"
	if err := c.folder(c.run()); err != nil {
		return door{}, fault.Wrap(err, fault.Unavailable, "The socket folder %s cannot be made.", c.run())
	}
	if len(filepath.Join(c.run(), ".s.PGSQL.5432")) > sunPath {
		d.socketDir, rule = "", "host all all 127.0.0.1/32 scram-sha-256\n"
		if d.port, err = freePort(); err != nil {
			return door{}, fault.Wrap(err, fault.Unavailable, "No port of 127.0.0.1 is free.")
		}
	}
	hba := filepath.Join(c.data(), "pg_hba.conf")
	err = errors.Join(os.WriteFile(hba, []byte(rule), 0o600), c.who.give(hba))
	return d, fault.Wrap(err, fault.Unavailable, "The file %s cannot be written.", hba)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("%s is no TCP address", l.Addr())
	}
	return addr.Port, nil
}

func (d door) url(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database}
	query := url.Values{"sslmode": {"disable"}}
	if d.socketDir == "" {
		u.User, u.Host = url.UserPassword(user, d.password), net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port))
	} else {
		query.Set("host", d.socketDir)
		query.Set("port", strconv.Itoa(d.port))
	}
	u.RawQuery = query.Encode()
	return u.String()
}
