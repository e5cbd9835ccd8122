// Package config reads the environment, once, into values that say what they are.
package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// Need is a group of settings that a function cannot do without.
type Need int

// The groups.
const (
	Database   Need = iota // DATABASE_URL, or DATABASE_HOST, DATABASE_NAME and DATABASE_USER with an IAM token for a password
	Cache                  // CACHE_URL; CACHE_NAME and CACHE_USER as well where the password is an IAM token
	Table                  // TABLE_NAME
	Staging                // STAGING_BUCKET
	Machines               // STATE_MACHINES
	Collectors             // COLLECTORS
	Actors                 // ACTORS
	Secrets                // SECRETS_PREFIX
)

// Config is the environment of a function.
type Config struct {
	Log        slog.Level
	Database   DatabaseSettings
	Cache      CacheSettings
	Table      string                    // DynamoDB: keys, locks, idempotency
	Bucket     string                    // S3: staging
	Machines   map[string]string         // state machine name to ARN
	Collectors map[resource.Cloud]string // cloud to the function that reads it
	Actors     map[resource.Cloud]string // cloud to the function that changes it
	Secrets    string                    // what the names of connections' credentials begin with; ends with a slash
	CauseTags  []string                  // CAUSE_TAGS: keys of tags that may name the cause of an anomaly, by commas; may be missing
}

// DatabaseSettings is where PostgreSQL is. URL is complete, or the other fields are and the password is an IAM token.
type DatabaseSettings struct {
	URL, Host, Name, User string
	CA                    string // file of the certificates to trust; empty: those of the system
}

// CacheSettings is where Redis or Valkey is. With Name and User the password is an IAM token.
type CacheSettings struct {
	URL, Name, User string
}

// Load reads the environment through getenv (os.Getenv). It fails when a needed setting is missing or malformed, with an
// error that names every one of them, and never their values.
func Load(getenv func(string) string, needs ...Need) (Config, error) {
	r := reader{getenv: getenv}
	c := Config{Log: r.level("LOG_LEVEL")}
	if tags := getenv("CAUSE_TAGS"); tags != "" {
		c.CauseTags = strings.Split(tags, ",")
	}
	for _, n := range needs {
		switch n {
		case Database:
			c.Database = r.database()
		case Cache:
			c.Cache = CacheSettings{URL: r.url("CACHE_URL"), Name: getenv("CACHE_NAME"), User: getenv("CACHE_USER")}
		case Table:
			c.Table = r.text("TABLE_NAME")
		case Staging:
			c.Bucket = r.text("STAGING_BUCKET")
		case Machines:
			c.Machines = names[string](&r, "STATE_MACHINES")
		case Collectors:
			c.Collectors = names[resource.Cloud](&r, "COLLECTORS")
		case Actors:
			c.Actors = names[resource.Cloud](&r, "ACTORS")
		case Secrets:
			c.Secrets = strings.TrimSuffix(r.text("SECRETS_PREFIX"), "/") + "/"
		default:
			r.complain("unknown need %d", n)
		}
	}
	if len(r.complaints) > 0 {
		return Config{}, fmt.Errorf("the environment is not complete: %s", strings.Join(r.complaints, "; "))
	}
	return c, nil
}

type reader struct {
	getenv     func(string) string
	complaints []string
}

func (r *reader) complain(format string, args ...any) {
	r.complaints = append(r.complaints, fmt.Sprintf(format, args...))
}

func (r *reader) text(name string) string {
	v := r.getenv(name)
	if v == "" {
		r.complain("%s is missing", name)
	}
	return v
}

func (r *reader) url(name string) string {
	v := r.text(name)
	if u, err := url.Parse(v); v != "" && (err != nil || u.Scheme == "" || u.Host == "") {
		r.complain("%s is not a URL", name)
	}
	return v
}

func (r *reader) database() DatabaseSettings {
	if v := r.getenv("DATABASE_URL"); v != "" {
		return DatabaseSettings{URL: v}
	}
	if r.getenv("DATABASE_HOST") == "" {
		r.complain("DATABASE_URL or DATABASE_HOST is missing")
		return DatabaseSettings{}
	}
	return DatabaseSettings{Host: r.getenv("DATABASE_HOST"), Name: r.text("DATABASE_NAME"), User: r.text("DATABASE_USER"), CA: r.getenv("DATABASE_CA")}
}

func (r *reader) level(name string) slog.Level {
	var l slog.Level
	if v := r.getenv(name); v != "" {
		if err := l.UnmarshalText([]byte(v)); err != nil {
			r.complain("%s is not one of debug, info, warn, error", name)
		}
	}
	return l
}

// names reads a JSON object of texts. An empty object is legal: a stack without a cloud has no collector for it.
func names[K ~string](r *reader, name string) map[K]string {
	v := r.text(name)
	if v == "" {
		return nil
	}
	var m map[K]string
	if err := json.Unmarshal([]byte(v), &m); err != nil || m == nil {
		r.complain("%s is not a JSON object of texts", name)
	}
	return m
}
