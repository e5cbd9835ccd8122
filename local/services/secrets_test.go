package services_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/cost-agent/cost-agent/local/services"
	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/secrets"
)

func vault(t *testing.T, path string) (secrets.Store, *services.SecretsManager) {
	t.Helper()
	stand, err := services.StartSecretsManager(path)
	if err != nil {
		t.Fatal(err)
	}
	return secrets.Store{API: secretsmanager.NewFromConfig(config(stand.URL())), Prefix: "cost-agent/connections/"}, stand
}

func TestSecretsOutliveTheServiceAndAreSealed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets")
	store, stand := vault(t, path)
	for _, value := range []string{`{"api_key":"first"}`, `{"api_key":"second"}`} {
		if err := store.Put(t.Context(), "t/main", []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := stand.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".key"} {
		text, err := os.ReadFile(file)
		if err != nil || bytes.Contains(text, []byte("second")) || bytes.Contains(text, []byte("main")) {
			t.Errorf("%s is readable: %q, %v", file, text, err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want 0600", file, info.Mode(), err)
		}
	}
	store, stand = vault(t, path)
	if got, err := store.Get(t.Context(), "t/main"); err != nil || string(got) != `{"api_key":"second"}` {
		t.Errorf("after a new start: %q, %v", got, err)
	}
	for range 2 {
		if err := store.Delete(t.Context(), "t/main"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := store.Get(t.Context(), "t/main"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a removed secret: %v, want NotFound", err)
	}
	if err := stand.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), "t/main"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("no service: %v, want Unavailable", err)
	}
}

func TestSecretsThatWereTamperedWithAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets")
	store, stand := vault(t, path)
	if err := store.Put(t.Context(), "t/main", []byte(`{"a":"b"}`)); err != nil {
		t.Fatal(err)
	}
	if err := stand.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed[len(sealed)-1] ^= 1
	if err := os.WriteFile(path, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := services.StartSecretsManager(path); err == nil {
		t.Error("a changed file was accepted")
	}
}
