package tlscert_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/tlscert"
)

// A pair is a certificate in two files, as certbot stores it.
type pair struct {
	cert, key string
	issued    time.Time // modification time of the last file written
}

func newPair(t *testing.T) *pair {
	t.Helper()
	dir := t.TempDir()
	return &pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), time.Now()}
}

// issue returns the content of the files of a new certificate.
func issue(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return issueFor(t, name, private)
}

func issueFor(t *testing.T, name string, private crypto.Signer) (cert, key []byte) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
	}, &x509.Certificate{SerialNumber: big.NewInt(1)}, private.Public(), private)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// write replaces a file, with a later modification time than the last one.
func (p *pair) write(t *testing.T, name string, content []byte) {
	t.Helper()
	p.issued = p.issued.Add(time.Second)
	require.NoError(t, os.WriteFile(name, content, 0o600))
	require.NoError(t, os.Chtimes(name, p.issued, p.issued))
}

// handshake returns the name in the certificate that a client receives.
func handshake(t *testing.T, config, of *tls.Config) (string, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	go func() { _ = tls.Server(ours, config).HandshakeContext(t.Context()) }()
	client := tls.Client(theirs, of)
	err := client.HandshakeContext(t.Context())
	if err != nil {
		return "", err
	}
	return client.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func TestRenewedCertificateIsServed(t *testing.T) {
	files, now, logged := newPair(t), time.Now(), &bytes.Buffer{}
	cert, key := issue(t, "first")
	files.write(t, files.cert, cert)
	files.write(t, files.key, key)
	certificate, err := tlscert.New(tlscert.Config{
		CertFile: files.cert, KeyFile: files.key, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(logged, nil)),
	})
	require.NoError(t, err)
	config := certificate.TLS()
	expect := func(want string, when string) {
		t.Helper()
		got, err := handshake(t, config, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
		require.NoError(t, err, when)
		require.Equal(t, want, got, when)
	}
	expect("first", "at the start")

	newCert, newKey := issue(t, "second")
	files.write(t, files.cert, newCert)
	expect("first", "before the next look at the files")
	now = now.Add(time.Minute)
	expect("first", "certificate and key do not belong together yet")
	require.Contains(t, logged.String(), "level=ERROR")
	files.write(t, files.key, newKey)
	now = now.Add(time.Minute)
	expect("second", "renewed")

	logged.Reset()
	now = now.Add(time.Minute)
	expect("second", "unchanged")
	require.Empty(t, logged.String())
	for _, c := range []struct {
		name  string
		spoil func()
	}{
		{"invalid certificate", func() { files.write(t, files.cert, []byte("nonsense")) }},
		{"empty key", func() { files.write(t, files.key, nil) }},
		{"missing key", func() { require.NoError(t, os.Remove(files.key)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			logged.Reset()
			c.spoil()
			now = now.Add(time.Minute)
			expect("second", c.name)
			require.Contains(t, logged.String(), "level=ERROR")
		})
	}
	files.write(t, files.cert, cert)
	files.write(t, files.key, key)
	now = now.Add(time.Minute)
	expect("first", "valid again")
}

func TestCertificateRequiresTLS12(t *testing.T) {
	files := newPair(t)
	cert, key := issue(t, "any")
	files.write(t, files.cert, cert)
	files.write(t, files.key, key)
	certificate, err := tlscert.New(tlscert.Config{CertFile: files.cert, KeyFile: files.key, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			_, err := handshake(t, certificate.TLS(), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
			require.Equal(t, version >= tls.VersionTLS12, err == nil, err)
		})
	}
}

// In TLS 1.2 the server accepts only suites with authenticated encryption and forward secrecy.
func TestCertificateRequiresAEAD(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for _, c := range []struct {
		kind    string
		private crypto.Signer
	}{{"ECDSA", ec}, {"RSA", rsaKey}} {
		t.Run(c.kind, func(t *testing.T) {
			files := newPair(t)
			cert, key := issueFor(t, c.kind, c.private)
			files.write(t, files.cert, cert)
			files.write(t, files.key, key)
			certificate, err := tlscert.New(tlscert.Config{CertFile: files.cert, KeyFile: files.key, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			accepted := 0
			for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
				if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
					continue
				}
				_, err := handshake(t, certificate.TLS(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
				isAEAD := strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "_CHACHA20_")
				require.Equal(t, isAEAD && strings.Contains(suite.Name, "_ECDHE_"+c.kind+"_"), err == nil, "%s: %v", suite.Name, err)
				if err == nil {
					accepted++
				}
			}
			require.Equal(t, 3, accepted)
		})
	}
}

func TestInvalidCertificates(t *testing.T) {
	files := newPair(t)
	cert, _ := issue(t, "one")
	_, key := issue(t, "another")
	for _, c := range []struct {
		name      string
		cert, key []byte
	}{
		{"no PEM", []byte("x"), []byte("y")},
		{"empty", nil, nil},
		{"another key", cert, key},
		{"exchanged", key, cert},
	} {
		t.Run(c.name, func(t *testing.T) {
			files.write(t, files.cert, c.cert)
			files.write(t, files.key, c.key)
			_, err := tlscert.New(tlscert.Config{CertFile: files.cert, KeyFile: files.key, Now: time.Now})
			require.ErrorContains(t, err, "read certificate: ")
		})
	}
	_, err := tlscert.New(tlscert.Config{CertFile: files.cert, KeyFile: files.key + "x", Now: time.Now})
	require.ErrorIs(t, err, os.ErrNotExist)
}
