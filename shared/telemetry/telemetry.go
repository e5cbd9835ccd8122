// Package telemetry makes the logs of Cost Agent: one JSON object a line, without secrets.
package telemetry

import (
	"io"
	"log/slog"
	"strings"
)

// Logger writes to w from the given level on, each line with the name of its function or program. Values under names that
// speak of secrets are never written.
func Logger(w io.Writer, level slog.Level, name string) *slog.Logger {
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: hideSecrets})
	return slog.New(h).With("function", name)
}

var secretWords = []string{"password", "secret", "token", "api_key", "authorization", "credential"}

func hideSecrets(_ []string, a slog.Attr) slog.Attr {
	name := strings.ToLower(strings.ReplaceAll(a.Key, "-", "_"))
	for _, w := range secretWords {
		if strings.Contains(name, w) {
			return slog.String(a.Key, "[hidden]")
		}
	}
	return a
}
