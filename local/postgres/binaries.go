package postgres

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// oldest is the first major version with everything the schema needs.
const oldest = 15

// places are where packages put the server, beside PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                   // Red Hat
	"/usr/libexec/postgresql*",           // Alpine
	"/usr/local/bin",                     //
	"/usr/local/pgsql/bin",               // from source
	"/opt/homebrew/opt/postgresql@*/bin", // macOS on ARM
	"/usr/local/opt/postgresql@*/bin",    // macOS on Intel
	"/opt/homebrew/bin",                  //
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// binaries gives the folder with initdb and postgres: the one that fits existing data of version need, or else the
// newest; fetched into the folder keep when the machine has none.
func binaries(ctx context.Context, keep string, need int, log io.Writer) (string, error) {
	search := append(slices.Clone(places), fetched(keep))
	if bin, ok := find(ctx, search, need); ok {
		return bin, nil
	}
	if need != 0 {
		return "", fault.New(fault.Unavailable,
			"The data was written by PostgreSQL %d, which is no longer here. Install it again, or move the data away to begin anew.", need)
	}
	if err := fetch(ctx, keep, log); err != nil {
		return "", err
	}
	if bin, ok := find(ctx, search, need); ok {
		return bin, nil
	}
	return "", missing(errors.New("what was fetched does not run here"))
}

func missing(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, "PostgreSQL %d or newer is needed and could not be fetched. %s", oldest, advice[runtime.GOOS])
}

var advice = map[string]string{
	"darwin": "Install it with: brew install postgresql@17",
	"linux":  "Install it with: sudo apt-get install postgresql (or your system's package of the server).",
}

// find looks for the newest usable server, or for exactly version need when that is not 0.
func find(ctx context.Context, patterns []string, need int) (string, bool) {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err == nil {
			dirs = append(dirs, found...)
		}
	}
	best, newest := "", oldest-1
	for _, dir := range dirs {
		resolved, major := inspect(ctx, dir)
		if major > newest && (need == 0 || major == need) {
			best, newest = resolved, major
		}
	}
	return best, best != ""
}

var versionShape = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// inspect gives the true folder of a server, behind links, and its major version; 0 when there is none.
func inspect(ctx context.Context, dir string) (string, int) {
	resolved, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return "", 0
	}
	resolved = filepath.Dir(resolved)
	if _, err := os.Stat(filepath.Join(resolved, "initdb")); err != nil {
		return "", 0
	}
	out, err := exec.CommandContext(ctx, filepath.Join(resolved, "postgres"), "--version").Output()
	match := versionShape.FindSubmatch(out)
	if err != nil || match == nil {
		return "", 0
	}
	major, err := strconv.Atoi(string(match[1]))
	if err != nil {
		return "", 0
	}
	return resolved, major
}
