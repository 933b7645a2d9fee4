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

// pair is a certificate in two files, as certbot keeps it.
type pair struct {
	cert, key string
	issued    time.Time // when the files were written last
}

func newPair(t *testing.T) *pair {
	t.Helper()
	dir := t.TempDir()
	return &pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), time.Now()}
}

// issue makes a certificate, and returns its files' content.
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

// write replaces a file, some time after the last one.
func (p *pair) write(t *testing.T, name string, content []byte) {
	t.Helper()
	p.issued = p.issued.Add(time.Second)
	require.NoError(t, os.WriteFile(name, content, 0o600))
	require.NoError(t, os.Chtimes(name, p.issued, p.issued))
}

// shown is whose certificate a client is shown.
func shown(t *testing.T, config *tls.Config, of *tls.Config) (string, error) {
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

func TestRenewedCertificateIsShown(t *testing.T) {
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
		got, err := shown(t, config, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
		require.NoError(t, err, when)
		require.Equal(t, want, got, when)
	}
	expect("first", "at the start")

	newCert, newKey := issue(t, "second")
	files.write(t, files.cert, newCert)
	expect("first", "files are not looked at for each client")
	now = now.Add(time.Minute)
	expect("first", "certificate and key do not belong together yet")
	require.Contains(t, logged.String(), "level=ERROR")
	files.write(t, files.key, newKey)
	now = now.Add(time.Minute)
	expect("second", "renewed")

	logged.Reset()
	now = now.Add(time.Minute)
	expect("second", "nothing has changed")
	require.Empty(t, logged.String())
	for name, spoil := range map[string]func(){
		"no certificate": func() { files.write(t, files.cert, []byte("nonsense")) },
		"empty":          func() { files.write(t, files.key, nil) },
		"gone":           func() { require.NoError(t, os.Remove(files.key)) },
	} {
		logged.Reset()
		spoil()
		now = now.Add(time.Minute)
		expect("second", name)
		require.Contains(t, logged.String(), "level=ERROR", name)
	}
	files.write(t, files.cert, cert)
	files.write(t, files.key, key)
	now = now.Add(time.Minute)
	expect("first", "mended")
}

func TestCertificateAsksForTLS12(t *testing.T) {
	files := newPair(t)
	cert, key := issue(t, "any")
	files.write(t, files.cert, cert)
	files.write(t, files.key, key)
	certificate, err := tlscert.New(tlscert.Config{CertFile: files.cert, KeyFile: files.key, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	for version, ok := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		_, err := shown(t, certificate.TLS(), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		require.Equal(t, ok, err == nil, "%s: %v", tls.VersionName(version), err)
	}
}

// In TLS 1.2 a client and the server agree on a suite with authenticated encryption and forward secrecy, or on nothing.
func TestCertificateAsksForAEAD(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for kind, private := range map[string]crypto.Signer{"ECDSA": ec, "RSA": rsaKey} {
		files := newPair(t)
		cert, key := issueFor(t, kind, private)
		files.write(t, files.cert, cert)
		files.write(t, files.key, key)
		certificate, err := tlscert.New(tlscert.Config{CertFile: files.cert, KeyFile: files.key, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		agreed := 0
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
				continue
			}
			_, err := shown(t, certificate.TLS(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
			isAEAD := strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "_CHACHA20_")
			require.Equal(t, isAEAD && strings.Contains(suite.Name, "_ECDHE_"+kind+"_"), err == nil, "%s, %s: %v", kind, suite.Name, err)
			if err == nil {
				agreed++
			}
		}
		require.Equal(t, 3, agreed, kind)
	}
}

func TestCertificateThatIsNone(t *testing.T) {
	files := newPair(t)
	cert, _ := issue(t, "one")
	_, key := issue(t, "another")
	for name, content := range map[string][2][]byte{
		"no PEM": {[]byte("x"), []byte("y")}, "empty": {nil, nil}, "of another key": {cert, key}, "exchanged": {key, cert},
	} {
		files.write(t, files.cert, content[0])
		files.write(t, files.key, content[1])
		_, err := tlscert.New(tlscert.Config{CertFile: files.cert, KeyFile: files.key, Now: time.Now})
		require.ErrorContains(t, err, "read certificate: ", name)
	}
	_, err := tlscert.New(tlscert.Config{CertFile: files.cert, KeyFile: files.key + "x", Now: time.Now})
	require.ErrorIs(t, err, os.ErrNotExist)
}
