package collection_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// internet is all that collectors find outside: a proxy that ends every tunnel itself, whatever host it leads to, with a
// certificate of its own authority. So the functions run as they are deployed, with the addresses that the clouds have.
type internet struct {
	proxy     string // HTTPS_PROXY
	authority string // SSL_CERT_FILE

	issuer    *x509.Certificate
	issuerKey *ecdsa.PrivateKey
	mu        sync.Mutex
	issued    map[string]*tls.Certificate
	tunnels   chan net.Conn
	closed    chan struct{}
}

// openInternet serves what site gives for a host.
func openInternet(tb testing.TB, site func(host string) http.Handler) *internet {
	tb.Helper()
	in := &internet{issued: map[string]*tls.Certificate{}, tunnels: make(chan net.Conn), closed: make(chan struct{})}
	in.found(tb)
	inside := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site(r.Host).ServeHTTP(w, r) }),
		ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0), // functions that are ended break tunnels off
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: in.certificate},
	}
	go func() { _ = inside.ServeTLS(in, "", "") }() // ends with the tunnels
	front := httptest.NewServer(http.HandlerFunc(in.tunnel))
	in.proxy = front.URL
	tb.Cleanup(func() { _ = inside.Close(); front.Close() })
	return in
}

// found makes the authority and writes its certificate where functions look for those they trust.
func (in *internet) found(tb testing.TB) {
	tb.Helper()
	in.issuer = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(day)}
	cert, err := in.issue(in.issuer)
	if err != nil {
		tb.Fatal(err)
	}
	in.authority = filepath.Join(tb.TempDir(), "authority.pem")
	if err := os.WriteFile(in.authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// issue signs; the first certificate signs itself.
func (in *internet) issue(c *x509.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if in.issuerKey == nil {
		in.issuerKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, in.issuer, key.Public(), in.issuerKey)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// certificate is that of the host that was asked for.
func (in *internet) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if c := in.issued[hello.ServerName]; c != nil {
		return c, nil
	}
	c, err := in.issue(&x509.Certificate{SerialNumber: big.NewInt(int64(len(in.issued)) + 2), Subject: pkix.Name{CommonName: "test"},
		DNSNames: []string{hello.ServerName}, NotBefore: in.issuer.NotBefore, NotAfter: in.issuer.NotAfter})
	in.issued[hello.ServerName] = c
	return c, err
}

func (in *internet) tunnel(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only tunnels", http.StatusMethodNotAllowed)
		return
	}
	w.WriteHeader(http.StatusOK)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the caller is gone
	}
	select {
	case in.tunnels <- conn:
	case <-in.closed:
		_ = conn.Close()
	}
}

// Accept, Close and Addr make the tunnels a net.Listener.
func (in *internet) Accept() (net.Conn, error) {
	select {
	case c := <-in.tunnels:
		return c, nil
	case <-in.closed:
		return nil, net.ErrClosed
	}
}

func (in *internet) Close() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	select {
	case <-in.closed:
	default:
		close(in.closed)
	}
	return nil
}

func (in *internet) Addr() net.Addr { return &net.TCPAddr{} }

// bare is a host without its port.
func bare(host string) string {
	name, _, _ := strings.Cut(host, ":")
	return name
}
