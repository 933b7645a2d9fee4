package client_test

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/client"
)

// startTLS starts a server for HTTPS that answers with a result. It returns the server's URL and the file of its certificate.
func startTLS(t *testing.T) (url, caFile string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(respondsLines(200, allLines)))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return server.URL, fileOf(t, "ca.pem", string(certificate))
}

// An error of a connection says what to try. The client retries if the server may only be starting.
func TestUnreachableServer(t *testing.T) {
	secure, caFile := startTLS(t)
	secureHost := strings.TrimPrefix(secure, "https://")
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	plainHost := strings.TrimPrefix(plain.URL, "http://")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	closed := listener.Addr().String()
	_, securePort, err := net.SplitHostPort(secureHost)
	require.NoError(t, err)
	for _, test := range []struct {
		name    string
		options client.Options
		stderr  string
		retries bool
	}{
		{name: "HTTP to a port for HTTPS", options: client.Options{Server: "http://" + secureHost + "/x"}, stderr: "-: " + secureHost + " speaks HTTPS, not HTTP: use --server https://" + secureHost + "/x\n"},
		{name: "HTTPS to a port for HTTP", options: client.Options{Server: "https://" + plainHost}, stderr: "-: " + plainHost + " speaks HTTP, not HTTPS: use --server http://" + plainHost + "\n"},
		{name: "unknown authority", options: client.Options{Server: secure}, stderr: "signed by unknown authority: if you trust the server, add the certificate of its authority with --ca-file\n"},
		{name: "certificate for another name", options: client.Options{Server: "https://localhost:" + securePort, CAFile: caFile}, stderr: "not localhost: check the name in --server and the clock of this machine\n"},
		{name: "unknown host", options: client.Options{Server: "http://no..name:5000"}, stderr: "-: no server has the name \"no..name\": check --server\n"},
		{name: "closed port", options: client.Options{Server: "http://" + closed}, stderr: "-: no server listens on " + closed + " (connection refused): check that the server runs, and the port in --server; retrying in ", retries: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := script(t).send(t, "[]", test.options)
			require.ErrorIs(t, got.err, client.ErrReported)
			require.Contains(t, got.stderr, test.stderr)
			require.Equal(t, test.retries, len(got.pauses) > 0)
		})
	}
}

// The client follows no redirect, but names the address to use.
func TestRedirect(t *testing.T) {
	for _, test := range []struct{ location, stderr string }{
		{"https://people.example/useradd", "-: 308 Permanent Redirect: the server has moved: use --server https://people.example\n"},
		{"https://people.example:8443/app/useradd?dry_run=true", "use --server https://people.example:8443/app\n"},
		{"/login", "-: 308 Permanent Redirect: the response is not from Rollcall; check --server\n"},
	} {
		t.Run(test.location, func(t *testing.T) {
			got := script(t, responds(http.StatusPermanentRedirect, "", "", "Location", test.location)).send(t, "[]", client.Options{})
			require.ErrorIs(t, got.err, client.ErrReported)
			require.Contains(t, got.stderr, test.stderr)
		})
	}
}

func TestCAFile(t *testing.T) {
	url, caFile := startTLS(t)
	got := script(t).send(t, "[]", client.Options{Server: url, CAFile: caFile})
	require.NoError(t, got.err, got.stderr)
	got = script(t).send(t, "[]", client.Options{Server: url, CAFile: caFile + "x"})
	require.ErrorContains(t, got.err, "--ca-file: open ")
	other := fileOf(t, "key.pem", "no certificate")
	got = script(t).send(t, "[]", client.Options{Server: url, CAFile: other})
	require.EqualError(t, got.err, `invalid --ca-file "`+other+`": expected certificates in PEM`)
}

// A refused token, and a path that is not Rollcall's, come with what to try.
func TestAdviceOnResponses(t *testing.T) {
	for _, test := range []struct {
		name, stdout string
		response     step
	}{
		{
			"refused token", "-: 401 Unauthorized\n  The token is expired.\n  Run 'rollcall token create' on the server, and set ROLLCALL_TOKEN to the token that it prints.\n",
			respondsProblem(401, "token_invalid", "The token is expired."),
		},
		{"wrong path", "-: 404 Not Found\n  Not found.\n  Check the path in --server. It must not include /useradd.\n", respondsProblem(404, "not_found", "Not found.")},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := script(t, test.response).send(t, "[]", client.Options{})
			require.ErrorIs(t, got.err, client.ErrReported)
			require.Equal(t, test.stdout, got.stdout)
		})
	}
}
