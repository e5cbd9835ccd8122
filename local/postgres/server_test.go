package postgres_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cost-agent/cost-agent/local/postgres"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// place is a folder that the server's user can reach, unlike t.TempDir, whose parent only its owner can enter.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cost-agent-server-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func start(t *testing.T, dir string) *postgres.Server {
	t.Helper()
	begin := time.Now()
	s, err := postgres.Start(t.Context(), postgres.Options{Dir: dir, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s", time.Since(begin).Round(time.Millisecond))
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var text string
	if err := conn.QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestDataOutlivesTheServer(t *testing.T) {
	t.Parallel()
	dir := place(t)
	s := start(t, dir)
	if got := query(t, s.URL(), `select rolsuper::text || rolbypassrls::text from pg_roles where rolname = current_user`); got != "falsefalse" {
		t.Errorf("superuser and bypassrls are %s; row level security would not hold", got)
	}
	execute(t, s.URL(), `create table kept as select 42 as n`)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir)
	if got := query(t, again.URL(), `select n::text from kept`); got != "42" {
		t.Errorf("kept %s, want 42", got)
	}
}

func TestOnePlaceOneServer(t *testing.T) {
	t.Parallel()
	dir := place(t)
	start(t, dir)
	_, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a second server on the same data: %v, want Conflict", err)
	}
}

func TestHalfMadeClusterIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := place(t)
	if err := os.MkdirAll(filepath.Join(dir, "cluster", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cluster", "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, dir)
	if got := query(t, s.URL(), `select current_user::text`); got != "cost_agent" {
		t.Errorf("connected as %s", got)
	}
}

func TestLongPathsGoOverTCPWithAPassword(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(place(t), strings.Repeat("long", 25)))
	if !strings.Contains(s.URL(), "@127.0.0.1:") {
		t.Fatalf("URL %s is not one of the loopback interface", s.URL())
	}
	if got := query(t, s.URL(), `select current_user::text`); got != "cost_agent" {
		t.Errorf("connected as %s", got)
	}
	config, err := pgx.ParseConfig(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "guessed"
	if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a wrong password was let in")
	}
}

// TestMain lets the test binary play the process that is killed while it runs a server.
func TestMain(m *testing.M) {
	if dir := os.Getenv("COST_AGENT_TEST_SERVE"); dir != "" {
		serve(dir)
	}
	os.Exit(m.Run())
}

func serve(dir string) {
	s, err := postgres.Start(context.Background(), postgres.Options{Dir: dir})
	if err != nil {
		fmt.Println("ERROR", err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	select {}
}

// victim runs a server in another process and gives its URL and how to kill that process.
func victim(t *testing.T, dir string) (string, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "COST_AGENT_TEST_SERVE="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "ERROR") {
		t.Fatal(line, err)
	}
	return strings.TrimSpace(line), cmd
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "cluster", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(bytes.NewReader(text), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestKilledRunLosesNothingAndBlocksNothing(t *testing.T) {
	t.Parallel()
	dir := place(t)
	url, cmd := victim(t, dir)
	execute(t, url, `create table kept as select 42 as n`)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	s := start(t, dir)
	if got := query(t, s.URL(), `select n::text from kept`); got != "42" {
		t.Errorf("kept %s, want 42", got)
	}
}

func TestPostmasterKilledHardBlocksNothing(t *testing.T) {
	t.Parallel()
	dir := place(t)
	s := start(t, dir)
	execute(t, s.URL(), `create table kept as select 42 as n`)
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir)
	if got := query(t, again.URL(), `select n::text from kept`); got != "42" {
		t.Errorf("kept %s, want 42", got)
	}
}

func TestLivingLeftoverIsStopped(t *testing.T) {
	t.Parallel()
	dir := place(t)
	url, cmd := victim(t, dir)
	execute(t, url, `create table kept as select 42 as n`)
	pid := postmaster(t, dir)
	// A stopped process takes no SIGQUIT, as if the parent-death signal had never come.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	s := start(t, dir)
	if got := query(t, s.URL(), `select n::text from kept`); got != "42" {
		t.Errorf("kept %s, want 42", got)
	}
	if postmaster(t, dir) == pid {
		t.Error("the leftover still runs")
	}
}
