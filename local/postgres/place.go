package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// account is the user that the server runs as. PostgreSQL refuses to run as root; for anyone else it is oneself.
type account struct {
	uid, gid int
	drop     bool // we are root and give up our rights
}

func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(u.Uid)
		gid, errGID := strconv.Atoi(u.Gid)
		if errUID == nil && errGID == nil {
			return account{uid: uid, gid: gid, drop: true}, nil
		}
	}
	return account{}, fault.New(fault.Unavailable,
		"PostgreSQL cannot run as root, and there is no user postgres or nobody. Run as another user.")
}

func (a account) credential() *syscall.Credential {
	if !a.drop {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// give hands a file or folder to the server's user.
func (a account) give(path string) error {
	if !a.drop {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// shelter is where root keeps data whose wanted place the server's user cannot reach. Only root can write there, so
// nobody else can have prepared it.
const shelter = "/var/lib"

// settle makes the folder of the server and gives its absolute path. A place that the server's user cannot reach, such
// as one below /root, is replaced by one of its own in /var/lib, and the log says so.
func settle(dir string, who account, log io.Writer) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "The database folder %q has no absolute path.", dir)
	}
	if who.drop && !reachable(dir, who) {
		sum := sha256.Sum256([]byte(dir))
		other := filepath.Join(shelter, "cost-agent-"+hex.EncodeToString(sum[:6]))
		fmt.Fprintf(log, "The database user cannot reach %s; the data is kept in %s.\n", dir, other)
		dir = other
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "The database folder %s cannot be made.", dir)
	}
	// The lock file of the server and paths in its options must not depend on how the folder was spelt.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "The database folder %s cannot be read.", dir)
	}
	return dir, nil
}

// reachable reports whether the user may walk down to path, as far as path exists.
func reachable(path string, who account) bool {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return reachable(filepath.Dir(path), who)
	case err != nil || !mayEnter(info, who):
		return false
	case path == filepath.Dir(path):
		return true
	}
	return reachable(filepath.Dir(path), who)
}

func mayEnter(info os.FileInfo, who account) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return false
	case int(stat.Uid) == who.uid:
		return info.Mode()&0o100 != 0
	case int(stat.Gid) == who.gid:
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}
