package web

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often at most the files of a certificate are looked at.
const lookEvery = time.Minute

// CertificateConfig says where a certificate is.
type CertificateConfig struct {
	CertFile string // with those of its issuers behind it, in PEM
	KeyFile  string // in PEM
	Now      func() time.Time
	Log      *slog.Logger
}

// Certificate is what the server shows over TLS. When its files were renewed, handshakes from a minute later on have the
// new one; where that is of no use, the old one goes on.
type Certificate struct {
	with CertificateConfig

	mu      sync.Mutex
	current *tls.Certificate
	version [2]version // of the files, when current was read
	looked  time.Time
}

// version tells whether a file is the one that was read.
type version struct {
	modified time.Time
	size     int64
}

// NewCertificate reads a certificate. It returns an error when the files cannot be read, or do not belong together.
func NewCertificate(with CertificateConfig) (*Certificate, error) {
	c := &Certificate{with: with, looked: with.Now()}
	err := c.renew()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Config is for TLS 1.2 and later, and for HTTP/1.1, which is all that fasthttp speaks. In TLS 1.2 it has suites with
// authenticated encryption alone, as TLS 1.3 has.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.latest(), nil },
	}
}

// latest returns the certificate, renewed if need be.
func (c *Certificate) latest() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.with.Now(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		err := c.renew()
		if err != nil {
			c.with.Log.Error("the old certificate stays", "error", err)
		}
	}
	return c.current
}

// renew reads the files if they have changed. What they are is asked first: should they change between, they are read again.
func (c *Certificate) renew() error {
	var found [2]version
	for i, name := range []string{c.with.CertFile, c.with.KeyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("read certificate: %w", err)
		}
		found[i] = version{info.ModTime(), info.Size()}
	}
	if found == c.version {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.with.CertFile, c.with.KeyFile)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	c.current, c.version = &pair, found
	return nil
}
