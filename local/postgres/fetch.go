package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// fetched is where binaries that were downloaded lie, below the folder that keeps them.
func fetched(keep string) string { return filepath.Join(keep, "server", "bin") }

// fetch installs a server: through the package manager where that is ours to use, else prebuilt binaries for this
// folder alone.
func fetch(ctx context.Context, keep string, log io.Writer) error {
	var errs []error
	if apt, err := exec.LookPath("apt-get"); err == nil && os.Geteuid() == 0 {
		if err := install(ctx, apt, log); err == nil {
			return nil
		} else {
			errs = append(errs, err)
		}
	}
	fmt.Fprintln(log, "Fetching PostgreSQL binaries (once, about 20 MB).")
	if err := download(keep); err != nil {
		return missing(errors.Join(append(errs, err)...))
	}
	return nil
}

// clusterless keeps Debian's package from setting up and starting a server of its own.
var clusterless = "/etc/postgresql-common/createcluster.d/cost-agent.conf"

func install(ctx context.Context, apt string, log io.Writer) (err error) {
	fmt.Fprintln(log, "Installing PostgreSQL with apt-get (once, about a minute).")
	if err := os.MkdirAll(filepath.Dir(clusterless), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(clusterless, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(clusterless)) }()
	for _, args := range [][]string{{"update", "-q"}, {"install", "-y", "-q", "--no-install-recommends", "postgresql"}} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, said.Bytes()[max(0, said.Len()-500):])
		}
	}
	return nil
}

// download unpacks prebuilt binaries into the folder that keeps them. The package that knows where they are can only
// fetch them by starting a server of its own, so it is let do that in a scratch folder; as root that start fails after the
// unpacking, which is all we want of it. The result is moved into place whole, for others may be doing the same.
func download(keep string) (err error) {
	port, err := freePort()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(keep, 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(keep, "fetching-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	unpacked := filepath.Join(scratch, "server")
	helper := embedded.NewDatabase(embedded.DefaultConfig().Version(embedded.V17).Port(uint32(port)).Logger(io.Discard).
		CachePath(filepath.Join(scratch, "cache")).RuntimePath(filepath.Join(scratch, "run")).
		DataPath(filepath.Join(scratch, "data")).BinariesPath(unpacked))
	failure := helper.Start()
	if failure == nil {
		failure = helper.Stop()
	}
	if _, err := os.Stat(filepath.Join(unpacked, "bin", "postgres")); err != nil {
		return errors.Join(failure, err)
	}
	if err := os.Rename(unpacked, filepath.Join(keep, "server")); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}
