//go:build !linux

package postgres

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// attributes of the postmaster. Without a parent-death signal a killed run leaves the server behind; the next start
// finds and stops it.
func attributes(who account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: who.credential(), Setpgid: true}
}

// leftovers finds the postmaster that the lock file of a data folder names, if it is one and works there.
func leftovers(data string) []int {
	text, err := os.ReadFile(lockFile(data))
	if err != nil {
		return nil
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		return nil
	}
	args, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	if err != nil || !strings.Contains(string(args), "postgres") || !strings.Contains(string(args), data) {
		return nil
	}
	return []int{pid}
}
