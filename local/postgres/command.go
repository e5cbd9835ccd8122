package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// settings of every server. Dynamic shared memory lives in files of the data folder: /dev/shm is tiny in containers, and
// what a killed server left there nobody would clean up.
func settings() map[string]string {
	return map[string]string{
		"dynamic_shared_memory_type":       "mmap",
		"shared_buffers":                   "256MB",
		"work_mem":                         "32MB",
		"maintenance_work_mem":             "128MB",
		"max_connections":                  "120",
		"max_wal_size":                     "4GB",
		"checkpoint_timeout":               "15min",
		"wal_level":                        "minimal", // nobody replicates it
		"max_wal_senders":                  "0",
		"autovacuum_naptime":               "10s",
		"jit":                              "off",
		"timezone":                         "UTC",
		"lc_messages":                      "C",
		"log_min_messages":                 "warning",
		"client_connection_check_interval": "1s",
	}
}

// risky are the settings for data nobody wants back. Autovacuum is off because its workers, which belong to a superuser,
// keep their owner from dropping a database while they are in it.
func risky() map[string]string {
	return map[string]string{"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}
}

// command is the postmaster's. Kept data is kept through anything: every commit is written and flushed
// (synchronous_commit and fsync stay on), so neither a killed process nor a power cut loses or breaks it. A commit costs
// a few milliseconds for that, which interactive use does not notice.
func (c cluster) command(bin string, d door, log *os.File) *exec.Cmd {
	listen := ""
	if d.socketDir == "" {
		listen = "127.0.0.1"
	}
	args := []string{
		"-D", c.data(), "-p", strconv.Itoa(d.port),
		"-c", "listen_addresses=" + listen, "-c", "unix_socket_directories=" + d.socketDir,
	}
	for name, value := range settings() {
		args = append(args, "-c", name+"="+value)
	}
	if c.throwaway {
		for name, value := range risky() {
			args = append(args, "-c", name+"="+value)
		}
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = c.data(), environment(), attributes(c.who)
	cmd.Stdout, cmd.Stderr = log, log
	return cmd
}

// environment of the server is bare: the caller's PG* variables would redirect it, and its secrets are none of its
// business.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}
