package postgres

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// attributes of the postmaster: another user when we are root, out of reach of the terminal's Ctrl-C (we stop it in
// order), and a clean immediate shutdown when our process dies, however it dies.
func attributes(who account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: who.credential(), Setpgid: true, Pdeathsig: syscall.SIGQUIT}
}

// leftovers finds the PostgreSQL processes at work in a data folder: each has it as its working directory.
func leftovers(data string) []int {
	resolved, err := filepath.EvalSymlinks(data)
	if err != nil {
		return nil
	}
	places, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return nil
	}
	var pids []int
	for _, link := range places {
		if cwd, err := os.Readlink(link); err != nil || cwd != resolved {
			continue
		}
		proc := filepath.Dir(link)
		name, err := os.ReadFile(filepath.Join(proc, "comm"))
		if err != nil || !strings.HasPrefix(string(name), "postgres") {
			continue // a shell that stands in the folder is none of our business
		}
		if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil && !zombie(proc) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// zombie reports whether a process has ended and only waits to be collected.
func zombie(proc string) bool {
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	_, state, found := strings.Cut(string(stat), ") ")
	return err != nil || !found || strings.HasPrefix(state, "Z")
}
