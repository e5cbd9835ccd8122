package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// fakeServer makes a folder that looks like an installed server of the given version.
func fakeServer(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"postgres": "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n", "initdb": "#!/bin/sh\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheNewestServerIsFound(t *testing.T) {
	root := t.TempDir()
	t.Setenv("PATH", "/bin:/usr/bin")
	fakeServer(t, filepath.Join(root, "9", "bin"), "9.6.24")
	fakeServer(t, filepath.Join(root, "16", "bin"), "16.4")
	fakeServer(t, filepath.Join(root, "18", "bin"), "18beta1")
	if err := os.MkdirAll(filepath.Join(root, "20", "bin"), 0o755); err != nil { // a client only
		t.Fatal(err)
	}
	patterns := []string{filepath.Join(root, "*", "bin")}
	for name, tt := range map[string]struct {
		need int
		want string
	}{
		"newest":           {0, "18"},
		"that of the data": {16, "16"},
		"too old":          {9, ""},
		"not there":        {17, ""},
	} {
		bin, ok := find(t.Context(), patterns, tt.need)
		if want := tt.want; ok != (want != "") || ok && !strings.HasSuffix(bin, filepath.Join(want, "bin")) {
			t.Errorf("%s: found %q", name, bin)
		}
	}
}

func TestDataOfAMissingVersionIsNotTouched(t *testing.T) {
	_, err := binaries(t.Context(), t.TempDir(), 99, t.Output())
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "PostgreSQL 99") {
		t.Errorf("%v, want Unavailable that names the version", err)
	}
}

func TestAptInstallsTheServerWithoutStartingOne(t *testing.T) {
	dir := t.TempDir()
	old := clusterless
	clusterless = filepath.Join(dir, "conf", "cost-agent.conf")
	defer func() { clusterless = old }()
	apt := filepath.Join(dir, "apt-get")
	script := `#!/bin/sh
echo "$@ $DEBIAN_FRONTEND $(cat ` + clusterless + `)" >> ` + dir + `/calls
`
	if err := os.WriteFile(apt, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := install(t.Context(), apt, t.Output()); err != nil {
		t.Fatal(err)
	}
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "update -q noninteractive create_main_cluster = false\n" +
		"install -y -q --no-install-recommends postgresql noninteractive create_main_cluster = false\n"
	if string(calls) != want {
		t.Errorf("apt-get was called with\n%s", calls)
	}
	if _, err := os.Stat(clusterless); !os.IsNotExist(err) {
		t.Errorf("the setting was left behind: %v", err)
	}
}

func TestReachable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root asks for another user")
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	nobody := account{uid: 65534, gid: 65534, drop: true}
	if reachable(filepath.Join(closed, "not", "yet"), nobody) {
		t.Error("nobody can walk through a folder that only root may enter")
	}
	if !reachable("/var/tmp/not/yet", nobody) {
		t.Error("everybody can walk through /var/tmp")
	}
}
