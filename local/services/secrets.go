package services

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// SecretsManager keeps secrets in one file that is encrypted with AES-GCM. Its key is in a second file beside it: whoever gets
// hold of a backup of one of the two learns nothing.
type SecretsManager struct {
	*Server

	mu     sync.Mutex
	path   string
	sealer cipher.AEAD
	kept   map[string]secret
}

// secret is one secret in the words of the service's API.
type secret struct {
	Text   *string `json:"SecretString,omitempty"`
	Binary []byte  `json:"SecretBinary,omitempty"`
	Token  string  `json:"ClientRequestToken,omitempty"`
}

const (
	keyBytes   = 32
	ownersOnly = 0o600
)

// StartSecretsManager serves the secrets of the file at path; its key is in path with ".key" added. Both files are made when
// there are none, and may be read by their owner only.
func StartSecretsManager(path string) (*SecretsManager, error) {
	key, err := fileKey(path + ".key")
	if err != nil {
		return nil, fmt.Errorf("key of the secrets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of the secrets: %w", err)
	}
	m := &SecretsManager{path: path, kept: map[string]secret{}}
	if m.sealer, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("key of the secrets: %w", err)
	}
	if err := m.open(); err != nil {
		return nil, fmt.Errorf("secrets in %s: %w", path, err)
	}
	m.Server, err = Serve(http.HandlerFunc(m.handle))
	return m, err
}

// fileKey reads the key, and makes one the first time.
func fileKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) == keyBytes {
		return key, os.Chmod(path, ownersOnly)
	}
	if err == nil {
		return nil, fmt.Errorf("%s does not hold %d bytes", path, keyBytes)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key = make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return key, os.WriteFile(path, key, ownersOnly)
}

func (m *SecretsManager) open() error {
	sealed, err := os.ReadFile(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	size := m.sealer.NonceSize()
	if len(sealed) < size {
		return errors.New("the file is cut off")
	}
	text, err := m.sealer.Open(nil, sealed[:size], sealed[size:], nil)
	if err != nil {
		return errors.New("the file was changed, or its key is another")
	}
	return json.Unmarshal(text, &m.kept)
}

// save replaces the file as a whole, so that a crash leaves the old or the new one.
func (m *SecretsManager) save() error {
	text, err := json.Marshal(m.kept)
	if err != nil {
		return err
	}
	nonce := make([]byte, m.sealer.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(m.path), filepath.Base(m.path)+".*") // for the owner only
	if err != nil {
		return err
	}
	_, err = fresh.Write(m.sealer.Seal(nonce, nonce, text, nil))
	if err = errors.Join(err, fresh.Sync(), fresh.Close()); err == nil {
		err = os.Rename(fresh.Name(), m.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh.Name()))
	}
	return nil
}

// request is what the operations of the service take, as far as they are known here.
type request struct {
	secret

	Name  string `json:"Name"`
	ID    string `json:"SecretId"`
	Force bool   `json:"ForceDeleteWithoutRecovery"`
}

// handle speaks the JSON 1.1 protocol of the service.
func (m *SecretsManager) handle(w http.ResponseWriter, r *http.Request) {
	const most = 1 << 18
	var in request
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(body)).Decode(&in)
	}
	if err != nil {
		refused(w, http.StatusBadRequest, "InvalidParameterException", "The request is not JSON.")
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get(targetHeader), ".")
	m.mu.Lock()
	defer m.mu.Unlock()
	switch operation {
	case "CreateSecret":
		m.create(w, in)
	case "PutSecretValue":
		m.change(w, in, func() { m.kept[in.ID] = in.secret })
	case "DeleteSecret":
		m.change(w, in, func() { delete(m.kept, in.ID) })
	case "GetSecretValue":
		m.get(w, in.ID)
	default:
		refused(w, http.StatusBadRequest, "UnknownOperationException", "This stand-in does not know the operation.")
	}
}

func (m *SecretsManager) create(w http.ResponseWriter, in request) {
	if _, exists := m.kept[in.Name]; exists || in.Name == "" {
		refused(w, http.StatusBadRequest, "ResourceExistsException", "There is a secret with this name.")
		return
	}
	m.kept[in.Name] = in.secret
	if err := m.save(); err != nil {
		delete(m.kept, in.Name)
		refused(w, http.StatusInternalServerError, "InternalServiceError", err.Error())
		return
	}
	answered(w, secretAnswer{Name: in.Name, ARN: arnOf(in.Name), Version: in.Token})
}

func (m *SecretsManager) change(w http.ResponseWriter, in request, change func()) {
	before, ok := m.kept[in.ID]
	if !ok {
		missing(w)
		return
	}
	change()
	if err := m.save(); err != nil {
		m.kept[in.ID] = before
		refused(w, http.StatusInternalServerError, "InternalServiceError", err.Error())
		return
	}
	answered(w, secretAnswer{Name: in.ID, ARN: arnOf(in.ID), Version: in.Token})
}

func (m *SecretsManager) get(w http.ResponseWriter, id string) {
	s, ok := m.kept[id]
	if !ok {
		missing(w)
		return
	}
	answered(w, secretAnswer{Name: id, ARN: arnOf(id), Version: s.Token, Text: s.Text, Binary: s.Binary})
}

type secretAnswer struct {
	Name    string  `json:"Name"`
	ARN     string  `json:"ARN"`
	Version string  `json:"VersionId,omitempty"`
	Text    *string `json:"SecretString,omitempty"`
	Binary  []byte  `json:"SecretBinary,omitempty"`
}

func arnOf(name string) string { return "arn:aws:secretsmanager:local:000000000000:secret:" + name }

const jsonProtocol = "application/x-amz-json-1.1"

func answered(w http.ResponseWriter, what any) { send(w, http.StatusOK, what) }

func missing(w http.ResponseWriter) {
	refused(w, http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func refused(w http.ResponseWriter, status int, code, message string) {
	send(w, status, map[string]string{"__type": code, "message": message})
}

func send(w http.ResponseWriter, status int, what any) {
	body, err := json.Marshal(what)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonProtocol)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller is gone, nobody to tell
}
