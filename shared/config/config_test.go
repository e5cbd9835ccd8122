package config_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/cost-agent/cost-agent/shared/config"
)

func env(vars map[string]string) func(string) string { return func(k string) string { return vars[k] } }

func TestLoadReadsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	c, err := config.Load(env(map[string]string{
		"LOG_LEVEL": "debug", "DATABASE_HOST": "db", "DATABASE_NAME": "costagent", "DATABASE_USER": "app", "CACHE_URL": "rediss://cache:6379",
		"TABLE_NAME": "keys", "STAGING_BUCKET": "bucket", "STATE_MACHINES": `{"collect":"arn:1"}`, "COLLECTORS": `{"aws":"arn:2"}`, "ACTORS": `{}`,
	}), config.Database, config.Cache, config.Table, config.Staging, config.Machines, config.Collectors, config.Actors)
	if err != nil {
		t.Fatal(err)
	}
	if c.Log != slog.LevelDebug || c.Database.Host != "db" || c.Cache.URL != "rediss://cache:6379" || c.Table != "keys" || c.Bucket != "bucket" ||
		c.Machines["collect"] != "arn:1" || c.Collectors["aws"] != "arn:2" || len(c.Actors) != 0 {
		t.Errorf("got %+v", c)
	}
}

func TestLoadNamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		vars  map[string]string
		needs []config.Need
		want  []string
	}{
		"nothing there":       {nil, []config.Need{config.Database, config.Table, config.Staging}, []string{"DATABASE_URL or DATABASE_HOST is missing", "TABLE_NAME is missing", "STAGING_BUCKET is missing"}},
		"half a database":     {map[string]string{"DATABASE_HOST": "h"}, []config.Need{config.Database}, []string{"DATABASE_NAME is missing", "DATABASE_USER is missing"}},
		"level":               {map[string]string{"LOG_LEVEL": "loud"}, nil, []string{"LOG_LEVEL is not one of"}},
		"machines not JSON":   {map[string]string{"STATE_MACHINES": "arn"}, []config.Need{config.Machines}, []string{"STATE_MACHINES is not a JSON object"}},
		"machines null":       {map[string]string{"STATE_MACHINES": "null"}, []config.Need{config.Machines}, []string{"STATE_MACHINES is not a JSON object"}},
		"cache without host":  {map[string]string{"CACHE_URL": "localhost"}, []config.Need{config.Cache}, []string{"CACHE_URL is not a URL"}},
		"collectors a number": {map[string]string{"COLLECTORS": `{"aws":1}`}, []config.Need{config.Collectors}, []string{"COLLECTORS is not"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(env(tc.vars), tc.needs...)
			if err == nil {
				t.Fatal("want an error")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

func TestErrorsNeverShowValues(t *testing.T) {
	t.Parallel()
	_, err := config.Load(env(map[string]string{"CACHE_URL": "secret-host-and-password"}), config.Cache)
	if err == nil || strings.Contains(err.Error(), "secret-host") {
		t.Errorf("got %v", err)
	}
}
