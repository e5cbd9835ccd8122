package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/telemetry"
)

func TestLinesAreJSONAndHideSecrets(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := telemetry.Logger(&out, slog.LevelInfo, "costs")
	log.Debug("too fine")
	log.Info("started", "X-Api-Key", "abc123", "db_password", "hunter2", "tenant", "t-1", slog.Group("aws", "SessionToken", "xyz"))

	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("want exactly one JSON line, got %q: %v", out.String(), err)
	}
	if line["function"] != "costs" || line["tenant"] != "t-1" {
		t.Errorf("the line lacks what it should tell: %v", line)
	}
	for _, secret := range []string{"abc123", "hunter2", "xyz"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log shows the secret %q: %s", secret, out.String())
		}
	}
}
