package acceptance_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// startTLS runs the program with a certificate that its clients trust.
func startTLS(t *testing.T, flags ...string) *program {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	require.NoError(t, os.WriteFile(certFile, asPEM, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	p := start(t, append([]string{"--tls-cert", certFile, "--tls-key", keyFile}, flags...)...)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(asPEM)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	p.transport, p.caFile = transport, certFile
	return p
}

func (p *program) address() string {
	_, address, _ := strings.Cut(p.url, "://")
	return address
}

func TestHTTPS(t *testing.T) {
	p := startTLS(t)
	require.True(t, strings.HasPrefix(p.url, "https://127.0.0.1:"), p.url)
	b := p.registered(t)
	require.True(t, b.IsSignedIn(t))
	require.NotEmpty(t, b.Cookie("__Host-session"))
	require.Empty(t, b.Cookie("session"))
	require.Contains(t, b.Get(t, "/profile").Header.Get("Strict-Transport-Security"), "max-age=31536000")
	signedIn := sessionCookie(p.browser(t).SignIn(t, "Anna", goodPassword))
	require.NotNil(t, signedIn)
	require.True(t, signedIn.Secure)
	require.Contains(t, b.Get(t, "/profile").Text("#report pre"), p.url, "the command on the page")

	body := person("boris", `"phone":"9000000001"`)
	require.Equal(t, 200, p.post(t, body).status)
	chunked := p.do(t, http.MethodPost, "/useradd", io.MultiReader(strings.NewReader(strings.Replace(body, "boris", "vera", 1)+" ")))
	require.Equal(t, 400, chunked.status, "the phone is taken")
	require.Equal(t, 200, b.Get(t, "/useradd/export/xlsx").Status)

	// a client without TLS gets no answer, and does no harm
	conn, err := net.Dial("tcp", p.address())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	answered, _ := io.ReadAll(conn)
	require.NotContains(t, string(answered), "HTTP/1.1 200")
	require.Equal(t, 200, p.do(t, http.MethodGet, "/healthz", nil).status)
}

// 'rollcall send' trusts the authority that it is given, and tells a port for HTTPS from one for HTTP.
func TestSendOverHTTPS(t *testing.T) {
	p := startTLS(t)
	status, _, stderr := command(t, "{}", "send", "--server", p.url, "-")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "--ca-file")
	t.Setenv("ROLLCALL_CA_FILE", p.caFile)
	status, _, stderr = command(t, person("anna", `"phone":"9000000001"`), "send", "--server", p.url, "-")
	require.Zero(t, status, stderr)
	status, _, stderr = command(t, "{}", "send", "--server", "http://"+p.address(), "-")
	require.Equal(t, 1, status)
	require.Equal(t, "-: "+p.address()+" speaks HTTPS, not HTTP: use --server "+p.url+"\n", stderr)
	plain := start(t)
	status, _, stderr = command(t, "{}", "send", "--server", "https://"+plain.address(), "-")
	require.Equal(t, 1, status)
	require.Equal(t, "-: "+plain.address()+" speaks HTTP, not HTTPS: use --server "+plain.url+"\n", stderr)
}

// A client that connects and never completes the handshake does not delay the shutdown.
func TestStopBeforeHandshake(t *testing.T) {
	p := startTLS(t)
	conn, err := net.Dial("tcp", p.address())
	require.NoError(t, err)
	defer conn.Close()
	require.Equal(t, 200, p.do(t, http.MethodGet, "/healthz", nil).status, "a later client")
	began := time.Now()
	require.Zero(t, p.stop())
	require.Less(t, time.Since(began), 5*time.Second)
}

func TestInvalidCertificates(t *testing.T) {
	for _, c := range []struct {
		name, stderr string
		args         []string
	}{
		{"certificate only", "--tls-cert and --tls-key must be set together", []string{"--tls-cert", "cert.pem"}},
		{"key only", "--tls-cert and --tls-key must be set together", []string{"--tls-key", "key.pem"}},
		{"missing files", "rollcall: read certificate: stat /none.pem", []string{"--tls-cert", "/none.pem", "--tls-key", "/none.pem"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, _, got := command(t, "", append([]string{"serve", "--data-dir", t.TempDir()}, c.args...)...)
			require.NotZero(t, status)
			require.Contains(t, got, c.stderr)
		})
	}
}

// A heldBack connection sends nothing before its release, and then everything in one write.
type heldBack struct {
	net.Conn

	holds bool
	held  bytes.Buffer
}

func (h *heldBack) Write(p []byte) (int, error) {
	if h.holds {
		return h.held.Write(p)
	}
	return h.Conn.Write(p)
}

// SetWriteDeadline ignores the deadline that crypto/tls sets after its last record.
func (h *heldBack) SetWriteDeadline(time.Time) error { return nil }

func (h *heldBack) release() error {
	_, err := h.Conn.Write(h.held.Bytes())
	return err
}

// A chunked body is complete after its last chunk, and never because the connection has ended.
func TestTruncatedBodyOverTLS(t *testing.T) {
	p := startTLS(t)
	line := func(login string) string { return person(login, `"email":"`+login+`@example.com"`) + "\n" }
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	const last = "0\r\n\r\n"
	chunked := "Transfer-Encoding: chunked\r\n"
	for _, c := range []struct {
		name         string
		length, body string
		cut          bool // without close_notify
		created      int
	}{
		{"whole", chunked, chunk(line("anna")) + chunk(line("boris")) + last, false, 2},
		{"whole, then cut", chunked, chunk(line("anna")) + chunk(line("boris")) + last, true, 2},
		{"after a line", chunked, chunk(line("anna")), false, 0},
		{"after a line, cut", chunked, chunk(line("anna")), true, 0},
		{"after a line, in a chunk", chunked, "fff\r\n" + line("anna"), false, 0},
		{"after a line, in a chunk, cut", chunked, "fff\r\n" + line("anna"), true, 0},
		{"after a line, in the last chunk", chunked, chunk(line("anna")) + "0", false, 0},
		{"after a line, in the last chunk, cut", chunked, chunk(line("anna")) + "0", true, 0},
		{"after a line of a known length", "Content-Length: 1000\r\n", line("anna"), false, 0},
		{"after a line of a known length, cut", "Content-Length: 1000\r\n", line("anna"), true, 0},
		{"whole, of a known length", fmt.Sprintf("Content-Length: %d\r\n", len(line("anna"))), line("anna"), false, 1},
		{"whole, of a known length, then cut", fmt.Sprintf("Content-Length: %d\r\n", len(line("anna"))), line("anna"), true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} { // they end a connection differently
				t.Run(tls.VersionName(version), func(t *testing.T) {
					p.set(t, "delete from users")
					p.set(t, "delete from codes")
					raw, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.address())
					require.NoError(t, err)
					defer raw.Close()
					require.NoError(t, raw.SetDeadline(time.Now().Add(time.Minute)))
					held := &heldBack{Conn: raw}
					conn := tls.Client(held, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
					require.NoError(t, conn.Handshake())
					held.holds = true
					_, err = io.WriteString(conn, "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"+c.length+"\r\n"+c.body)
					require.NoError(t, err)
					if !c.cut {
						require.NoError(t, conn.CloseWrite())
					}
					require.NoError(t, held.release())
					require.NoError(t, raw.(*net.TCPConn).CloseWrite())
					answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
					require.NoError(t, err)
					defer answer.Body.Close()
					require.Equal(t, c.created > 0, answer.StatusCode == http.StatusOK, answer.Status)
					require.Equal(t, c.created, p.count(t, "users"))
					if c.created == 0 {
						codes := pgtest.Query[code](t, p.database, `select code, method, description from codes`)
						require.Equal(t, []code{{400, "POST", broken}}, codes)
					}
				})
			}
		})
	}
}

// A client rejected in the middle of a large body can read the answer.
func TestRejectionOfALargeBodyOverTLS(t *testing.T) {
	p := startTLS(t, "--max-body", "1KiB")
	got := p.do(t, http.MethodPost, "/useradd", io.LimitReader(endless{}, 8<<20))
	require.Equal(t, 413, got.status)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte{' '}, len(p))), nil }
