package stack

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// FindRoot is the nearest folder at or above dir that holds the project: its template and its state machines.
func FindRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		_, template := os.Stat(filepath.Join(at, "template.yaml"))
		_, machines := os.Stat(filepath.Join(at, "statemachines"))
		if template == nil && machines == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fault.New(fault.Invalid, "There is no template.yaml beside a folder statemachines in %s or above it: run this from the project's folder.", dir)
		}
	}
}

// KeyFile is where the API key of the demo tenant stands, in the folder of a stack.
const KeyFile = "api-key"

// keptKey reads the API key of the folder, and makes one the first time.
func keptKey(dir string) (string, error) {
	path := filepath.Join(dir, KeyFile)
	text, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) > 0 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("key file: %w", err)
	}
	key := newKey()
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("key file: %w", err)
	}
	return key, nil
}

// newKey is a secret that is recognised for what it is.
func newKey() string { return "ca_" + strings.ToLower(rand.Text()) }
