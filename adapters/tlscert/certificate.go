// Package tlscert serves a TLS certificate from files, and reads them again when they are renewed.
package tlscert

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookInterval is the minimal time between two looks at the files of a certificate.
const lookInterval = time.Minute

// Config describes a certificate.
type Config struct {
	CertFile string // in PEM, followed by the certificates of its issuers
	KeyFile  string // in PEM
	Now      func() time.Time
	Log      *slog.Logger
}

// A Certificate is a server's certificate. TLS handshakes use renewed files within a minute. While these are invalid, handshakes use the
// certificate that was read before.
type Certificate struct {
	cfg Config

	mu      sync.Mutex
	current *tls.Certificate
	version [2]version // of the files that current was read from
	looked  time.Time
}

// A version changes when a file is written.
type version struct {
	modified time.Time
	size     int64
}

// New reads a certificate. It returns an error if the files cannot be read or do not belong together.
func New(cfg Config) (*Certificate, error) {
	c := &Certificate{cfg: cfg, looked: cfg.Now()}
	err := c.renew()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// TLS returns the configuration of a server, for TLS 1.2 and later, and for HTTP/1.1, because fasthttp does not speak HTTP/2. In TLS 1.2 it
// offers only cipher suites with authenticated encryption, as TLS 1.3 does.
func (c *Certificate) TLS() *tls.Config {
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

// latest returns the certificate, and reads renewed files.
func (c *Certificate) latest() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.cfg.Now(); now.Sub(c.looked) >= lookInterval {
		c.looked = now
		err := c.renew()
		if err != nil {
			c.cfg.Log.Error("reloading the TLS certificate failed; keeping the current one", "error", err)
		}
	}
	return c.current
}

// renew reads the files if they have changed. It looks at their versions first, so that it reads them again if they change meanwhile.
func (c *Certificate) renew() error {
	var found [2]version
	for i, name := range []string{c.cfg.CertFile, c.cfg.KeyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("read certificate: %w", err)
		}
		found[i] = version{info.ModTime(), info.Size()}
	}
	if found == c.version {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.cfg.CertFile, c.cfg.KeyFile)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	c.current, c.version = &pair, found
	return nil
}
